#include "kernels/stem_f32.hpp"

#include "kernels/activation.hpp"

namespace accel_mobile {
namespace VISION_ISA_NAMESPACE {

// Sums that stay in registers: outputs side by side by vectors of channels.
#if VISION_ISA_IS_AVX512
constexpr int tile_outputs = 8, tile_vectors = 3;
#elif VISION_ISA_IS_AVX2 || VISION_ISA_IS_AVXVNNI
constexpr int tile_outputs = 4, tile_vectors = 3;
#elif VISION_ISA_IS_SCALAR
constexpr int tile_outputs = 4, tile_vectors = 2;
#else
constexpr int tile_outputs = 6, tile_vectors = 3;
#endif

// `fixed`: the stride, or 0 where it is only known at run time.
template <int fixed, int outputs, int vectors, bool half>
static void tile(const StemF32& s, int64_t out, int64_t vector, float lowest) {
  constexpr int whole = vectors - half;
  const int64_t stride = fixed ? fixed : s.stride;
  const float* weights = s.weight + vector * s.weight_vector;
  const float* bias = s.bias + vector * f32::lanes;
  f32 sum[outputs][whole + 1];
  f32_half last[outputs];
#pragma GCC unroll 8
  for (int o = 0; o < outputs; ++o) {
#pragma GCC unroll 8
    for (int v = 0; v < whole; ++v) sum[o][v] = load(bias + v * f32::lanes);
    if (half) last[o] = load_half(bias + whole * f32::lanes);
  }
  for (int64_t r = 0; r < s.row_count; ++r) {
    const float* x = s.rows[r].x + out * stride;
    const float* w = weights + s.rows[r].weight;
    for (int64_t k = 0; k < s.kernel; ++k, x += s.dilation, w += f32::lanes) {
      f32 b[whole + 1];
#pragma GCC unroll 8
      for (int v = 0; v < whole; ++v) b[v] = load(w + v * s.weight_vector);
      f32_half b_half;
      if (half) b_half = load_half(w + whole * s.weight_vector);
#pragma GCC unroll 8
      for (int o = 0; o < outputs; ++o) {
        const f32 value = set(x[o * stride]);
#pragma GCC unroll 8
        for (int v = 0; v < whole; ++v) sum[o][v] = fma(value, b[v], sum[o][v]);
        if (half) last[o] = fma(low_half(value), b_half, last[o]);
      }
    }
  }
#pragma GCC unroll 8
  for (int o = 0; o < outputs; ++o) {
    float* y = s.y + (out + o) * s.y_position + vector * s.y_vector;
#pragma GCC unroll 8
    for (int v = 0; v < whole; ++v) store(y + v * s.y_vector, max(sum[o][v], set(lowest)));
    if (half) store(y + whole * s.y_vector, max(with_zeros(last[o]), set(lowest)));
  }
}

template <int outputs, int vectors, bool half>
static void by_stride(const StemF32& s, int64_t out, int64_t vector, float lowest) {
  if (s.stride == 1) return tile<1, outputs, vectors, half>(s, out, vector, lowest);
  if (s.stride == 2) return tile<2, outputs, vectors, half>(s, out, vector, lowest);
  tile<0, outputs, vectors, half>(s, out, vector, lowest);
}

template <int outputs, int vectors>
static void vectors_of(const StemF32& s, int64_t out, int64_t vector, float lowest) {
  constexpr bool long_vectors = f32::lanes == 16;
  if (long_vectors && s.half && vector + vectors == s.vectors) return by_stride<outputs, vectors, long_vectors>(s, out, vector, lowest);
  by_stride<outputs, vectors, false>(s, out, vector, lowest);
}

template <int outputs>
static void some(const StemF32& s, int64_t out, int64_t count, float lowest) {
  if constexpr (outputs > 0) {
    if (count != outputs) return some<outputs - 1>(s, out, count, lowest);
    int64_t v = 0;
    for (; s.vectors - v > tile_vectors + 1 || s.vectors - v == tile_vectors; v += tile_vectors)
      vectors_of<outputs, tile_vectors>(s, out, v, lowest);
    for (; s.vectors - v >= 2; v += 2) vectors_of<outputs, 2>(s, out, v, lowest);
    if (v < s.vectors) vectors_of<outputs, 1>(s, out, v, lowest);
  }
}

static void line(const StemF32& s) {
  const Activation activation = static_cast<Activation>(s.activation);
  const float lowest = activation == Activation::relu ? 0.0f : -__builtin_inff();
  const int64_t tiles = (s.width + tile_outputs - 1) / tile_outputs;
  for (int64_t i = 0; i < tiles; ++i) {  // of equal width
    const int64_t out = s.width * i / tiles;
    some<tile_outputs>(s, out, s.width * (i + 1) / tiles - out, lowest);
  }
  if (activation == Activation::relu || activation == Activation::none) return;
  for (int64_t w = 0; w < s.width; ++w)
    for (int64_t v = 0; v < s.vectors; ++v) activate(s.y + w * s.y_position + v * s.y_vector, f32::lanes, activation);
}

}  // namespace VISION_ISA_NAMESPACE

VISION_DEFINE_KERNELS(StemF32Kernels, stem_f32) = {vision::simd::VISION_ISA_NAMESPACE::f32::lanes,
                                                   &VISION_ISA_NAMESPACE::line};

}  // namespace accel_mobile
