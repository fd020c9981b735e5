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

// A triangle of half-width max(1, scale) around the centre of each output sample, cut at the edges, of sum one. Unused
// weights are zero. `flip` exchanges the output samples end for end.
void plan(int from, int to, int stride, bool flip, Taps* taps, float* weights) {
  const double scale = static_cast<double>(from) / to, support = scale < 1 ? 1 : scale;
  std::memset(weights, 0, sizeof(float) * static_cast<size_t>(to) * static_cast<size_t>(stride));
  for (int i = 0; i < to; ++i) {
    const double centre = scale * (i + 0.5);
    int first = static_cast<int>(centre - support + 0.5), end = static_cast<int>(centre + support + 0.5);
    first = first < 0 ? 0 : first;
    end = end > from ? from : end;
    double sum = 0;
    const int at = flip ? to - 1 - i : i;
    float* row = weights + static_cast<ptrdiff_t>(at) * stride;
    for (int j = first; j < end; ++j) {
      const double weight = 1 - std::fabs((j - centre + 0.5) / support);
      row[j - first] = static_cast<float>(weight < 0 ? 0 : weight);
      sum += weight < 0 ? 0 : weight;
    }
    for (int j = first; j < end; ++j) row[j - first] = static_cast<float>(row[j - first] / sum);
    taps[at] = {first, end - first};
  }
}

// Arranges the weights for groups of neighbours; false where a group's taps do not fit into one window.
bool group(const Taps* taps, const float* weights, int stride, int most, int width, int32_t* base, int32_t* offset,
           float* by_group) {
  for (int x = 0, g = 0; x < width; x += resample_group, ++g) {
    const int end = x + resample_group < width ? x + resample_group : width;
    int low = taps[x].first, high = 0;
    for (int i = x; i < end; ++i) {
      low = taps[i].first < low ? taps[i].first : low;
      high = taps[i].first + taps[i].count > high ? taps[i].first + taps[i].count : high;
    }
    if (high - low > 2 * resample_group) return false;
    base[g] = low;
    float* to = by_group + static_cast<ptrdiff_t>(g) * most * resample_group;
    for (int i = x; i < x + resample_group; ++i) {
      if (i < width) offset[i] = taps[i].first - low;
      for (int t = 0; t < most; ++t) to[t * resample_group + i - x] = i < width ? weights[static_cast<ptrdiff_t>(i) * stride + t] : 0;
    }
  }
  return true;
}

// Parts of one block of memory, each aligned to a cache line.
class Parts {
 public:
  template <class T>
  void add(T*& part, size_t count) {
    if (base_) part = reinterpret_cast<T*>(base_ + size_);
    size_ += (sizeof(T) * count + 63) / 64 * 64;
  }
  size_t size() const { return size_; }
  void start(unsigned char* base) {
    base_ = base;
    size_ = 0;
  }

 private:
  unsigned char* base_ = nullptr;
  size_t size_ = 0;
};

}  // namespace

bool resize_normalised(const BytePlanes& from, const FloatTarget& to) {
  const ResampleKernels& kernels = VISION_SELECT(resample_kernels);
  const int down = most_taps(from.height, to.height), across = most_taps(from.width, to.width);
  const size_t groups = static_cast<size_t>(to.width + resample_group - 1) / resample_group;
  const size_t line = static_cast<size_t>(from.width) + resample_slack, height = static_cast<size_t>(to.height);
  Taps *rows = nullptr, *columns = nullptr;
  float *row_weights = nullptr, *column_weights = nullptr, *by_group = nullptr, *sums = nullptr, *pixels = nullptr;
  int32_t *base = nullptr, *offset = nullptr;
  const uint8_t** sources = nullptr;
  Parts parts;
  const auto lay_out = [&] {
    parts.add(rows, height);
    parts.add(columns, static_cast<size_t>(to.width));
    parts.add(row_weights, height * static_cast<size_t>(down));
    parts.add(column_weights, static_cast<size_t>(to.width) * static_cast<size_t>(across));
    parts.add(by_group, groups * resample_group * static_cast<size_t>(across));
    parts.add(base, groups);
    parts.add(offset, static_cast<size_t>(to.width));
    parts.add(sums, 4 * line);
    parts.add(pixels, 4 * line);
    parts.add(sources, static_cast<size_t>(down));
  };
  lay_out();
  unsigned char* memory = scratch.at_least(parts.size());
  if (!memory) return false;
  parts.start(memory);
  lay_out();
  plan(from.height, to.height, down, false, rows, row_weights);
  plan(from.width, to.width, across, to.flip, columns, column_weights);
  int most = 1;
  for (int x = 0; x < to.width; ++x) most = columns[x].count > most ? columns[x].count : most;
  const bool grouped = group(columns, column_weights, across, most, to.width, base, offset, by_group);
  const AcrossPlan across_plan{columns, column_weights, across, to.width, most, grouped, base, offset, by_group};
  std::memset(sums, 0, 4 * line * sizeof(float));
  const float* planes[4] = {sums, sums + line, sums + 2 * line, sums + 3 * line};
  const ptrdiff_t plane = static_cast<ptrdiff_t>(to.height) * to.width;
  for (int y = 0; y < to.height; ++y) {
    for (int c = 0; c < from.channels; ++c) {
      for (int t = 0; t < rows[y].count; ++t)
        sources[t] = from.pixels + c * from.channel_stride + (rows[y].first + t) * from.row_stride;
      kernels.blend(sources, row_weights + static_cast<ptrdiff_t>(y) * down, rows[y].count, from.width, sums + static_cast<size_t>(c) * line);
    }
    kernels.across(planes, from.channels, from.width, across_plan, to.factor, to.bias, pixels,
                   to.out + static_cast<ptrdiff_t>(y) * to.width, plane);
  }
  scratch.trim();
  return true;
}

}  // namespace vision_io
