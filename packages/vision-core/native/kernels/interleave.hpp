// Between planes and interleaved pixels of three channels. Part of colour.cpp's anonymous namespace.

#if VISION_ISA_IS_SSE41 || VISION_ISA_IS_AVX2 || VISION_ISA_IS_AVX512

inline __m128i load16(const uint8_t* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }
inline void store16(uint8_t* p, __m128i x) { _mm_storeu_si128(reinterpret_cast<__m128i*>(p), x); }
inline __m128i shuffle(__m128i x, __m128i order) { return _mm_shuffle_epi8(x, order); }

// Sixteen pixels are three vectors; each plane takes five or six bytes of each.
inline int64_t split_wide(const uint8_t* in, int64_t pixels, const MutablePlanes& out) {
  const __m128i r0 = _mm_setr_epi8(0, 3, 6, 9, 12, 15, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
  const __m128i r1 = _mm_setr_epi8(-1, -1, -1, -1, -1, -1, 2, 5, 8, 11, 14, -1, -1, -1, -1, -1);
  const __m128i r2 = _mm_setr_epi8(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 1, 4, 7, 10, 13);
  const __m128i g0 = _mm_setr_epi8(1, 4, 7, 10, 13, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
  const __m128i g1 = _mm_setr_epi8(-1, -1, -1, -1, -1, 0, 3, 6, 9, 12, 15, -1, -1, -1, -1, -1);
  const __m128i g2 = _mm_setr_epi8(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 2, 5, 8, 11, 14);
  const __m128i b0 = _mm_setr_epi8(2, 5, 8, 11, 14, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
  const __m128i b1 = _mm_setr_epi8(-1, -1, -1, -1, -1, 1, 4, 7, 10, 13, -1, -1, -1, -1, -1, -1);
  const __m128i b2 = _mm_setr_epi8(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0, 3, 6, 9, 12, 15);
  int64_t i = 0;
  for (; i + 16 <= pixels; i += 16) {
    const __m128i x = load16(in + 3 * i), y = load16(in + 3 * i + 16), z = load16(in + 3 * i + 32);
    store16(out.r + i, _mm_or_si128(_mm_or_si128(shuffle(x, r0), shuffle(y, r1)), shuffle(z, r2)));
    store16(out.g + i, _mm_or_si128(_mm_or_si128(shuffle(x, g0), shuffle(y, g1)), shuffle(z, g2)));
    store16(out.b + i, _mm_or_si128(_mm_or_si128(shuffle(x, b0), shuffle(y, b1)), shuffle(z, b2)));
  }
  return i;
}

inline int64_t join_wide(const Planes& in, int64_t pixels, uint8_t* out) {
  const __m128i r0 = _mm_setr_epi8(0, -1, -1, 1, -1, -1, 2, -1, -1, 3, -1, -1, 4, -1, -1, 5);
  const __m128i g0 = _mm_setr_epi8(-1, 0, -1, -1, 1, -1, -1, 2, -1, -1, 3, -1, -1, 4, -1, -1);
  const __m128i b0 = _mm_setr_epi8(-1, -1, 0, -1, -1, 1, -1, -1, 2, -1, -1, 3, -1, -1, 4, -1);
  const __m128i r1 = _mm_setr_epi8(-1, -1, 6, -1, -1, 7, -1, -1, 8, -1, -1, 9, -1, -1, 10, -1);
  const __m128i g1 = _mm_setr_epi8(5, -1, -1, 6, -1, -1, 7, -1, -1, 8, -1, -1, 9, -1, -1, 10);
  const __m128i b1 = _mm_setr_epi8(-1, 5, -1, -1, 6, -1, -1, 7, -1, -1, 8, -1, -1, 9, -1, -1);
  const __m128i r2 = _mm_setr_epi8(-1, 11, -1, -1, 12, -1, -1, 13, -1, -1, 14, -1, -1, 15, -1, -1);
  const __m128i g2 = _mm_setr_epi8(-1, -1, 11, -1, -1, 12, -1, -1, 13, -1, -1, 14, -1, -1, 15, -1);
  const __m128i b2 = _mm_setr_epi8(10, -1, -1, 11, -1, -1, 12, -1, -1, 13, -1, -1, 14, -1, -1, 15);
  int64_t i = 0;
  for (; i + 16 <= pixels; i += 16) {
    const __m128i r = load16(in.r + i), g = load16(in.g + i), b = load16(in.b + i);
    store16(out + 3 * i, _mm_or_si128(_mm_or_si128(shuffle(r, r0), shuffle(g, g0)), shuffle(b, b0)));
    store16(out + 3 * i + 16, _mm_or_si128(_mm_or_si128(shuffle(r, r1), shuffle(g, g1)), shuffle(b, b1)));
    store16(out + 3 * i + 32, _mm_or_si128(_mm_or_si128(shuffle(r, r2), shuffle(g, g2)), shuffle(b, b2)));
  }
  return i;
}

#elif VISION_ISA_IS_NEON

inline int64_t split_wide(const uint8_t* in, int64_t pixels, const MutablePlanes& out) {
  int64_t i = 0;
  for (; i + 16 <= pixels; i += 16) {
    const uint8x16x3_t x = vld3q_u8(in + 3 * i);
    vst1q_u8(out.r + i, x.val[0]), vst1q_u8(out.g + i, x.val[1]), vst1q_u8(out.b + i, x.val[2]);
  }
  return i;
}

inline int64_t join_wide(const Planes& in, int64_t pixels, uint8_t* out) {
  int64_t i = 0;
  for (; i + 16 <= pixels; i += 16)
    vst3q_u8(out + 3 * i, uint8x16x3_t{{vld1q_u8(in.r + i), vld1q_u8(in.g + i), vld1q_u8(in.b + i)}});
  return i;
}

#else

inline int64_t split_wide(const uint8_t*, int64_t, const MutablePlanes&) { return 0; }
inline int64_t join_wide(const Planes&, int64_t, uint8_t*) { return 0; }

#endif

void split(const uint8_t* in, int64_t pixels, const MutablePlanes& out) {
  for (int64_t i = split_wide(in, pixels, out); i < pixels; ++i)
    out.r[i] = in[3 * i], out.g[i] = in[3 * i + 1], out.b[i] = in[3 * i + 2];
}

void join(const Planes& in, int64_t pixels, uint8_t* out) {
  for (int64_t i = join_wide(in, pixels, out); i < pixels; ++i)
    out[3 * i] = in.r[i], out[3 * i + 1] = in.g[i], out[3 * i + 2] = in.b[i];
}
