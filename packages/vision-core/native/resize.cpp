// Two passes, each a weighted sum of pixels in integers, so that every ISA gives the same bytes.
//
// To shrink, the vertical pass comes first: it runs at memory speed, and leaves fewer rows to the horizontal one. Between
// them values keep 6 more bits than a pixel has; the result differs from the exact one by at most one. To enlarge, and
// for filters with negative weights, the horizontal pass comes first and its result is rounded and cut to pixels, as
// Pillow and torch do: what bicubic overshoots is cut twice, so the order is part of the result.
#include "resize.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "kernels/flip.hpp"
#include "kernels/resize.hpp"
#include "resize_spread.hpp"
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

// The filter of one direction. Weights are multiples of 2^-shift; each target position has `stride` of them, a multiple
// of tap_block, 0 where no tap is.
struct Axis {
  std::vector<int32_t> start, taps;
  std::vector<int16_t> weights;
  int64_t stride = 0;
  int shift = 0;
  bool identity = false;

  // The weights have as many bits as fit, but no more than most_shift behind the point.
  Axis(int64_t source, int64_t target, Filter filter, int most_shift) : identity(source == target) {
    const double scale = static_cast<double>(source) / static_cast<double>(target), width = std::max(scale, 1.0);
    const double half = half_width(filter) * width;
    stride = (static_cast<int64_t>(std::ceil(half)) * 2 + 1 + spare_taps + tap_block - 1) / tap_block * tap_block;
    start.resize(static_cast<size_t>(target));
    taps.resize(static_cast<size_t>(target));
    const std::unique_ptr<double[]> exact(new double[static_cast<size_t>(target * stride)]);
    double largest = 0;
    for (int64_t i = 0; i < target; ++i) {
      const double centre = (static_cast<double>(i) + 0.5) * scale;
      const int64_t first = std::max<int64_t>(static_cast<int64_t>(centre - half + 0.5), 0);
      const int64_t last = std::min<int64_t>(static_cast<int64_t>(centre + half + 0.5), source);
      double* w = exact.get() + i * stride;
      double sum = 0;
      for (int64_t j = first; j < last; ++j)
        sum += w[j - first] = evaluate(filter, (static_cast<double>(j) + 0.5 - centre) / width);
      for (int64_t j = first; j < last; ++j) largest = std::max(largest, w[j - first] /= sum);
      start[i] = static_cast<int32_t>(first);
      taps[i] = static_cast<int32_t>(last - first);
    }
    while (shift < most_shift && largest * (2 << shift) + 0.5 < 32768) ++shift;
    weights.resize(static_cast<size_t>(target * stride));
    const double unit = 1 << shift;
    for (int64_t i = 0; i < target; ++i)  // the rest of each `stride` stays 0
      for (int64_t j = i * stride; j < i * stride + taps[i]; ++j)
        weights[j] = static_cast<int16_t>(std::lround(exact[j] * unit));
  }

  RowFilter filter() const { return {start.data(), taps.data(), weights.data(), stride, shift}; }

  // Keeps `count` target positions from `first` on.
  void keep(int64_t first, int64_t count) {
    if (first == 0 && count == static_cast<int64_t>(start.size())) return;
    const auto part = [](auto& values, int64_t begin, int64_t end) {
      values.erase(values.begin() + end, values.end());
      values.erase(values.begin(), values.begin() + begin);
    };
    part(start, first, first + count);
    part(taps, first, first + count);
    part(weights, first * stride, (first + count) * stride);
  }

  // Counts source positions from the first one that is used, and returns it and how many there are.
  std::pair<int64_t, int64_t> tighten() {
    int64_t first = start[0], last = 0;
    for (size_t i = 0; i < start.size(); ++i) {
      first = std::min<int64_t>(first, start[i]);
      last = std::max<int64_t>(last, start[i] + taps[i]);
    }
    for (int32_t& position : start) position -= static_cast<int32_t>(first);
    return {first, last - first};
  }
};

struct Task {
  const SourceImages& source;
  uint8_t* target;
  int64_t height, width;
  const Axis &rows, &columns;
  const ResizeKernels& kernels;
  int threads;
  bool mirrored = false;

  int64_t source_values() const { return source.width * source.channels; }
  int64_t target_values() const { return width * source.channels; }
  int kind() const { return source.channels == 1 ? 0 : static_cast<int>(source.channels) - 2; }

  // Mirrors finished rows of the result where they lie, as long as they are near.
  void finish(uint8_t* out, int64_t count) const {
    if (!mirrored) return;
    const FlipKernels& flip = VISION_SELECT(flip_kernels);
    thread_local std::vector<uint8_t> copy;
    copy.resize(static_cast<size_t>(target_values()));
    for (int64_t r = 0; r < count; ++r, out += target_values()) {
      std::memcpy(copy.data(), out, copy.size());
      flip.reverse(copy.data(), width, static_cast<int>(source.channels), out);
    }
  }

  // Room for a block of rows that the horizontal pass takes at once.
  class Block {
   public:
    explicit Block(const Task& task) : task_(task), stride_((task.source_values() + 7) / 8 * 8) {
      const size_t rows = static_cast<size_t>(task.kernels.block_rows), values = static_cast<size_t>(stride_);
      rows_.reset(new int16_t[rows * values]());
      turned_.reset(new int16_t[rows * (values + static_cast<size_t>(task.source.channels))]());
      results_.reset(new uint8_t[rows * static_cast<size_t>(task.target_values() + 8)]);
    }

    int16_t* row(int64_t r) const { return rows_.get() + r * stride_; }

    // Filters the first `count` rows, whose values have `bits` behind the point, to neighbouring rows of the result.
    void filter(int count, int bits, uint8_t* out) const {
      const ResizeBlock block{rows_.get(), stride_, task_.source_values(), count, turned_.get(), results_.get()};
      task_.kernels.horizontal_block(block, bits, task_.columns.filter(), static_cast<int>(task_.source.channels),
                                     task_.width, out, task_.target_values());
    }

   private:
    const Task& task_;
    int64_t stride_;
    std::unique_ptr<int16_t[]> rows_, turned_;
    std::unique_ptr<uint8_t[]> results_;
  };

  // Many rows at once where the processor has vectors for them, else one after the other.
  void vertical_first_in_blocks() const {
    const int64_t rows_at_once = kernels.block_rows, blocks = (height + rows_at_once - 1) / rows_at_once;
    const int64_t work = (source_values() * rows.stride + target_values() * columns.stride) * rows_at_once / 4;
    vision::parallel_for(source.planes * blocks, grain(work), threads, [&](int64_t begin, int64_t end) {
      const Block room(*this);
      for (int64_t i = begin; i < end; ++i) {
        const int64_t plane = i / blocks, first = i % blocks * rows_at_once;
        const int count = static_cast<int>(std::min(height - first, rows_at_once));
        for (int r = 0; r < count; ++r)
          filter_rows(plane, first + r, room.row(r));
        uint8_t* out = target + (plane * height + first) * target_values();
        room.filter(count, row_bits, out);
        finish(out, count);
      }
    });
  }

  // The vertical pass for one row of the result.
  void filter_rows(int64_t plane, int64_t y, int16_t* out) const {
    kernels.vertical_16(source.data + plane * source.plane_stride + rows.start[y] * source.row_stride, source.row_stride,
                        rows.weights.data() + y * rows.stride, rows.taps[y], rows.shift, source_values(), out);
  }

  void vertical_first() const {
    if (kernels.block_rows && !columns.identity && 2 * height >= kernels.block_rows) return vertical_first_in_blocks();
    const int64_t work = source_values() * rows.stride + target_values() * columns.stride;
    vision::parallel_for(source.planes * height, grain(work), threads, [&](int64_t begin, int64_t end) {
      std::vector<int16_t> row(static_cast<size_t>(source_values() + (columns.stride + 1) * source.channels));
      for (int64_t i = begin; i < end; ++i) {
        const int64_t plane = i / height, y = i % height;
        filter_rows(plane, y, row.data());
        uint8_t* out = target + i * target_values();
        if (columns.identity) {
          kernels.narrow(row.data(), target_values(), out);
        } else {
          kernels.horizontal_16[kind()](row.data(), columns.filter(), width, out);
        }
        finish(out, 1);
      }
    });
  }

  void horizontal_first() const {
    const int64_t window = *std::max_element(rows.taps.begin(), rows.taps.end());
    const int64_t work = target_values() * (columns.stride * std::max<int64_t>(source.height / height, 1) + rows.stride);
    std::vector<SpreadGroup> groups;
    if (!columns.identity && kernels.can_spread && kernels.can_spread())
      groups = spread_groups(columns.filter(), source.channels, width);
    vision::parallel_for(source.planes * height, grain(work), threads, [&](int64_t begin, int64_t end) {
      FilteredRows filtered(*this, groups, window);
      for (int64_t i = begin; i < end; ++i) {
        const int64_t y = i % height, last = (end - 1) / height == i / height ? (end - 1) % height : height - 1;
        const uint8_t* source_rows =
            filtered.at(i / height, rows.start[y], rows.taps[y], rows.start[last] + rows.taps[last]);
        kernels.vertical_8(source_rows, target_values(),
                           rows.weights.data() + y * rows.stride, rows.taps[y], rows.shift, target_values(),
                           target + i * target_values());
        finish(target + i * target_values(), 1);
      }
    });
  }

  // Source rows after the horizontal pass, made when they are first asked for; as many as fit the cache stay.
  class FilteredRows {
   public:
    FilteredRows(const Task& task, const std::vector<SpreadGroup>& groups, int64_t window)
        : task_(task), groups_(groups), room_(4 * window + 16 + task.kernels.block_rows), size_(task.target_values()),
          rows_(new uint8_t[static_cast<size_t>(room_ * size_ + spread_values)]),
          // A copy of a source row has room behind its end, where the filter reads values of no effect.
          source_row_(static_cast<size_t>(task.source_values() + (task.columns.stride + 1) * task.source.channels +
                                          spread_values)) {}

    // The address of rows first ... first + count - 1, one after the other. Within a plane `first` must not fall. Rows
    // before `end` may be made too.
    const uint8_t* at(int64_t plane, int64_t first, int64_t count, int64_t end) {
      if (plane != plane_ || first >= first_ + made_) {
        plane_ = plane, first_ = first, made_ = 0;
      } else if (first + count > first_ + room_) {
        made_ -= first - first_;
        std::memmove(rows_.get(), rows_.get() + (first - first_) * size_, static_cast<size_t>(made_ * size_));
        first_ = first;
      }
      while (first_ + made_ < first + count) {
        const int64_t y = first_ + made_, most = task_.kernels.block_rows;
        const int64_t together = std::min({most, end - y, room_ - made_});
        if (groups_.empty() && !task_.columns.identity && 2 * together >= most && most > 0) {
          make_block(y, static_cast<int>(together), rows_.get() + made_ * size_);
          made_ += together;
        } else {
          make(y, rows_.get() + made_ * size_);
          ++made_;
        }
      }
      return rows_.get() + (first - first_) * size_;
    }

   private:
    const uint8_t* source_row(int64_t y) const {
      return task_.source.data + plane_ * task_.source.plane_stride + y * task_.source.row_stride;
    }

    void make_block(int64_t y, int count, uint8_t* out) {
      if (!block_) block_ = std::make_unique<Block>(task_);
      for (int r = 0; r < count; ++r) {
        const uint8_t* row = source_row(y + r);
        std::copy(row, row + task_.source_values(), block_->row(r));
      }
      block_->filter(count, 0, out);
    }

    void make(int64_t y, uint8_t* out) {
      const uint8_t* row = source_row(y);
      if (task_.columns.identity) {
        std::memcpy(out, row, static_cast<size_t>(size_));
        return;
      }
      std::memcpy(source_row_.data(), row, static_cast<size_t>(task_.source_values()));
      if (!groups_.empty())  // the last group goes on behind the row, where the next one will be
        return task_.kernels.spread(source_row_.data(), groups_.data(), static_cast<int64_t>(groups_.size()),
                                    task_.columns.shift, out);
      task_.kernels.horizontal_8[task_.kind()](source_row_.data(), task_.columns.filter(), task_.width, out);
    }

    const Task& task_;
    const std::vector<SpreadGroup>& groups_;
    int64_t room_, size_, plane_ = -1, first_ = 0, made_ = 0;
    std::unique_ptr<uint8_t[]> rows_;
    std::vector<uint8_t> source_row_;
    std::unique_ptr<Block> block_;
  };

 private:
  // Rows per thread at least: a thread should have about 50 us to do.
  static int64_t grain(int64_t work_per_row) { return std::max<int64_t>(1, 1000000 / std::max<int64_t>(work_per_row, 1)); }
};

}  // namespace

void resize_u8(const SourceImages& source, uint8_t* target, int64_t target_height, int64_t target_width, Filter filter,
               int threads) {
  resize_window_u8(source, target, target_height, target_width, {0, 0, target_height, target_width, false}, filter,
                   threads);
}

void resize_window_u8(const SourceImages& source, uint8_t* target, int64_t target_height, int64_t target_width,
                      const Window& window, Filter filter, int threads) {
  const bool positive = filter != Filter::bicubic && filter != Filter::lanczos;
  const bool vertical_first = positive && target_height <= source.height;
  // Sums stay within 32 bits: 8-bit pixels times 2^21, and 14-bit values times 2^15.
  Axis rows(source.height, target_height, filter, 21),
      columns(source.width, target_width, filter, vertical_first ? 15 : 21);
  SourceImages used = source;
  if (window.height != target_height || window.width != target_width) {
    rows.keep(window.top, window.height);
    columns.keep(window.left, window.width);
    const auto [first, count] = columns.identity ? std::pair{window.left, window.width} : columns.tighten();
    used.data += first * source.channels;
    used.width = count;
  }
  const Task task{used,    target,  window.height,                    window.width, rows,
                  columns, VISION_SELECT(resize_kernels), threads,      window.mirrored};
  if (vertical_first) {
    task.vertical_first();
  } else {
    task.horizontal_first();
  }
}

}  // namespace vision_core
