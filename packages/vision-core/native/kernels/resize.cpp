#include "resize.hpp"

#include <cstring>

#if VISION_ISA_IS_SSE41 || VISION_ISA_IS_AVX2 || VISION_ISA_IS_AVX512
#define VISION_RESIZE_X86 1
#include <immintrin.h>
#endif

namespace vision_core {
namespace VISION_ISA_NAMESPACE {
namespace {

// What stands behind the binary point of a row's values.
constexpr int bits_of(const uint8_t*) { return 0; }
constexpr int bits_of(const int16_t*) { return row_bits; }

// The sum, rounded to a result with `bits_of(out)` bits behind its point. The smallest shift of a filter is 13.
inline void put(int32_t sum, int shift, int16_t* out) {
  const int32_t value = (sum + (1 << (shift - row_bits - 1))) >> (shift - row_bits);
  *out = static_cast<int16_t>(value < -32768 ? -32768 : value > 32767 ? 32767 : value);
}

inline void put(int32_t sum, int shift, uint8_t* out) {
  const int32_t value = (sum + (1 << (shift - 1))) >> shift;
  *out = static_cast<uint8_t>(value < 0 ? 0 : value > 255 ? 255 : value);
}

// Plain C++: the reference, the path of ISAs without an own one (compilers make vectors of it), and the ends of rows.
template <class Out>
void vertical_plain(const uint8_t* rows, int64_t row_stride, const int16_t* weights, int taps, int shift,
                    int64_t count, Out* out) {
  constexpr int64_t block = 256;
  for (int64_t x = 0; x < count; x += block) {
    const int64_t n = count - x < block ? count - x : block;
    int32_t sums[block] = {};
    for (int t = 0; t < taps; ++t) {
      const uint8_t* row = rows + t * row_stride + x;
      const int32_t weight = weights[t];
      for (int64_t i = 0; i < n; ++i) sums[i] += weight * row[i];
    }
    for (int64_t i = 0; i < n; ++i) put(sums[i], shift, out + x + i);
  }
}

template <int channels, class In>
void horizontal_plain(const In* row, const RowFilter& filter, int64_t first, int64_t width, uint8_t* out) {
  for (int64_t x = first; x < width; ++x) {
    const In* pixels = row + static_cast<int64_t>(filter.start[x]) * channels;
    const int16_t* w = filter.weights + x * filter.stride;
    for (int c = 0; c < channels; ++c) {
      int32_t sum = 0;
      for (int t = 0; t < filter.taps[x]; ++t) sum += w[t] * pixels[t * channels + c];
      put(sum, filter.shift + bits_of(row), out + x * channels + c);
    }
  }
}

void narrow(const int16_t* row, int64_t count, uint8_t* out) {
  for (int64_t i = 0; i < count; ++i) put(row[i], row_bits, out + i);
}

#if VISION_RESIZE_X86
#include "resize_x86.hpp"
#include "resize_block_x86.hpp"
#else

constexpr int block_rows = 0;
constexpr decltype(ResizeKernels::horizontal_block) horizontal_block = nullptr;

template <class Out>
void vertical(const uint8_t* rows, int64_t row_stride, const int16_t* weights, int taps, int shift, int64_t count,
              Out* out) {
  vertical_plain(rows, row_stride, weights, taps, shift, count, out);
}

template <int channels, class In>
void horizontal(const In* row, const RowFilter& filter, int64_t width, uint8_t* out) {
  horizontal_plain<channels>(row, filter, 0, width, out);
}

#endif

#if VISION_ISA_IS_AVX512
#include "resize_spread_avx512.hpp"
#else

constexpr decltype(ResizeKernels::can_spread) can_spread = nullptr;
constexpr decltype(ResizeKernels::spread) spread = nullptr;

#endif

}  // namespace
}  // namespace VISION_ISA_NAMESPACE

VISION_DEFINE_KERNELS(ResizeKernels, resize_kernels) = {
    &VISION_ISA_NAMESPACE::vertical<int16_t>,
    &VISION_ISA_NAMESPACE::vertical<uint8_t>,
    {&VISION_ISA_NAMESPACE::horizontal<1, int16_t>, &VISION_ISA_NAMESPACE::horizontal<3, int16_t>,
     &VISION_ISA_NAMESPACE::horizontal<4, int16_t>},
    {&VISION_ISA_NAMESPACE::horizontal<1, uint8_t>, &VISION_ISA_NAMESPACE::horizontal<3, uint8_t>,
     &VISION_ISA_NAMESPACE::horizontal<4, uint8_t>},
    VISION_ISA_NAMESPACE::block_rows,
    VISION_ISA_NAMESPACE::horizontal_block,
    VISION_ISA_NAMESPACE::can_spread,
    VISION_ISA_NAMESPACE::spread,
    &VISION_ISA_NAMESPACE::narrow};

}  // namespace vision_core
