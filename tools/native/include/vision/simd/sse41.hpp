// Four 32-bit lanes (SSE4.1). See vision/simd.hpp.
#pragma once

#include <immintrin.h>

namespace vision::simd::sse41 {

struct f32 {
  static constexpr int lanes = 4;
  __m128 v;
};
struct i32 {
  static constexpr int lanes = 4;
  __m128i v;
};
struct i16 {
  static constexpr int lanes = 8;
  __m128i v;
};
struct u8 {
  static constexpr int lanes = 16;
  __m128i v;
};
struct s8 {
  static constexpr int lanes = 16;
  __m128i v;
};
struct mask {
  __m128 v;
};

inline __m128i load_bytes(const void* p) { return _mm_loadu_si128(static_cast<const __m128i*>(p)); }
inline void store_bytes(void* p, __m128i x) { _mm_storeu_si128(static_cast<__m128i*>(p), x); }

inline f32 set(float x) { return {_mm_set1_ps(x)}; }
inline f32 load(const float* p) { return {_mm_loadu_ps(p)}; }
inline void store(float* p, f32 x) { _mm_storeu_ps(p, x.v); }
inline f32 load_first(const float* p, int n) {
  float t[4] = {};
  std::memcpy(t, p, static_cast<size_t>(n) * 4);
  return load(t);
}
inline void store_first(float* p, f32 x, int n) {
  float t[4];
  store(t, x);
  std::memcpy(p, t, static_cast<size_t>(n) * 4);
}
inline f32 add(f32 a, f32 b) { return {_mm_add_ps(a.v, b.v)}; }
inline f32 sub(f32 a, f32 b) { return {_mm_sub_ps(a.v, b.v)}; }
inline f32 mul(f32 a, f32 b) { return {_mm_mul_ps(a.v, b.v)}; }
inline f32 div(f32 a, f32 b) { return {_mm_div_ps(a.v, b.v)}; }
inline f32 fma(f32 a, f32 b, f32 c) { return {_mm_add_ps(_mm_mul_ps(a.v, b.v), c.v)}; }
inline f32 min(f32 a, f32 b) { return {_mm_min_ps(a.v, b.v)}; }
inline f32 max(f32 a, f32 b) { return {_mm_max_ps(a.v, b.v)}; }
inline mask lt(f32 a, f32 b) { return {_mm_cmplt_ps(a.v, b.v)}; }
inline mask le(f32 a, f32 b) { return {_mm_cmple_ps(a.v, b.v)}; }
inline mask gt(f32 a, f32 b) { return {_mm_cmpgt_ps(a.v, b.v)}; }
inline mask ge(f32 a, f32 b) { return {_mm_cmpge_ps(a.v, b.v)}; }
inline f32 select(mask m, f32 a, f32 b) { return {_mm_blendv_ps(b.v, a.v, m.v)}; }
inline i32 round_to_i32(f32 x) { return {_mm_cvtps_epi32(x.v)}; }
inline i32 truncate_to_i32(f32 x) { return {_mm_cvttps_epi32(x.v)}; }
inline f32 to_f32(i32 x) { return {_mm_cvtepi32_ps(x.v)}; }
inline float sum(f32 x) {
  const __m128 pairs = _mm_add_ps(x.v, _mm_movehl_ps(x.v, x.v));
  return _mm_cvtss_f32(_mm_add_ss(pairs, _mm_shuffle_ps(pairs, pairs, 1)));
}

inline bool any(mask m) { return _mm_movemask_ps(m.v) != 0; }
inline uint32_t bits(mask m) { return static_cast<uint32_t>(_mm_movemask_ps(m.v)); }

inline i32 set(int32_t x) { return {_mm_set1_epi32(x)}; }
inline i32 load(const int32_t* p) { return {load_bytes(p)}; }
inline void store(int32_t* p, i32 x) { store_bytes(p, x.v); }
inline i32 load_first(const int32_t* p, int n) {
  int32_t t[4] = {};
  std::memcpy(t, p, static_cast<size_t>(n) * 4);
  return load(t);
}
inline void store_first(int32_t* p, i32 x, int n) {
  int32_t t[4];
  store(t, x);
  std::memcpy(p, t, static_cast<size_t>(n) * 4);
}
inline i32 add(i32 a, i32 b) { return {_mm_add_epi32(a.v, b.v)}; }
inline i32 sub(i32 a, i32 b) { return {_mm_sub_epi32(a.v, b.v)}; }
inline i32 mul(i32 a, i32 b) { return {_mm_mullo_epi32(a.v, b.v)}; }
inline i32 min(i32 a, i32 b) { return {_mm_min_epi32(a.v, b.v)}; }
inline i32 max(i32 a, i32 b) { return {_mm_max_epi32(a.v, b.v)}; }
template <int n>
inline i32 shift_left(i32 x) { return {_mm_slli_epi32(x.v, n)}; }
template <int n>
inline i32 shift_right(i32 x) { return {_mm_srai_epi32(x.v, n)}; }
inline mask gt(i32 a, i32 b) { return {_mm_castsi128_ps(_mm_cmpgt_epi32(a.v, b.v))}; }
inline mask eq(i32 a, i32 b) { return {_mm_castsi128_ps(_mm_cmpeq_epi32(a.v, b.v))}; }
inline i32 select(mask m, i32 a, i32 b) { return {_mm_blendv_epi8(b.v, a.v, _mm_castps_si128(m.v))}; }

inline i16 set16(int16_t x) { return {_mm_set1_epi16(x)}; }
inline i16 load(const int16_t* p) { return {load_bytes(p)}; }
inline void store(int16_t* p, i16 x) { store_bytes(p, x.v); }
inline i16 add(i16 a, i16 b) { return {_mm_add_epi16(a.v, b.v)}; }
inline i16 sub(i16 a, i16 b) { return {_mm_sub_epi16(a.v, b.v)}; }
inline i16 add_saturated(i16 a, i16 b) { return {_mm_adds_epi16(a.v, b.v)}; }
inline i16 sub_saturated(i16 a, i16 b) { return {_mm_subs_epi16(a.v, b.v)}; }
inline i16 mul_low(i16 a, i16 b) { return {_mm_mullo_epi16(a.v, b.v)}; }
inline i16 mul_high(i16 a, i16 b) { return {_mm_mulhi_epi16(a.v, b.v)}; }
inline i16 mul_q15(i16 a, i16 b) { return {_mm_mulhrs_epi16(a.v, b.v)}; }
inline i16 min(i16 a, i16 b) { return {_mm_min_epi16(a.v, b.v)}; }
inline i16 max(i16 a, i16 b) { return {_mm_max_epi16(a.v, b.v)}; }
template <int n>
inline i16 shift_left(i16 x) { return {_mm_slli_epi16(x.v, n)}; }
template <int n>
inline i16 shift_right(i16 x) { return {_mm_srai_epi16(x.v, n)}; }

inline u8 set8(uint8_t x) { return {_mm_set1_epi8(static_cast<char>(x))}; }
inline s8 set8(int8_t x) { return {_mm_set1_epi8(x)}; }
inline u8 load(const uint8_t* p) { return {load_bytes(p)}; }
inline s8 load(const int8_t* p) { return {load_bytes(p)}; }
inline void store(uint8_t* p, u8 x) { store_bytes(p, x.v); }
inline void store(int8_t* p, s8 x) { store_bytes(p, x.v); }

inline i16 widen_low(u8 x) { return {_mm_cvtepu8_epi16(x.v)}; }
inline i16 widen_high(u8 x) { return {_mm_unpackhi_epi8(x.v, _mm_setzero_si128())}; }
inline i32 widen_low(i16 x) { return {_mm_cvtepi16_epi32(x.v)}; }
inline i32 widen_high(i16 x) { return {_mm_srai_epi32(_mm_unpackhi_epi16(x.v, x.v), 16)}; }
inline i16 narrow_i16(i32 low, i32 high) { return {_mm_packs_epi32(low.v, high.v)}; }
inline u8 narrow_u8(i16 low, i16 high) { return {_mm_packus_epi16(low.v, high.v)}; }
inline s8 narrow_s8(i16 low, i16 high) { return {_mm_packs_epi16(low.v, high.v)}; }

inline i32 dot4(i32 acc, u8 a, s8 b) {
  // maddubs would saturate the sum of two products: even and odd bytes apart, each product fits 16 bits.
  const __m128i even_a = _mm_and_si128(a.v, _mm_set1_epi16(0xff)), odd_a = _mm_srli_epi16(a.v, 8);
  const __m128i even_b = _mm_srai_epi16(_mm_slli_epi16(b.v, 8), 8), odd_b = _mm_srai_epi16(b.v, 8);
  const __m128i even = _mm_madd_epi16(even_a, even_b), odd = _mm_madd_epi16(odd_a, odd_b);
  return {_mm_add_epi32(acc.v, _mm_add_epi32(even, odd))};
}

}  // namespace vision::simd::sse41
