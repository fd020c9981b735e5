#include "kernels/rows_u8.hpp"

#include "kernels/requantise.hpp"

namespace accel_mobile {
namespace VISION_ISA_NAMESPACE {

static void lookup_plain(const uint8_t* x, uint8_t* y, const uint8_t* table, int64_t count) {
  for (int64_t i = 0; i < count; ++i) y[i] = table[x[i]];
}

static void lookup_rows_plain(uint8_t* y, int64_t stride, int64_t rows, int64_t count, const uint8_t* table) {
  for (int64_t r = 0; r < rows; ++r, y += stride) lookup_plain(y, y, table, count);
}

#if VISION_ISA_IS_AVX512
// Two permutations of 128 bytes and a choice by the top bit. VBMI came a generation after VNNI, so it is asked for.
__attribute__((target("avx512vbmi"))) static void lookup_rows_vbmi(const uint8_t* x, uint8_t* y, int64_t stride, int64_t rows,
                                                                   int64_t count, const uint8_t* table) {
  const __m512i t0 = _mm512_loadu_si512(table), t1 = _mm512_loadu_si512(table + 64);
  const __m512i t2 = _mm512_loadu_si512(table + 128), t3 = _mm512_loadu_si512(table + 192);
  for (int64_t r = 0; r < rows; ++r, x += stride, y += stride) {
    for (int64_t i = 0; i < count; i += 64) {
      const __mmask64 some = count - i >= 64 ? ~0ull : (1ull << (count - i)) - 1;
      const __m512i index = _mm512_maskz_loadu_epi8(some, x + i);
      const __m512i low = _mm512_permutex2var_epi8(t0, index, t1), high = _mm512_permutex2var_epi8(t2, index, t3);
      _mm512_mask_storeu_epi8(y + i, some, _mm512_mask_blend_epi8(_mm512_movepi8_mask(index), low, high));
    }
  }
}

static void lookup(const uint8_t* x, uint8_t* y, const uint8_t* table, int64_t count) {
  if (__builtin_cpu_supports("avx512vbmi")) return lookup_rows_vbmi(x, y, 0, 1, count, table);
  lookup_plain(x, y, table, count);
}

static void lookup_rows(uint8_t* y, int64_t stride, int64_t rows, int64_t count, const uint8_t* table) {
  if (__builtin_cpu_supports("avx512vbmi")) return lookup_rows_vbmi(y, y, stride, rows, count, table);
  lookup_rows_plain(y, stride, rows, count, table);
}
#else
static void lookup(const uint8_t* x, uint8_t* y, const uint8_t* table, int64_t count) {
  lookup_plain(x, y, table, count);
}

static void lookup_rows(uint8_t* y, int64_t stride, int64_t rows, int64_t count, const uint8_t* table) {
  lookup_rows_plain(y, stride, rows, count, table);
}
#endif

static void add_rows(const uint8_t* a, const uint8_t* b, uint8_t* y, int64_t count, const int32_t* zero_points,
                     const float* multipliers, const Requantise& q) {
  const f32 ma = set(multipliers[0]), mb = set(multipliers[1]);
  const i32 za = set(zero_points[0]), zb = set(zero_points[1]);
  const Rounding rounding(q);
  for (int64_t i = 0; i < count; i += i32::lanes) {
    const f32 real = add(mul(centred(a + i, za), ma), mul(centred(b + i, zb), mb));
    store_bytes(y + i, rounding(real));
  }
}

static void scale(const uint8_t* x, int64_t x_stride, uint8_t* y, int64_t y_stride, int64_t rows, int64_t channels,
                  int32_t x_zero_point, const Requantise& q) {
  const i32 zero = set(x_zero_point);
  const Rounding rounding(q);
  const float* multiplier = q.multiplier;
  for (int64_t r = 0; r < rows; ++r, x += x_stride, y += y_stride) {
    int64_t c = 0;
    for (; c + 4 * i32::lanes <= channels; c += 4 * i32::lanes) {
      f32 real[4];
#pragma GCC unroll 4
      for (int v = 0; v < 4; ++v) real[v] = mul(centred(x + c + v * i32::lanes, zero), load(multiplier + c + v * i32::lanes));
      store_together<4>(rounding, real, y + c);
    }
    for (; c < channels; c += i32::lanes)
      store_bytes(y + c, rounding(mul(centred(x + c, zero), load(multiplier + c))));
  }
}

// A few vectors at a time, so that a line of the cache is read once.
template <int vectors>
static void accumulate_some(const uint8_t* x, int64_t x_stride, int32_t* sums, int64_t rows) {
  i32 sum[vectors];
#pragma GCC unroll 4
  for (int v = 0; v < vectors; ++v) sum[v] = load(sums + v * i32::lanes);
  for (int64_t r = 0; r < rows; ++r, x += x_stride) {
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) sum[v] = add(sum[v], load_bytes(x + v * i32::lanes));
  }
#pragma GCC unroll 4
  for (int v = 0; v < vectors; ++v) store(sums + v * i32::lanes, sum[v]);
}

static void accumulate(const uint8_t* x, int64_t x_stride, int32_t* sums, int64_t rows, int64_t channels) {
  int64_t c = 0;
  for (; c + 4 * i32::lanes <= channels; c += 4 * i32::lanes) accumulate_some<4>(x + c, x_stride, sums + c, rows);
  for (; c < channels; c += i32::lanes) accumulate_some<1>(x + c, x_stride, sums + c, rows);
}

static void dequantize(const uint8_t* x, float* y, int64_t count, int32_t zero_point, float scale) {
  const i32 zero = set(zero_point);
  for (int64_t i = 0; i < count; i += i32::lanes) store(y + i, mul(centred(x + i, zero), set(scale)));
}

}  // namespace VISION_ISA_NAMESPACE

VISION_DEFINE_KERNELS(RowsU8Kernels, rows_u8) = {&VISION_ISA_NAMESPACE::lookup, &VISION_ISA_NAMESPACE::lookup_rows,
                                                 &VISION_ISA_NAMESPACE::add_rows, &VISION_ISA_NAMESPACE::scale,
                                                 &VISION_ISA_NAMESPACE::accumulate, &VISION_ISA_NAMESPACE::dequantize};

}  // namespace accel_mobile
