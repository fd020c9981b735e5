#include "interleave.hpp"

#include <cstring>

#include "vision/simd.hpp"

namespace vision_io {
namespace VISION_ISA_NAMESPACE {

#if VISION_ISA_IS_SSE41 || VISION_ISA_IS_AVX2 || VISION_ISA_IS_AVX512
static __m128i load16(const uint8_t* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }
static void store16(uint8_t* p, __m128i x) { _mm_storeu_si128(reinterpret_cast<__m128i*>(p), x); }

static int join_four(const uint8_t* const* planes, int width, uint8_t* out) {
  int x = 0;
  for (; x + 16 <= width; x += 16) {
    const __m128i a = load16(planes[0] + x), b = load16(planes[1] + x), c = load16(planes[2] + x), d = load16(planes[3] + x);
    const __m128i ab = _mm_unpacklo_epi8(a, b), cd = _mm_unpacklo_epi8(c, d);
    const __m128i ab2 = _mm_unpackhi_epi8(a, b), cd2 = _mm_unpackhi_epi8(c, d);
    store16(out + 4 * x, _mm_unpacklo_epi16(ab, cd));
    store16(out + 4 * x + 16, _mm_unpackhi_epi16(ab, cd));
    store16(out + 4 * x + 32, _mm_unpacklo_epi16(ab2, cd2));
    store16(out + 4 * x + 48, _mm_unpackhi_epi16(ab2, cd2));
  }
  return x;
}

// Register i of the three that 16 pixels of 3 bytes fill takes its bytes from each plane by one shuffle.
static int join_three(const uint8_t* const* planes, int width, uint8_t* out) {
  alignas(16) int8_t text[3][3][16];
  for (int i = 0; i < 3; ++i)
    for (int c = 0; c < 3; ++c)
      for (int j = 0; j < 16; ++j)
        text[i][c][j] = static_cast<int8_t>((16 * i + j) % 3 == c ? (16 * i + j) / 3 : -1);
  const auto mask = [&](int i, int c) { return _mm_load_si128(reinterpret_cast<const __m128i*>(text[i][c])); };
  int x = 0;
  for (; x + 16 <= width; x += 16) {
    const __m128i a = load16(planes[0] + x), b = load16(planes[1] + x), c = load16(planes[2] + x);
    for (int i = 0; i < 3; ++i)
      store16(out + 3 * x + 16 * i, _mm_or_si128(_mm_or_si128(_mm_shuffle_epi8(a, mask(i, 0)), _mm_shuffle_epi8(b, mask(i, 1))),
                                                 _mm_shuffle_epi8(c, mask(i, 2))));
  }
  return x;
}
#elif VISION_ISA_IS_NEON
static int join_four(const uint8_t* const* planes, int width, uint8_t* out) {
  int x = 0;
  for (; x + 16 <= width; x += 16)
    vst4q_u8(out + 4 * x, {{vld1q_u8(planes[0] + x), vld1q_u8(planes[1] + x), vld1q_u8(planes[2] + x), vld1q_u8(planes[3] + x)}});
  return x;
}

static int join_three(const uint8_t* const* planes, int width, uint8_t* out) {
  int x = 0;
  for (; x + 16 <= width; x += 16)
    vst3q_u8(out + 3 * x, {{vld1q_u8(planes[0] + x), vld1q_u8(planes[1] + x), vld1q_u8(planes[2] + x)}});
  return x;
}
#else
static int join_four(const uint8_t* const*, int, uint8_t*) { return 0; }
static int join_three(const uint8_t* const*, int, uint8_t*) { return 0; }
#endif

static void join(const uint8_t* const* planes, int channels, int width, uint8_t* out) {
  if (channels == 1) {
    memcpy(out, planes[0], static_cast<size_t>(width));
    return;
  }
  const int done = channels == 4 ? join_four(planes, width, out) : channels == 3 ? join_three(planes, width, out) : 0;
  for (int x = done; x < width; ++x)
    for (int c = 0; c < channels; ++c) out[static_cast<int64_t>(x) * channels + c] = planes[c][x];
}

}  // namespace VISION_ISA_NAMESPACE

VISION_DEFINE_KERNELS(InterleaveKernels, interleave_kernels) = {&VISION_ISA_NAMESPACE::join};

}  // namespace vision_io
