// The few byte and word moves of the YUV kernel that keep pixels within 128-bit halves: order comes back with pack().
#pragma once

#include "vision/simd.hpp"

namespace vision_io::VISION_ISA_NAMESPACE {

using namespace vision::simd::VISION_ISA_NAMESPACE;

// Stores past the cache, to addresses that are multiples of the vector's size; `stored_past` makes others see them.
#if VISION_ISA_IS_AVX512
inline void store_past(uint8_t* p, u8 x) { _mm512_stream_si512(reinterpret_cast<__m512i*>(p), x.v); }
inline void stored_past() { _mm_sfence(); }
#elif VISION_ISA_IS_AVX2
inline void store_past(uint8_t* p, u8 x) { _mm256_stream_si256(reinterpret_cast<__m256i*>(p), x.v); }
inline void stored_past() { _mm_sfence(); }
#else
inline void store_past(uint8_t* p, u8 x) { store(p, x); }
inline void stored_past() {}
#endif

#if VISION_ISA_IS_AVX512
#define VISION_IO_VECTORS 1
inline i16 bytes_low(u8 x) { return {_mm512_unpacklo_epi8(x.v, _mm512_setzero_si512())}; }
inline i16 bytes_high(u8 x) { return {_mm512_unpackhi_epi8(x.v, _mm512_setzero_si512())}; }
inline i16 twice_low(i16 x) { return {_mm512_unpacklo_epi16(x.v, x.v)}; }
inline i16 twice_high(i16 x) { return {_mm512_unpackhi_epi16(x.v, x.v)}; }
inline u8 pack(i16 low, i16 high) { return {_mm512_packus_epi16(low.v, high.v)}; }
inline i16 load_samples(const uint8_t* p) {
  return {_mm512_cvtepu8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)))};
}
inline void load_pairs(const uint8_t* p, i16& first, i16& second) {
  const __m512i x = _mm512_loadu_si512(p);
  first.v = _mm512_and_si512(x, _mm512_set1_epi16(0xff));
  second.v = _mm512_srli_epi16(x, 8);
}
#elif VISION_ISA_IS_AVX2
#define VISION_IO_VECTORS 1
inline i16 bytes_low(u8 x) { return {_mm256_unpacklo_epi8(x.v, _mm256_setzero_si256())}; }
inline i16 bytes_high(u8 x) { return {_mm256_unpackhi_epi8(x.v, _mm256_setzero_si256())}; }
inline i16 twice_low(i16 x) { return {_mm256_unpacklo_epi16(x.v, x.v)}; }
inline i16 twice_high(i16 x) { return {_mm256_unpackhi_epi16(x.v, x.v)}; }
inline u8 pack(i16 low, i16 high) { return {_mm256_packus_epi16(low.v, high.v)}; }
inline i16 load_samples(const uint8_t* p) {
  return {_mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))};
}
inline void load_pairs(const uint8_t* p, i16& first, i16& second) {
  const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  first.v = _mm256_and_si256(x, _mm256_set1_epi16(0xff));
  second.v = _mm256_srli_epi16(x, 8);
}
#elif VISION_ISA_IS_SSE41
#define VISION_IO_VECTORS 1
inline i16 bytes_low(u8 x) { return {_mm_unpacklo_epi8(x.v, _mm_setzero_si128())}; }
inline i16 bytes_high(u8 x) { return {_mm_unpackhi_epi8(x.v, _mm_setzero_si128())}; }
inline i16 twice_low(i16 x) { return {_mm_unpacklo_epi16(x.v, x.v)}; }
inline i16 twice_high(i16 x) { return {_mm_unpackhi_epi16(x.v, x.v)}; }
inline u8 pack(i16 low, i16 high) { return {_mm_packus_epi16(low.v, high.v)}; }
inline i16 load_samples(const uint8_t* p) {
  return {_mm_cvtepu8_epi16(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)))};
}
inline void load_pairs(const uint8_t* p, i16& first, i16& second) {
  const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  first.v = _mm_and_si128(x, _mm_set1_epi16(0xff));
  second.v = _mm_srli_epi16(x, 8);
}
#elif VISION_ISA_IS_NEON
#define VISION_IO_VECTORS 1
inline i16 bytes_low(u8 x) { return {vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(x.v)))}; }
inline i16 bytes_high(u8 x) { return {vreinterpretq_s16_u16(vmovl_high_u8(x.v))}; }
inline i16 twice_low(i16 x) { return {vzip1q_s16(x.v, x.v)}; }
inline i16 twice_high(i16 x) { return {vzip2q_s16(x.v, x.v)}; }
inline u8 pack(i16 low, i16 high) { return {vqmovun_high_s16(vqmovun_s16(low.v), high.v)}; }
inline i16 load_samples(const uint8_t* p) { return {vreinterpretq_s16_u16(vmovl_u8(vld1_u8(p)))}; }
inline void load_pairs(const uint8_t* p, i16& first, i16& second) {
  const uint8x8x2_t x = vld2_u8(p);
  first.v = vreinterpretq_s16_u16(vmovl_u8(x.val[0]));
  second.v = vreinterpretq_s16_u16(vmovl_u8(x.val[1]));
}
#else
#define VISION_IO_VECTORS 0
#endif

}  // namespace vision_io::VISION_ISA_NAMESPACE
