#include "kernels/gemm_f32.hpp"

#include "kernels/activation.hpp"

namespace accel_mobile {
namespace VISION_ISA_NAMESPACE {

// A tile of sums lives in registers: rows x vectors, beside one vector of weights per column and one broadcast value.
#if VISION_ISA_IS_AVX512
constexpr int tile_rows = 8, tile_vectors = 3;
#elif VISION_ISA_IS_AVX2 || VISION_ISA_IS_AVXVNNI
constexpr int tile_rows = 6, tile_vectors = 2;
#elif VISION_ISA_IS_SCALAR
constexpr int tile_rows = 4, tile_vectors = 2;
#else
constexpr int tile_rows = 6, tile_vectors = 4;
#endif

template <int rows, int vectors, bool half>
static void tile(const GemmF32& g, int64_t row, int64_t vector, float lowest) {
  constexpr int whole = vectors - half;
  const float* a = g.a + row * g.a_stride;
  const float* w = g.weight + vector * g.depth * f32::lanes;
  const int64_t panel = g.depth * f32::lanes;
  f32 sum[rows][whole + 1];
  f32_half last[rows];
#pragma GCC unroll 8
  for (int v = 0; v < whole; ++v) {
    const f32 bias = load(g.bias + (vector + v) * f32::lanes);
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r) sum[r][v] = bias;
  }
#pragma GCC unroll 8
  for (int r = 0; r < rows; ++r) last[r] = load_half(g.bias + (vector + whole - !half) * f32::lanes);
  for (int64_t k = 0; k < g.depth; ++k) {
    f32 b[whole + 1];
#pragma GCC unroll 8
    for (int v = 0; v < whole; ++v) b[v] = load(w + v * panel + k * f32::lanes);
    const f32_half b_half = load_half(w + (whole - !half) * panel + k * f32::lanes);
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r) {
      const f32 x = set(a[r * g.a_stride + k]);
#pragma GCC unroll 8
      for (int v = 0; v < whole; ++v) sum[r][v] = fma(x, b[v], sum[r][v]);
      if (half) last[r] = fma(low_half(x), b_half, last[r]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < rows; ++r) {
    const int64_t at = (row + r) * g.y_stride + vector * g.y_vector;
    if (half) sum[r][whole] = with_zeros(last[r]);
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) {
      f32 y = sum[r][v];
      if (g.residual) y = add(y, load(g.residual + at + v * g.y_vector));
      store(g.y + at + v * g.y_vector, max(y, set(lowest)));
    }
  }
}

template <int rows, int vectors>
static void vectors_of(const GemmF32& g, int64_t row, int64_t vector, float lowest) {
  if (f32::lanes == 16 && g.half && vector + vectors == g.vectors) return tile<rows, vectors, f32::lanes == 16>(g, row, vector, lowest);
  tile<rows, vectors, false>(g, row, vector, lowest);
}

template <int rows>
static void row_block(const GemmF32& g, int64_t row, float lowest) {
  int64_t v = 0;
  for (; g.vectors - v > tile_vectors + 1 || g.vectors - v == tile_vectors; v += tile_vectors)
    vectors_of<rows, tile_vectors>(g, row, v, lowest);
  for (; g.vectors - v >= 2; v += 2) vectors_of<rows, 2>(g, row, v, lowest);
  if (v < g.vectors) vectors_of<rows, 1>(g, row, v, lowest);
}

template <int rows>
static void some_rows(const GemmF32& g, int64_t row, int64_t count, float lowest) {
  if constexpr (rows > 0) {
    if (count == rows) return row_block<rows>(g, row, lowest);
    some_rows<rows - 1>(g, row, count, lowest);
  }
}

static void multiply(const GemmF32& g) {
  const Activation activation = static_cast<Activation>(g.activation);
  const float lowest = activation == Activation::relu ? 0.0f : -__builtin_inff();
  // Tiles of equal height, so that none is too low to fill the arithmetic units.
  const int64_t tiles = (g.rows + tile_rows - 1) / tile_rows;
  for (int64_t i = 0, row = 0; i < tiles; ++i) {
    const int64_t count = g.rows / tiles + (i < g.rows % tiles);
    some_rows<tile_rows>(g, row, count, lowest);
    row += count;
  }
  if (activation == Activation::relu || activation == Activation::none) return;
  for (int64_t r = 0; r < g.rows; ++r)
    for (int64_t v = 0; v < g.vectors; ++v) activate(g.y + r * g.y_stride + v * g.y_vector, f32::lanes, activation);
}

// Bound by reading the weights: several columns at once hide the latency of the sums.
template <int vectors>
static void columns_w8(const GemmF32W8& g, int64_t row, int64_t vector) {
  const float* a = g.a + row * g.a_stride;
  const int64_t panel = g.depth * f32::lanes, first = vector * f32::lanes;
  const int8_t* w = g.weight + vector * panel;
  f32 sum[vectors];
#pragma GCC unroll 8
  for (int v = 0; v < vectors; ++v) sum[v] = set(0.0f);
  for (int64_t k = 0; k < g.depth; ++k) {
    const f32 x = set(a[k]);
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v)
      sum[v] = fma(x, to_f32(load_signed_bytes(w + v * panel + k * f32::lanes)), sum[v]);
  }
#pragma GCC unroll 8
  for (int v = 0; v < vectors; ++v) {
    const int64_t c = first + v * f32::lanes;
    store(g.y + row * g.y_stride + c, fma(sum[v], load(g.scale + c), load(g.bias + c)));
  }
}

static void multiply_w8(const GemmF32W8& g) {
  for (int64_t row = 0; row < g.rows; ++row) {
    int64_t v = 0;
    for (; g.vectors - v >= 4; v += 4) columns_w8<4>(g, row, v);
    for (; v < g.vectors; ++v) columns_w8<1>(g, row, v);
    activate(g.y + row * g.y_stride, g.vectors * f32::lanes, static_cast<Activation>(g.activation));
  }
}

}  // namespace VISION_ISA_NAMESPACE

VISION_DEFINE_KERNELS(GemmF32Kernels, gemm_f32) = {
    vision::simd::VISION_ISA_NAMESPACE::f32::lanes, VISION_ISA_NAMESPACE::tile_rows, &VISION_ISA_NAMESPACE::multiply,
    &VISION_ISA_NAMESPACE::multiply_w8};

}  // namespace accel_mobile
