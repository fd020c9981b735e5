// Floor: as many bytes read and written as a copy of the result.
#include "copies.hpp"

#include <cstring>
#include <vector>

#include "kernels/copies.hpp"
#include "kernels/flip.hpp"
#include "vision/thread_pool.hpp"

namespace vision_core {
namespace {

// Calls body(source plane, plane number in its image, first row, last row, where the first row of the result goes) for
// pieces of planes.
template <class Body>
void over_rows(const Pixels& p, int64_t height, int64_t row_bytes, uint8_t* target, int threads, const Body& body) {
  const int64_t lanes = p.interleaved() ? p.channels : 1, per_image = p.channels / lanes;
  vision::parallel_for(p.images * per_image * height, std::max<int64_t>(thread_bytes / row_bytes, 1), threads,
                       [&](int64_t begin, int64_t end) {
    while (begin < end) {
      const int64_t plane = begin / height, channel = plane % per_image, y = begin - plane * height;
      const int64_t rows = std::min(height - y, end - begin);
      body(p.data + plane / per_image * p.image_stride + channel * p.channel_stride, channel, y, y + rows,
           target + begin * row_bytes);
      begin += rows;
    }
  });
}

// Where the value at place i outside of 0 ... size - 1 comes from.
int64_t source_of(int64_t i, int64_t size, Border border) {
  if (i >= 0 && i < size) return i;
  switch (border) {
    case Border::constant: return -1;
    case Border::edge: return i < 0 ? 0 : size - 1;
    case Border::reflect: return i < 0 ? -i : 2 * size - 2 - i;
    case Border::symmetric: return i < 0 ? -1 - i : 2 * size - 1 - i;
  }
  return -1;
}

class Pad {
 public:
  Pad(const Pixels& source, int64_t left, int64_t top, int64_t height, int64_t width, Border border, const uint8_t* fill)
      : p_(source), pixel_(source.interleaved() ? source.channels : 1), left_(left), top_(top), width_(width),
        border_(border), row_bytes_(width * pixel_),
        first_(std::clamp<int64_t>(left, 0, width)), last_(std::clamp<int64_t>(left + source.width, first_, width)),
        inside_begin_(std::clamp<int64_t>(top, 0, height)),
        inside_end_(std::clamp<int64_t>(top + source.height, inside_begin_, height)) {
    if (border != Border::constant) return;
    background_.resize(static_cast<size_t>(p_.channels / pixel_ * row_bytes_));
    for (int64_t plane = 0; plane < p_.channels / pixel_; ++plane) {
      uint8_t* row = background_.data() + plane * row_bytes_;
      if (pixel_ == 1) {
        std::memset(row, fill[plane], static_cast<size_t>(row_bytes_));
      } else {
        kernels_.repeat_rows(fill, 0, row, 0, width, static_cast<int>(pixel_), 1);
      }
    }
  }

  // Rows begin ... end - 1 of the result.
  void rows(const uint8_t* plane, int64_t channel, int64_t begin, int64_t end, uint8_t* out) const {
    const uint8_t* empty = border_ == Border::constant ? background_.data() + (pixel_ == 1 ? channel * row_bytes_ : 0)
                                                       : nullptr;
    // A few rows at a time, so that the cache still holds them when their borders come.
    const int64_t together = std::max<int64_t>((1 << 14) / row_bytes_, 1);
    for (int64_t y = begin; y < end;) {
      int64_t count = 1;
      if (y >= inside_begin_ && y < inside_end_) {
        count = std::min({together, inside_end_ - y, end - y});
        block(plane + (y - top_) * p_.row_stride, empty, count, out);
      } else if (border_ == Border::constant) {
        count = (y < inside_begin_ ? std::min(inside_begin_, end) : end) - y;
        kernels_.copy_rows(empty, 0, out, row_bytes_, row_bytes_, count);
      } else {
        block(plane + source_of(y - top_, p_.height, border_) * p_.row_stride, empty, 1, out);
      }
      y += count, out += count * row_bytes_;
    }
  }

 private:
  void block(const uint8_t* row, const uint8_t* empty, int64_t count, uint8_t* out) const {
    side(row, empty, 0, first_, count, out);
    if (last_ > first_)
      kernels_.copy_rows(row + (first_ - left_) * pixel_, p_.row_stride, out + first_ * pixel_, row_bytes_,
                         (last_ - first_) * pixel_, count);
    side(row, empty, last_, width_, count, out);
  }

  void side(const uint8_t* row, const uint8_t* empty, int64_t begin, int64_t end, int64_t count, uint8_t* out) const {
    if (begin == end) return;
    uint8_t* to = out + begin * pixel_;
    if (border_ == Border::constant) {
      kernels_.copy_rows(empty + begin * pixel_, 0, to, row_bytes_, (end - begin) * pixel_, count);
      return;
    }
    const uint8_t* from = row + source_of(begin - left_, p_.width, border_) * pixel_;
    const auto copy = border_ == Border::edge ? kernels_.repeat_rows : kernels_.mirror_rows;
    copy(from, p_.row_stride, to, row_bytes_, end - begin, static_cast<int>(pixel_), count);
  }

  const CopyKernels& kernels_ = VISION_SELECT(copy_kernels);
  const Pixels p_;
  const int64_t pixel_, left_, top_, width_;
  const Border border_;
  const int64_t row_bytes_;
  const int64_t first_, last_;  // columns of the result inside the image; where none are, both are the same
  const int64_t inside_begin_, inside_end_;  // rows
  std::vector<uint8_t> background_;
};

}  // namespace

void flip_u8(const Pixels& p, bool horizontal, uint8_t* target, int threads) {
  const FlipKernels& kernels = VISION_SELECT(flip_kernels);
  const CopyKernels& copies = VISION_SELECT(copy_kernels);
  const int64_t pixel = p.interleaved() ? p.channels : 1, row_bytes = p.width * pixel;
  over_rows(p, p.height, row_bytes, target, threads,
            [&](const uint8_t* plane, int64_t, int64_t begin, int64_t end, uint8_t* out) {
    if (!horizontal) {
      copies.copy_rows(plane + (p.height - 1 - begin) * p.row_stride, -p.row_stride, out, row_bytes, row_bytes,
                       end - begin);
      return;
    }
    for (int64_t y = begin; y < end; ++y, out += row_bytes)
      kernels.reverse(plane + y * p.row_stride, p.width, static_cast<int>(pixel), out);
  });
}

void pad_u8(const Pixels& p, int64_t left, int64_t top, int64_t height, int64_t width, Border border,
            const uint8_t* fill, uint8_t* target, int threads) {
  const Pad pad(p, left, top, height, width, border, fill);
  over_rows(p, height, width * (p.interleaved() ? p.channels : 1), target, threads,
            [&](const uint8_t* plane, int64_t channel, int64_t begin, int64_t end, uint8_t* out) {
    pad.rows(plane, channel, begin, end, out);
  });
}

}  // namespace vision_core
