// Gray pixels in integers, for AVX-512. Part of colour.cpp's anonymous namespace.
//
// A weight of 23 bits behind the point is three signed digits of 8 bits, so three dot products of bytes make the gray
// value of a pixel of 4 bytes. The weights are wrong by half a unit at most and a pixel's sum by 255 * 1.5 = 382.5. As many
// are added, and so whole values stay whole; the smallest part that is missing from one, 0.0001, is 838 units.

inline __m512i gray_sums(__m512i pixels) {  // r, g, b and anything
  const __m512i high = _mm512_set1_epi32(0x000f4b26), middle = _mm512_set1_epi32(0x00982342), low = _mm512_set1_epi32(0x008dd15b);
  const __m512i none = _mm512_setzero_si512();
  const __m512i top = _mm512_slli_epi32(_mm512_dpbusd_epi32(none, pixels, high), 16);
  const __m512i next = _mm512_slli_epi32(_mm512_dpbusd_epi32(none, pixels, middle), 8);
  const __m512i last = _mm512_dpbusd_epi32(_mm512_set1_epi32(419), pixels, low);
  return _mm512_srli_epi32(_mm512_add_epi32(_mm512_add_epi32(top, next), last), 23);
}

inline __m512i pack_gray(const __m512i* sums) {
  return _mm512_packus_epi16(_mm512_packs_epi32(sums[0], sums[1]), _mm512_packs_epi32(sums[2], sums[3]));
}

inline int64_t gray_wide(const Planes& in, int64_t count, uint8_t* out) {
  const __m512i none = _mm512_setzero_si512();
  int64_t i = 0;
  for (; i + 64 <= count; i += 64) {
    const __m512i r = _mm512_loadu_si512(in.r + i), g = _mm512_loadu_si512(in.g + i), b = _mm512_loadu_si512(in.b + i);
    const __m512i low = _mm512_unpacklo_epi8(r, g), high = _mm512_unpackhi_epi8(r, g);
    const __m512i low_b = _mm512_unpacklo_epi8(b, none), high_b = _mm512_unpackhi_epi8(b, none);
    const __m512i sums[4] = {
        gray_sums(_mm512_unpacklo_epi16(low, low_b)), gray_sums(_mm512_unpackhi_epi16(low, low_b)),
        gray_sums(_mm512_unpacklo_epi16(high, high_b)), gray_sums(_mm512_unpackhi_epi16(high, high_b))};
    _mm512_storeu_si512(out + i, pack_gray(sums));
  }
  return i;
}

// Loads reach 16 bytes beyond the sixteen pixels that they are for.
inline int64_t gray_interleaved_wide(const uint8_t* in, int64_t count, uint8_t* out) {
  const __m512i parts = _mm512_setr_epi32(0, 1, 2, 3, 3, 4, 5, 6, 6, 7, 8, 9, 9, 10, 11, 12);
  const __m512i triples = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1));
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  int64_t i = 0;
  for (; i + 70 <= count; i += 64) {
    __m512i sums[4];
    for (int k = 0; k < 4; ++k) {
      const __m512i pixels = _mm512_permutexvar_epi32(parts, _mm512_loadu_si512(in + 3 * (i + 16 * k)));
      sums[k] = gray_sums(_mm512_shuffle_epi8(pixels, triples));
    }
    _mm512_storeu_si512(out + i, _mm512_permutexvar_epi32(order, pack_gray(sums)));
  }
  return i;
}
