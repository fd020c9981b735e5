#include "kernels/depthwise_u8.hpp"

#include "kernels/requantise.hpp"

namespace accel_mobile {
namespace VISION_ISA_NAMESPACE {

#if VISION_ISA_IS_AVX512
constexpr int block = 5;
#else
constexpr int block = 2;
#endif

static void make_quads(const uint8_t* const* frames, uint8_t* quads, int64_t count) {
#if VISION_ISA_IS_AVX512 || VISION_ISA_IS_AVX2 || VISION_ISA_IS_AVXVNNI
  for (int64_t i = 0; i < count; i += 16) {
    __m128i f[4];
    for (int t = 0; t < 4; ++t) f[t] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(frames[t] + i));
    const __m128i low01 = _mm_unpacklo_epi8(f[0], f[1]), high01 = _mm_unpackhi_epi8(f[0], f[1]);
    const __m128i low23 = _mm_unpacklo_epi8(f[2], f[3]), high23 = _mm_unpackhi_epi8(f[2], f[3]);
    __m128i* out = reinterpret_cast<__m128i*>(quads + i * 4);
    _mm_storeu_si128(out, _mm_unpacklo_epi16(low01, low23));
    _mm_storeu_si128(out + 1, _mm_unpackhi_epi16(low01, low23));
    _mm_storeu_si128(out + 2, _mm_unpacklo_epi16(high01, high23));
    _mm_storeu_si128(out + 3, _mm_unpackhi_epi16(high01, high23));
  }
#else
  for (int64_t i = 0; i < count; ++i)
    for (int t = 0; t < 4; ++t) quads[i * 4 + t] = frames[t][i];
#endif
}

// Two frames of sums of one place.
struct Finish {
  Rounding rounding;
  const float* multiplier;
  uint8_t *first, *second;

  explicit Finish(const DepthwiseU8& d)
      : rounding(d.requantise), multiplier(d.requantise.multiplier), first(d.y[0]), second(d.y[1]) {}
  void operator()(i32 a, i32 b, int64_t at, int64_t c) const {
    const f32 m = load(multiplier + c);
    store_bytes(first + at, rounding(mul(to_f32(a), m)));
    if (second) store_bytes(second + at, rounding(mul(to_f32(b), m)));
  }
};

template <int kernel, int stride, int outputs, bool edge>
static void outputs_of(const DepthwiseU8& d, int64_t out, int64_t first) {
  constexpr int columns = (outputs - 1) * stride + kernel;
  const int64_t position = d.channels * 4, second = d.row_count * kernel * position;
  const u8 outside = set8(static_cast<uint8_t>(d.x_zero_point));
  const Finish finish(d);
  const int64_t channels = d.channels;
  for (int64_t c = 0; c < channels; c += i32::lanes) {
    Sums sum[2][outputs];
#pragma GCC unroll 8
    for (int o = 0; o < outputs; ++o) sum[0][o] = sum[1][o] = sums(load(d.bias + c));
    for (int64_t r = 0; r < d.row_count; ++r) {
      const uint8_t* x = d.rows[r] + first * position + c * 4;
      s8 w[2][kernel];
#pragma GCC unroll 8
      for (int k = 0; k < kernel; ++k) {
        const int8_t* at = d.weight + (r * kernel + k) * position + c * 4;
        w[0][k] = load(at);
        w[1][k] = load(at + second);
      }
#pragma GCC unroll 16
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
#pragma GCC unroll 8
    for (int o = 0; o < outputs; ++o)
      finish(lanes_of(sum[0][o]), lanes_of(sum[1][o]), (out + o) * channels + c, c);
  }
}

template <int kernel, int stride, int outputs>
static void some(const DepthwiseU8& d, int64_t out) {
  const int64_t first = out * stride - d.padding, end = first + (outputs - 1) * stride + kernel;
  if (first < 0 || end > d.in_width) {
    outputs_of<kernel, stride, outputs, true>(d, out, first);
  } else {
    outputs_of<kernel, stride, outputs, false>(d, out, first);
  }
}

template <int kernel, int stride, int outputs>
static void rest(const DepthwiseU8& d, int64_t out) {
  if constexpr (outputs > 0) {
    if (d.out_width - out == outputs) return some<kernel, stride, outputs>(d, out);
    rest<kernel, stride, outputs - 1>(d, out);
  }
}

template <int kernel, int stride>
static void unrolled(const DepthwiseU8& d) {
  int64_t out = 0;
  for (; d.out_width - out >= block; out += block) some<kernel, stride, block>(d, out);
  rest<kernel, stride, block - 1>(d, out);
}

static void any(const DepthwiseU8& d) {
  const int64_t position = d.channels * 4, second = d.row_count * d.kernel * position;
  const u8 outside = set8(static_cast<uint8_t>(d.x_zero_point));
  const Finish finish(d);
  for (int64_t out = 0; out < d.out_width; ++out) {
    for (int64_t c = 0; c < d.channels; c += i32::lanes) {
      i32 sum[2] = {load(d.bias + c), load(d.bias + c)};
      for (int64_t r = 0; r < d.row_count; ++r) {
        for (int64_t k = 0; k < d.kernel; ++k) {
          const int64_t column = out * d.stride - d.padding + k * d.dilation;
          const bool inside = column >= 0 && column < d.in_width;
          const u8 value = inside ? load(d.rows[r] + column * position + c * 4) : outside;
          const int8_t* at = d.weight + (r * d.kernel + k) * position + c * 4;
          sum[0] = dot4(sum[0], value, load(at));
          sum[1] = dot4(sum[1], value, load(at + second));
        }
      }
      finish(sum[0], sum[1], out * d.channels + c, c);
    }
  }
}

static void row(const DepthwiseU8& d) {
  const bool dense = d.dilation == 1;
  if (dense && d.kernel == 3 && d.stride == 1) return unrolled<3, 1>(d);
  if (dense && d.kernel == 3 && d.stride == 2) return unrolled<3, 2>(d);
  any(d);
}

}  // namespace VISION_ISA_NAMESPACE

VISION_DEFINE_KERNELS(DepthwiseU8Kernels, depthwise_u8) = {&VISION_ISA_NAMESPACE::make_quads,
                                                           &VISION_ISA_NAMESPACE::row};

}  // namespace accel_mobile
