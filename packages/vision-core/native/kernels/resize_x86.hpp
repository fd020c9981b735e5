// The passes of resize.cpp for x86. Part of that file's anonymous namespace: include it nowhere else.
//
// All wide instructions work on parts of 128 bits, so bytes keep their place in their part through the vertical pass.

#if VISION_ISA_IS_AVX512
using Bytes = __m512i;
constexpr int bytes = 64;
inline Bytes load(const uint8_t* p) { return _mm512_loadu_si512(p); }
inline Bytes set32(int32_t x) { return _mm512_set1_epi32(x); }
inline Bytes low8(Bytes a, Bytes b) { return _mm512_unpacklo_epi8(a, b); }
inline Bytes high8(Bytes a, Bytes b) { return _mm512_unpackhi_epi8(a, b); }
inline Bytes accumulate(Bytes sum, Bytes a, Bytes b) { return _mm512_dpwssd_epi32(sum, a, b); }
inline Bytes round_shift(Bytes x, Bytes half, __m128i shift) {
  return _mm512_sra_epi32(_mm512_add_epi32(x, half), shift);
}
inline Bytes pack(Bytes a, Bytes b) { return _mm512_packs_epi32(a, b); }
inline void store(uint8_t* out, Bytes a, Bytes b) { _mm512_storeu_si512(out, _mm512_packus_epi16(a, b)); }
inline void store(int16_t* out, Bytes a, Bytes b) {  // puts the parts of two vectors side by side
  const __m512i first = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
  const __m512i second = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
  _mm512_storeu_si512(out, _mm512_permutex2var_epi64(a, first, b));
  _mm512_storeu_si512(out + 32, _mm512_permutex2var_epi64(a, second, b));
}
#elif VISION_ISA_IS_AVX2
using Bytes = __m256i;
constexpr int bytes = 32;
inline Bytes load(const uint8_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
inline Bytes set32(int32_t x) { return _mm256_set1_epi32(x); }
inline Bytes low8(Bytes a, Bytes b) { return _mm256_unpacklo_epi8(a, b); }
inline Bytes high8(Bytes a, Bytes b) { return _mm256_unpackhi_epi8(a, b); }
inline Bytes accumulate(Bytes sum, Bytes a, Bytes b) { return _mm256_add_epi32(sum, _mm256_madd_epi16(a, b)); }
inline Bytes round_shift(Bytes x, Bytes half, __m128i shift) {
  return _mm256_sra_epi32(_mm256_add_epi32(x, half), shift);
}
inline Bytes pack(Bytes a, Bytes b) { return _mm256_packs_epi32(a, b); }
inline void store(uint8_t* out, Bytes a, Bytes b) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), _mm256_packus_epi16(a, b));
}
inline void store(int16_t* out, Bytes a, Bytes b) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), _mm256_permute2x128_si256(a, b, 0x20));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + 16), _mm256_permute2x128_si256(a, b, 0x31));
}
#else
using Bytes = __m128i;
constexpr int bytes = 16;
inline Bytes load(const uint8_t* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }
inline Bytes set32(int32_t x) { return _mm_set1_epi32(x); }
inline Bytes low8(Bytes a, Bytes b) { return _mm_unpacklo_epi8(a, b); }
inline Bytes high8(Bytes a, Bytes b) { return _mm_unpackhi_epi8(a, b); }
inline Bytes accumulate(Bytes sum, Bytes a, Bytes b) { return _mm_add_epi32(sum, _mm_madd_epi16(a, b)); }
inline Bytes round_shift(Bytes x, Bytes half, __m128i shift) { return _mm_sra_epi32(_mm_add_epi32(x, half), shift); }
inline Bytes pack(Bytes a, Bytes b) { return _mm_packs_epi32(a, b); }
inline void store(uint8_t* out, Bytes a, Bytes b) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm_packus_epi16(a, b));
}
inline void store(int16_t* out, Bytes a, Bytes b) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), a);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 8), b);
}
#endif

inline int32_t pair_at(const int16_t* weights) {
  int32_t pair;
  std::memcpy(&pair, weights, 4);
  return pair;
}

// Two rows at a time: their bytes are interleaved and widened, and one multiply-add takes both weights.
template <class Out>
void vertical(const uint8_t* rows, int64_t row_stride, const int16_t* weights, int taps, int shift, int64_t count,
              Out* out) {
  constexpr int many = 12;  // rows in flight from which on the processor no longer fetches ahead by itself
  const int down_by = shift - bits_of(out);
  const Bytes half = set32(1 << (down_by - 1)), none = set32(0);
  const __m128i down = _mm_cvtsi32_si128(down_by);
  int64_t x = 0;
  for (; x + bytes <= count; x += bytes) {
    Bytes s0 = none, s1 = none, s2 = none, s3 = none;
    for (int t = 0; t < taps; t += 2) {
      const uint8_t* row = rows + t * row_stride + x;
      const Bytes a = load(row), b = t + 1 < taps ? load(row + row_stride) : none;
      if (taps > many) {
        __builtin_prefetch(row + 4 * bytes);
        __builtin_prefetch(row + 4 * bytes + row_stride);
      }
      const Bytes weight = set32(pair_at(weights + t)), low = low8(a, b), high = high8(a, b);
      s0 = accumulate(s0, low8(low, none), weight);
      s1 = accumulate(s1, high8(low, none), weight);
      s2 = accumulate(s2, low8(high, none), weight);
      s3 = accumulate(s3, high8(high, none), weight);
    }
    store(out + x, pack(round_shift(s0, half, down), round_shift(s1, half, down)),
          pack(round_shift(s2, half, down), round_shift(s3, half, down)));
  }
  vertical_plain(rows + x, row_stride, weights, taps, shift, count - x, out + x);
}

// Eight and sixteen values of a row, as 16 bits.
inline __m128i load8(const int16_t* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }
inline __m128i load8(const uint8_t* p) {
  return _mm_cvtepu8_epi16(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
}
#if !VISION_ISA_IS_SSE41
inline __m256i load16(const int16_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
inline __m256i load16(const uint8_t* p) {
  return _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
inline __m128i fold(__m256i x) { return _mm_add_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1)); }
#endif

template <class In>
inline __m128i dot8(const In* pixels, const int16_t* weights, int taps) {
  __m128i sum = _mm_madd_epi16(load8(pixels), load8(weights));
  for (int t = 8; t < taps; t += 8) sum = _mm_add_epi32(sum, _mm_madd_epi16(load8(pixels + t), load8(weights + t)));
  return sum;
}

// The sums of four target pixels of one channel, each over its own taps.
template <class In>
inline __m128i dot_four(const In* row, const RowFilter& filter, int64_t x) {
  const int32_t *start = filter.start + x, *taps = filter.taps + x;
  const int16_t* w = filter.weights + x * filter.stride;
  const int64_t stride = filter.stride;
#if !VISION_ISA_IS_SSE41
  const int most = taps[0] | taps[1] | taps[2] | taps[3];
  if (most > 8) {  // an upper bound will do: the weights are filled up with 0
    __m256i sums[4];
    for (int i = 0; i < 4; ++i) {
      sums[i] = _mm256_madd_epi16(load16(row + start[i]), load16(w + i * stride));
      for (int t = 16; t < taps[i]; t += 16)
        sums[i] = _mm256_add_epi32(sums[i], _mm256_madd_epi16(load16(row + start[i] + t), load16(w + i * stride + t)));
    }
    return fold(_mm256_hadd_epi32(_mm256_hadd_epi32(sums[0], sums[1]), _mm256_hadd_epi32(sums[2], sums[3])));
  }
#endif
  const __m128i a = _mm_hadd_epi32(dot8(row + start[0], w, taps[0]), dot8(row + start[1], w + stride, taps[1]));
  const __m128i b =
      _mm_hadd_epi32(dot8(row + start[2], w + 2 * stride, taps[2]), dot8(row + start[3], w + 3 * stride, taps[3]));
  return _mm_hadd_epi32(a, b);
}

// Two neighbouring pixels with the two values of each channel side by side, for the multiply-add.
template <int channels>
inline __m128i pixel_pair(const int16_t* pixels) {
  const __m128i order = channels == 3 ? _mm_setr_epi8(0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11, -1, -1, -1, -1)
                                      : _mm_setr_epi8(0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15);
  return _mm_shuffle_epi8(load8(pixels), order);
}
template <int channels>
inline __m128i pixel_pair(const uint8_t* pixels) {
  const __m128i order = channels == 3 ? _mm_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1)
                                      : _mm_setr_epi8(0, -1, 4, -1, 1, -1, 5, -1, 2, -1, 6, -1, 3, -1, 7, -1);
  return _mm_shuffle_epi8(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(pixels)), order);
}

// The sums of the channels of one target pixel.
template <int channels, class In>
inline __m128i dot_channels(const In* pixels, const int16_t* weights, int taps) {
  __m128i sum = _mm_madd_epi16(pixel_pair<channels>(pixels), _mm_set1_epi32(pair_at(weights)));
  int t = 2;
#if !VISION_ISA_IS_SSE41
  if (taps > 4) {
    const __m256i spread = _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1);
    __m256i wide = _mm256_zextsi128_si256(sum);
    for (; t < taps; t += 4) {
      const __m128i four = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(weights + t));
      const __m256i pairs = _mm256_inserti128_si256(_mm256_castsi128_si256(pixel_pair<channels>(pixels + t * channels)),
                                                    pixel_pair<channels>(pixels + (t + 2) * channels), 1);
      const __m256i w = _mm256_permutevar8x32_epi32(_mm256_castsi128_si256(four), spread);
      wide = _mm256_add_epi32(wide, _mm256_madd_epi16(pairs, w));
    }
    return fold(wide);
  }
#endif
  for (; t < taps; t += 2)
    sum = _mm_add_epi32(
        sum, _mm_madd_epi16(pixel_pair<channels>(pixels + t * channels), _mm_set1_epi32(pair_at(weights + t))));
  return sum;
}

inline int32_t to_bytes(__m128i sums, __m128i half, __m128i down) {
  const __m128i words = _mm_packs_epi32(_mm_sra_epi32(_mm_add_epi32(sums, half), down), _mm_setzero_si128());
  return _mm_cvtsi128_si32(_mm_packus_epi16(words, words));
}

template <int channels, class In>
void horizontal(const In* row, const RowFilter& filter, int64_t width, uint8_t* out) {
  const int down_by = filter.shift + bits_of(row);
  const __m128i half = _mm_set1_epi32(1 << (down_by - 1)), down = _mm_cvtsi32_si128(down_by);
  int64_t x = 0;
  if (channels == 1) {
    for (; x + 4 <= width; x += 4) {
      const int32_t pixels = to_bytes(dot_four(row, filter, x), half, down);
      std::memcpy(out + x, &pixels, 4);
    }
  } else {
    // Four bytes at once, of which the next pixel overwrites what is too much; the last pixel is left over for that.
    for (; x + 1 < width; ++x) {
      const In* pixels = row + static_cast<int64_t>(filter.start[x]) * channels;
      const __m128i sums = dot_channels<channels == 1 ? 4 : channels>(pixels, filter.weights + x * filter.stride,
                                                                      filter.taps[x]);
      const int32_t pixel = to_bytes(sums, half, down);
      std::memcpy(out + x * channels, &pixel, 4);
    }
  }
  horizontal_plain<channels>(row, filter, x, width, out);
}
