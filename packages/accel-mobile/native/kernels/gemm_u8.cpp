#include "kernels/gemm_u8.hpp"

#include "kernels/requantise.hpp"

namespace accel_mobile {
namespace VISION_ISA_NAMESPACE {

#if VISION_ISA_IS_AVX512
constexpr int tile_rows = 8, tile_vectors = 3;
#elif VISION_ISA_IS_AVX2 || VISION_ISA_IS_AVXVNNI
constexpr int tile_rows = 4, tile_vectors = 2;
#elif VISION_ISA_IS_SCALAR
constexpr int tile_rows = 4, tile_vectors = 2;
#else
constexpr int tile_rows = 6, tile_vectors = 4;
#endif

template <int rows, int vectors>
static void tile(const GemmU8& g, int64_t row, int64_t vector) {
  constexpr int width = u8::lanes;
  const uint8_t* a = g.a + row * g.a_stride;
  const int64_t panel = g.quads * width;
  const int8_t* w = g.weight + vector * panel;
  Sums sum[rows][vectors];
#pragma GCC unroll 8
  for (int v = 0; v < vectors; ++v) {
    const i32 bias = load(g.bias + (vector + v) * i32::lanes);
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r) sum[r][v] = sums(bias);
  }
  for (int64_t k = 0; k < g.quads; ++k) {
    s8 b[vectors];
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) b[v] = load(w + v * panel + k * width);
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r) {
      const u8 x = broadcast4(a + r * g.a_stride + k * 4);
#pragma GCC unroll 8
      for (int v = 0; v < vectors; ++v) sum[r][v] = sums(dot4(lanes_of(sum[r][v]), x, b[v]));
    }
  }
  const Rounding rounding(g.requantise);
  const i32 residual_zero = set(g.residual_zero_point);
  const f32 residual_multiplier = set(g.residual_multiplier);
  const uint8_t* residual = g.residual;
  uint8_t* y = g.y;
  float* y_float = g.y_float;
  const int64_t stride = g.y_stride, first = row * stride + vector * i32::lanes;
  const float* multipliers = g.requantise.multiplier + vector * i32::lanes;
#pragma GCC unroll 8
  for (int v = 0; v < vectors; ++v) {
    const f32 multiplier = load(multipliers + v * i32::lanes);
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r) {
      const int64_t at = first + r * stride + v * i32::lanes;
      f32 real = mul(to_f32(lanes_of(sum[r][v])), multiplier);
      if (residual) real = add(real, mul(centred(residual + at, residual_zero), residual_multiplier));
      if (y) store_bytes(y + at, rounding(real));
      if (y_float) store(y_float + at, max(real, rounding.low));
    }
  }
}

template <int rows>
static void row_block(const GemmU8& g, int64_t row) {
  int64_t v = 0;
  for (; g.vectors - v > tile_vectors + 1 || g.vectors - v == tile_vectors; v += tile_vectors)
    tile<rows, tile_vectors>(g, row, v);
  for (; g.vectors - v >= 2; v += 2) tile<rows, 2>(g, row, v);
  if (v < g.vectors) tile<rows, 1>(g, row, v);
}

template <int rows>
static void last_rows(const GemmU8& g, int64_t row) {
  if constexpr (rows > 0) {
    if (g.rows - row == rows) return row_block<rows>(g, row);
    last_rows<rows - 1>(g, row);
  }
}

static void multiply(const GemmU8& g) {
  int64_t row = 0;
  for (; g.rows - row >= tile_rows; row += tile_rows) row_block<tile_rows>(g, row);
  last_rows<tile_rows - 1>(g, row);
}

}  // namespace VISION_ISA_NAMESPACE

VISION_DEFINE_KERNELS(GemmU8Kernels, gemm_u8) = {
    vision::simd::VISION_ISA_NAMESPACE::i32::lanes, VISION_ISA_NAMESPACE::tile_rows, &VISION_ISA_NAMESPACE::multiply};

}  // namespace accel_mobile
