#include "planes.hpp"

#include <cstring>

#include "round_bytes.hpp"

namespace vision_io {
namespace VISION_ISA_NAMESPACE {

#if VISION_ISA_IS_SSE41 || VISION_ISA_IS_AVX2 || VISION_ISA_IS_AVX512
// 16 pixels of 3 bytes: each channel gathers its bytes from the three registers that hold them.
struct ByteMasks {
  __m128i part[3];
  explicit ByteMasks(int offset) {
    alignas(16) int8_t text[3][16];
    for (int i = 0; i < 16; ++i)
      for (int j = 0; j < 3; ++j) {
        const int at = 3 * i + offset - 16 * j;
        text[j][i] = static_cast<int8_t>(at >= 0 && at < 16 ? at : -1);
      }
    for (int j = 0; j < 3; ++j) part[j] = _mm_load_si128(reinterpret_cast<const __m128i*>(text[j]));
  }
  __m128i gather(__m128i a, __m128i b, __m128i c) const {
    return _mm_or_si128(_mm_or_si128(_mm_shuffle_epi8(a, part[0]), _mm_shuffle_epi8(b, part[1])),
                        _mm_shuffle_epi8(c, part[2]));
  }
};

static int split_three(const uint8_t* row, int width, const ByteMasks* masks, int channels, uint8_t* out, ptrdiff_t stride) {
  int x = 0;
  for (; x + 16 <= width; x += 16) {
    const __m128i* p = reinterpret_cast<const __m128i*>(row + 3 * x);
    const __m128i a = _mm_loadu_si128(p), b = _mm_loadu_si128(p + 1), c = _mm_loadu_si128(p + 2);
    for (int channel = 0; channel < channels; ++channel)
      _mm_storeu_si128(reinterpret_cast<__m128i*>(out + channel * stride + x), masks[channel].gather(a, b, c));
  }
  return x;
}

// 16 pixels of 4 bytes: transpose four 4x4 blocks of bytes, then the 32-bit words of four registers.
static int split_four(const uint8_t* row, int width, const int* offsets, int channels, uint8_t* out, ptrdiff_t stride) {
  const __m128i order = _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  int x = 0;
  for (; x + 16 <= width; x += 16) {
    const __m128i* p = reinterpret_cast<const __m128i*>(row + 4 * x);
    const __m128i a = _mm_shuffle_epi8(_mm_loadu_si128(p), order), b = _mm_shuffle_epi8(_mm_loadu_si128(p + 1), order);
    const __m128i c = _mm_shuffle_epi8(_mm_loadu_si128(p + 2), order), d = _mm_shuffle_epi8(_mm_loadu_si128(p + 3), order);
    const __m128i ab = _mm_unpacklo_epi32(a, b), cd = _mm_unpacklo_epi32(c, d);
    const __m128i ab2 = _mm_unpackhi_epi32(a, b), cd2 = _mm_unpackhi_epi32(c, d);
    const __m128i planes[4] = {_mm_unpacklo_epi64(ab, cd), _mm_unpackhi_epi64(ab, cd), _mm_unpacklo_epi64(ab2, cd2),
                               _mm_unpackhi_epi64(ab2, cd2)};
    for (int channel = 0; channel < channels; ++channel)
      _mm_storeu_si128(reinterpret_cast<__m128i*>(out + channel * stride + x), planes[offsets[channel]]);
  }
  return x;
}
#define VISION_IO_SPLIT 1
#else
#define VISION_IO_SPLIT 0
#endif

static void split(const Interleaved& in, const int* offsets, int channels, uint8_t* out, ptrdiff_t channel_stride,
                  ptrdiff_t row_stride) {
#if VISION_IO_SPLIT
  const ByteMasks masks[4] = {ByteMasks(offsets[0]), ByteMasks(channels > 1 ? offsets[1] : 0),
                              ByteMasks(channels > 2 ? offsets[2] : 0), ByteMasks(channels > 3 ? offsets[3] : 0)};
#endif
  for (int y = 0; y < in.height; ++y) {
    const uint8_t* row = in.pixels + y * in.row_stride;
    uint8_t* to = out + y * row_stride;
    int done = 0;
#if VISION_IO_SPLIT
    if (in.step == 3) done = split_three(row, in.width, masks, channels, to, channel_stride);
    if (in.step == 4) done = split_four(row, in.width, offsets, channels, to, channel_stride);
#endif
    for (int channel = 0; channel < channels; ++channel) {
      uint8_t* plane = to + channel * channel_stride;
      const uint8_t* from = row + offsets[channel];
      if (in.step == 1)
        memcpy(plane, row, static_cast<size_t>(in.width));
      else
        for (int x = done; x < in.width; ++x) plane[x] = from[x * in.step];
    }
  }
}

// Blocks of 32x32 keep both the rows that are read and those that are written in the cache.
constexpr int tile = 32;

static void turn(const uint8_t* from, int width, int height, int planes, int quarters, uint8_t* out,
                 ptrdiff_t channel_stride, ptrdiff_t row_stride) {
  // Pixel (x, y) goes to out[first + x * step_x + y * step_y].
  const bool upright = quarters == 2;
  const ptrdiff_t first = quarters == 1   ? (width - 1) * row_stride
                          : quarters == 2 ? (height - 1) * row_stride + width - 1
                                          : height - 1;
  const ptrdiff_t step_x = upright ? -1 : quarters == 1 ? -row_stride : row_stride;
  const ptrdiff_t step_y = upright ? -row_stride : quarters == 1 ? 1 : -1;
  for (int plane = 0; plane < planes; ++plane) {
    const uint8_t* in = from + static_cast<ptrdiff_t>(plane) * width * height;
    uint8_t* to = out + plane * channel_stride + first;
    for (int top = 0; top < height; top += tile)
      for (int left = 0; left < width; left += tile) {
        const int bottom = top + tile < height ? top + tile : height, right = left + tile < width ? left + tile : width;
        for (int x = left; x < right; ++x)
          for (int y = top; y < bottom; ++y) to[x * step_x + y * step_y] = in[static_cast<ptrdiff_t>(y) * width + x];
      }
  }
}

static void words_to_bytes(const uint8_t* words, ptrdiff_t stride, int width, int height, float factor, uint8_t* out,
                           ptrdiff_t row_stride) {
  constexpr int block = 256;
  uint16_t piece[block];
  float values[block] = {};
  const simd::f32 scale = simd::set(factor);
  for (int y = 0; y < height; ++y)
    for (int begin = 0; begin < width; begin += block) {
      const int count = width - begin < block ? width - begin : block;
      memcpy(piece, words + y * stride + 2 * static_cast<ptrdiff_t>(begin), static_cast<size_t>(2 * count));
      for (int i = 0; i < count; ++i) values[i] = static_cast<float>(piece[i]);
      store_bytes_of([&](int i) { return simd::mul(simd::load(values + i), scale); }, count, out + y * row_stride + begin);
    }
}

}  // namespace VISION_ISA_NAMESPACE

VISION_DEFINE_KERNELS(PlaneKernels, plane_kernels) = {&VISION_ISA_NAMESPACE::split, &VISION_ISA_NAMESPACE::turn,
                                                           &VISION_ISA_NAMESPACE::words_to_bytes};

}  // namespace vision_io
