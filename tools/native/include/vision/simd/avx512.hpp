// Sixteen 32-bit lanes (AVX-512 F, BW, DQ, VL and VNNI). See vision/simd.hpp.
#pragma once

#include <immintrin.h>

namespace vision::simd::avx512 {

struct f32 {
  static constexpr int lanes = 16;
  __m512 v;
};
struct i32 {
  static constexpr int lanes = 16;
  __m512i v;
};
struct i16 {
  static constexpr int lanes = 32;
  __m512i v;
};
struct u8 {
  static constexpr int lanes = 64;
  __m512i v;
};
struct s8 {
  static constexpr int lanes = 64;
  __m512i v;
};
struct mask {
  __mmask16 v;
};

inline __mmask16 first_lanes(int n) { return static_cast<__mmask16>((1u << n) - 1u); }

inline f32 set(float x) { return {_mm512_set1_ps(x)}; }
inline f32 load(const float* p) { return {_mm512_loadu_ps(p)}; }
inline void store(float* p, f32 x) { _mm512_storeu_ps(p, x.v); }
inline f32 load_first(const float* p, int n) { return {_mm512_maskz_loadu_ps(first_lanes(n), p)}; }
inline void store_first(float* p, f32 x, int n) { _mm512_mask_storeu_ps(p, first_lanes(n), x.v); }
inline f32 add(f32 a, f32 b) { return {_mm512_add_ps(a.v, b.v)}; }
inline f32 sub(f32 a, f32 b) { return {_mm512_sub_ps(a.v, b.v)}; }
inline f32 mul(f32 a, f32 b) { return {_mm512_mul_ps(a.v, b.v)}; }
inline f32 div(f32 a, f32 b) { return {_mm512_div_ps(a.v, b.v)}; }
inline f32 fma(f32 a, f32 b, f32 c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
inline f32 min(f32 a, f32 b) { return {_mm512_min_ps(a.v, b.v)}; }
inline f32 max(f32 a, f32 b) { return {_mm512_max_ps(a.v, b.v)}; }
inline mask lt(f32 a, f32 b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ)}; }
inline mask le(f32 a, f32 b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_LE_OQ)}; }
inline mask gt(f32 a, f32 b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_GT_OQ)}; }
inline mask ge(f32 a, f32 b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_GE_OQ)}; }
inline f32 select(mask m, f32 a, f32 b) { return {_mm512_mask_blend_ps(m.v, b.v, a.v)}; }
inline i32 round_to_i32(f32 x) { return {_mm512_cvtps_epi32(x.v)}; }
inline i32 truncate_to_i32(f32 x) { return {_mm512_cvttps_epi32(x.v)}; }
inline f32 to_f32(i32 x) { return {_mm512_cvtepi32_ps(x.v)}; }
inline float sum(f32 x) { return _mm512_reduce_add_ps(x.v); }

inline bool any(mask m) { return m.v != 0; }
inline uint32_t bits(mask m) { return m.v; }

inline i32 set(int32_t x) { return {_mm512_set1_epi32(x)}; }
inline i32 load(const int32_t* p) { return {_mm512_loadu_si512(p)}; }
inline void store(int32_t* p, i32 x) { _mm512_storeu_si512(p, x.v); }
inline i32 load_first(const int32_t* p, int n) { return {_mm512_maskz_loadu_epi32(first_lanes(n), p)}; }
inline void store_first(int32_t* p, i32 x, int n) { _mm512_mask_storeu_epi32(p, first_lanes(n), x.v); }
inline i32 add(i32 a, i32 b) { return {_mm512_add_epi32(a.v, b.v)}; }
inline i32 sub(i32 a, i32 b) { return {_mm512_sub_epi32(a.v, b.v)}; }
inline i32 mul(i32 a, i32 b) { return {_mm512_mullo_epi32(a.v, b.v)}; }
inline i32 min(i32 a, i32 b) { return {_mm512_min_epi32(a.v, b.v)}; }
inline i32 max(i32 a, i32 b) { return {_mm512_max_epi32(a.v, b.v)}; }
template <int n>
inline i32 shift_left(i32 x) { return {_mm512_slli_epi32(x.v, n)}; }
template <int n>
inline i32 shift_right(i32 x) { return {_mm512_srai_epi32(x.v, n)}; }
inline mask gt(i32 a, i32 b) { return {_mm512_cmpgt_epi32_mask(a.v, b.v)}; }
inline mask eq(i32 a, i32 b) { return {_mm512_cmpeq_epi32_mask(a.v, b.v)}; }
inline i32 select(mask m, i32 a, i32 b) { return {_mm512_mask_blend_epi32(m.v, b.v, a.v)}; }

inline i16 set16(int16_t x) { return {_mm512_set1_epi16(x)}; }
inline i16 load(const int16_t* p) { return {_mm512_loadu_si512(p)}; }
inline void store(int16_t* p, i16 x) { _mm512_storeu_si512(p, x.v); }
inline i16 add(i16 a, i16 b) { return {_mm512_add_epi16(a.v, b.v)}; }
inline i16 sub(i16 a, i16 b) { return {_mm512_sub_epi16(a.v, b.v)}; }
inline i16 add_saturated(i16 a, i16 b) { return {_mm512_adds_epi16(a.v, b.v)}; }
inline i16 sub_saturated(i16 a, i16 b) { return {_mm512_subs_epi16(a.v, b.v)}; }
inline i16 mul_low(i16 a, i16 b) { return {_mm512_mullo_epi16(a.v, b.v)}; }
inline i16 mul_high(i16 a, i16 b) { return {_mm512_mulhi_epi16(a.v, b.v)}; }
inline i16 mul_q15(i16 a, i16 b) { return {_mm512_mulhrs_epi16(a.v, b.v)}; }
inline i16 min(i16 a, i16 b) { return {_mm512_min_epi16(a.v, b.v)}; }
inline i16 max(i16 a, i16 b) { return {_mm512_max_epi16(a.v, b.v)}; }
template <int n>
inline i16 shift_left(i16 x) { return {_mm512_slli_epi16(x.v, n)}; }
template <int n>
inline i16 shift_right(i16 x) { return {_mm512_srai_epi16(x.v, n)}; }

inline u8 set8(uint8_t x) { return {_mm512_set1_epi8(static_cast<char>(x))}; }
inline s8 set8(int8_t x) { return {_mm512_set1_epi8(x)}; }
inline u8 load(const uint8_t* p) { return {_mm512_loadu_si512(p)}; }
inline s8 load(const int8_t* p) { return {_mm512_loadu_si512(p)}; }
inline void store(uint8_t* p, u8 x) { _mm512_storeu_si512(p, x.v); }
inline void store(int8_t* p, s8 x) { _mm512_storeu_si512(p, x.v); }

inline i16 widen_low(u8 x) { return {_mm512_cvtepu8_epi16(_mm512_castsi512_si256(x.v))}; }
inline i16 widen_high(u8 x) { return {_mm512_cvtepu8_epi16(_mm512_extracti64x4_epi64(x.v, 1))}; }
inline i32 widen_low(i16 x) { return {_mm512_cvtepi16_epi32(_mm512_castsi512_si256(x.v))}; }
inline i32 widen_high(i16 x) { return {_mm512_cvtepi16_epi32(_mm512_extracti64x4_epi64(x.v, 1))}; }

// The pack instructions work on each part of 128 bits; the permutation puts the values back in order.
inline __m512i in_order(__m512i x) {
  return _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7), x);
}
inline i16 narrow_i16(i32 low, i32 high) { return {in_order(_mm512_packs_epi32(low.v, high.v))}; }
inline u8 narrow_u8(i16 low, i16 high) { return {in_order(_mm512_packus_epi16(low.v, high.v))}; }
inline s8 narrow_s8(i16 low, i16 high) { return {in_order(_mm512_packs_epi16(low.v, high.v))}; }

inline i32 dot4(i32 acc, u8 a, s8 b) { return {_mm512_dpbusd_epi32(acc.v, a.v, b.v)}; }

}  // namespace vision::simd::avx512
