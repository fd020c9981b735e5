#include "flip.hpp"

#include <cstring>

#if VISION_ISA_IS_SSE41 || VISION_ISA_IS_AVX2 || VISION_ISA_IS_AVX512
#define VISION_FLIP_X86 1
#include <immintrin.h>
#elif VISION_ISA_IS_NEON
#include <arm_neon.h>
#endif

namespace vision_core {
namespace VISION_ISA_NAMESPACE {
namespace {

// Each of these makes whole vectors of the result from its start and returns how many pixels that were.

#if VISION_FLIP_X86

inline __m128i load16(const uint8_t* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }
inline void store16(uint8_t* p, __m128i x) { _mm_storeu_si128(reinterpret_cast<__m128i*>(p), x); }

int64_t reverse_1(const uint8_t* in, int64_t count, uint8_t* out) {
  const __m128i order = _mm_setr_epi8(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
  int64_t i = 0;
#if VISION_ISA_IS_AVX512
  for (; i + 64 <= count; i += 64) {
    const __m512i x = _mm512_shuffle_epi8(_mm512_loadu_si512(in + count - 64 - i), _mm512_broadcast_i32x4(order));
    _mm512_storeu_si512(out + i, _mm512_shuffle_i64x2(x, x, 0x1b));
  }
#elif VISION_ISA_IS_AVX2
  for (; i + 32 <= count; i += 32) {
    const __m256i x = _mm256_shuffle_epi8(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(in + count - 32 - i)),
                                          _mm256_broadcastsi128_si256(order));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i), _mm256_permute4x64_epi64(x, 0x4e));
  }
#endif
  for (; i + 16 <= count; i += 16) store16(out + i, _mm_shuffle_epi8(load16(in + count - 16 - i), order));
  return i;
}

#if VISION_ISA_IS_AVX512

// AVX-512 VBMI puts 64 bytes into any order at once: 21 pixels, and a byte that the next ones overwrite. It is younger than
// the ISA of this file, so its code is marked and asked for.
__attribute__((target("avx512f,avx512bw,avx512vbmi"))) int64_t reverse_3_vbmi(const uint8_t* in, int64_t count,
                                                                              uint8_t* out) {
  uint8_t places[64];
  for (int i = 0; i < 63; ++i) places[i] = static_cast<uint8_t>(1 + 60 - i / 3 * 3 + i % 3);
  places[63] = 0;
  const __m512i order = _mm512_loadu_si512(places);
  int64_t i = 0;
  for (; i + 22 <= count; i += 21)  // a load starts a byte before its pixels
    _mm512_storeu_si512(out + 3 * i, _mm512_permutexvar_epi8(order, _mm512_loadu_si512(in + 3 * (count - 21 - i) - 1)));
  return i;
}

bool has_vbmi() {
  static const bool has = __builtin_cpu_supports("avx512vbmi");
  return has;
}

#endif

// Sixteen pixels are three vectors; the middle one of the result takes a byte from each of its neighbours.
int64_t reverse_3(const uint8_t* in, int64_t count, uint8_t* out) {
  const __m128i c0 = _mm_setr_epi8(13, 14, 15, 10, 11, 12, 7, 8, 9, 4, 5, 6, 1, 2, 3, -1);
  const __m128i b0 = _mm_setr_epi8(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 14);
  const __m128i b1 = _mm_setr_epi8(15, -1, 11, 12, 13, 8, 9, 10, 5, 6, 7, 2, 3, 4, -1, 0);
  const __m128i c1 = _mm_setr_epi8(-1, 0, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
  const __m128i a1 = _mm_setr_epi8(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 15, -1);
  const __m128i b2 = _mm_setr_epi8(1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
  const __m128i a2 = _mm_setr_epi8(-1, 12, 13, 14, 9, 10, 11, 6, 7, 8, 3, 4, 5, 0, 1, 2);
  int64_t i = 0;
#if VISION_ISA_IS_AVX512
  if (has_vbmi()) i = reverse_3_vbmi(in, count, out);
#endif
  for (; i + 16 <= count; i += 16) {
    const uint8_t* p = in + 3 * (count - 16 - i);
    const __m128i a = load16(p), b = load16(p + 16), c = load16(p + 32);
    store16(out + 3 * i, _mm_or_si128(_mm_shuffle_epi8(c, c0), _mm_shuffle_epi8(b, b0)));
    store16(out + 3 * i + 16, _mm_or_si128(_mm_or_si128(_mm_shuffle_epi8(b, b1), _mm_shuffle_epi8(c, c1)),
                                           _mm_shuffle_epi8(a, a1)));
    store16(out + 3 * i + 32, _mm_or_si128(_mm_shuffle_epi8(a, a2), _mm_shuffle_epi8(b, b2)));
  }
  return i;
}

#elif VISION_ISA_IS_NEON

inline uint8x16_t reversed(uint8x16_t x) {
  x = vrev64q_u8(x);
  return vextq_u8(x, x, 8);
}

int64_t reverse_1(const uint8_t* in, int64_t count, uint8_t* out) {
  int64_t i = 0;
  for (; i + 16 <= count; i += 16) vst1q_u8(out + i, reversed(vld1q_u8(in + count - 16 - i)));
  return i;
}

int64_t reverse_3(const uint8_t* in, int64_t count, uint8_t* out) {
  int64_t i = 0;
  for (; i + 16 <= count; i += 16) {
    const uint8x16x3_t x = vld3q_u8(in + 3 * (count - 16 - i));
    vst3q_u8(out + 3 * i, uint8x16x3_t{{reversed(x.val[0]), reversed(x.val[1]), reversed(x.val[2])}});
  }
  return i;
}

#else

int64_t reverse_1(const uint8_t*, int64_t, uint8_t*) { return 0; }
int64_t reverse_3(const uint8_t*, int64_t, uint8_t*) { return 0; }

#endif

void reverse(const uint8_t* in, int64_t count, int size, uint8_t* out) {
  int64_t i = size == 1 ? reverse_1(in, count, out) : size == 3 ? reverse_3(in, count, out) : 0;
  if (i > 0 && i < count && size != 4) {  // the last vector again, so that it ends with the row
    constexpr int64_t last = 16;
    if (size == 1) reverse_1(in, last, out + count - last);
    if (size == 3) reverse_3(in, last, out + 3 * (count - last));
    return;
  }
  if (size == 4) {
    for (; i < count; ++i) std::memcpy(out + 4 * i, in + 4 * (count - 1 - i), 4);
  }
  for (; i < count; ++i)
    for (int k = 0; k < size; ++k) out[i * size + k] = in[(count - 1 - i) * size + k];
}

}  // namespace
}  // namespace VISION_ISA_NAMESPACE

VISION_DEFINE_KERNELS(FlipKernels, flip_kernels) = {&VISION_ISA_NAMESPACE::reverse};

}  // namespace vision_core
