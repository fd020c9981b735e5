#include "png.hpp"

#include <cstring>

#include "vision/simd.hpp"

namespace vision_io {
namespace VISION_ISA_NAMESPACE {

static inline int distance(int a, int b) { return a < b ? b - a : a - b; }

static inline uint8_t paeth(int left, int up, int corner) {
  const int to_left = distance(up, corner), to_up = distance(left, corner), to_corner = distance(left + up, 2 * corner);
  if (to_left <= to_up && to_left <= to_corner) return static_cast<uint8_t>(left);
  return static_cast<uint8_t>(to_up <= to_corner ? up : corner);
}

#if VISION_ISA_IS_SSE41 || VISION_ISA_IS_AVX2 || VISION_ISA_IS_AVX512
#define VISION_IO_PIXELWISE 1
// One pixel (up to 8 bytes) per turn: each depends on the one before, so the pixel's bytes are all there is to do at once.
template <int step>
static inline __m128i load_pixel(const uint8_t* p) {
  if (step > 4) return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
  int32_t word;
  memcpy(&word, p, 4);
  return _mm_cvtsi32_si128(word);
}

template <int step>
static inline void store_pixel(uint8_t* p, __m128i x) {  // bytes behind the pixel are written again by the next one
  if (step > 4) {
    _mm_storel_epi64(reinterpret_cast<__m128i*>(p), x);
  } else {
    const int32_t word = _mm_cvtsi128_si32(x);
    memcpy(p, &word, 4);
  }
}

template <int step>
static void undo_sub(const uint8_t* row, int64_t bytes, uint8_t* out) {
  __m128i left = _mm_setzero_si128();
  for (int64_t x = 0; x < bytes; x += step) {
    left = _mm_add_epi8(left, load_pixel<step>(row + x));
    store_pixel<step>(out + x, left);
  }
}

template <int step>
static void undo_average(const uint8_t* row, const uint8_t* above, int64_t bytes, uint8_t* out) {
  __m128i left = _mm_setzero_si128();
  const __m128i one = _mm_set1_epi8(1);
  for (int64_t x = 0; x < bytes; x += step) {
    const __m128i up = load_pixel<step>(above + x);
    // The instruction rounds up; the format rounds down.
    const __m128i mean = _mm_sub_epi8(_mm_avg_epu8(left, up), _mm_and_si128(_mm_xor_si128(left, up), one));
    left = _mm_add_epi8(load_pixel<step>(row + x), mean);
    store_pixel<step>(out + x, left);
  }
}

template <int step>
static void undo_paeth(const uint8_t* row, const uint8_t* above, int64_t bytes, uint8_t* out) {
  const __m128i low = _mm_set1_epi16(0xff);
  __m128i left = _mm_setzero_si128(), corner = left;
  for (int64_t x = 0; x < bytes; x += step) {
    const __m128i up = _mm_cvtepu8_epi16(load_pixel<step>(above + x)), value = _mm_cvtepu8_epi16(load_pixel<step>(row + x));
    const __m128i rise = _mm_sub_epi16(up, corner);     // does not wait for `left`
    const __m128i run = _mm_sub_epi16(left, corner);
    const __m128i to_left = _mm_abs_epi16(rise), to_up = _mm_abs_epi16(run), to_corner = _mm_abs_epi16(_mm_add_epi16(rise, run));
    const __m128i nearest = _mm_min_epi16(_mm_min_epi16(to_left, to_up), to_corner);
    const __m128i other = _mm_blendv_epi8(corner, up, _mm_cmpeq_epi16(nearest, to_up));
    const __m128i guess = _mm_blendv_epi8(other, left, _mm_cmpeq_epi16(nearest, to_left));
    left = _mm_and_si128(_mm_add_epi16(guess, value), low);
    corner = up;
    store_pixel<step>(out + x, _mm_packus_epi16(left, left));
  }
}

template <int step>
static void undo(int kind, const uint8_t* row, const uint8_t* above, int64_t bytes, uint8_t* out) {
  if (kind == 1) undo_sub<step>(row, bytes, out);
  if (kind == 3) undo_average<step>(row, above, bytes, out);
  if (kind == 4) undo_paeth<step>(row, above, bytes, out);
}
#else
#define VISION_IO_PIXELWISE 0
#endif

static void undo_plain(int kind, const uint8_t* row, const uint8_t* above, int64_t bytes, int step, uint8_t* out) {
  for (int64_t x = 0; x < bytes; ++x) {
    const int left = x >= step ? out[x - step] : 0, corner = x >= step ? above[x - step] : 0;
    const int guess = kind == 1 ? left : kind == 3 ? (left + above[x]) / 2 : paeth(left, above[x], corner);
    out[x] = static_cast<uint8_t>(row[x] + guess);
  }
}

static void unfilter(int kind, const uint8_t* row, const uint8_t* above, int64_t bytes, int step, uint8_t* out) {
  if (kind == 2) {
    for (int64_t x = 0; x < bytes; ++x) out[x] = static_cast<uint8_t>(row[x] + above[x]);
  } else if (kind != 1 && kind != 3 && kind != 4) {
    memcpy(out, row, static_cast<size_t>(bytes));
#if VISION_IO_PIXELWISE
  } else if (step == 3) {
    undo<3>(kind, row, above, bytes, out);
  } else if (step == 4) {
    undo<4>(kind, row, above, bytes, out);
  } else if (step == 6) {
    undo<6>(kind, row, above, bytes, out);
  } else if (step == 8) {
    undo<8>(kind, row, above, bytes, out);
  } else if (step == 2) {
    undo<2>(kind, row, above, bytes, out);
#endif
  } else {
    undo_plain(kind, row, above, bytes, step, out);
  }
}

// The first pixel has nothing to its left: its bytes go apart, the rest has no branches and becomes vectors.
static uint64_t filter(int kind, const uint8_t* row, const uint8_t* above, int64_t bytes, int step, uint8_t* __restrict out) {
  const int64_t head = step < bytes ? step : bytes;
  for (int64_t x = 0; x < head && kind; ++x) {
    const int guess = kind == 1 ? 0 : kind == 3 ? above[x] / 2 : above[x];  // paeth(0, up, 0) is up
    out[x] = static_cast<uint8_t>(row[x] - guess);
  }
  const uint8_t *left = row - step, *corner = above - step;
  switch (kind) {
    case 0:
      memcpy(out, row, static_cast<size_t>(bytes));
      break;
    case 1:
      for (int64_t x = head; x < bytes; ++x) out[x] = static_cast<uint8_t>(row[x] - left[x]);
      break;
    case 2:
      for (int64_t x = head; x < bytes; ++x) out[x] = static_cast<uint8_t>(row[x] - above[x]);
      break;
    case 3:
      for (int64_t x = head; x < bytes; ++x) out[x] = static_cast<uint8_t>(row[x] - ((left[x] + above[x]) >> 1));
      break;
    default:
      for (int64_t x = head; x < bytes; ++x) {
        const int16_t a = left[x], b = above[x], c = corner[x];
        const int16_t p = static_cast<int16_t>(b - c), q = static_cast<int16_t>(a - c), s = static_cast<int16_t>(p + q);
        const int16_t pa = p < 0 ? -p : p, pb = q < 0 ? -q : q, pc = s < 0 ? -s : s;
        const int16_t other = pb <= pc ? b : c;
        const int16_t least = pb <= pc ? pb : pc;
        out[x] = static_cast<uint8_t>(row[x] - (pa <= least ? a : other));
      }
  }
  uint64_t sum = 0;
  for (int64_t begin = 0; begin < bytes; begin += 4096) {
    const int64_t end = begin + 4096 < bytes ? begin + 4096 : bytes;
    uint32_t part = 0;
    for (int64_t x = begin; x < end; ++x) {
      const uint8_t value = out[x], negated = static_cast<uint8_t>(-value);
      part += value < negated ? value : negated;
    }
    sum += part;
  }
  return sum;
}

}  // namespace VISION_ISA_NAMESPACE

VISION_DEFINE_KERNELS(PngKernels, png_kernels) = {&VISION_ISA_NAMESPACE::unfilter, &VISION_ISA_NAMESPACE::filter};

}  // namespace vision_io
