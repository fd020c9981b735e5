// Greedy suppression: boxes in order of their scores are compared with the boxes kept before them.
//
// Few kept boxes are compared one chunk after the other. When many are kept, most of them are far away from the next
// candidate; then a grid over the plane finds those that can overlap it. Which way is taken never changes the result:
// boxes that share no cell do not overlap, and what does not overlap is not suppressed (for thresholds of 0 and more).
#include "nms.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "kernels/nms.hpp"
#include "nms_groups.hpp"
#include "vision/thread_pool.hpp"

namespace vision_core {
namespace {

template <class T>
using TestFunction = void (*)(const NmsIndex<T>&, const NmsBoxes<T>&, int64_t, int64_t, uint8_t*);

inline TestFunction<float> test_function(const NmsKernels& kernels, float) { return kernels.test_f32; }
inline TestFunction<double> test_function(const NmsKernels& kernels, double) { return kernels.test_f64; }

// The largest T that is not above `threshold`: for every T `x`, x > threshold and x > at_most(threshold) are the same.
template <class T>
T at_most(double threshold) {
  T rounded = static_cast<T>(threshold);
  if (static_cast<double>(rounded) > threshold) rounded = std::nextafter(rounded, -std::numeric_limits<T>::infinity());
  return rounded;
}

// Chunks that grow, with places for boxes filled from the front.
template <class T>
class ChunkList {
 public:
  void add(T x1, T y1, T x2, T y2, T area) {
    const int place = static_cast<int>(boxes_ % chunk_boxes);
    if (place == 0) values_.resize(values_.size() + chunk_values, std::numeric_limits<T>::quiet_NaN());
    T* p = values_.data() + (boxes_ / chunk_boxes) * chunk_values + place;
    p[0] = x1, p[chunk_boxes] = y1, p[2 * chunk_boxes] = x2, p[3 * chunk_boxes] = y2, p[4 * chunk_boxes] = area;
    ++boxes_;
  }
  void clear() {
    values_.clear();
    boxes_ = 0;
  }
  const T* data() const { return values_.data(); }
  int64_t boxes() const { return boxes_; }
  int64_t chunks() const { return (boxes_ + chunk_boxes - 1) / chunk_boxes; }

 private:
  std::vector<T> values_;
  int64_t boxes_ = 0;
};

template <class T>
class Greedy {
 public:
  Greedy(const NmsBoxes<T>& boxes, int64_t count, T threshold, TestFunction<T> test)
      : boxes_(boxes), count_(count), test_(test) {
    index_.threshold = threshold;
    index_.negative_threshold = threshold < 0;
  }

  // Sets keep[i] of every box; it is also the working memory.
  void run(uint8_t* keep, int threads) {
    int64_t begin = 0;
    for (int64_t check = first_check; begin < count_; ++begin) {
      test_(index_, boxes_, begin, begin + 1, keep);
      keep[begin] = !keep[begin];
      if (keep[begin]) insert(begin);
      if (begin + 1 == check) {  // when what was seen so far tells how the rest will be
        check *= 4;
        if (index_.columns == 0) build_grid(begin + 1);
        if (threads > 1 && cost() * static_cast<double>(count_ - begin) > parallel_pays) {
          ++begin;
          break;
        }
      }
    }
    if (begin < count_) run_blocks(begin, keep, threads);
  }

 private:
  static constexpr int64_t first_check = 512, block = 1024;
  static constexpr double parallel_pays = 2e6;  // chunks to compare with; one takes about 4 ns

  // A block at a time: its boxes are compared with all boxes kept before it by many threads, then those that are left
  // with each other by one.
  void run_blocks(int64_t begin, uint8_t* keep, int threads) {
    const vision::KeepAwake awake;
    ChunkList<T> fresh;
    NmsIndex<T> local;
    local.threshold = index_.threshold;
    local.negative_threshold = index_.negative_threshold;
    for (; begin < count_; begin += block) {
      const int64_t end = std::min(begin + block, count_);
      vision::parallel_for(end - begin, 32, threads, [&](int64_t first, int64_t last) {
        test_(index_, boxes_, begin + first, begin + last, keep);
      });
      fresh.clear();
      for (int64_t i = begin; i < end; ++i) {
        if (!keep[i]) {
          local.kept = fresh.data();
          local.kept_chunks = fresh.chunks();
          test_(local, boxes_, i, i + 1, keep);
        }
        keep[i] = !keep[i];
        if (!keep[i]) continue;
        fresh.add(boxes_.x1[i], boxes_.y1[i], boxes_.x2[i], boxes_.y2[i], boxes_.area[i]);
        insert(i);
      }
    }
  }

  void insert(int64_t i) {
    kept_.add(boxes_.x1[i], boxes_.y1[i], boxes_.x2[i], boxes_.y2[i], boxes_.area[i]);
    kept_positions_.push_back(i);
    index_.kept = kept_.data();
    index_.kept_chunks = kept_.chunks();
    if (index_.columns) insert_into_grid(i);
  }

  void insert_into_grid(int64_t i) {
    const T x1 = boxes_.x1[i], y1 = boxes_.y1[i], x2 = boxes_.x2[i], y2 = boxes_.y2[i];
    const CellRange range = cells_of(index_, x1, y1, x2, y2);
    if (cell_count(range) > max_cells) {
      large_.add(x1, y1, x2, y2, boxes_.area[i]);
      index_.large = large_.data();
      index_.large_chunks = large_.chunks();
      return;
    }
    for (int32_t row = range.first_row; row <= range.last_row; ++row) {
      for (int32_t column = range.first_column; column <= range.last_column; ++column) {
        const int64_t cell = static_cast<int64_t>(row) * index_.columns + column;
        const int place = filled_[cell]++ % chunk_boxes;
        if (place == 0) {
          before_.push_back(head_[cell]);
          head_[cell] = static_cast<int32_t>(before_.size() - 1);
          cells_.resize(cells_.size() + chunk_values, std::numeric_limits<T>::quiet_NaN());
        }
        T* p = cells_.data() + static_cast<int64_t>(head_[cell]) * chunk_values + place;
        p[0] = x1, p[chunk_boxes] = y1, p[2 * chunk_boxes] = x2, p[3 * chunk_boxes] = y2;
        p[4 * chunk_boxes] = boxes_.area[i];
      }
    }
    index_.cells = cells_.data();
    index_.before = before_.data();
  }

  // What a candidate costs at the end, in chunks that it is compared with.
  double cost() const { return index_.columns ? grid_cost_ : list_cost(static_cast<double>(kept_.boxes())); }

  double list_cost(double boxes) const { return boxes / chunk_boxes + 1; }

  // Lays a grid over the plane if it saves time. `seen` boxes were looked at so far.
  void build_grid(int64_t seen) {
    if (index_.negative_threshold || count_ - seen < 256) return;
    const double expected = static_cast<double>(kept_.boxes()) / static_cast<double>(seen) * static_cast<double>(count_);
    double best_cost = 0.5 * list_cost(expected);
    if (best_cost < 4) return;

    // The plane's size from the boxes themselves; far outliers and infinities fall into the outermost cells.
    Extent x(boxes_.x1, boxes_.x2, count_), y(boxes_.y1, boxes_.y2, count_);
    const double size = 0.5 * (x.mean_side + y.mean_side), width = x.last - x.first, height = y.last - y.first;
    if (!(size > 0) || !(width > 0) || !(height > 0)) return;
    double best = 0;
    for (const double cell : {4 * size, 2 * size, size, size / 2, size / 4}) {
      const double columns = width / cell, rows = height / cell;
      if (!(columns * rows <= 4.0 * static_cast<double>(count_)) || columns < 2 || rows < 2) continue;
      const double found = cost_of(cell, expected, columns * rows);
      if (found < best_cost) best_cost = found, best = cell;
    }
    if (best == 0) return;

    index_.left = static_cast<T>(x.first);
    index_.top = static_cast<T>(y.first);
    index_.per_cell = static_cast<T>(1 / best);
    index_.columns = static_cast<int32_t>(width / best) + 1;
    index_.rows = static_cast<int32_t>(height / best) + 1;
    const size_t cells = static_cast<size_t>(index_.columns) * static_cast<size_t>(index_.rows);
    head_.assign(cells, -1);
    filled_.assign(cells, 0);
    index_.head = head_.data();
    grid_cost_ = best_cost;
    for (const int64_t i : kept_positions_) insert_into_grid(i);
  }

  // Chunks that the average of some boxes meets in a grid, where `expected` boxes are kept.
  double cost_of(double cell, double expected, double cells) const {
    const int64_t step = std::max<int64_t>(count_ / 256, 1);
    double touched = 0, small = 0, sampled = 0;
    for (int64_t i = 0; i < count_; i += step) {
      const double w = static_cast<double>(boxes_.x2[i]) - boxes_.x1[i], h = static_cast<double>(boxes_.y2[i]) - boxes_.y1[i];
      sampled += 1;
      if (!(w >= 0) || !(h >= 0)) continue;
      const double count = (w / cell + 1) * (h / cell + 1);
      if (count <= max_cells) touched += count, small += 1;
    }
    if (small == 0) return list_cost(expected);
    const double per_box = touched / small, share = small / sampled;
    const double in_grid = per_box * (1.5 + expected * share * per_box / cells / chunk_boxes) + list_cost(expected * (1 - share));
    return share * in_grid + (1 - share) * list_cost(expected);
  }

  struct Extent {
    double first, last, mean_side;

    Extent(const T* low, const T* high, int64_t count) {
      constexpr double outlier = 8;
      double sum = 0, squares = 0, sides = 0, number = 0;
      for (int64_t i = 0; i < count; ++i) {
        const double middle = 0.5 * (static_cast<double>(low[i]) + high[i]), side = static_cast<double>(high[i]) - low[i];
        if (!(std::fabs(middle) < 1e15) || !(side >= 0) || !(side < 1e15)) continue;
        sum += middle, squares += middle * middle, sides += side, number += 1;
      }
      const double mean = number > 0 ? sum / number : 0;
      const double spread = number > 0 ? std::sqrt(std::max(squares / number - mean * mean, 0.0)) : 0;
      first = std::numeric_limits<double>::infinity(), last = -first;
      for (int64_t i = 0; i < count; ++i) {
        const double a = low[i], b = high[i];
        if (a < first && a >= mean - outlier * spread) first = a;
        if (b > last && b <= mean + outlier * spread) last = b;
      }
      mean_side = number > 0 ? sides / number : 0;
    }
  };

  NmsBoxes<T> boxes_;
  int64_t count_;
  TestFunction<T> test_;
  NmsIndex<T> index_;
  ChunkList<T> kept_, large_;
  std::vector<int64_t> kept_positions_;
  std::vector<T> cells_;
  std::vector<int32_t> head_, before_, filled_;
  double grid_cost_ = 0;
};

}  // namespace

template <class T>
int64_t nms(const T* boxes, const T* scores, const int64_t* groups, int64_t count, double threshold, int threads,
            int64_t* keep) {
  if (count <= 0) return 0;
  const size_t n = static_cast<size_t>(count);
  const GroupedOrder order(scores, groups, count);
  const std::vector<int64_t>& sorted = order.order();
  const TestFunction<T> test = test_function(VISION_SELECT(nms_kernels), T{});
  const T limit = at_most<T>(threshold);

  std::unique_ptr<T[]> columns(new T[5 * n]);
  T *x1 = columns.get(), *y1 = x1 + n, *x2 = y1 + n, *y2 = x2 + n, *area = y2 + n;
  for (size_t i = 0; i < n; ++i) {
    const T* box = boxes + 4 * sorted[i];
    x1[i] = box[0], y1[i] = box[1], x2[i] = box[2], y2[i] = box[3];
    area[i] = (box[2] - box[0]) * (box[3] - box[1]);
  }

  std::unique_ptr<uint8_t[]> kept(new uint8_t[n]);
  for_each_group(order, threads, [&](int64_t begin, int64_t end, int inner_threads) {
    const NmsBoxes<T> part{x1 + begin, y1 + begin, x2 + begin, y2 + begin, area + begin};
    Greedy<T>(part, end - begin, limit, test).run(kept.get() + begin, inner_threads);
  });
  return write_kept(order, kept.get(), keep);
}

template int64_t nms(const float*, const float*, const int64_t*, int64_t, double, int, int64_t*);
template int64_t nms(const double*, const double*, const int64_t*, int64_t, double, int, int64_t*);

}  // namespace vision_core
