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
inline void store_rows(const GemmU8& g, int64_t row, int64_t vector, f32 (&real)[rows][vectors]) {
  const Rounding rounding(g.requantise);
  const int64_t first = row * g.y_stride + vector * i32::lanes;
  if (g.residual) {
    const i32 zero = set(g.residual_zero_point);
    const f32 multiplier = set(g.residual_multiplier);
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r)
#pragma GCC unroll 8
      for (int v = 0; v < vectors; ++v)
        real[r][v] = add(real[r][v], mul(centred(g.residual + first + r * g.y_stride + v * i32::lanes, zero), multiplier));
  }
  if (g.y) {
    uint8_t* y = g.y + first;
    const int64_t stride = g.y_stride;
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r) store_together<vectors>(rounding, real[r], y + r * stride);
  } else {
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r)
#pragma GCC unroll 8
      for (int v = 0; v < vectors; ++v)
        store(g.y_float + first + r * g.y_stride + v * i32::lanes, max(real[r][v], rounding.low));
  }
}

// Blocks of four rows of one vector, in the order in which the packs leave them (on AVX-512), or row after row.
template <int rows, int vectors>
inline void store_blocks(const GemmU8& g, int64_t row, int64_t vector, const f32 (&real)[rows][vectors]) {
  const Rounding rounding(g.requantise);
#pragma GCC unroll 8
  for (int v = 0; v < vectors; ++v) {
    uint8_t* y = g.y + (vector + v) * g.block_vector + row * i32::lanes;
#if VISION_ISA_IS_AVX512
    const Packing pack(rounding);
#pragma GCC unroll 8
    for (int r = 0; r < rows; r += 4) {
      constexpr int last = rows - 1;
      _mm512_storeu_si512(y + r * 16, pack(real[r][v], real[r + 1 < last ? r + 1 : last][v], real[r + 2 < last ? r + 2 : last][v],
                                           real[r + 3 < last ? r + 3 : last][v]));
    }
#else
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r) store_bytes(y + r * i32::lanes, rounding(real[r][v]));
#endif
  }
}

template <int rows, int vectors, bool half>
static void tile(const GemmU8& g, int64_t row, int64_t vector) {
  constexpr int width = u8::lanes, whole = vectors - half;
  const uint8_t* a = g.a + row * g.a_stride;
  const int64_t panel = g.quads * width;
  const int8_t* w = g.weight + vector * panel;
  Sums sum[rows][whole + 1];
  HalfSums last[rows];
#pragma GCC unroll 8
  for (int v = 0; v < whole; ++v) {
    const i32 bias = load(g.bias + (vector + v) * i32::lanes);
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r) sum[r][v] = sums(bias);
  }
#pragma GCC unroll 8
  for (int r = 0; r < rows; ++r) last[r] = half_sums(g.bias + (vector + whole - !half) * i32::lanes);
  for (int64_t k = 0; k < g.quads; ++k) {
    s8 b[whole + 1];
#pragma GCC unroll 8
    for (int v = 0; v < whole; ++v) b[v] = load(w + v * panel + k * width);
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r) {
      const u8 x = broadcast4(a + r * g.a_stride + k * 4);
#pragma GCC unroll 8
      for (int v = 0; v < whole; ++v) sum[r][v] = sums(dot4(lanes_of(sum[r][v]), x, b[v]));
      if (half) last[r] = dot4_half(last[r], x, w + whole * panel + k * width);
    }
  }
  f32 real[rows][vectors];
  const float* multipliers = g.requantise.multiplier + vector * i32::lanes;
#pragma GCC unroll 8
  for (int v = 0; v < vectors; ++v) {
    const f32 multiplier = load(multipliers + v * i32::lanes);
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r)
      real[r][v] = mul(to_f32(half && v == whole ? widened(last[r]) : lanes_of(sum[r][v])), multiplier);
  }
  if (g.block_vector) return store_blocks<rows, vectors>(g, row, vector, real);
  store_rows<rows, vectors>(g, row, vector, real);
}

template <int rows, int vectors>
static void vectors_of(const GemmU8& g, int64_t row, int64_t vector) {
  constexpr bool long_vectors = i32::lanes == 16;
  if (long_vectors && g.half && vector + vectors == g.vectors) return tile<rows, vectors, long_vectors>(g, row, vector);
  tile<rows, vectors, false>(g, row, vector);
}

template <int rows>
static void row_block(const GemmU8& g, int64_t row) {
  int64_t v = 0;
  for (; g.vectors - v > tile_vectors + 1 || g.vectors - v == tile_vectors; v += tile_vectors)
    vectors_of<rows, tile_vectors>(g, row, v);
  for (; g.vectors - v >= 2; v += 2) vectors_of<rows, 2>(g, row, v);
  if (v < g.vectors) vectors_of<rows, 1>(g, row, v);
}

template <int rows>
static void some_rows(const GemmU8& g, int64_t row, int64_t count) {
  if constexpr (rows > 0) {
    if (count == rows) return row_block<rows>(g, row);
    some_rows<rows - 1>(g, row, count);
  }
}

static void multiply(const GemmU8& g) {
  int64_t row = 0;
  if (g.block_vector) {  // whole blocks as long as there are any
    for (; row < g.rows; row += tile_rows) some_rows<tile_rows>(g, row, g.rows - row < tile_rows ? g.rows - row : tile_rows);
    return;
  }
  // Tiles of equal height, so that none is too low to fill the arithmetic units.
  const int64_t tiles = (g.rows + tile_rows - 1) / tile_rows;
  for (int64_t i = 0; i < tiles; ++i) {
    const int64_t count = g.rows / tiles + (i < g.rows % tiles);
    some_rows<tile_rows>(g, row, count);
    row += count;
  }
}

}  // namespace VISION_ISA_NAMESPACE

VISION_DEFINE_KERNELS(GemmU8Kernels, gemm_u8) = {
    vision::simd::VISION_ISA_NAMESPACE::i32::lanes, VISION_ISA_NAMESPACE::tile_rows, &VISION_ISA_NAMESPACE::multiply};

}  // namespace accel_mobile
