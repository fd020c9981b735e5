#include "bitmask.hpp"

#include <cstring>

#if VISION_ISA_IS_SSE41 || VISION_ISA_IS_AVX2 || VISION_ISA_IS_AVX512
#include <immintrin.h>
#elif VISION_ISA_IS_NEON
#include <arm_neon.h>
#endif

namespace vision_core {
namespace VISION_ISA_NAMESPACE {
namespace {

#if VISION_ISA_IS_AVX512

inline uint64_t pack_64(const uint8_t* p) { return _mm512_test_epi8_mask(_mm512_loadu_si512(p), _mm512_set1_epi8(-1)); }
inline void unpack_64(uint64_t word, uint8_t* out) {
  _mm512_storeu_si512(out, _mm512_maskz_set1_epi8(word, 1));
}

#elif VISION_ISA_IS_AVX2

inline uint64_t pack_32(const uint8_t* p) {
  const __m256i empty = _mm256_cmpeq_epi8(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)), _mm256_setzero_si256());
  return static_cast<uint32_t>(~_mm256_movemask_epi8(empty));
}
inline uint64_t pack_64(const uint8_t* p) { return pack_32(p) | pack_32(p + 32) << 32; }
inline void unpack_64(uint64_t word, uint8_t* out) {
  const __m256i byte = _mm256_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3,
                                        3, 3, 3, 3);
  const __m256i bit = _mm256_set1_epi64x(static_cast<int64_t>(0x8040201008040201ull));
  for (int half = 0; half < 2; ++half) {
    const __m256i spread = _mm256_shuffle_epi8(_mm256_set1_epi32(static_cast<int32_t>(word >> (32 * half))), byte);
    const __m256i set = _mm256_cmpeq_epi8(_mm256_and_si256(spread, bit), bit);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + 32 * half), _mm256_and_si256(set, _mm256_set1_epi8(1)));
  }
}

#elif VISION_ISA_IS_SSE41

inline uint64_t pack_16(const uint8_t* p) {
  const __m128i empty = _mm_cmpeq_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)), _mm_setzero_si128());
  return static_cast<uint16_t>(~_mm_movemask_epi8(empty));
}
inline uint64_t pack_64(const uint8_t* p) {
  return pack_16(p) | pack_16(p + 16) << 16 | pack_16(p + 32) << 32 | pack_16(p + 48) << 48;
}
inline void unpack_64(uint64_t word, uint8_t* out) {
  const __m128i byte = _mm_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1);
  const __m128i bit = _mm_set1_epi64x(static_cast<int64_t>(0x8040201008040201ull));
  for (int part = 0; part < 4; ++part) {
    const __m128i spread = _mm_shuffle_epi8(_mm_set1_epi16(static_cast<int16_t>(word >> (16 * part))), byte);
    const __m128i set = _mm_cmpeq_epi8(_mm_and_si128(spread, bit), bit);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 16 * part), _mm_and_si128(set, _mm_set1_epi8(1)));
  }
}

#elif VISION_ISA_IS_NEON

inline uint64_t pack_64(const uint8_t* p) {
  const uint8_t bits[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
  const uint8x16_t bit = vld1q_u8(bits);
  uint64_t word = 0;
  for (int part = 0; part < 4; ++part) {
    const uint8x16_t value = vld1q_u8(p + 16 * part);
    const uint8x16_t set = vandq_u8(vtstq_u8(value, value), bit);
    const uint64_t low = vaddv_u8(vget_low_u8(set)), high = vaddv_u8(vget_high_u8(set));
    word |= (low | high << 8) << (16 * part);
  }
  return word;
}
inline void unpack_64(uint64_t word, uint8_t* out) {
  const uint8_t bits[8] = {1, 2, 4, 8, 16, 32, 64, 128};
  const uint8x8_t bit = vld1_u8(bits), one = vdup_n_u8(1);
  for (int part = 0; part < 8; ++part)
    vst1_u8(out + 8 * part, vand_u8(vtst_u8(vdup_n_u8(static_cast<uint8_t>(word >> (8 * part))), bit), one));
}

#else

inline uint64_t pack_64(const uint8_t* p) {
  uint64_t word = 0;
  for (int i = 0; i < 64; ++i) word |= static_cast<uint64_t>(p[i] != 0) << i;
  return word;
}
inline void unpack_64(uint64_t word, uint8_t* out) {
  for (int i = 0; i < 64; ++i) out[i] = static_cast<uint8_t>(word >> i & 1);
}

#endif

inline int64_t ones(uint64_t x) {
#if defined(__POPCNT__) || VISION_ISA_IS_NEON
  return __builtin_popcountll(x);
#else
  x = x - (x >> 1 & 0x5555555555555555ull);
  x = (x & 0x3333333333333333ull) + (x >> 2 & 0x3333333333333333ull);
  x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0full;
  return static_cast<int64_t>(x * 0x0101010101010101ull >> 56);
#endif
}

void pack(const uint8_t* bytes, int64_t count, uint64_t* words) {
  int64_t i = 0;
  for (; i + 64 <= count; i += 64) *words++ = pack_64(bytes + i);
  if (i == count) return;
  uint8_t rest[64] = {};
  std::memcpy(rest, bytes + i, static_cast<size_t>(count - i));
  *words = pack_64(rest);
}

void unpack(const uint64_t* words, int64_t count, uint8_t* bytes) {
  int64_t i = 0;
  for (; i + 64 <= count; i += 64) unpack_64(*words++, bytes + i);
  if (i == count) return;
  uint8_t rest[64];
  unpack_64(*words, rest);
  std::memcpy(bytes + i, rest, static_cast<size_t>(count - i));
}

// Exchanges the off-diagonal quarters of ever smaller squares.
template <int size>
inline void transpose_step(uint64_t* words, uint64_t low) {
  for (int block = 0; block < 64; block += 2 * size) {
    for (int i = block; i < block + size; ++i) {
      const uint64_t swap = (words[i] >> size ^ words[i + size]) & low;
      words[i] ^= swap << size;
      words[i + size] ^= swap;
    }
  }
}

void transpose(uint64_t* words) {
  transpose_step<32>(words, 0x00000000ffffffffull);
  transpose_step<16>(words, 0x0000ffff0000ffffull);
  transpose_step<8>(words, 0x00ff00ff00ff00ffull);
  transpose_step<4>(words, 0x0f0f0f0f0f0f0f0full);
  transpose_step<2>(words, 0x3333333333333333ull);
  transpose_step<1>(words, 0x5555555555555555ull);
}

int64_t count(const uint64_t* words, int64_t count) {
  int64_t sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += ones(words[i]);
  return sum;
}

int64_t count_both(const uint64_t* a, const uint64_t* b, int64_t count) {
  int64_t sums[4] = {}, i = 0;
  for (; i + 4 <= count; i += 4)
    for (int k = 0; k < 4; ++k) sums[k] += ones(a[i + k] & b[i + k]);
  for (; i < count; ++i) sums[0] += ones(a[i] & b[i]);
  return sums[0] + sums[1] + sums[2] + sums[3];
}

constexpr int64_t block = 256;  // bytes that are looked at as a whole

inline bool any_in_block(const uint8_t* bytes) {
  uint64_t words[block / 8], any = 0;
  std::memcpy(words, bytes, sizeof(words));
  for (const uint64_t word : words) any |= word;
  return any != 0;
}

int64_t first_set(const uint8_t* bytes, int64_t count) {
  int64_t i = 0;
  while (i + block <= count && !any_in_block(bytes + i)) i += block;
  for (; i + 64 <= count; i += 64) {
    const uint64_t set = pack_64(bytes + i);
    if (set) return i + __builtin_ctzll(set);
  }
  while (i < count && !bytes[i]) ++i;
  return i;
}

int64_t last_set(const uint8_t* bytes, int64_t count) {
  int64_t end = count;
  while (end >= block && !any_in_block(bytes + end - block)) end -= block;
  for (; end >= 64; end -= 64) {
    const uint64_t set = pack_64(bytes + end - 64);
    if (set) return end - 1 - __builtin_clzll(set);
  }
  while (end > 0 && !bytes[end - 1]) --end;
  return end - 1;
}

}  // namespace
}  // namespace VISION_ISA_NAMESPACE

VISION_DEFINE_KERNELS(BitmaskKernels, bitmask_kernels) = {
    &VISION_ISA_NAMESPACE::pack, &VISION_ISA_NAMESPACE::unpack, &VISION_ISA_NAMESPACE::transpose,
    &VISION_ISA_NAMESPACE::count, &VISION_ISA_NAMESPACE::count_both,
    &VISION_ISA_NAMESPACE::first_set, &VISION_ISA_NAMESPACE::last_set};

}  // namespace vision_core
