#include "region_maximum.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <new>
#include <vector>

#include "kernels/region_maximum.hpp"
#include "region_scratch.hpp"
#include "vision/thread_pool.hpp"

namespace vision_core {
namespace {

constexpr double worth_a_thread = 60000;  // comparisons

const MaxFunctions<float>& functions_of(const MaxKernels& kernels, float) { return kernels.f32; }
const MaxFunctions<double>& functions_of(const MaxKernels& kernels, double) { return kernels.f64; }

// The ranges of the bins of a box along one axis; both corners belong to the box.
template <class B>
void bin_ranges(B first, B last, double scale, int64_t bins, int64_t pixels, int32_t* begin, int32_t* end) {
  first = std::round(first * static_cast<B>(scale));
  last = std::round(last * static_cast<B>(scale));
  const bool finite = std::isfinite(first) && std::isfinite(last);
  const B size = std::max(last - first + 1, B(1)) / static_cast<B>(bins), limit = static_cast<B>(pixels);
  for (int64_t bin = 0; bin < bins; ++bin) {
    const B start = std::floor(static_cast<B>(bin) * size) + first, stop = std::ceil(static_cast<B>(bin + 1) * size) + first;
    begin[bin] = finite && start > 0 ? static_cast<int32_t>(std::min(start, limit)) : 0;
    end[bin] = finite && stop > 0 ? static_cast<int32_t>(std::min(stop, limit)) : 0;
  }
}

// The boxes of each image, in their order.
template <class Image>
void group(int64_t images, int64_t boxes, Image&& image, std::vector<int64_t>& begin, std::vector<int64_t>& order) {
  begin.assign(static_cast<size_t>(images) + 1, 0);
  order.resize(static_cast<size_t>(boxes));
  for (int64_t k = 0; k < boxes; ++k) ++begin[static_cast<size_t>(image(k)) + 1];
  for (size_t i = 1; i < begin.size(); ++i) begin[i] += begin[i - 1];
  std::vector<int64_t> next(begin.begin(), begin.end() - 1);
  for (int64_t k = 0; k < boxes; ++k) order[static_cast<size_t>(next[static_cast<size_t>(image(k))]++)] = k;
}

// plane[places[i]] += bins[i]; places outside of the plane are passed over.
template <class T>
inline void add_at(const T* bins, const int32_t* places, int64_t count, T* plane, int64_t pixels) {
  for (int64_t i = 0; i < count; ++i)
    if (static_cast<uint64_t>(static_cast<int64_t>(places[i])) < static_cast<uint64_t>(pixels)) plane[places[i]] += bins[i];
}

template <class T>
class Job {
 public:
  Job(const MaxShape& shape, double scale)
      : shape_(shape), scale_(scale), kernels_(functions_of(VISION_SELECT(max_kernels), T{})) {
    bins_ = shape.row_bins * shape.column_bins;
    pixels_ = shape.height * shape.width;
    blocks_ = (shape.channels + lanes - 1) / lanes;
  }

  template <class B>
  void run(const T* image, const B* boxes, T* bins, int32_t* places) {
    if (bins_ == 0 || shape_.channels == 0 || shape_.boxes == 0) return;
    plan(boxes);
    for (int64_t n = 0; n < shape_.images; ++n) {
      first_ = image_begin_[static_cast<size_t>(n)];
      count_ = image_begin_[static_cast<size_t>(n) + 1] - first_;
      if (count_ == 0) continue;
      double seen = 0;
      for (int64_t k = 0; k < count_; ++k) seen += pixels_of(region(k));
      threads_ = (seen + static_cast<double>(count_ * bins_)) * static_cast<double>(shape_.channels) < worth_a_thread
                     ? 1
                     : shape_.threads;
      const T* from = image + n * shape_.channels * pixels_;
      if (shape_.channels * 2 >= lanes && seen >= static_cast<double>(pixels_))
        pool_packed(from, bins, places);
      else
        pool_planes(from, bins, places);
    }
    if (failed_) throw std::bad_alloc();
  }

 private:
  static constexpr int lanes = region_lanes<T>;

  template <class B>
  void plan(const B* boxes) {
    const int64_t per_box = 2 * (shape_.row_bins + shape_.column_bins);
    ranges_.resize(static_cast<size_t>(shape_.boxes * per_box));
    for (int64_t k = 0; k < shape_.boxes; ++k) {
      const B* box = boxes + 5 * k;
      int32_t* p = ranges_.data() + k * per_box;
      bin_ranges(box[2], box[4], scale_, shape_.row_bins, shape_.height, p, p + shape_.row_bins);
      p += 2 * shape_.row_bins;
      bin_ranges(box[1], box[3], scale_, shape_.column_bins, shape_.width, p, p + shape_.column_bins);
    }
    group(shape_.images, shape_.boxes, [boxes](int64_t k) { return static_cast<int64_t>(boxes[5 * k]); }, image_begin_, order_);
  }

  int64_t number(int64_t k) const { return order_[static_cast<size_t>(first_ + k)]; }

  MaxRegion region(int64_t k) const {
    const int32_t* p = ranges_.data() + number(k) * 2 * (shape_.row_bins + shape_.column_bins);
    const int32_t* columns = p + 2 * shape_.row_bins;
    return {static_cast<int32_t>(shape_.row_bins), static_cast<int32_t>(shape_.column_bins), p, p + shape_.row_bins,
            columns, columns + shape_.column_bins};
  }

  // About how many pixels the bins of a box cover.
  static double pixels_of(const MaxRegion& box) {
    const int rows = box.row_end[box.row_bins - 1] - box.row_begin[0];
    const int columns = box.column_end[box.column_bins - 1] - box.column_begin[0];
    return static_cast<double>(std::max(rows, 0)) * std::max(columns, 0);
  }

  void pool_packed(const T* image, T* bins, int32_t* places) {
    const int64_t parts = std::min<int64_t>(blocks_ >= 2 * threads_ ? 1 : 2 * threads_ / blocks_ + 1, count_ / 8 + 1);
    vision::parallel_for(blocks_ * parts, 1, threads_, [&](int64_t begin, int64_t end) {
      const Scratch<T> packed(pixels_ * lanes), tile(bins_ * lanes);
      const Scratch<int32_t> place_tile(places ? bins_ * lanes : 0);
      if (!packed.get() || !tile.get() || !place_tile.get()) {
        failed_ = true;
        return;
      }
      int64_t in_memory = -1;
      for (int64_t item = begin; item < end; ++item) {
        const int64_t block = item / parts, part = item % parts;
        const int channels = static_cast<int>(std::min<int64_t>(shape_.channels - block * lanes, lanes));
        if (block != in_memory) kernels_.pack(image + block * lanes * pixels_, pixels_, pixels_, channels, packed.get());
        in_memory = block;
        for (int64_t k = part * count_ / parts; k < (part + 1) * count_ / parts; ++k) {
          const int64_t target = (number(k) * shape_.channels + block * lanes) * bins_;
          kernels_.pool(region(k), packed.get(), shape_.width, tile.get(), places ? place_tile.get() : nullptr);
          kernels_.unpack(tile.get(), bins_, channels, bins + target, bins_);
          if (places) kernels_.unpack_places(place_tile.get(), bins_, channels, places + target, bins_);
        }
      }
    });
  }

  void pool_planes(const T* image, T* bins, int32_t* places) {
    vision::parallel_for(count_ * shape_.channels, 1, threads_, [&](int64_t begin, int64_t end) {
      const Scratch<T> columns(shape_.width);
      if (!columns.get()) {
        failed_ = true;
        return;
      }
      for (int64_t item = begin; item < end; ++item) {
        const int64_t k = item / shape_.channels, channel = item % shape_.channels;
        const int64_t target = (number(k) * shape_.channels + channel) * bins_;
        kernels_.pool_plane(region(k), image + channel * pixels_, shape_.width, columns.get(), bins + target,
                            places ? places + target : nullptr);
      }
    });
  }

  MaxShape shape_;
  double scale_;
  const MaxFunctions<T>& kernels_;
  int64_t bins_, pixels_, blocks_, first_ = 0, count_ = 0;
  int threads_ = 1;
  std::vector<int32_t> ranges_;
  std::vector<int64_t> image_begin_, order_;
  std::atomic<bool> failed_{false};
};

}  // namespace

template <class T, class B>
void max_regions(const MaxShape& shape, const T* image, const B* boxes, double scale, T* bins, int32_t* places) {
  Job<T>(shape, scale).run(image, boxes, bins, places);
}

template <class T, class B>
void spread_max_regions(const MaxShape& shape, const T* bins, const B* boxes, const int32_t* places, T* image) {
  std::vector<int64_t> begin, order;
  group(shape.images, shape.boxes, [boxes](int64_t k) { return static_cast<int64_t>(boxes[5 * k]); }, begin, order);
  const int64_t pixels = shape.height * shape.width, per_box = shape.row_bins * shape.column_bins;
  const double work = static_cast<double>(shape.images * pixels + shape.boxes * per_box) * static_cast<double>(shape.channels);
  const int threads = work < worth_a_thread ? 1 : shape.threads;
  // A plane belongs to one thread, and gets its sums in the order of the boxes. As many planes as possible at a time:
  // then bins are read in long runs, at the speed of memory. Planes that no cache holds are better taken one by one.
  const bool cached = pixels * shape.channels * static_cast<int64_t>(sizeof(T)) <= int64_t{1} << 23;
  const int64_t group_size = cached ? (shape.channels + threads - 1) / threads : 1;
  const int64_t groups = group_size > 0 ? (shape.channels + group_size - 1) / group_size : 0;
  vision::parallel_for(shape.images * groups, 1, threads, [&](int64_t first, int64_t last) {
    for (int64_t item = first; item < last; ++item) {
      const int64_t n = item / groups, channel = item % groups * group_size;
      const int64_t channels = std::min(group_size, shape.channels - channel);
      T* planes = image + (n * shape.channels + channel) * pixels;
      fill_zeros(planes, channels * pixels);
      for (int64_t k = begin[static_cast<size_t>(n)]; k < begin[static_cast<size_t>(n) + 1]; ++k) {
        const int64_t at = (order[static_cast<size_t>(k)] * shape.channels + channel) * per_box;
        for (int64_t c = 0; c < channels; ++c)
          add_at(bins + at + c * per_box, places + at + c * per_box, per_box, planes + c * pixels, pixels);
      }
    }
  });
}

#define VISION_MAX(T)                                                                                          \
  template void max_regions(const MaxShape&, const T*, const float*, double, T*, int32_t*);                    \
  template void max_regions(const MaxShape&, const T*, const double*, double, T*, int32_t*);                   \
  template void spread_max_regions(const MaxShape&, const T*, const float*, const int32_t*, T*);               \
  template void spread_max_regions(const MaxShape&, const T*, const double*, const int32_t*, T*);
VISION_MAX(float)
VISION_MAX(double)

}  // namespace vision_core
