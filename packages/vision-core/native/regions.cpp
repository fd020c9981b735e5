// Which way is taken for each image:
//   packed  many boxes: blocks of channels are transposed once, and each block serves all boxes while it is in the cache
//   plane   few boxes or channels: pixels are read where they are
// Work is divided by images and blocks of channels. Transposed, no two threads write to the same pixel, and the sums
// are made in the order of the boxes, however many threads there are.
#include "regions.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>
#include <vector>

#include "region_scratch.hpp"
#include "vision/thread_pool.hpp"

namespace vision_core {
namespace {

constexpr double worth_a_thread = 60000;  // multiplications

const RegionFunctions<float>& functions_of(const RegionKernels& kernels, float) { return kernels.f32; }
const RegionFunctions<double>& functions_of(const RegionKernels& kernels, double) { return kernels.f64; }

template <class T>
class Job {
 public:
  static constexpr int lanes = region_lanes<T>;

  Job(const RegionGrid& grid, const RegionShape& shape)
      : grid_(grid), shape_(shape), plan_(grid), kernels_(functions_of(VISION_SELECT(region_kernels), T{})) {
    pixels_ = grid.pixels[0] * grid.pixels[1] * grid.pixels[2];
    bins_ = grid.bins[0] * grid.bins[1] * grid.bins[2];
    sensitive_ = grid.kind == RegionKind::sensitive_align || grid.kind == RegionKind::sensitive_pool;
    width_ = grid.pixels[2];
    blocks_ = (shape.channels + lanes - 1) / lanes;
  }

  template <class B>
  void pool(const T* image, const B* boxes, T* bins) {
    if (bins_ == 0 || shape_.channels == 0) return;
    for (int64_t begin = 0; begin < shape_.boxes;) {
      begin = plan_.build(boxes, begin, shape_.boxes);
      for (int64_t n = 0; n < grid_.images; ++n) {
        choose(n);
        if (count_ == 0) continue;
        const T* from = image + n * shape_.channels * pixels_;
        if (sensitive_)
          pool_sensitive(from, bins);
        else if (packed_ || shape_.channels_last)
          pool_packed(from, bins);
        else
          pool_planes(from, bins);
      }
    }
    if (failed_) throw std::bad_alloc();
  }

  template <class B>
  void spread(const T* bins, const B* boxes, T* image) {
    std::vector<uint8_t> written(static_cast<size_t>(grid_.images), 0);
    for (int64_t begin = 0; begin < shape_.boxes && bins_ > 0 && shape_.channels > 0;) {
      begin = plan_.build(boxes, begin, shape_.boxes);
      for (int64_t n = 0; n < grid_.images; ++n) {
        choose(n);
        if (count_ == 0) continue;
        T* to = image + n * shape_.channels * pixels_;
        const bool fresh = !written[static_cast<size_t>(n)];
        written[static_cast<size_t>(n)] = 1;
        if (sensitive_)
          spread_sensitive(bins, to, fresh);
        else if (packed_)
          spread_packed(bins, to, fresh);
        else
          spread_planes(bins, to, fresh);
      }
    }
    for (int64_t n = 0; n < grid_.images; ++n)
      if (!written[static_cast<size_t>(n)]) clear(image + n * shape_.channels * pixels_, shape_.channels * pixels_);
    if (failed_) throw std::bad_alloc();
  }

 private:
  // Selects an image, and how its boxes are worked on.
  void choose(int64_t n) {
    first_ = plan_.image_begin()[static_cast<size_t>(n)];
    count_ = plan_.image_begin()[static_cast<size_t>(n) + 1] - first_;
    double sums = 0, rows = 0;
    for (int64_t k = 0; k < count_; ++k) {
      const Region<T>& box = region(k);
      if (box.rotated) {
        sums += box.pixel_begin[bins_];
      } else {
        sums += static_cast<double>(box.row_bins) * box.column_begin[box.column_bins];
        rows += static_cast<double>(box.row_begin[box.row_bins]) * box.column_count;
      }
    }
    packed_ = shape_.channels * 2 >= lanes && sums >= static_cast<double>(pixels_);
    const double work = (sums + rows) * static_cast<double>(shape_.channels);
    threads_ = work < worth_a_thread ? 1 : shape_.threads;
  }

  const Region<T>& region(int64_t k) const { return plan_.regions()[static_cast<size_t>(first_ + k)]; }
  int64_t number(int64_t k) const { return plan_.numbers()[static_cast<size_t>(first_ + k)]; }

  void clear(T* values, int64_t count) {
    vision::parallel_for(count, 1 << 20, shape_.threads, [&](int64_t begin, int64_t end) {
      fill_zeros(values + begin, end - begin);
    });
  }

  int block_channels(int64_t block) const {
    return static_cast<int>(std::min<int64_t>(shape_.channels - block * lanes, lanes));
  }

  void pack(const T* image, int64_t block, T* packed) const {
    const int channels = block_channels(block);
    if (!shape_.channels_last) return kernels_.pack(image + block * lanes * pixels_, pixels_, pixels_, channels, packed);
    for (int64_t p = 0; p < pixels_; ++p) {
      T* to = packed + p * lanes;
      std::memcpy(to, image + p * shape_.channels + block * lanes, static_cast<size_t>(channels) * sizeof(T));
      for (int c = channels; c < lanes; ++c) to[c] = 0;
    }
  }

  // Where there are fewer blocks than threads, the boxes are divided as well. Few boxes of a channels-last image are
  // read in place; then the last block begins earlier, so that it is whole, and only its own channels are written.
  void pool_packed(const T* image, T* bins) {
    const int64_t parts = std::min<int64_t>(blocks_ >= 2 * threads_ ? 1 : 2 * threads_ / blocks_ + 1, count_ / 8 + 1);
    vision::parallel_for(blocks_ * parts, 1, threads_, [&](int64_t begin, int64_t end) {
      const Scratch<T> sums(width_ * lanes), tile(bins_ * lanes), packed(packed_ ? pixels_ * lanes : 0);
      if (!sums.get() || !tile.get() || !packed.get()) {
        failed_ = true;
        return;
      }
      int64_t in_memory = -1;
      for (int64_t item = begin; item < end; ++item) {
        const int64_t block = item / parts, part = item % parts;
        const T* from = packed.get();
        int skipped = 0;
        if (packed_ && block != in_memory) pack(image, in_memory = block, packed.get());
        if (!packed_) {
          const int64_t first = std::min(block * lanes, shape_.channels - lanes);
          from = image + first;
          skipped = static_cast<int>(block * lanes - first);
        }
        for (int64_t k = part * count_ / parts; k < (part + 1) * count_ / parts; ++k) {
          kernels_.pool(region(k), from, packed_ ? lanes : shape_.channels, width_, sums.get(), tile.get());
          kernels_.unpack(tile.get() + skipped, bins_, block_channels(block),
                          bins + (number(k) * shape_.channels + block * lanes) * bins_, bins_);
        }
      }
    });
  }

  void spread_packed(const T* bins, T* image, bool fresh) {
    vision::parallel_for(blocks_, 1, threads_, [&](int64_t begin, int64_t end) {
      const Scratch<T> sums(width_ * lanes), tile(bins_ * lanes), packed(pixels_ * lanes);
      if (!sums.get() || !tile.get() || !packed.get()) {
        failed_ = true;
        return;
      }
      for (int64_t block = begin; block < end; ++block) {
        if (fresh)
          fill_zeros(packed.get(), pixels_ * lanes);
        else
          pack(image, block, packed.get());
        const int channels = block_channels(block);
        for (int64_t k = 0; k < count_; ++k) {
          kernels_.pack(bins + (number(k) * shape_.channels + block * lanes) * bins_, bins_, bins_, channels, tile.get());
          kernels_.spread(region(k), tile.get(), width_, sums.get(), packed.get());
        }
        kernels_.unpack(packed.get(), pixels_, channels, image + block * lanes * pixels_, pixels_);
      }
    });
  }

  void pool_planes(const T* image, T* bins) {
    vision::parallel_for(count_ * shape_.channels, 1, threads_, [&](int64_t begin, int64_t end) {
      const Scratch<T> sums(width_);
      if (!sums.get()) {
        failed_ = true;
        return;
      }
      for (int64_t item = begin; item < end; ++item) {
        const int64_t k = item / shape_.channels, channel = item % shape_.channels;
        kernels_.pool_plane(region(k), image + channel * pixels_, width_, sums.get(),
                            bins + (number(k) * shape_.channels + channel) * bins_);
      }
    });
  }

  void spread_planes(const T* bins, T* image, bool fresh) {
    const int threads = fresh && shape_.channels * pixels_ > (1 << 17) ? shape_.threads : threads_;
    vision::parallel_for(shape_.channels, 1, threads, [&](int64_t begin, int64_t end) {
      const Scratch<T> sums(width_);
      if (!sums.get()) {
        failed_ = true;
        return;
      }
      for (int64_t channel = begin; channel < end; ++channel) {
        T* plane = image + channel * pixels_;
        if (fresh) fill_zeros(plane, pixels_);
        for (int64_t k = 0; k < count_; ++k)
          kernels_.spread_plane(region(k), bins + (number(k) * shape_.channels + channel) * bins_, width_, sums.get(),
                                plane);
      }
    });
  }

  // Each bin has a plane of its own: plane by plane, for all boxes. Boxes of one image lie apart in `bins`, as far as
  // their numbers do, so they are passed one run of consecutive numbers at a time.
  template <class Function>
  void for_runs(Function&& function) const {
    for (int64_t k = 0; k < count_;) {
      int64_t end = k + 1;
      while (end < count_ && number(end) == number(end - 1) + 1) ++end;
      function(&region(k), end - k, number(k));
      k = end;
    }
  }

  void pool_sensitive(const T* image, T* bins) {
    const int64_t columns = grid_.bins[2], per_box = shape_.channels;  // channels * bins of the result
    vision::parallel_for(shape_.channels, 1, threads_, [&](int64_t begin, int64_t end) {
      for (int64_t plane = begin; plane < end; ++plane) {
        const int row = static_cast<int>(plane % bins_ / columns), column = static_cast<int>(plane % columns);
        for_runs([&](const Region<T>* boxes, int64_t count, int64_t box) {
          kernels_.pool_bin(boxes, count, row, column, image + plane * pixels_, width_, bins + box * per_box + plane,
                            per_box);
        });
      }
    });
  }

  void spread_sensitive(const T* bins, T* image, bool fresh) {
    const int64_t columns = grid_.bins[2], per_box = shape_.channels;
    const int threads = fresh && shape_.channels * pixels_ > (1 << 17) ? shape_.threads : threads_;
    vision::parallel_for(shape_.channels, 1, threads, [&](int64_t begin, int64_t end) {
      for (int64_t plane = begin; plane < end; ++plane) {
        const int row = static_cast<int>(plane % bins_ / columns), column = static_cast<int>(plane % columns);
        T* to = image + plane * pixels_;
        if (fresh) fill_zeros(to, pixels_);
        for_runs([&](const Region<T>* boxes, int64_t count, int64_t box) {
          kernels_.spread_bin(boxes, count, row, column, bins + box * per_box + plane, per_box, width_, to);
        });
      }
    });
  }

  RegionGrid grid_;
  RegionShape shape_;
  RegionPlan<T> plan_;
  const RegionFunctions<T>& kernels_;
  int64_t pixels_, bins_, width_, blocks_;
  int64_t first_ = 0, count_ = 0;
  int threads_ = 1;
  bool sensitive_, packed_ = false;
  std::atomic<bool> failed_{false};
};

}  // namespace

template <class T, class B>
void pool_regions(const RegionGrid& grid, const RegionShape& shape, const T* image, const B* boxes, T* bins) {
  Job<T>(grid, shape).pool(image, boxes, bins);
}

template <class T, class B>
void spread_regions(const RegionGrid& grid, const RegionShape& shape, const T* bins, const B* boxes, T* image) {
  Job<T>(grid, shape).spread(bins, boxes, image);
}

#define VISION_REGIONS(T, B)                                                                                   \
  template void pool_regions(const RegionGrid&, const RegionShape&, const T*, const B*, T*);                   \
  template void spread_regions(const RegionGrid&, const RegionShape&, const T*, const B*, T*);
VISION_REGIONS(float, float)
VISION_REGIONS(float, double)
VISION_REGIONS(double, float)
VISION_REGIONS(double, double)

}  // namespace vision_core
