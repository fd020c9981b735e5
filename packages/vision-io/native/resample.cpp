#include "resample.hpp"

#include <cmath>
#include <cstring>

#include "kernels/resample.hpp"
#include "scratch.hpp"

namespace vision_io {
namespace {

thread_local Scratch scratch;

int most_taps(int from, int to) {
  const double scale = static_cast<double>(from) / to;
  return static_cast<int>(std::ceil(scale < 1 ? 1 : scale)) * 2 + 1;
}

// A triangle of half-width max(1, scale) around the centre of each output sample, cut at the edges, of sum one.
void plan(int from, int to, int stride, Taps* taps, float* weights) {
  const double scale = static_cast<double>(from) / to, support = scale < 1 ? 1 : scale;
  for (int i = 0; i < to; ++i) {
    const double centre = scale * (i + 0.5);
    int first = static_cast<int>(centre - support + 0.5), end = static_cast<int>(centre + support + 0.5);
    first = first < 0 ? 0 : first;
    end = end > from ? from : end;
    double sum = 0;
    float* row = weights + static_cast<ptrdiff_t>(i) * stride;
    for (int j = first; j < end; ++j) {
      const double weight = 1 - std::fabs((j - centre + 0.5) / support);
      row[j - first] = static_cast<float>(weight < 0 ? 0 : weight);
      sum += weight < 0 ? 0 : weight;
    }
    for (int j = first; j < end; ++j) row[j - first] = static_cast<float>(row[j - first] / sum);
    taps[i] = {first, end - first};
  }
}

size_t rounded(size_t bytes) { return (bytes + 63) / 64 * 64; }

}  // namespace

bool resize_normalised(const BytePlanes& from, const FloatTarget& to) {
  const ResampleKernels& kernels = VISION_SELECT(resample_kernels);
  const int down = most_taps(from.height, to.height), across = most_taps(from.width, to.width);
  const size_t sizes[] = {
      rounded(sizeof(Taps) * to.height), rounded(sizeof(Taps) * to.width), rounded(sizeof(float) * to.height * down),
      rounded(sizeof(float) * to.width * across), rounded(sizeof(float) * from.width), rounded(4 * sizeof(float) * from.width),
      rounded(sizeof(void*) * down)};
  size_t total = 0;
  for (const size_t size : sizes) total += size;
  unsigned char* memory = scratch.at_least(total);
  if (!memory) return false;
  void* part[7];
  for (int i = 0; i < 7; memory += sizes[i++]) part[i] = memory;
  Taps* rows = static_cast<Taps*>(part[0]);
  Taps* columns = static_cast<Taps*>(part[1]);
  float* row_weights = static_cast<float*>(part[2]);
  float* column_weights = static_cast<float*>(part[3]);
  float* sums = static_cast<float*>(part[4]);
  float* pixels = static_cast<float*>(part[5]);
  const uint8_t** sources = static_cast<const uint8_t**>(part[6]);
  plan(from.height, to.height, down, rows, row_weights);
  plan(from.width, to.width, across, columns, column_weights);
  std::memset(pixels, 0, sizes[5]);
  const ptrdiff_t plane = static_cast<ptrdiff_t>(to.height) * to.width;
  for (int y = 0; y < to.height; ++y) {
    for (int c = 0; c < from.channels; ++c) {
      for (int t = 0; t < rows[y].count; ++t)
        sources[t] = from.pixels + c * from.channel_stride + (rows[y].first + t) * from.row_stride;
      kernels.blend(sources, row_weights + static_cast<ptrdiff_t>(y) * down, rows[y].count, from.width, c, sums, pixels);
    }
    kernels.across(pixels, columns, column_weights, across, to.width, to.flip, to.factor, to.bias, from.channels,
                   to.out + static_cast<ptrdiff_t>(y) * to.width, plane);
  }
  scratch.trim();
  return true;
}

}  // namespace vision_io
