// Eight 32-bit lanes (AVX2 with FMA; AVX-VNNI adds the byte dot product). See vision/simd.hpp.
#pragma once

#include <immintrin.h>

namespace vision::simd::VISION_ISA_NAMESPACE {

struct f32 {
  static constexpr int lanes = 8;
  __m256 v;
};
struct i32 {
  static constexpr int lanes = 8;
  __m256i v;
};
struct i16 {
  static constexpr int lanes = 16;
  __m256i v;
};
struct u8 {
  static constexpr int lanes = 32;
  __m256i v;
};
struct s8 {
  static constexpr int lanes = 32;
  __m256i v;
};
struct mask {
  __m256 v;
};

inline __m256i load_bytes(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
inline void store_bytes(void* p, __m256i x) { _mm256_storeu_si256(static_cast<__m256i*>(p), x); }

inline f32 set(float x) { return {_mm256_set1_ps(x)}; }
inline f32 load(const float* p) { return {_mm256_loadu_ps(p)}; }
inline void store(float* p, f32 x) { _mm256_storeu_ps(p, x.v); }
inline __m256i first_lanes(int n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
inline f32 load_first(const float* p, int n) { return {_mm256_maskload_ps(p, first_lanes(n))}; }
inline void store_first(float* p, f32 x, int n) { _mm256_maskstore_ps(p, first_lanes(n), x.v); }
inline f32 add(f32 a, f32 b) { return {_mm256_add_ps(a.v, b.v)}; }
inline f32 sub(f32 a, f32 b) { return {_mm256_sub_ps(a.v, b.v)}; }
inline f32 mul(f32 a, f32 b) { return {_mm256_mul_ps(a.v, b.v)}; }
inline f32 div(f32 a, f32 b) { return {_mm256_div_ps(a.v, b.v)}; }
inline f32 fma(f32 a, f32 b, f32 c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
inline f32 min(f32 a, f32 b) { return {_mm256_min_ps(a.v, b.v)}; }
inline f32 max(f32 a, f32 b) { return {_mm256_max_ps(a.v, b.v)}; }
inline mask lt(f32 a, f32 b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_LT_OQ)}; }
inline mask le(f32 a, f32 b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_LE_OQ)}; }
inline mask gt(f32 a, f32 b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_GT_OQ)}; }
inline mask ge(f32 a, f32 b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_GE_OQ)}; }
inline f32 select(mask m, f32 a, f32 b) { return {_mm256_blendv_ps(b.v, a.v, m.v)}; }
inline i32 round_to_i32(f32 x) { return {_mm256_cvtps_epi32(x.v)}; }
inline i32 truncate_to_i32(f32 x) { return {_mm256_cvttps_epi32(x.v)}; }
inline f32 to_f32(i32 x) { return {_mm256_cvtepi32_ps(x.v)}; }
inline float sum(f32 x) {
  const __m128 half = _mm_add_ps(_mm256_castps256_ps128(x.v), _mm256_extractf128_ps(x.v, 1));
  const __m128 pairs = _mm_add_ps(half, _mm_movehl_ps(half, half));
  return _mm_cvtss_f32(_mm_add_ss(pairs, _mm_shuffle_ps(pairs, pairs, 1)));
}

inline bool any(mask m) { return _mm256_movemask_ps(m.v) != 0; }
inline uint32_t bits(mask m) { return static_cast<uint32_t>(_mm256_movemask_ps(m.v)); }

inline i32 set(int32_t x) { return {_mm256_set1_epi32(x)}; }
inline i32 load(const int32_t* p) { return {load_bytes(p)}; }
inline void store(int32_t* p, i32 x) { store_bytes(p, x.v); }
inline i32 load_first(const int32_t* p, int n) { return {_mm256_maskload_epi32(p, first_lanes(n))}; }
inline void store_first(int32_t* p, i32 x, int n) { _mm256_maskstore_epi32(p, first_lanes(n), x.v); }
inline i32 add(i32 a, i32 b) { return {_mm256_add_epi32(a.v, b.v)}; }
inline i32 sub(i32 a, i32 b) { return {_mm256_sub_epi32(a.v, b.v)}; }
inline i32 mul(i32 a, i32 b) { return {_mm256_mullo_epi32(a.v, b.v)}; }
inline i32 min(i32 a, i32 b) { return {_mm256_min_epi32(a.v, b.v)}; }
inline i32 max(i32 a, i32 b) { return {_mm256_max_epi32(a.v, b.v)}; }
template <int n>
inline i32 shift_left(i32 x) { return {_mm256_slli_epi32(x.v, n)}; }
template <int n>
inline i32 shift_right(i32 x) { return {_mm256_srai_epi32(x.v, n)}; }
inline mask gt(i32 a, i32 b) { return {_mm256_castsi256_ps(_mm256_cmpgt_epi32(a.v, b.v))}; }
inline mask eq(i32 a, i32 b) { return {_mm256_castsi256_ps(_mm256_cmpeq_epi32(a.v, b.v))}; }
inline i32 select(mask m, i32 a, i32 b) { return {_mm256_blendv_epi8(b.v, a.v, _mm256_castps_si256(m.v))}; }

inline i16 set16(int16_t x) { return {_mm256_set1_epi16(x)}; }
inline i16 load(const int16_t* p) { return {load_bytes(p)}; }
inline void store(int16_t* p, i16 x) { store_bytes(p, x.v); }
inline i16 add(i16 a, i16 b) { return {_mm256_add_epi16(a.v, b.v)}; }
inline i16 sub(i16 a, i16 b) { return {_mm256_sub_epi16(a.v, b.v)}; }
inline i16 add_saturated(i16 a, i16 b) { return {_mm256_adds_epi16(a.v, b.v)}; }
inline i16 sub_saturated(i16 a, i16 b) { return {_mm256_subs_epi16(a.v, b.v)}; }
inline i16 mul_low(i16 a, i16 b) { return {_mm256_mullo_epi16(a.v, b.v)}; }
inline i16 mul_high(i16 a, i16 b) { return {_mm256_mulhi_epi16(a.v, b.v)}; }
inline i16 mul_q15(i16 a, i16 b) { return {_mm256_mulhrs_epi16(a.v, b.v)}; }
inline i16 min(i16 a, i16 b) { return {_mm256_min_epi16(a.v, b.v)}; }
inline i16 max(i16 a, i16 b) { return {_mm256_max_epi16(a.v, b.v)}; }
template <int n>
inline i16 shift_left(i16 x) { return {_mm256_slli_epi16(x.v, n)}; }
template <int n>
inline i16 shift_right(i16 x) { return {_mm256_srai_epi16(x.v, n)}; }

inline u8 set8(uint8_t x) { return {_mm256_set1_epi8(static_cast<char>(x))}; }
inline s8 set8(int8_t x) { return {_mm256_set1_epi8(x)}; }
inline u8 load(const uint8_t* p) { return {load_bytes(p)}; }
inline s8 load(const int8_t* p) { return {load_bytes(p)}; }
inline void store(uint8_t* p, u8 x) { store_bytes(p, x.v); }
inline void store(int8_t* p, s8 x) { store_bytes(p, x.v); }

inline i16 widen_low(u8 x) { return {_mm256_cvtepu8_epi16(_mm256_castsi256_si128(x.v))}; }
inline i16 widen_high(u8 x) { return {_mm256_cvtepu8_epi16(_mm256_extracti128_si256(x.v, 1))}; }
inline i32 widen_low(i16 x) { return {_mm256_cvtepi16_epi32(_mm256_castsi256_si128(x.v))}; }
inline i32 widen_high(i16 x) { return {_mm256_cvtepi16_epi32(_mm256_extracti128_si256(x.v, 1))}; }

// The pack instructions work on each half of 128 bits; the permutation puts the values back in order.
inline __m256i in_order(__m256i x) { return _mm256_permute4x64_epi64(x, 0xd8); }
inline i16 narrow_i16(i32 low, i32 high) { return {in_order(_mm256_packs_epi32(low.v, high.v))}; }
inline u8 narrow_u8(i16 low, i16 high) { return {in_order(_mm256_packus_epi16(low.v, high.v))}; }
inline s8 narrow_s8(i16 low, i16 high) { return {in_order(_mm256_packs_epi16(low.v, high.v))}; }

inline i32 dot4(i32 acc, u8 a, s8 b) {
#if VISION_ISA_IS_AVXVNNI
  return {_mm256_dpbusd_avx_epi32(acc.v, a.v, b.v)};
#else
  // maddubs would saturate the sum of two products: even and odd bytes apart, each product fits 16 bits.
  const __m256i even_a = _mm256_and_si256(a.v, _mm256_set1_epi16(0xff)), odd_a = _mm256_srli_epi16(a.v, 8);
  const __m256i even_b = _mm256_srai_epi16(_mm256_slli_epi16(b.v, 8), 8), odd_b = _mm256_srai_epi16(b.v, 8);
  const __m256i even = _mm256_madd_epi16(even_a, even_b), odd = _mm256_madd_epi16(odd_a, odd_b);
  return {_mm256_add_epi32(acc.v, _mm256_add_epi32(even, odd))};
#endif
}

}  // namespace vision::simd::VISION_ISA_NAMESPACE
