// Between channels and pixels of 4 bytes. Part of warp.cpp's anonymous namespace.

#if VISION_WARP_X86

inline __m128i load16(const uint8_t* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }
inline void store16(uint8_t* p, __m128i x) { _mm_storeu_si128(reinterpret_cast<__m128i*>(p), x); }

inline int64_t pack_planes(const Channels& in, int64_t count, uint8_t* out) {
  const __m128i full = _mm_set1_epi8(-1);
  int64_t i = 0;
  for (; i + 16 <= count; i += 16) {
    const __m128i r = load16(in.at[0] + i), g = load16(in.at[1] + i), b = load16(in.at[2] + i);
    const __m128i low = _mm_unpacklo_epi8(r, g), high = _mm_unpackhi_epi8(r, g);
    const __m128i low_b = _mm_unpacklo_epi8(b, full), high_b = _mm_unpackhi_epi8(b, full);
    store16(out + 4 * i, _mm_unpacklo_epi16(low, low_b));
    store16(out + 4 * i + 16, _mm_unpackhi_epi16(low, low_b));
    store16(out + 4 * i + 32, _mm_unpacklo_epi16(high, high_b));
    store16(out + 4 * i + 48, _mm_unpackhi_epi16(high, high_b));
  }
  return i;
}

// Loads reach 4 bytes beyond the four pixels that they are for: the last six pixels are left over.
inline int64_t pack_triples(const uint8_t* in, int64_t count, uint8_t* out) {
  const __m128i order = _mm_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1);
  const __m128i full = _mm_set1_epi32(static_cast<int32_t>(0xff000000u));
  int64_t i = 0;
  for (; i + 6 <= count; i += 4)
    store16(out + 4 * i, _mm_or_si128(_mm_shuffle_epi8(load16(in + 3 * i), order), full));
  return i;
}

inline int64_t unpack_planes(const uint8_t* in, int64_t count, const MutableChannels& out) {
  const __m128i order = _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  int64_t i = 0;
  for (; i + 16 <= count; i += 16) {
    const __m128i a = _mm_shuffle_epi8(load16(in + 4 * i), order), b = _mm_shuffle_epi8(load16(in + 4 * i + 16), order);
    const __m128i c = _mm_shuffle_epi8(load16(in + 4 * i + 32), order);
    const __m128i d = _mm_shuffle_epi8(load16(in + 4 * i + 48), order);
    const __m128i low_ab = _mm_unpacklo_epi32(a, b), low_cd = _mm_unpacklo_epi32(c, d);
    store16(out.at[0] + i, _mm_unpacklo_epi64(low_ab, low_cd));
    store16(out.at[1] + i, _mm_unpackhi_epi64(low_ab, low_cd));
    store16(out.at[2] + i, _mm_unpacklo_epi64(_mm_unpackhi_epi32(a, b), _mm_unpackhi_epi32(c, d)));
  }
  return i;
}

// Stores reach 4 bytes beyond, which the next ones overwrite.
inline int64_t unpack_triples(const uint8_t* in, int64_t count, uint8_t* out) {
  const __m128i order = _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1);
  int64_t i = 0;
  for (; i + 6 <= count; i += 4) store16(out + 3 * i, _mm_shuffle_epi8(load16(in + 4 * i), order));
  return i;
}

#elif VISION_ISA_IS_NEON

inline int64_t pack_planes(const Channels& in, int64_t count, uint8_t* out) {
  int64_t i = 0;
  for (; i + 16 <= count; i += 16)
    vst4q_u8(out + 4 * i, uint8x16x4_t{{vld1q_u8(in.at[0] + i), vld1q_u8(in.at[1] + i), vld1q_u8(in.at[2] + i),
                                        vdupq_n_u8(255)}});
  return i;
}

inline int64_t pack_triples(const uint8_t* in, int64_t count, uint8_t* out) {
  int64_t i = 0;
  for (; i + 16 <= count; i += 16) {
    const uint8x16x3_t x = vld3q_u8(in + 3 * i);
    vst4q_u8(out + 4 * i, uint8x16x4_t{{x.val[0], x.val[1], x.val[2], vdupq_n_u8(255)}});
  }
  return i;
}

inline int64_t unpack_planes(const uint8_t* in, int64_t count, const MutableChannels& out) {
  int64_t i = 0;
  for (; i + 16 <= count; i += 16) {
    const uint8x16x4_t x = vld4q_u8(in + 4 * i);
    vst1q_u8(out.at[0] + i, x.val[0]), vst1q_u8(out.at[1] + i, x.val[1]), vst1q_u8(out.at[2] + i, x.val[2]);
  }
  return i;
}

inline int64_t unpack_triples(const uint8_t* in, int64_t count, uint8_t* out) {
  int64_t i = 0;
  for (; i + 16 <= count; i += 16) {
    const uint8x16x4_t x = vld4q_u8(in + 4 * i);
    vst3q_u8(out + 3 * i, uint8x16x3_t{{x.val[0], x.val[1], x.val[2]}});
  }
  return i;
}

#else

inline int64_t pack_planes(const Channels&, int64_t, uint8_t*) { return 0; }
inline int64_t pack_triples(const uint8_t*, int64_t, uint8_t*) { return 0; }
inline int64_t unpack_planes(const uint8_t*, int64_t, const MutableChannels&) { return 0; }
inline int64_t unpack_triples(const uint8_t*, int64_t, uint8_t*) { return 0; }

#endif

void pack(const Channels& in, int64_t count, uint8_t* out) {
  int64_t i = 0;
  if (in.count == 3 && in.step == 1) i = pack_planes(in, count, out);
  if (in.count == 3 && in.step == 3) i = pack_triples(in.at[0], count, out);
  for (; i < count; ++i) {
    for (int c = 0; c < 3; ++c) out[4 * i + c] = c < in.count ? in.at[c][i * in.step] : 0;
    out[4 * i + 3] = 255;
  }
}

void unpack(const uint8_t* in, int64_t count, const MutableChannels& out) {
  int64_t i = 0;
  if (out.count == 3 && out.step == 1) i = unpack_planes(in, count, out);
  if (out.count == 3 && out.step == 3) i = unpack_triples(in, count, out.at[0]);
  for (; i < count; ++i)
    for (int c = 0; c < out.count; ++c) out.at[c][i * out.step] = in[4 * i + c];
}
