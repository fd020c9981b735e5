// To interpolate, the image is first laid out as pixels of 4 bytes with zeros around it: neighbours are then one load each, no position
// needs a check of its own, and the fourth byte tells how much of a result comes from inside the image.
//
// Floor for a result of n pixels: 2 n loads of 8 bytes and about 6 n vector operations on 128 bits.
#include "warp.hpp"

#include <climits>
#include <cmath>
#include <cstring>
#include <memory>

#include "vision/thread_pool.hpp"
#include "warp_positions.hpp"

namespace vision_core {
namespace {

constexpr int64_t block_rows = 8;
class Warp {
 public:
  Warp(const Pixels& source, const Mapping& mapping, const Pixels& target, const float* fill, int threads)
      : kernels_(VISION_SELECT(warp_kernels)), source_(source), target_(target),
        positions_(kernels_, mapping, source, target.height, target.width), fill_(fill), threads_(threads),
        row_bytes_((source.width + 3) * 4),
        packed_(new uint8_t[static_cast<size_t>(row_bytes_ * (source.height + 3))]) {
    // The first row and the last two, and the first column and the last two of the others, are zeros.
    std::memset(packed_.get(), 0, static_cast<size_t>(row_bytes_));
    std::memset(packed_.get() + (source.height + 1) * row_bytes_, 0, static_cast<size_t>(2 * row_bytes_));
    first_ = packed_.get() + row_bytes_ + 4;
  }

  void run() {
    for (int64_t image = 0; image < source_.images; ++image)
      for (int64_t channel = 0; channel < source_.channels; channel += 3) warp(image, channel);
  }

 private:
  void warp(int64_t image, int64_t channel) {
    const int count = static_cast<int>(std::min<int64_t>(source_.channels - channel, 3));
    const uint8_t* from = source_.data + image * source_.image_stride + channel * source_.channel_stride;
    vision::parallel_for(source_.height, std::max<int64_t>(thread_bytes / row_bytes_, 1), threads_,
                         [&](int64_t begin, int64_t end) {
      for (int64_t y = begin; y < end; ++y) {
        Channels row{{}, source_.pixel_stride, count};
        for (int c = 0; c < count; ++c) row.at[c] = from + c * source_.channel_stride + y * source_.row_stride;
        uint8_t* to = first_ + y * row_bytes_;
        std::memset(to - 4, 0, 4);
        std::memset(to + source_.width * 4, 0, 8);
        kernels_.pack(row, source_.width, to);
      }
    });
    uint8_t* to = writable(target_) + image * target_.image_stride + channel * target_.channel_stride;
    // Blocks of the result: whichever way it is turned, neighbouring rows of a block use the same lines of the cache.
    const int64_t work = std::min<int64_t>(target_.width, warp_tile) * block_rows * 16;
    const int64_t across = (target_.width + warp_tile - 1) / warp_tile, down = (target_.height + block_rows - 1) / block_rows;
    vision::parallel_for(across * down, std::max<int64_t>(thread_bytes / work, 1), threads_,
                         [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t x = i % across * warp_tile, first = i / across * block_rows;
        for (int64_t y = first; y < std::min(target_.height, first + block_rows); ++y) {
          MutableChannels out{{}, target_.pixel_stride, count};
          for (int c = 0; c < count; ++c)
            out.at[c] = to + c * target_.channel_stride + y * target_.row_stride + x * target_.pixel_stride;
          tile(x, y, static_cast<int>(std::min<int64_t>(target_.width - x, warp_tile)), fill_ ? fill_ + channel : nullptr,
               out);
        }
      }
    });
  }

  void tile(int64_t x, int64_t y, int count, const float* fill, const MutableChannels& out) const {
    float xs[warp_tile + warp_slack], ys[warp_tile + warp_slack];
    uint8_t pixels[4 * (warp_tile + warp_slack)];
    const PackedImage image{first_, row_bytes_, static_cast<float>(source_.height), static_cast<float>(source_.width)};
    positions_.at(x, y, count, xs, ys);
    kernels_.bilinear(image, xs, ys, count, pixels);
    if (fill) blend_fill(image, xs, ys, count, fill, out.count, pixels);
    kernels_.unpack(pixels, count, out);
  }

  // Pixels from outside take the fill value; those from the border are computed again, with all digits.
  void blend_fill(const PackedImage& image, const float* xs, const float* ys, int count, const float* fill, int channels,
                  uint8_t* pixels) const {
    uint32_t outside;
    uint8_t bytes[4] = {};
    for (int c = 0; c < channels; ++c) bytes[c] = byte_of(fill[c]);
    std::memcpy(&outside, bytes, 4);
    for (int i = 0; i < count; ++i) {
      uint8_t* p = pixels + 4 * i;
      if (i + 8 <= count) {
        const Coverage eight = coverage(p);
        if (eight == Coverage::none)
          for (int k = 0; k < 8; ++k) std::memcpy(p + 4 * k, &outside, 4);
        if (eight != Coverage::some) {
          i += 7;
          continue;
        }
      }
      if (p[3] == 255) continue;
      if (p[3] == 0) {
        std::memcpy(p, &outside, 4);
        continue;
      }
      float inside = 0, values[3] = {};
      weigh(image, xs[i], ys[i], values, inside);
      for (int c = 0; c < channels; ++c) p[c] = byte_of((values[c] - fill[c]) * inside + fill[c]);
    }
  }

  enum class Coverage { none, some, all };

  // How much of eight pixels is inside the image, which their fourth bytes tell.
  static Coverage coverage(const uint8_t* pixels) {
    uint64_t words[4];
    std::memcpy(words, pixels, sizeof(words));
    constexpr uint64_t fourth = 0xff000000ff000000u;
    if ((words[0] & words[1] & words[2] & words[3] & fourth) == fourth) return Coverage::all;
    return ((words[0] | words[1] | words[2] | words[3]) & fourth) == 0 ? Coverage::none : Coverage::some;
  }

  static void weigh(const PackedImage& image, float x, float y, float* values, float& inside) {
    const float left = std::floor(x), top = std::floor(y), right = x - left, bottom = y - top;
    const float weights[4] = {(1 - right) * (1 - bottom), right * (1 - bottom), (1 - right) * bottom, right * bottom};
    const uint8_t* p = image.data + static_cast<int64_t>(top) * image.row_bytes + static_cast<int64_t>(left) * 4;
    for (int k = 0; k < 4; ++k) {
      const uint8_t* neighbour = p + (k >> 1) * image.row_bytes + (k & 1) * 4;
      for (int c = 0; c < 3; ++c) values[c] += weights[k] * static_cast<float>(neighbour[c]);
      inside += weights[k] * (neighbour[3] ? 1.0f : 0.0f);
    }
  }

  const WarpKernels& kernels_;
  const Pixels source_, target_;
  const Positions positions_;
  const float* fill_;
  const int threads_;
  const int64_t row_bytes_;
  std::unique_ptr<uint8_t[]> packed_;
  uint8_t* first_;
};

}  // namespace

void warp_u8(const Pixels& source, const Mapping& mapping, int64_t height, int64_t width, bool bilinear,
             const float* fill, uint8_t* target, int threads) {
  const Pixels result = dense(source, target, source.channels, height, width);
  if (bilinear) {
    Warp(source, mapping, result, fill, threads).run();
  } else if (source.height * source.row_stride < INT_MAX) {
    warp_nearest_u8(source, mapping, result, fill, threads);
  } else {  // rows of a larger image that lie far apart: one by one into a dense copy
    const int64_t pixel = source.interleaved() ? source.channels : 1, row_bytes = source.width * pixel;
    const int64_t plane = source.height * row_bytes, planes = source.channels / pixel;
    std::unique_ptr<uint8_t[]> copy(new uint8_t[static_cast<size_t>(source.images * planes * plane)]);
    for (int64_t i = 0; i < source.images * planes; ++i)
      for (int64_t y = 0; y < source.height; ++y)
        std::memcpy(copy.get() + i * plane + y * row_bytes,
                    source.data + i / planes * source.image_stride + i % planes * source.channel_stride +
                        y * source.row_stride,
                    static_cast<size_t>(row_bytes));
    warp_nearest_u8(dense(source, copy.get(), source.channels, source.height, source.width), mapping, result, fill,
                    threads);
  }
}

}  // namespace vision_core
