#include "jpeg.hpp"

#include "yuv_vectors.hpp"

namespace vision_io {
namespace VISION_ISA_NAMESPACE {

static uint8_t to_byte(int x) { return static_cast<uint8_t>(x < 0 ? 0 : x > 255 ? 255 : x); }

#if VISION_IO_VECTORS
// (-22554 cb + 18734 cr + 2^15) >> 16: the part of green that needs 32 bits.
#if VISION_ISA_IS_AVX512
static inline i16 green_part(i16 cb, i16 cr) {
  const __m512i factors = _mm512_set1_epi32((18734 << 16) | (-22554 & 0xffff)), half = _mm512_set1_epi32(1 << 15);
  const auto sum = [&](__m512i pairs) {
    return _mm512_srai_epi32(_mm512_add_epi32(_mm512_madd_epi16(pairs, factors), half), 16);
  };
  return {_mm512_packs_epi32(sum(_mm512_unpacklo_epi16(cb.v, cr.v)), sum(_mm512_unpackhi_epi16(cb.v, cr.v)))};
}
#elif VISION_ISA_IS_AVX2
static inline i16 green_part(i16 cb, i16 cr) {
  const __m256i factors = _mm256_set1_epi32((18734 << 16) | (-22554 & 0xffff)), half = _mm256_set1_epi32(1 << 15);
  const auto sum = [&](__m256i pairs) {
    return _mm256_srai_epi32(_mm256_add_epi32(_mm256_madd_epi16(pairs, factors), half), 16);
  };
  return {_mm256_packs_epi32(sum(_mm256_unpacklo_epi16(cb.v, cr.v)), sum(_mm256_unpackhi_epi16(cb.v, cr.v)))};
}
#elif VISION_ISA_IS_SSE41
static inline i16 green_part(i16 cb, i16 cr) {
  const __m128i factors = _mm_set1_epi32((18734 << 16) | (-22554 & 0xffff)), half = _mm_set1_epi32(1 << 15);
  const auto sum = [&](__m128i pairs) { return _mm_srai_epi32(_mm_add_epi32(_mm_madd_epi16(pairs, factors), half), 16); };
  return {_mm_packs_epi32(sum(_mm_unpacklo_epi16(cb.v, cr.v)), sum(_mm_unpackhi_epi16(cb.v, cr.v)))};
}
#else
static inline i16 green_part(i16 cb, i16 cr) {
  const auto sum = [](int16x4_t b, int16x4_t r) {
    return vrshrn_n_s32(vmlal_n_s16(vmull_n_s16(b, -22554), r, 18734), 16);
  };
  return {vcombine_s16(sum(vget_low_s16(cb.v), vget_low_s16(cr.v)), sum(vget_high_s16(cb.v), vget_high_s16(cr.v)))};
}
#endif

struct Rgb {
  i16 r, g, b;
};

// (c x + 2^15) >> 16 is ((2 c x >> 16) + 1) >> 1 for a factor c of 15 bits; 91881 = 2^16 + 26345, 116130 = 2^17 - 14942.
static inline Rgb colour(const uint8_t* y, const uint8_t* cb, const uint8_t* cr) {
  const i16 zero_point = set16(128), one = set16(1);
  const i16 luma = load_samples(y), u = sub(load_samples(cb), zero_point), v = sub(load_samples(cr), zero_point);
  const i16 u2 = add(u, u), v2 = add(v, v);
  const i16 red = add(v, shift_right<1>(add(mul_high(v2, set16(26345)), one)));
  const i16 blue = add(u2, shift_right<1>(add(mul_high(u2, set16(-14942)), one)));
  return {add(luma, red), add(luma, sub(green_part(u, v), v)), add(luma, blue)};
}

static inline void store_pair(uint8_t* out, i16 even, i16 odd) {
  store(reinterpret_cast<int16_t*>(out), add(even, shift_left<8>(odd)));
}

static inline i16 thrice(i16 x) { return add(add(x, x), x); }
#endif

static void double_row(const uint8_t* row, int begin, int end, uint8_t* out) {
#if VISION_IO_VECTORS
  const i16 one = set16(1), two = set16(2);
  for (int i = begin; i < end; i += i16::lanes) {
    const i16 near = thrice(load_samples(row + i));
    const i16 even = shift_right<2>(add(add(near, load_samples(row + i - 1)), one));
    const i16 odd = shift_right<2>(add(add(near, load_samples(row + i + 1)), two));
    store_pair(out + 2 * (i - begin), even, odd);
  }
#else
  for (int i = begin; i < end; ++i) {
    out[2 * (i - begin)] = static_cast<uint8_t>((3 * row[i] + row[i - 1] + 1) >> 2);
    out[2 * (i - begin) + 1] = static_cast<uint8_t>((3 * row[i] + row[i + 1] + 2) >> 2);
  }
#endif
}

static void double_both(const uint8_t* near, const uint8_t* far, int begin, int end, uint8_t* out) {
#if VISION_IO_VECTORS
  const auto column = [&](int i) { return add(thrice(load_samples(near + i)), load_samples(far + i)); };
  const i16 eight = set16(8), seven = set16(7);
  for (int i = begin; i < end; i += i16::lanes) {
    const i16 here = thrice(column(i));
    store_pair(out + 2 * (i - begin), shift_right<4>(add(add(here, column(i - 1)), eight)),
               shift_right<4>(add(add(here, column(i + 1)), seven)));
  }
#else
  const auto column = [&](int i) { return 3 * near[i] + far[i]; };
  for (int i = begin; i < end; ++i) {
    out[2 * (i - begin)] = static_cast<uint8_t>((3 * column(i) + column(i - 1) + 8) >> 4);
    out[2 * (i - begin) + 1] = static_cast<uint8_t>((3 * column(i) + column(i + 1) + 7) >> 4);
  }
#endif
}

static void blend_rows(const uint8_t* near, const uint8_t* far, int count, int bias, uint8_t* out) {
  for (int i = 0; i < count; ++i) out[i] = static_cast<uint8_t>((3 * near[i] + far[i] + bias) >> 2);
}

static void ycc_to_rgb(const uint8_t* y, const uint8_t* cb, const uint8_t* cr, int count, uint8_t* r, uint8_t* g, uint8_t* b) {
#if VISION_IO_VECTORS
  constexpr int half = i16::lanes, lanes = 2 * half;
  const auto block = [&](int i, uint8_t* to_r, uint8_t* to_g, uint8_t* to_b) {
    const Rgb low = colour(y + i, cb + i, cr + i), high = colour(y + i + half, cb + i + half, cr + i + half);
    store(to_r, narrow_u8(low.r, high.r));
    store(to_g, narrow_u8(low.g, high.g));
    store(to_b, narrow_u8(low.b, high.b));
  };
  int i = 0;
  for (; i + lanes <= count; i += lanes) block(i, r + i, g + i, b + i);
  if (i == count) return;
  uint8_t rest[3][lanes];
  block(i, rest[0], rest[1], rest[2]);
  const size_t left = static_cast<size_t>(count - i);
  memcpy(r + i, rest[0], left);
  memcpy(g + i, rest[1], left);
  memcpy(b + i, rest[2], left);
#else
  for (int i = 0; i < count; ++i) {
    const int u = cb[i] - 128, v = cr[i] - 128;
    r[i] = to_byte(y[i] + ((91881 * v + 32768) >> 16));
    g[i] = to_byte(y[i] + ((-22554 * u - 46802 * v + 32768) >> 16));
    b[i] = to_byte(y[i] + ((116130 * u + 32768) >> 16));
  }
#endif
}

static void rgb_to_gray(const uint8_t* r, const uint8_t* g, const uint8_t* b, int count, uint8_t* out) {
  for (int i = 0; i < count; ++i) out[i] = to_byte((19595 * r[i] + 38470 * g[i] + 7471 * b[i] + 32768) >> 16);
}

static void ink_to_light(const uint8_t* ink, const uint8_t* black, int count, uint8_t* out) {
  for (int i = 0; i < count; ++i) {
    const int product = (255 - ink[i]) * black[i] + 128;
    out[i] = to_byte(black[i] - (((product >> 8) + product) >> 8));
  }
}

}  // namespace VISION_ISA_NAMESPACE

VISION_DEFINE_KERNELS(JpegKernels, jpeg_kernels) = {
    &VISION_ISA_NAMESPACE::double_row, &VISION_ISA_NAMESPACE::double_both, &VISION_ISA_NAMESPACE::blend_rows,
    &VISION_ISA_NAMESPACE::ycc_to_rgb, &VISION_ISA_NAMESPACE::rgb_to_gray, &VISION_ISA_NAMESPACE::ink_to_light};

}  // namespace vision_io
