// What these kernels need beyond vision/simd.hpp: bit casts, four bytes broadcast, bytes in and out of 32-bit lanes.
#pragma once

#include "vision/simd.hpp"

namespace vision::simd::VISION_ISA_NAMESPACE {

#if VISION_ISA_IS_AVX512
inline f32 as_f32(i32 x) { return {_mm512_castsi512_ps(x.v)}; }
inline u8 as_u8(i32 x) { return {x.v}; }
inline f32 estimated_reciprocal(f32 x) { return {_mm512_rcp14_ps(x.v)}; }
inline i32 load_signed_bytes(const int8_t* p) {
  return {_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))};
}
inline i32 load_bytes(const uint8_t* p) { return {_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))}; }
// Stores lanes that hold 0..255 as one byte each.
inline void store_bytes(uint8_t* p, i32 x) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8(x.v));
}
#elif VISION_ISA_IS_AVX2 || VISION_ISA_IS_AVXVNNI
inline f32 as_f32(i32 x) { return {_mm256_castsi256_ps(x.v)}; }
inline u8 as_u8(i32 x) { return {x.v}; }
inline f32 estimated_reciprocal(f32 x) { return {_mm256_rcp_ps(x.v)}; }
inline i32 load_signed_bytes(const int8_t* p) {
  return {_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)))};
}
inline i32 load_bytes(const uint8_t* p) { return {_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)))}; }
inline void store_bytes(uint8_t* p, i32 x) {
  const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(x.v), _mm256_extracti128_si256(x.v, 1));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_packus_epi16(words, words));
}
#elif VISION_ISA_IS_NEON || VISION_ISA_IS_DOTPROD || VISION_ISA_IS_I8MM
inline f32 as_f32(i32 x) { return {vreinterpretq_f32_s32(x.v)}; }
inline u8 as_u8(i32 x) { return {vreinterpretq_u8_s32(x.v)}; }
inline f32 estimated_reciprocal(f32 x) {
  const float32x4_t y = vrecpeq_f32(x.v);
  return {vmulq_f32(vrecpsq_f32(x.v, y), y)};
}
inline i32 load_signed_bytes(const int8_t* p) {
  uint32_t word;
  std::memcpy(&word, p, 4);
  return {vmovl_s16(vget_low_s16(vmovl_s8(vcreate_s8(word))))};
}
inline i32 load_bytes(const uint8_t* p) {
  uint32_t word;
  std::memcpy(&word, p, 4);
  return {vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(vmovl_u8(vcreate_u8(word)))))};
}
inline void store_bytes(uint8_t* p, i32 x) {
  const uint16x4_t words = vqmovun_s32(x.v);
  const uint32_t word = vget_lane_u32(vreinterpret_u32_u8(vqmovn_u16(vcombine_u16(words, words))), 0);
  std::memcpy(p, &word, 4);
}
#elif VISION_ISA_IS_SCALAR
inline f32 as_f32(i32 x) {
  f32 y;
  std::memcpy(&y.v, &x.v, 4);
  return y;
}
inline u8 as_u8(i32 x) {
  u8 y;
  std::memcpy(y.v, &x.v, 4);
  return y;
}
inline f32 estimated_reciprocal(f32 x) { return {1.0f / x.v}; }
inline i32 load_signed_bytes(const int8_t* p) { return {*p}; }
inline i32 load_bytes(const uint8_t* p) { return {*p}; }
inline void store_bytes(uint8_t* p, i32 x) { *p = static_cast<uint8_t>(x.v); }
#else
#error "these kernels are built for scalar, avx2, avxvnni, avx512, neon, dotprod and i8mm"
#endif

// Half a vector: on some processors it costs half. Where vectors are short already, never used.
#if VISION_ISA_IS_AVX512
struct f32_half {
  __m256 v;
};
inline f32_half load_half(const float* p) { return {_mm256_loadu_ps(p)}; }
inline f32_half low_half(f32 x) { return {_mm512_castps512_ps256(x.v)}; }
inline f32_half add(f32_half a, f32_half b) { return {_mm256_add_ps(a.v, b.v)}; }
inline f32_half fma(f32_half a, f32_half b, f32_half c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
inline f32 with_zeros(f32_half x) { return {_mm512_zextps256_ps512(x.v)}; }
inline f32 negated_fma(f32 a, f32 b, f32 c) { return {_mm512_fnmadd_ps(a.v, b.v, c.v)}; }  // c - a * b
#else
using f32_half = f32;
inline f32_half load_half(const float* p) { return load(p); }
inline f32_half low_half(f32 x) { return x; }
inline f32 with_zeros(f32_half x) { return x; }
inline f32 negated_fma(f32 a, f32 b, f32 c) { return fma(sub(set(0.0f), a), b, c); }
#endif

// 1 / x for 1 <= x < 2^126, relative error below 3e-7: one Newton step on an estimate of 11 bits or more.
inline f32 reciprocal(f32 x) {
  const f32 y = estimated_reciprocal(x);
  return fma(y, negated_fma(x, y, set(1.0f)), y);
}

// The same four bytes in every 32-bit lane.
inline u8 broadcast4(const uint8_t* p) {
  int32_t word;
  std::memcpy(&word, p, 4);
  return as_u8(set(word));
}

}  // namespace vision::simd::VISION_ISA_NAMESPACE
