#include "jpeg_forward.hpp"

#include "yuv_vectors.hpp"

namespace vision_io {
namespace VISION_ISA_NAMESPACE {

#if VISION_IO_VECTORS
// Sums of products of two vectors of words with two factors, 32 bits wide, in halves that join() puts together again.
#if VISION_ISA_IS_AVX512
struct Wide {
  __m512i low, high;
};
static inline int32_t factors(int a, int b) { return static_cast<int32_t>(static_cast<uint32_t>(b) << 16 | (a & 0xffff)); }
static inline Wide products(i16 x, i16 y, int a, int b) {
  const __m512i f = _mm512_set1_epi32(factors(a, b));
  return {_mm512_madd_epi16(_mm512_unpacklo_epi16(x.v, y.v), f), _mm512_madd_epi16(_mm512_unpackhi_epi16(x.v, y.v), f)};
}
static inline Wide plus(Wide a, Wide b) { return {_mm512_add_epi32(a.low, b.low), _mm512_add_epi32(a.high, b.high)}; }
static inline i16 join(Wide x, int32_t offset) {
  const __m512i o = _mm512_set1_epi32(offset);
  return {_mm512_packs_epi32(_mm512_srai_epi32(_mm512_add_epi32(x.low, o), 16), _mm512_srai_epi32(_mm512_add_epi32(x.high, o), 16))};
}
#elif VISION_ISA_IS_AVX2
struct Wide {
  __m256i low, high;
};
static inline int32_t factors(int a, int b) { return static_cast<int32_t>(static_cast<uint32_t>(b) << 16 | (a & 0xffff)); }
static inline Wide products(i16 x, i16 y, int a, int b) {
  const __m256i f = _mm256_set1_epi32(factors(a, b));
  return {_mm256_madd_epi16(_mm256_unpacklo_epi16(x.v, y.v), f), _mm256_madd_epi16(_mm256_unpackhi_epi16(x.v, y.v), f)};
}
static inline Wide plus(Wide a, Wide b) { return {_mm256_add_epi32(a.low, b.low), _mm256_add_epi32(a.high, b.high)}; }
static inline i16 join(Wide x, int32_t offset) {
  const __m256i o = _mm256_set1_epi32(offset);
  return {_mm256_packs_epi32(_mm256_srai_epi32(_mm256_add_epi32(x.low, o), 16), _mm256_srai_epi32(_mm256_add_epi32(x.high, o), 16))};
}
#elif VISION_ISA_IS_SSE41
struct Wide {
  __m128i low, high;
};
static inline int32_t factors(int a, int b) { return static_cast<int32_t>(static_cast<uint32_t>(b) << 16 | (a & 0xffff)); }
static inline Wide products(i16 x, i16 y, int a, int b) {
  const __m128i f = _mm_set1_epi32(factors(a, b));
  return {_mm_madd_epi16(_mm_unpacklo_epi16(x.v, y.v), f), _mm_madd_epi16(_mm_unpackhi_epi16(x.v, y.v), f)};
}
static inline Wide plus(Wide a, Wide b) { return {_mm_add_epi32(a.low, b.low), _mm_add_epi32(a.high, b.high)}; }
static inline i16 join(Wide x, int32_t offset) {
  const __m128i o = _mm_set1_epi32(offset);
  return {_mm_packs_epi32(_mm_srai_epi32(_mm_add_epi32(x.low, o), 16), _mm_srai_epi32(_mm_add_epi32(x.high, o), 16))};
}
#else
struct Wide {
  int32x4_t low, high;
};
static inline Wide products(i16 x, i16 y, int a, int b) {
  const int16_t p = static_cast<int16_t>(a), q = static_cast<int16_t>(b);
  return {vmlal_n_s16(vmull_n_s16(vget_low_s16(x.v), p), vget_low_s16(y.v), q),
          vmlal_n_s16(vmull_n_s16(vget_high_s16(x.v), p), vget_high_s16(y.v), q)};
}
static inline Wide plus(Wide a, Wide b) { return {vaddq_s32(a.low, b.low), vaddq_s32(a.high, b.high)}; }
static inline i16 join(Wide x, int32_t offset) {
  const int32x4_t o = vdupq_n_s32(offset);
  return {vcombine_s16(vshrn_n_s32(vaddq_s32(x.low, o), 16), vshrn_n_s32(vaddq_s32(x.high, o), 16))};
}
#endif

struct Ycc {
  i16 y, cb, cr;
};

// Factors above 2^15 are applied in two parts.
static inline Ycc forward(const uint8_t* red, const uint8_t* green, const uint8_t* blue) {
  constexpr int32_t half = 1 << 15, centre = (128 << 16) + half - 1;
  const i16 r = load_samples(red), g = load_samples(green), b = load_samples(blue);
  const Wide y = plus(products(r, g, 19595, 19235), products(g, b, 19235, 7471));
  const Wide cb = plus(products(r, g, -11059, -21709), products(b, b, 16384, 16384));
  const Wide cr = plus(products(r, r, 16384, 16384), products(g, b, -27439, -5329));
  return {join(y, half), join(cb, centre), join(cr, centre)};
}
#endif

#if !VISION_IO_VECTORS
static void forward_plain(const uint8_t* r, const uint8_t* g, const uint8_t* b, int count, uint8_t* y, uint8_t* cb, uint8_t* cr) {
  for (int i = 0; i < count; ++i) {
    y[i] = static_cast<uint8_t>((19595 * r[i] + 38470 * g[i] + 7471 * b[i] + 32768) >> 16);
    cb[i] = static_cast<uint8_t>((-11059 * r[i] - 21709 * g[i] + 32768 * b[i] + (128 << 16) + 32767) >> 16);
    cr[i] = static_cast<uint8_t>((32768 * r[i] - 27439 * g[i] - 5329 * b[i] + (128 << 16) + 32767) >> 16);
  }
}
#endif

static void rgb_to_ycc(const uint8_t* r, const uint8_t* g, const uint8_t* b, int count, uint8_t* y, uint8_t* cb, uint8_t* cr) {
#if VISION_IO_VECTORS
  constexpr int part = i16::lanes, lanes = 2 * part;
  const auto block = [&](const uint8_t* red, const uint8_t* green, const uint8_t* blue, int to) {
    const Ycc low = forward(red, green, blue), high = forward(red + part, green + part, blue + part);
    store(y + to, narrow_u8(low.y, high.y));
    store(cb + to, narrow_u8(low.cb, high.cb));
    store(cr + to, narrow_u8(low.cr, high.cr));
  };
  int i = 0;
  for (; i + lanes <= count; i += lanes) block(r + i, g + i, b + i, i);
  if (i == count) return;
  if (i) {  // the rest once more with what lies before it
    i = count - lanes;
    return block(r + i, g + i, b + i, i);
  }
  uint8_t few[3][lanes] = {};
  memcpy(few[0], r, static_cast<size_t>(count));
  memcpy(few[1], g, static_cast<size_t>(count));
  memcpy(few[2], b, static_cast<size_t>(count));
  block(few[0], few[1], few[2], 0);
#else
  forward_plain(r, g, b, count, y, cb, cr);
#endif
}

static void halve_row(const uint8_t* row, int count, uint8_t* out) {
  for (int i = 0; i < count; ++i) out[i] = static_cast<uint8_t>((row[2 * i] + row[2 * i + 1] + (i & 1)) >> 1);
}

static void halve_both(const uint8_t* upper, const uint8_t* lower, int count, uint8_t* out) {
#if VISION_IO_VECTORS
  constexpr int lanes = i16::lanes;
  int16_t pattern[lanes];
  for (int i = 0; i < lanes; ++i) pattern[i] = static_cast<int16_t>(1 + (i & 1));
  const i16 bias = load(pattern);
  const auto mean = [&](int i) {
    i16 a, b, c, d;
    load_pairs(upper + 2 * i, a, b);
    load_pairs(lower + 2 * i, c, d);
    return shift_right<2>(add(add(add(a, b), add(c, d)), bias));
  };
  for (int i = 0; i < count; i += 2 * lanes) store(out + i, narrow_u8(mean(i), mean(i + lanes)));
#else
  for (int i = 0; i < count; ++i)
    out[i] = static_cast<uint8_t>((upper[2 * i] + upper[2 * i + 1] + lower[2 * i] + lower[2 * i + 1] + 1 + (i & 1)) >> 2);
#endif
}

}  // namespace VISION_ISA_NAMESPACE

VISION_DEFINE_KERNELS(JpegForwardKernels, jpeg_forward_kernels) = {
    &VISION_ISA_NAMESPACE::rgb_to_ycc, &VISION_ISA_NAMESPACE::halve_row, &VISION_ISA_NAMESPACE::halve_both};

}  // namespace vision_io
