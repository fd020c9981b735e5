#include "lut.hpp"

#include <cstring>

#if VISION_ISA_IS_AVX2 || VISION_ISA_IS_AVX512
#include <immintrin.h>
#elif VISION_ISA_IS_NEON
#include <arm_neon.h>
#endif

namespace vision_core {
namespace VISION_ISA_NAMESPACE {
namespace {

void apply_plain(const uint8_t* in, int64_t count, const uint8_t* table, uint8_t* out) {
  for (int64_t i = 0; i < count; ++i) out[i] = table[in[i]];
}

// apply_wide does whole vectors and returns how many values that were.
#if VISION_ISA_IS_AVX2

// A byte shuffle looks 4 bits up; the table has 16 such rows, chosen by the high half of a value. Adding 0x70 with
// saturation leaves the low half of those in row 0 and sets bit 7, which makes the shuffle give 0, for all others.
int64_t apply_wide(const uint8_t* in, int64_t count, const uint8_t* table, uint8_t* out) {
  __m256i rows[16];
  for (int r = 0; r < 16; ++r)
    rows[r] = _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table + 16 * r)));
  const __m256i next = _mm256_set1_epi8(16), mark = _mm256_set1_epi8(0x70);
  int64_t i = 0;
  for (; i + 32 <= count; i += 32) {
    __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(in + i)), found = _mm256_setzero_si256();
    for (int r = 0; r < 16; ++r) {
      found = _mm256_or_si256(found, _mm256_shuffle_epi8(rows[r], _mm256_adds_epu8(x, mark)));
      x = _mm256_sub_epi8(x, next);
    }
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i), found);
  }
  return i;
}

#elif VISION_ISA_IS_AVX512

// AVX-512 VBMI looks 7 bits up at once. It is younger than the ISA of this file, so its code is marked and asked for.
#define VISION_VBMI __attribute__((target("avx512f,avx512bw,avx512vbmi")))

struct Table {
  __m512i part[4];
};

VISION_VBMI inline __m512i look_up(const Table& t, __m512i x) {
  const __m512i low = _mm512_permutex2var_epi8(t.part[0], x, t.part[1]);
  const __m512i high = _mm512_permutex2var_epi8(t.part[2], x, t.part[3]);
  return _mm512_mask_blend_epi8(_mm512_movepi8_mask(x), low, high);
}

VISION_VBMI inline Table load_table(const uint8_t* table) {
  return {{_mm512_loadu_si512(table), _mm512_loadu_si512(table + 64), _mm512_loadu_si512(table + 128),
           _mm512_loadu_si512(table + 192)}};
}

VISION_VBMI int64_t apply_vbmi(const uint8_t* in, int64_t count, const uint8_t* table, uint8_t* out) {
  const Table t = load_table(table);
  int64_t i = 0;
  for (; i + 64 <= count; i += 64) _mm512_storeu_si512(out + i, look_up(t, _mm512_loadu_si512(in + i)));
  return i;
}

VISION_VBMI int64_t apply_vbmi3(const uint8_t* in, int64_t count, const uint8_t* tables, uint8_t* out) {
  const Table first = load_table(tables), second = load_table(tables + 256), third = load_table(tables + 512);
  // Bit j: place j is of the first channel. 64 is 1 more than a multiple of 3, so the pattern moves on by one.
  const uint64_t every = 0x9249249249249249u;
  const __mmask64 masks[3] = {every, every << 2, every << 1};
  int64_t i = 0;
  for (; i + 192 <= count; i += 192) {
    for (int k = 0; k < 3; ++k) {
      const __m512i x = _mm512_loadu_si512(in + i + 64 * k);
      __m512i y = _mm512_mask_blend_epi8(masks[k], look_up(third, x), look_up(first, x));
      y = _mm512_mask_blend_epi8(masks[(k + 2) % 3], y, look_up(second, x));
      _mm512_storeu_si512(out + i + 64 * k, y);
    }
  }
  return i;
}

bool has_vbmi() {
  static const bool has = __builtin_cpu_supports("avx512vbmi");
  return has;
}

int64_t apply_wide(const uint8_t* in, int64_t count, const uint8_t* table, uint8_t* out) {
  if (has_vbmi()) return apply_vbmi(in, count, table, out);
  __m512i rows[16];
  for (int r = 0; r < 16; ++r)
    rows[r] = _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table + 16 * r)));
  const __m512i next = _mm512_set1_epi8(16), mark = _mm512_set1_epi8(0x70);
  int64_t i = 0;
  for (; i + 64 <= count; i += 64) {
    __m512i x = _mm512_loadu_si512(in + i), found = _mm512_setzero_si512();
    for (int r = 0; r < 16; ++r) {
      found = _mm512_or_si512(found, _mm512_shuffle_epi8(rows[r], _mm512_adds_epu8(x, mark)));
      x = _mm512_sub_epi8(x, next);
    }
    _mm512_storeu_si512(out + i, found);
  }
  return i;
}

#elif VISION_ISA_IS_NEON

int64_t apply_wide(const uint8_t* in, int64_t count, const uint8_t* table, uint8_t* out) {
  uint8x16x4_t parts[4];
  for (int p = 0; p < 4; ++p) parts[p] = vld1q_u8_x4(table + 64 * p);
  const uint8x16_t next = vdupq_n_u8(64);
  int64_t i = 0;
  for (; i + 16 <= count; i += 16) {
    uint8x16_t x = vld1q_u8(in + i), found = vqtbl4q_u8(parts[0], x);
    for (int p = 1; p < 4; ++p) {
      x = vsubq_u8(x, next);
      found = vqtbx4q_u8(found, parts[p], x);
    }
    vst1q_u8(out + i, found);
  }
  return i;
}

#else

int64_t apply_wide(const uint8_t*, int64_t, const uint8_t*, uint8_t*) { return 0; }

#endif

void apply(const uint8_t* in, int64_t count, const uint8_t* table, uint8_t* out) {
  const int64_t done = count < 64 ? 0 : apply_wide(in, count, table, out);
  apply_plain(in + done, count - done, table, out + done);
}

void apply_interleaved(const uint8_t* in, int64_t count, const uint8_t* tables, int channels, uint8_t* out) {
  int64_t i = 0;
#if VISION_ISA_IS_AVX512
  if (channels == 3 && has_vbmi()) i = apply_vbmi3(in, count, tables, out);
#endif
  for (; i < count; i += channels)
    for (int c = 0; c < channels; ++c) out[i + c] = tables[256 * c + in[i + c]];
}

// Four tables in turns: an increment of the same bin waits for the one before.
void histogram(const uint8_t* in, int64_t count, int64_t step, uint32_t* bins) {
  uint32_t parts[4][256] = {};
  int64_t i = 0;
  if (step == 1) {
    for (; i + 8 <= count; i += 8) {
      uint64_t eight;
      std::memcpy(&eight, in + i, 8);
      for (int k = 0; k < 8; ++k) ++parts[k & 3][(eight >> (8 * k)) & 255];
    }
  }
  for (; i < count; ++i) ++parts[i & 3][in[i * step]];
  for (int v = 0; v < 256; ++v) bins[v] += parts[0][v] + parts[1][v] + parts[2][v] + parts[3][v];
}

// Compilers make vectors of the inner loop: 64 * channels is a whole number of turns of the channels.
void extremes(const uint8_t* in, int64_t count, int channels, uint8_t* least, uint8_t* most) {
  constexpr int places = 64 * 4;
  uint8_t low[places], high[places];
  const int turn = 64 * channels;
  int64_t i = 0;
  if (channels <= 4 && count >= turn) {
    std::memcpy(low, in, static_cast<size_t>(turn));
    std::memcpy(high, in, static_cast<size_t>(turn));
    for (i = turn; i + turn <= count; i += turn) {
      for (int k = 0; k < turn; ++k) {
        const uint8_t x = in[i + k];
        low[k] = x < low[k] ? x : low[k];
        high[k] = x > high[k] ? x : high[k];
      }
    }
    for (int k = 0; k < turn; ++k) {
      const int c = k % channels;
      if (low[k] < least[c]) least[c] = low[k];
      if (high[k] > most[c]) most[c] = high[k];
    }
  }
  for (; i < count; i += channels) {
    for (int c = 0; c < channels; ++c) {
      if (in[i + c] < least[c]) least[c] = in[i + c];
      if (in[i + c] > most[c]) most[c] = in[i + c];
    }
  }
}

}  // namespace
}  // namespace VISION_ISA_NAMESPACE

VISION_DEFINE_KERNELS(LutKernels, lut_kernels) = {&VISION_ISA_NAMESPACE::apply, &VISION_ISA_NAMESPACE::apply_interleaved,
                                                  &VISION_ISA_NAMESPACE::histogram, &VISION_ISA_NAMESPACE::extremes};

}  // namespace vision_core
