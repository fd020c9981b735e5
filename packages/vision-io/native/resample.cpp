#include "resample.hpp"

#include <cmath>
#include <cstring>

#include "scratch.hpp"

namespace vision_io {
namespace {

// What depends on the sizes alone. It is kept from one picture to the next: those of a video are alike.
struct Plan {
  int from_height = 0, from_width = 0, to_height = 0, to_width = 0;
  bool flip = false;
  Taps *rows = nullptr, *columns = nullptr;
  float *row_weights = nullptr, *column_weights = nullptr, *by_group = nullptr;
  int32_t *base = nullptr, *offset = nullptr;
  int most_rows = 0, row_stride = 0;
  AcrossPlan across{};

  bool serves(int height, int width, const FloatTarget& to) const {
    return height == from_height && width == from_width && to.height == to_height && to.width == to_width && to.flip == flip;
  }
};

thread_local Scratch plan_memory, line_memory, address_memory;
thread_local Plan plan_of_thread;

int most_taps(int from, int to) {
  const double scale = static_cast<double>(from) / to;
  return static_cast<int>(std::ceil(scale < 1 ? 1 : scale)) * 2 + 1;
}

// A triangle of half-width max(1, scale) around the centre of each output sample, cut at the edges, of sum one. Unused
// weights are zero. `flip` exchanges the output samples end for end.
void weigh(int from, int to, int stride, bool flip, Taps* taps, float* weights) {
  const double scale = static_cast<double>(from) / to, support = scale < 1 ? 1 : scale;
  std::memset(weights, 0, sizeof(float) * static_cast<size_t>(to) * static_cast<size_t>(stride));
  for (int i = 0; i < to; ++i) {
    if (from == to) {
      const int at = flip ? to - 1 - i : i;
      weights[static_cast<ptrdiff_t>(at) * stride] = 1;
      taps[at] = {i, 1};
      continue;
    }
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

bool make_plan(int height, int width, const FloatTarget& to) {
  Plan& plan = plan_of_thread;
  if (plan.serves(height, width, to)) return true;
  plan = Plan{};
  const int down = most_taps(height, to.height), stride = most_taps(width, to.width);
  const size_t groups = static_cast<size_t>(to.width + resample_group - 1) / resample_group;
  const size_t rows = static_cast<size_t>(to.height), columns = static_cast<size_t>(to.width);
  Parts parts;
  const auto lay_out = [&] {
    parts.add(plan.rows, rows);
    parts.add(plan.columns, columns);
    parts.add(plan.row_weights, rows * static_cast<size_t>(down));
    parts.add(plan.column_weights, columns * static_cast<size_t>(stride));
    parts.add(plan.by_group, groups * resample_group * static_cast<size_t>(stride));
    parts.add(plan.base, groups);
    parts.add(plan.offset, columns);
  };
  lay_out();
  unsigned char* memory = plan_memory.at_least(parts.size());
  if (!memory) return false;
  parts.start(memory);
  lay_out();
  weigh(height, to.height, down, false, plan.rows, plan.row_weights);
  weigh(width, to.width, stride, to.flip, plan.columns, plan.column_weights);
  int most = 1;
  for (int x = 0; x < to.width; ++x) most = plan.columns[x].count > most ? plan.columns[x].count : most;
  const bool grouped = group(plan.columns, plan.column_weights, stride, most, to.width, plan.base, plan.offset, plan.by_group);
  plan.across = {plan.columns, plan.column_weights, stride, to.width, most, grouped, plan.base, plan.offset, plan.by_group};
  plan.row_stride = plan.most_rows = down;
  plan.from_height = height;
  plan.from_width = width;
  plan.to_height = to.height;
  plan.to_width = to.width;
  plan.flip = to.flip;
  return true;
}

}  // namespace

bool RowResizer::start(int channels, int height, int width, const FloatTarget& to) {
  if (!make_plan(height, width, to)) return false;
  const Plan& plan = plan_of_thread;
  to_ = to;
  if (!to.row_stride) to_.row_stride = to.width;
  if (!to.channel_stride) to_.channel_stride = static_cast<ptrdiff_t>(to.height) * to.width;
  channels_ = channels;
  width_ = width;
  most_rows_ = plan.most_rows;
  rows_ = plan.rows;
  row_weights_ = plan.row_weights;
  across_ = &plan.across;
  kernels_ = &VISION_SELECT(resample_kernels);
  const size_t line = (static_cast<size_t>(width) + resample_slack + 15) / 16 * 16;
  Parts parts;
  const auto lay_out = [&] {
    parts.add(sums_, 4 * line);
    parts.add(pixels_, 4 * line);
    parts.add(line_, to.bytes ? 4 * (static_cast<size_t>(to.width) + resample_slack * 2) : 0);
  };
  lay_out();
  unsigned char* memory = line_memory.at_least(parts.size());
  if (!memory) return false;
  parts.start(memory);
  lay_out();
  std::memset(memory, 0, parts.size());
  return true;
}

void RowResizer::write(int y, const uint8_t* const* rows) const {
  const int taps = rows_[y].count;
  const float* weights = row_weights_ + static_cast<ptrdiff_t>(y) * plan_of_thread.row_stride;
  const ptrdiff_t line = (static_cast<ptrdiff_t>(width_) + resample_slack + 15) / 16 * 16;
  const float* sums[4] = {sums_, sums_ + line, sums_ + 2 * line, sums_ + 3 * line};
  for (int c = 0; c < channels_; ++c) kernels_->blend(rows + c * taps, weights, taps, width_, sums_ + c * line);
  if (!to_.bytes) {
    kernels_->across(sums, channels_, width_, *across_, to_.factor, to_.bias, pixels_, to_.out + y * to_.row_stride,
                     to_.channel_stride);
    return;
  }
  const ptrdiff_t room = to_.width + resample_slack * 2;
  kernels_->across(sums, channels_, width_, *across_, to_.factor, to_.bias, pixels_, line_, room);
  uint8_t* out = reinterpret_cast<uint8_t*>(to_.out) + y * to_.row_stride;
  for (int c = 0; c < channels_; ++c) kernels_->to_bytes(line_ + c * room, to_.width, out + c * to_.channel_stride);
}

void RowResizer::end() {
  line_memory.trim();
  if (plan_memory.trim()) plan_of_thread = Plan{};
}

bool resize_normalised(const BytePlanes& from, const FloatTarget& to) {
  RowResizer resizer;
  if (!resizer.start(from.channels, from.height, from.width, to)) return false;
  const size_t most = static_cast<size_t>(resizer.most_rows()) * static_cast<size_t>(from.channels);
  const auto** sources = reinterpret_cast<const uint8_t**>(address_memory.at_least(most * sizeof(uint8_t*)));
  if (!sources) return false;
  for (int y = 0; y < to.height; ++y) {
    const int count = resizer.count(y);
    for (int c = 0; c < from.channels; ++c)
      for (int t = 0; t < count; ++t)
        sources[c * count + t] = from.pixels + c * from.channel_stride + (resizer.first(y) + t) * from.row_stride;
    resizer.write(y, sources);
  }
  RowResizer::end();
  return true;
}

}  // namespace vision_io
