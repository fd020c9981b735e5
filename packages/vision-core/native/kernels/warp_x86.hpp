// Weighted sums of four neighbours for x86. Part of warp.cpp's anonymous namespace.
//
// Two neighbours in a row are 8 bytes, and one load; those of both rows fill a vector of 128 bits. A shuffle lays each
// channel's left and right neighbour side by side in 16 bits, and a multiply-add takes both weights.

inline __m128i both_rows(const uint8_t* p, int64_t row_bytes) {
  const __m128i above = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
  return _mm_castpd_si128(
      _mm_loadh_pd(_mm_castsi128_pd(above), reinterpret_cast<const double*>(p + row_bytes)));
}

#if VISION_ISA_IS_AVX512

inline void blend(const PackedImage& image, const Neighbours& from, uint8_t* out) {
  const __m512i first = _mm512_broadcast_i32x4(_mm_setr_epi8(0, -1, 4, -1, 1, -1, 5, -1, 2, -1, 6, -1, 3, -1, 7, -1));
  const __m512i second =
      _mm512_broadcast_i32x4(_mm_setr_epi8(8, -1, 12, -1, 9, -1, 13, -1, 10, -1, 14, -1, 11, -1, 15, -1));
  const __m512i spread = _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
  const __m512i above = _mm512_loadu_si512(from.above), below = _mm512_loadu_si512(from.below);
  const __m512i half = _mm512_set1_epi32(1 << (weight_bits - 1));
  __m512i sums[4];
  for (int k = 0; k < 4; ++k) {  // four pixels each
    const int32_t* at = from.offset + 4 * k;
    const uint8_t* p = image.data;
    __m512i pixels = _mm512_castsi128_si512(both_rows(p + at[0], image.row_bytes));
    pixels = _mm512_inserti32x4(pixels, both_rows(p + at[1], image.row_bytes), 1);
    __m256i others = _mm256_castsi128_si256(both_rows(p + at[2], image.row_bytes));
    others = _mm256_inserti128_si256(others, both_rows(p + at[3], image.row_bytes), 1);
    pixels = _mm512_inserti64x4(pixels, others, 1);
    const __m512i which = _mm512_add_epi32(spread, _mm512_set1_epi32(4 * k));
    __m512i sum = _mm512_dpwssd_epi32(half, _mm512_shuffle_epi8(pixels, first), _mm512_permutexvar_epi32(which, above));
    sum = _mm512_dpwssd_epi32(sum, _mm512_shuffle_epi8(pixels, second), _mm512_permutexvar_epi32(which, below));
    sums[k] = _mm512_srai_epi32(sum, weight_bits);
  }
  const __m512i bytes =
      _mm512_packus_epi16(_mm512_packs_epi32(sums[0], sums[1]), _mm512_packs_epi32(sums[2], sums[3]));
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  _mm512_storeu_si512(out, _mm512_permutexvar_epi32(order, bytes));
}

#else

inline __m128i sum_of(const PackedImage& image, const Neighbours& from, int k) {
  const __m128i first = _mm_setr_epi8(0, -1, 4, -1, 1, -1, 5, -1, 2, -1, 6, -1, 3, -1, 7, -1);
  const __m128i second = _mm_setr_epi8(8, -1, 12, -1, 9, -1, 13, -1, 10, -1, 14, -1, 11, -1, 15, -1);
  const __m128i pixels = both_rows(image.data + from.offset[k], image.row_bytes);
  const __m128i above = _mm_madd_epi16(_mm_shuffle_epi8(pixels, first), _mm_set1_epi32(from.above[k]));
  const __m128i below = _mm_madd_epi16(_mm_shuffle_epi8(pixels, second), _mm_set1_epi32(from.below[k]));
  const __m128i half = _mm_set1_epi32(1 << (weight_bits - 1));
  return _mm_srai_epi32(_mm_add_epi32(_mm_add_epi32(above, below), half), weight_bits);
}

inline void blend(const PackedImage& image, const Neighbours& from, uint8_t* out) {
  for (int k = 0; k < lanes; k += 4) {
    const __m128i low = _mm_packs_epi32(sum_of(image, from, k), sum_of(image, from, k + 1));
    const __m128i high = _mm_packs_epi32(sum_of(image, from, k + 2), sum_of(image, from, k + 3));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 4 * k), _mm_packus_epi16(low, high));
  }
}

#endif
