// Interleaved pixels, and single planes, are taken from where they lie. Three planes are laid out as pixels of 4 bytes
// first: then a pixel is one load and one store, not three of each.
//
// Floor for a result of n pixels: n loads and n stores, and about 1.5 n vector operations for the positions.
#include <algorithm>
#include <memory>
#include <vector>

#include "vision/thread_pool.hpp"
#include "warp_positions.hpp"

namespace vision_core {
namespace {

// A run of a turned image's row lies in about as many rows of the source. Each of those is a page of its own, of which
// the processor remembers some 70 at a time.
constexpr int64_t tile = 128, block_rows = 8;

class Picker {
 public:
  Picker(const Pixels& source, const Mapping& mapping, const Pixels& target, const float* fill)
      : kernels_(VISION_SELECT(warp_kernels)), source_(source), target_(target),
        positions_(kernels_, mapping, source, target.height, target.width), packs_(!source.interleaved() && source.channels == 3),
        size_(source.interleaved() ? static_cast<int>(source.channels) : packs_ ? 4 : 1),
        row_bytes_(packs_ ? 4 * source.width : source.row_stride),
        places_{static_cast<int32_t>(row_bytes_), size_, static_cast<int32_t>(source.height),
                static_cast<int32_t>(source.width)},
        fill_(static_cast<size_t>(source.channels + 1), 0) {
    for (int64_t c = 0; c < source.channels && fill; ++c) fill_[static_cast<size_t>(c)] = byte_of(fill[c]);
    if (packs_) packed_.reset(new uint8_t[static_cast<size_t>(row_bytes_ * source.height)]);
  }

  void run(int threads) const {
    const int64_t across = (target_.width + tile - 1) / tile, down = (target_.height + block_rows - 1) / block_rows;
    const int64_t work = std::min(target_.width, tile) * block_rows * 8;
    for (int64_t image = 0; image < target_.images; ++image) {
      if (packs_) pack(image, threads);
      vision::parallel_for(across * down, std::max<int64_t>(thread_bytes / work, 1), threads,
                           [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
          const int64_t x = i % across * tile, first = i / across * block_rows;
          for (int64_t y = first; y < std::min(target_.height, first + block_rows); ++y)
            row(image, x, y, static_cast<int>(std::min(target_.width - x, tile)));
        }
      });
    }
  }

 private:
  void pack(int64_t image, int threads) const {
    const uint8_t* from = source_.data + image * source_.image_stride;
    vision::parallel_for(source_.height, std::max<int64_t>(thread_bytes / row_bytes_, 1), threads,
                         [&](int64_t begin, int64_t end) {
      for (int64_t y = begin; y < end; ++y) {
        const uint8_t* row = from + y * source_.row_stride;
        kernels_.pack({{row, row + source_.channel_stride, row + 2 * source_.channel_stride}, 1, 3}, source_.width,
                      packed_.get() + y * row_bytes_);
      }
    });
  }

  void row(int64_t image, int64_t x, int64_t y, int count) const {
    float xs[tile + warp_slack], ys[tile + warp_slack];
    int32_t offsets[tile + warp_slack];
    positions_.at(x, y, count, xs, ys);
    const int found = kernels_.locate(places_, xs, ys, count, offsets);
    uint8_t* to = writable(target_) + image * target_.image_stride + y * target_.row_stride + x * target_.pixel_stride;
    if (packs_) {
      uint8_t pixels[4 * tile];
      kernels_.pick(packed_.get(), offsets, count, 4, found, fill_.data(), pixels);
      kernels_.unpack(pixels, count, {{to, to + target_.channel_stride, to + 2 * target_.channel_stride}, 1, 3});
      return;
    }
    for (int64_t c = 0; c < source_.channels; c += size_)
      kernels_.pick(source_.data + image * source_.image_stride + c * source_.channel_stride, offsets, count, size_, found,
                    fill_.data() + c, to + c * target_.channel_stride);
  }

  const WarpKernels& kernels_;
  const Pixels source_, target_;
  const Positions positions_;
  const bool packs_;
  const int size_;  // bytes of what is taken at once
  const int64_t row_bytes_;
  const Places places_;
  std::vector<uint8_t> fill_;
  std::unique_ptr<uint8_t[]> packed_;
};

}  // namespace

void warp_nearest_u8(const Pixels& source, const Mapping& mapping, const Pixels& target, const float* fill, int threads) {
  Picker(source, mapping, target, fill).run(threads);
}

}  // namespace vision_core
