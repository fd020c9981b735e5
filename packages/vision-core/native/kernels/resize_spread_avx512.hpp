// Filters of two taps along a row, for AVX-512. Part of resize.cpp's anonymous namespace.
//
// AVX-512 VBMI fetches 64 bytes from any places of a vector at once. It is younger than the ISA of this file, so its code
// is marked and asked for.
#define VISION_VBMI __attribute__((target("avx512f,avx512bw,avx512vnni,avx512vbmi")))

bool can_spread() {
  static const bool has = __builtin_cpu_supports("avx512vbmi");
  return has;
}

VISION_VBMI void spread(const uint8_t* row, const SpreadGroup* groups, int64_t count, int shift, uint8_t* out) {
  const __m512i half = _mm512_set1_epi32(1 << (shift - 1)), none = _mm512_setzero_si512();
  const __m128i down = _mm_cvtsi32_si128(shift);
  for (int64_t g = 0; g < count; ++g) {
    const SpreadGroup& group = groups[g];
    const __m512i source = _mm512_loadu_si512(row + group.base);
    const __m512i first = _mm512_permutexvar_epi8(_mm512_loadu_si512(group.from[0]), source);
    const __m512i second = _mm512_permutexvar_epi8(_mm512_loadu_si512(group.from[1]), source);
    const __m512i low = _mm512_unpacklo_epi8(first, second), high = _mm512_unpackhi_epi8(first, second);
    const __m512i pairs[4] = {_mm512_unpacklo_epi8(low, none), _mm512_unpackhi_epi8(low, none),
                              _mm512_unpacklo_epi8(high, none), _mm512_unpackhi_epi8(high, none)};
    __m512i sums[4];
    for (int k = 0; k < 4; ++k)
      sums[k] = _mm512_sra_epi32(_mm512_dpwssd_epi32(half, pairs[k], _mm512_loadu_si512(group.weights[k])), down);
    _mm512_storeu_si512(out + 64 * g, _mm512_packus_epi16(_mm512_packs_epi32(sums[0], sums[1]),
                                                          _mm512_packs_epi32(sums[2], sums[3])));
  }
}
