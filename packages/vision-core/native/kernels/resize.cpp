#include "resize.hpp"

#include <cstring>

#if VISION_ISA_IS_SSE41 || VISION_ISA_IS_AVX2 || VISION_ISA_IS_AVX512
#define VISION_RESIZE_X86 1
#include <immintrin.h>
#endif

namespace vision_core {
namespace VISION_ISA_NAMESPACE {
namespace {

inline int16_t to_row(int32_t sum, int shift) {
  const int32_t value = (sum + ((1 << shift) >> (row_bits + 1))) >> (shift - row_bits);
  return static_cast<int16_t>(value < -32768 ? -32768 : value > 32767 ? 32767 : value);
}

inline uint8_t to_pixel(int32_t sum, int shift) {
  const int32_t value = (sum + (1 << (shift + row_bits - 1))) >> (shift + row_bits);
  return static_cast<uint8_t>(value < 0 ? 0 : value > 255 ? 255 : value);
}

// Plain C++: the reference, the path of ISAs without an own one (compilers make vectors of it), and the ends of rows.
void vertical_plain(const uint8_t* rows, int64_t row_stride, const int16_t* weights, int taps, int shift,
                    int64_t count, int16_t* out) {
  constexpr int64_t block = 256;
  for (int64_t x = 0; x < count; x += block) {
    const int64_t n = count - x < block ? count - x : block;
    int32_t sums[block] = {};
    for (int t = 0; t < taps; ++t) {
      const uint8_t* row = rows + t * row_stride + x;
      const int32_t weight = weights[t];
      for (int64_t i = 0; i < n; ++i) sums[i] += weight * row[i];
    }
    for (int64_t i = 0; i < n; ++i) out[x + i] = to_row(sums[i], shift);
  }
}

template <int channels>
void horizontal_plain(const int16_t* row, const int32_t* start, const int16_t* weights, const int32_t* taps,
                      int64_t stride, int shift, int64_t first, int64_t width, uint8_t* out) {
  for (int64_t x = first; x < width; ++x) {
    const int16_t* pixels = row + static_cast<int64_t>(start[x]) * channels;
    const int16_t* w = weights + x * stride;
    for (int c = 0; c < channels; ++c) {
      int32_t sum = 0;
      for (int t = 0; t < taps[x]; ++t) sum += w[t] * pixels[t * channels + c];
      out[x * channels + c] = to_pixel(sum, shift);
    }
  }
}

void narrow(const int16_t* row, int64_t count, uint8_t* out) {
  for (int64_t i = 0; i < count; ++i) out[i] = to_pixel(row[i], 0);
}

#if VISION_RESIZE_X86

// Vectors for the vertical pass. All instructions work on parts of 128 bits, so bytes keep their place in their part
// until in_order_* put the parts of two vectors side by side.
#if VISION_ISA_IS_AVX512
using Bytes = __m512i;
constexpr int bytes = 64;
inline Bytes load(const uint8_t* p) { return _mm512_loadu_si512(p); }
inline Bytes zero() { return _mm512_setzero_si512(); }
inline Bytes set_pair(int32_t x) { return _mm512_set1_epi32(x); }
inline Bytes low8(Bytes a, Bytes b) { return _mm512_unpacklo_epi8(a, b); }
inline Bytes high8(Bytes a, Bytes b) { return _mm512_unpackhi_epi8(a, b); }
inline Bytes accumulate(Bytes sum, Bytes a, Bytes b) { return _mm512_dpwssd_epi32(sum, a, b); }
inline Bytes round_shift(Bytes x, Bytes half, __m128i shift) {
  return _mm512_sra_epi32(_mm512_add_epi32(x, half), shift);
}
inline Bytes pack(Bytes a, Bytes b) { return _mm512_packs_epi32(a, b); }
inline void store_in_order(int16_t* out, Bytes a, Bytes b) {
  const __m512i first = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
  const __m512i second = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
  _mm512_storeu_si512(out, _mm512_permutex2var_epi64(a, first, b));
  _mm512_storeu_si512(out + 32, _mm512_permutex2var_epi64(a, second, b));
}
#elif VISION_ISA_IS_AVX2
using Bytes = __m256i;
constexpr int bytes = 32;
inline Bytes load(const uint8_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
inline Bytes zero() { return _mm256_setzero_si256(); }
inline Bytes set_pair(int32_t x) { return _mm256_set1_epi32(x); }
inline Bytes low8(Bytes a, Bytes b) { return _mm256_unpacklo_epi8(a, b); }
inline Bytes high8(Bytes a, Bytes b) { return _mm256_unpackhi_epi8(a, b); }
inline Bytes accumulate(Bytes sum, Bytes a, Bytes b) { return _mm256_add_epi32(sum, _mm256_madd_epi16(a, b)); }
inline Bytes round_shift(Bytes x, Bytes half, __m128i shift) {
  return _mm256_sra_epi32(_mm256_add_epi32(x, half), shift);
}
inline Bytes pack(Bytes a, Bytes b) { return _mm256_packs_epi32(a, b); }
inline void store_in_order(int16_t* out, Bytes a, Bytes b) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), _mm256_permute2x128_si256(a, b, 0x20));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + 16), _mm256_permute2x128_si256(a, b, 0x31));
}
#else
using Bytes = __m128i;
constexpr int bytes = 16;
inline Bytes load(const uint8_t* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }
inline Bytes zero() { return _mm_setzero_si128(); }
inline Bytes set_pair(int32_t x) { return _mm_set1_epi32(x); }
inline Bytes low8(Bytes a, Bytes b) { return _mm_unpacklo_epi8(a, b); }
inline Bytes high8(Bytes a, Bytes b) { return _mm_unpackhi_epi8(a, b); }
inline Bytes accumulate(Bytes sum, Bytes a, Bytes b) { return _mm_add_epi32(sum, _mm_madd_epi16(a, b)); }
inline Bytes round_shift(Bytes x, Bytes half, __m128i shift) { return _mm_sra_epi32(_mm_add_epi32(x, half), shift); }
inline Bytes pack(Bytes a, Bytes b) { return _mm_packs_epi32(a, b); }
inline void store_in_order(int16_t* out, Bytes a, Bytes b) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), a);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 8), b);
}
#endif

inline int32_t weight_pair(int16_t first, int16_t second) {
  return static_cast<int32_t>(static_cast<uint16_t>(first) | static_cast<uint32_t>(static_cast<uint16_t>(second)) << 16);
}

// Two rows at a time: their bytes are interleaved and widened, and one multiply-add takes both weights.
void vertical(const uint8_t* rows, int64_t row_stride, const int16_t* weights, int taps, int shift, int64_t count,
              int16_t* out) {
  const Bytes half = set_pair((1 << shift) >> (row_bits + 1)), none = zero();
  const __m128i down = _mm_cvtsi32_si128(shift - row_bits);
  int64_t x = 0;
  for (; x + bytes <= count; x += bytes) {
    Bytes s0 = none, s1 = none, s2 = none, s3 = none;
    for (int t = 0; t < taps; t += 2) {
      const bool both = t + 1 < taps;
      const uint8_t* row = rows + t * row_stride + x;
      const Bytes a = load(row), b = both ? load(row + row_stride) : none;
      const Bytes weight = set_pair(weight_pair(weights[t], both ? weights[t + 1] : 0));
      const Bytes low = low8(a, b), high = high8(a, b);
      s0 = accumulate(s0, low8(low, none), weight);
      s1 = accumulate(s1, high8(low, none), weight);
      s2 = accumulate(s2, low8(high, none), weight);
      s3 = accumulate(s3, high8(high, none), weight);
    }
    store_in_order(out + x, pack(round_shift(s0, half, down), round_shift(s1, half, down)),
                   pack(round_shift(s2, half, down), round_shift(s3, half, down)));
  }
  vertical_plain(rows + x, row_stride, weights, taps, shift, count - x, out + x);
}

inline __m128i load8(const int16_t* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }

// Four partial sums of one target pixel, each over a quarter of its taps.
inline __m128i dot(const int16_t* pixels, const int16_t* weights, int taps) {
#if VISION_ISA_IS_SSE41
  __m128i sum = _mm_madd_epi16(load8(pixels), load8(weights));
  for (int t = 8; t < taps; t += 8) sum = _mm_add_epi32(sum, _mm_madd_epi16(load8(pixels + t), load8(weights + t)));
  return sum;
#else
  if (taps <= 8) return _mm_madd_epi16(load8(pixels), load8(weights));
  __m256i sum = _mm256_setzero_si256();
  for (int t = 0; t < taps; t += 16) {
    const __m256i a = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(pixels + t));
    const __m256i b = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(weights + t));
    sum = _mm256_add_epi32(sum, _mm256_madd_epi16(a, b));
  }
  return _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
#endif
}

inline __m128i to_bytes(__m128i sums, __m128i half, __m128i down) {
  const __m128i words = _mm_packs_epi32(_mm_sra_epi32(_mm_add_epi32(sums, half), down), _mm_setzero_si128());
  return _mm_packus_epi16(words, words);
}

void horizontal_1(const int16_t* row, const int32_t* start, const int16_t* weights, const int32_t* taps,
                  int64_t stride, int shift, int64_t width, uint8_t* out) {
  const __m128i half = _mm_set1_epi32(1 << (shift + row_bits - 1)), down = _mm_cvtsi32_si128(shift + row_bits);
  int64_t x = 0;
  for (; x + 4 <= width; x += 4) {
    const int16_t* w = weights + x * stride;
    const __m128i a = _mm_hadd_epi32(dot(row + start[x], w, taps[x]), dot(row + start[x + 1], w + stride, taps[x + 1]));
    const __m128i b = _mm_hadd_epi32(dot(row + start[x + 2], w + 2 * stride, taps[x + 2]),
                                     dot(row + start[x + 3], w + 3 * stride, taps[x + 3]));
    const int32_t pixels = _mm_cvtsi128_si32(to_bytes(_mm_hadd_epi32(a, b), half, down));
    std::memcpy(out + x, &pixels, 4);
  }
  horizontal_plain<1>(row, start, weights, taps, stride, shift, x, width, out);
}

// The sums of the channels of one target pixel. A vector holds two neighbouring pixels; the shuffle puts the two values
// of each channel side by side for the multiply-add.
template <int channels>
inline __m128i dot_pixels(const int16_t* pixels, const int16_t* weights, int taps) {
  const __m128i pairs = channels == 3 ? _mm_setr_epi8(0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11, -1, -1, -1, -1)
                                      : _mm_setr_epi8(0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15);
#if VISION_ISA_IS_SSE41
  __m128i sum = _mm_setzero_si128();
  for (int t = 0; t < taps; t += 2) {
    int32_t pair;
    std::memcpy(&pair, weights + t, 4);
    const __m128i both = _mm_shuffle_epi8(load8(pixels + t * channels), pairs);
    sum = _mm_add_epi32(sum, _mm_madd_epi16(both, _mm_set1_epi32(pair)));
  }
  return sum;
#else
  const __m256i wide_pairs = _mm256_broadcastsi128_si256(pairs), spread = _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1);
  __m256i sum = _mm256_setzero_si256();
  for (int t = 0; t < taps; t += 4) {
    const __m128i four = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(weights + t));
    const __m256i w = _mm256_permutevar8x32_epi32(_mm256_castsi128_si256(four), spread);
    const __m256i p = _mm256_inserti128_si256(_mm256_castsi128_si256(load8(pixels + t * channels)),
                                              load8(pixels + (t + 2) * channels), 1);
    sum = _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_shuffle_epi8(p, wide_pairs), w));
  }
  return _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
#endif
}

template <int channels>
void horizontal_n(const int16_t* row, const int32_t* start, const int16_t* weights, const int32_t* taps,
                  int64_t stride, int shift, int64_t width, uint8_t* out) {
  const __m128i half = _mm_set1_epi32(1 << (shift + row_bits - 1)), down = _mm_cvtsi32_si128(shift + row_bits);
  for (int64_t x = 0; x < width; ++x) {
    const int16_t* pixels = row + static_cast<int64_t>(start[x]) * channels;
    const __m128i sums = dot_pixels<channels>(pixels, weights + x * stride, taps[x]);
    const int32_t pixel = _mm_cvtsi128_si32(to_bytes(sums, half, down));
    // Four bytes at once where the fourth one is overwritten by the next pixel.
    if (channels == 4 || x + 1 < width) {
      std::memcpy(out + x * channels, &pixel, 4);
    } else {
      std::memcpy(out + x * channels, &pixel, channels);
    }
  }
}

#else

void vertical(const uint8_t* rows, int64_t row_stride, const int16_t* weights, int taps, int shift, int64_t count,
              int16_t* out) {
  vertical_plain(rows, row_stride, weights, taps, shift, count, out);
}

template <int channels>
void horizontal_n(const int16_t* row, const int32_t* start, const int16_t* weights, const int32_t* taps,
                  int64_t stride, int shift, int64_t width, uint8_t* out) {
  horizontal_plain<channels>(row, start, weights, taps, stride, shift, 0, width, out);
}

void horizontal_1(const int16_t* row, const int32_t* start, const int16_t* weights, const int32_t* taps,
                  int64_t stride, int shift, int64_t width, uint8_t* out) {
  horizontal_plain<1>(row, start, weights, taps, stride, shift, 0, width, out);
}

#endif

}  // namespace
}  // namespace VISION_ISA_NAMESPACE

VISION_DEFINE_KERNELS(ResizeKernels, resize_kernels) = {
    &VISION_ISA_NAMESPACE::vertical, &VISION_ISA_NAMESPACE::horizontal_1, &VISION_ISA_NAMESPACE::horizontal_n<3>,
    &VISION_ISA_NAMESPACE::horizontal_n<4>, &VISION_ISA_NAMESPACE::narrow};

}  // namespace vision_core
