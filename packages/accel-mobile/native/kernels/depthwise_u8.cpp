#include "kernels/depthwise_u8.hpp"

#include "kernels/requantise.hpp"

namespace accel_mobile {
namespace VISION_ISA_NAMESPACE {

// The most outputs side by side that share loaded inputs and weights.
#if VISION_ISA_IS_AVX512
constexpr int most_outputs = 8;
#else
constexpr int most_outputs = 2;
#endif

// out[i] = {frames[0][i], frames[1][i], frames[2][i], frames[3][i]}
static inline void interleave16(const uint8_t* const* frames, int64_t at, uint8_t* const* out) {
#if VISION_ISA_IS_AVX512 || VISION_ISA_IS_AVX2 || VISION_ISA_IS_AVXVNNI
  __m128i f[4];
  for (int t = 0; t < 4; ++t) f[t] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(frames[t] + at));
  const __m128i low01 = _mm_unpacklo_epi8(f[0], f[1]), high01 = _mm_unpackhi_epi8(f[0], f[1]);
  const __m128i low23 = _mm_unpacklo_epi8(f[2], f[3]), high23 = _mm_unpackhi_epi8(f[2], f[3]);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out[0]), _mm_unpacklo_epi16(low01, low23));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out[1]), _mm_unpackhi_epi16(low01, low23));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out[2]), _mm_unpacklo_epi16(high01, high23));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out[3]), _mm_unpackhi_epi16(high01, high23));
#else
  for (int64_t i = 0; i < 16; ++i)
    for (int t = 0; t < 4; ++t) out[i / 4][i % 4 * 4 + t] = frames[t][at + i];
#endif
}

static void quads_of_rows(const uint8_t* const* frames, int64_t stride, int64_t count, uint8_t* quads, int64_t quads_vector) {
  [[maybe_unused]] constexpr int lanes = i32::lanes;
  for (int64_t i = 0; i < count; ++i) {
    for (int64_t c = 0; c < stride; c += 16) {
#if VISION_ISA_IS_SCALAR
      for (int64_t k = c; k < c + 16; ++k)
        for (int t = 0; t < 4; ++t) quads[k * quads_vector + i * 4 + t] = frames[t][i * stride + k];
#else
      uint8_t* out[4];
      for (int q = 0; q < 4; ++q)
        out[q] = quads + (c + q * 4) / lanes * quads_vector + i * lanes * 4 + (c + q * 4) % lanes * 4;
      interleave16(frames, i * stride + c, out);
#endif
    }
  }
}

// The rows of blocks are whole blocks of four places.
static void quads_of_blocks(const uint8_t* const* frames, int64_t count, uint8_t* quads) {
#if VISION_ISA_IS_AVX512
  // In a block each part of 128 bits has four places of four channels.
  for (int64_t i = 0; i < count; i += 4, quads += 256) {
    __m512i f[4];
    for (int t = 0; t < 4; ++t) f[t] = _mm512_loadu_si512(frames[t] + i * 16);
    const __m512i low01 = _mm512_unpacklo_epi8(f[0], f[1]), high01 = _mm512_unpackhi_epi8(f[0], f[1]);
    const __m512i low23 = _mm512_unpacklo_epi8(f[2], f[3]), high23 = _mm512_unpackhi_epi8(f[2], f[3]);
    _mm512_storeu_si512(quads, _mm512_unpacklo_epi16(low01, low23));
    if (count - i > 1) _mm512_storeu_si512(quads + 64, _mm512_unpackhi_epi16(low01, low23));
    if (count - i > 2) _mm512_storeu_si512(quads + 128, _mm512_unpacklo_epi16(high01, high23));
    if (count - i > 3) _mm512_storeu_si512(quads + 192, _mm512_unpackhi_epi16(high01, high23));
  }
#else
  const int64_t bytes = count * i32::lanes;
  int64_t i = 0;
  for (; i + 16 <= bytes; i += 16) {
    uint8_t* const out[4] = {quads + i * 4, quads + i * 4 + 16, quads + i * 4 + 32, quads + i * 4 + 48};
    interleave16(frames, i, out);
  }
  for (; i < bytes; ++i)
    for (int t = 0; t < 4; ++t) quads[i * 4 + t] = frames[t][i];
#endif
}

template <int kernel, int stride, int outputs, bool edge>
static void outputs_of(const DepthwiseU8& d, int64_t out, int64_t first) {
  constexpr int columns = (outputs - 1) * stride + kernel, position = u8::lanes;
  const int64_t second = d.row_count * kernel * position;
  const u8 outside = set8(static_cast<uint8_t>(d.x_zero_point));
  const Rounding rounding(d.requantise);
  for (int64_t v = 0; v < d.vectors; ++v) {
    const int8_t* weights = d.weight + v * second * 2;
    const f32 multiplier = load(d.requantise.multiplier + v * i32::lanes);
    const i32 bias = load(d.bias + v * i32::lanes);
    uint8_t* y = d.y + out * d.y_position + v * i32::lanes;
    const DepthwiseRow* row = d.rows;
    for (int64_t frame = 0; frame < d.frames; frame += 2, y += 2 * d.y_frame) {
      // The same outputs two pairs on: far apart as frames lie, the processor does not foresee them.
#pragma GCC unroll 8
      for (int o = 0; o < outputs && v == 0; ++o) {
        __builtin_prefetch(y + 4 * d.y_frame + o * d.y_position, 1);
        __builtin_prefetch(y + 5 * d.y_frame + o * d.y_position, 1);
      }
      Sums sum[2][outputs];
#pragma GCC unroll 8
      for (int o = 0; o < outputs; ++o) sum[0][o] = sum[1][o] = sums(bias);
      const int8_t* at = weights;
      for (int64_t r = 0; r < d.row_count; ++r, ++row, at += kernel * position) {
        const uint8_t* x = row->x + v * row->vector + first * position;
        s8 w[2][kernel];
#pragma GCC unroll 8
        for (int k = 0; k < kernel; ++k) {
          w[0][k] = load(at + k * position);
          w[1][k] = load(at + k * position + second);
        }
#pragma GCC unroll 32
        for (int j = 0; j < columns; ++j) {
          const bool inside = !edge || static_cast<uint64_t>(first + j) < static_cast<uint64_t>(d.in_width);
          const u8 value = inside ? load(x + j * position) : outside;
#pragma GCC unroll 8
          for (int k = 0; k < kernel; ++k) {
            const int o = (j - k) / stride;
            if (j < k || (j - k) % stride != 0 || o >= outputs) continue;
            sum[0][o] = sums(dot4(lanes_of(sum[0][o]), value, w[0][k]));
            sum[1][o] = sums(dot4(lanes_of(sum[1][o]), value, w[1][k]));
          }
        }
      }
#pragma GCC unroll 2
      for (int f = 0; f < 2; ++f) {
        if (f == 1 && frame + 1 == d.frames) break;
        f32 real[outputs];
#pragma GCC unroll 8
        for (int o = 0; o < outputs; ++o) real[o] = mul(to_f32(lanes_of(sum[f][o])), multiplier);
        store_apart<outputs>(rounding, real, y + f * d.y_frame, d.y_position);
      }
    }
  }
}

template <int kernel, int stride, int outputs>
static void some(const DepthwiseU8& d, int64_t out, int64_t count) {
  if constexpr (outputs > 0) {
    if (count != outputs) return some<kernel, stride, outputs - 1>(d, out, count);
    const int64_t first = out * stride - d.padding, end = first + (outputs - 1) * stride + kernel;
    if (first < 0 || end > d.in_width) {
      outputs_of<kernel, stride, outputs, true>(d, out, first);
    } else {
      outputs_of<kernel, stride, outputs, false>(d, out, first);
    }
  }
}

template <int kernel, int stride>
static void unrolled(const DepthwiseU8& d) {
  const int64_t pieces = (d.out_width + most_outputs - 1) / most_outputs;
  for (int64_t i = 0; i < pieces; ++i) {
    const int64_t out = d.out_width * i / pieces;
    some<kernel, stride, most_outputs>(d, out, d.out_width * (i + 1) / pieces - out);
  }
}

static void any(const DepthwiseU8& d) {
  constexpr int position = u8::lanes;
  const int64_t second = d.row_count * d.kernel * position;
  const u8 outside = set8(static_cast<uint8_t>(d.x_zero_point));
  const Rounding rounding(d.requantise);
  for (int64_t v = 0; v < d.vectors; ++v) {
    const f32 multiplier = load(d.requantise.multiplier + v * i32::lanes);
    for (int64_t frame = 0; frame < d.frames; ++frame) {
      const DepthwiseRow* rows = d.rows + frame / 2 * d.row_count;
      for (int64_t out = 0; out < d.out_width; ++out) {
        const int8_t* at = d.weight + (v * 2 + frame % 2) * second;
        i32 sum = load(d.bias + v * i32::lanes);
        for (int64_t r = 0; r < d.row_count; ++r) {
          for (int64_t k = 0; k < d.kernel; ++k, at += position) {
            const int64_t column = out * d.stride - d.padding + k * d.dilation;
            const bool inside = column >= 0 && column < d.in_width;
            sum = dot4(sum, inside ? load(rows[r].x + v * rows[r].vector + column * position) : outside, load(at));
          }
        }
        const f32 real[1] = {mul(to_f32(sum), multiplier)};
        store_apart<1>(rounding, real, d.y + frame * d.y_frame + out * d.y_position + v * i32::lanes, 0);
      }
    }
  }
}

static void line(const DepthwiseU8& d) {
  const bool dense = d.dilation == 1;
  if (dense && d.kernel == 3 && d.stride == 1) return unrolled<3, 1>(d);
  if (dense && d.kernel == 3 && d.stride == 2) return unrolled<3, 2>(d);
  any(d);
}

}  // namespace VISION_ISA_NAMESPACE

VISION_DEFINE_KERNELS(DepthwiseU8Kernels, depthwise_u8) = {
    vision::simd::VISION_ISA_NAMESPACE::i32::lanes, &VISION_ISA_NAMESPACE::quads_of_rows,
    &VISION_ISA_NAMESPACE::quads_of_blocks, &VISION_ISA_NAMESPACE::line};

}  // namespace accel_mobile
