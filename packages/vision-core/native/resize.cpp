// Rows first: each row of the target is a weighted sum of source rows, kept with 6 more bits than a pixel has, then
// filtered along the row. All arithmetic is on integers, so that every ISA gives the same bytes; they differ from the
// exact result by at most one.
#include "resize.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/resize.hpp"
#include "vision/thread_pool.hpp"

namespace vision_core {
namespace {

constexpr double pi = 3.14159265358979323846;

double sinc(double x) { return x == 0 ? 1 : std::sin(pi * x) / (pi * x); }

double half_width(Filter filter) {
  switch (filter) {
    case Filter::box: return 0.5;
    case Filter::bicubic: return 2;
    case Filter::lanczos: return 3;
    default: return 1;
  }
}

double evaluate(Filter filter, double x) {
  const double a = std::fabs(x);
  switch (filter) {
    case Filter::box: return x > -0.5 && x <= 0.5;
    case Filter::bilinear: return std::max(1 - a, 0.0);
    case Filter::hamming: return a < 1 ? sinc(x) * (0.54 + 0.46 * std::cos(pi * x)) : 0;
    case Filter::bicubic:  // Keys (1981) with a = -0.5
      return a < 1 ? (1.5 * a - 2.5) * a * a + 1 : a < 2 ? ((-0.5 * a + 2.5) * a - 4) * a + 2 : 0;
    case Filter::lanczos: return a < 3 ? sinc(x) * sinc(x / 3) : 0;
  }
  return 0;
}

// The filter of one direction. Weights are whole multiples of 2^-shift that sum to 1 for each target position; there is
// room for `stride` of them per position, a multiple of tap_block, 0 where no tap is.
struct Axis {
  std::vector<int32_t> start, taps;
  std::vector<int16_t> weights;
  int64_t stride = 0;
  int shift = 0;
  bool identity = false;

  Axis(int64_t source, int64_t target, Filter filter, int most_shift) : identity(source == target) {
    const double scale = static_cast<double>(source) / static_cast<double>(target), width = std::max(scale, 1.0);
    const double half = half_width(filter) * width;
    stride = (static_cast<int64_t>(std::ceil(half)) * 2 + 1 + tap_block - 1) / tap_block * tap_block;
    start.resize(static_cast<size_t>(target));
    taps.resize(static_cast<size_t>(target));
    std::vector<double> exact(static_cast<size_t>(target * stride));
    double largest = 0;
    for (int64_t i = 0; i < target; ++i) {
      const double centre = (static_cast<double>(i) + 0.5) * scale;
      const int64_t first = std::max<int64_t>(static_cast<int64_t>(centre - half + 0.5), 0);
      const int64_t last = std::min<int64_t>(static_cast<int64_t>(centre + half + 0.5), source);
      double* w = exact.data() + i * stride;
      double sum = 0;
      for (int64_t j = first; j < last; ++j)
        sum += w[j - first] = evaluate(filter, (static_cast<double>(j) + 0.5 - centre) / width);
      for (int64_t j = first; j < last; ++j) largest = std::max(largest, std::fabs(w[j - first] /= sum));
      start[i] = static_cast<int32_t>(first);
      taps[i] = static_cast<int32_t>(last - first);
    }
    while (shift < most_shift && largest * (2 << shift) < 32767) ++shift;
    weights.resize(exact.size());
    for (int64_t i = 0; i < target; ++i) round_weights(exact.data() + i * stride, weights.data() + i * stride, taps[i]);
  }

 private:
  // Rounds so that the sum stays exact: constant images stay constant. The largest weight takes what is left over.
  void round_weights(const double* exact, int16_t* rounded, int32_t count) const {
    int32_t left = 1 << shift, largest = 0;
    for (int32_t j = 0; j < count; ++j) {
      rounded[j] = static_cast<int16_t>(std::lround(exact[j] * (1 << shift)));
      left -= rounded[j];
      if (exact[j] > exact[largest]) largest = j;
    }
    rounded[largest] = static_cast<int16_t>(rounded[largest] + left);
  }
};

}  // namespace

void resize_u8(const SourceImages& source, uint8_t* target, int64_t target_height, int64_t target_width, Filter filter,
               int threads) {
  const ResizeKernels& kernels = VISION_SELECT(resize_kernels);
  // Sums stay within 32 bits: 8-bit pixels times 2^21, and 14-bit rows times 2^15.
  const Axis rows(source.height, target_height, filter, 21), columns(source.width, target_width, filter, 15);
  const auto horizontal = source.channels == 1 ? kernels.horizontal_1
                          : source.channels == 3 ? kernels.horizontal_3 : kernels.horizontal_4;
  const int64_t row_values = source.width * source.channels, target_row = target_width * source.channels;
  const int64_t work = row_values * rows.stride + target_row * columns.stride;
  const int64_t grain = std::max<int64_t>(1, 100000 / std::max<int64_t>(work, 1));
  vision::parallel_for(source.planes * target_height, grain, threads, [&](int64_t begin, int64_t end) {
    std::vector<int16_t> row(static_cast<size_t>(row_values + columns.stride * source.channels + row_slack));
    for (int64_t i = begin; i < end; ++i) {
      const int64_t plane = i / target_height, y = i % target_height;
      const uint8_t* first = source.data + plane * source.plane_stride + rows.start[y] * source.row_stride;
      kernels.vertical(first, source.row_stride, rows.weights.data() + y * rows.stride, rows.taps[y], rows.shift,
                       row_values, row.data());
      uint8_t* out = target + i * target_row;
      if (columns.identity) {
        kernels.narrow(row.data(), target_row, out);
      } else {
        horizontal(row.data(), columns.start.data(), columns.weights.data(), columns.taps.data(), columns.stride,
                   columns.shift, target_width, out);
      }
    }
  });
}

}  // namespace vision_core
