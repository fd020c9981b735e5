#include "shape_yuv.hpp"

#include "scratch.hpp"

namespace vision_io {
namespace {

thread_local Scratch ring_memory;

// The part of the picture that begins at (top, left), where a chroma sample begins as well: it stays with its pixels.
YuvPicture part_of(const YuvPicture& p, int top, int left, int height, int width) {
  YuvPicture part = p;
  const auto right = [&](int shift) { return static_cast<ptrdiff_t>(left >> shift) * p.sample_bytes; };
  part.y += top * p.y_stride + right(0);
  part.u += (top >> p.chroma_shift_y) * p.u_stride + right(p.chroma_shift_x) * p.chroma_step;
  part.v += (top >> p.chroma_shift_y) * p.v_stride + right(p.chroma_shift_x) * p.chroma_step;
  part.height = height;
  part.width = width;
  return part;
}

// RGB rows of a picture, made two at a time from top to bottom; the newest `capacity` of them are in memory.
class RowRing {
 public:
  RowRing(const YuvPicture& picture, const YuvColour& colour, uint8_t* memory, int capacity, ptrdiff_t stride)
      : picture_(picture), colour_(colour), kernels_(VISION_SELECT(yuv_kernels)), memory_(memory), capacity_(capacity),
        stride_(stride) {}

  void skip_to(int y) {
    if (y > done_) done_ = y & ~1;
  }

  void make_until(int end) {
    for (; done_ < end; done_ += 2) {
      const int rows = picture_.height - done_ < 2 ? picture_.height - done_ : 2;
      const YuvPicture pair = part_of(picture_, done_, 0, rows, picture_.width);
      const Destination to{memory_ + (done_ % capacity_) * stride_, capacity_ * stride_, stride_};
      if (colour_.fixed)
        kernels_.fixed_420(pair, *colour_.fixed, to);
      else
        kernels_.exact(pair, *colour_.exact, to);
    }
  }

  const uint8_t* row(int channel, int y) const { return memory_ + (static_cast<ptrdiff_t>(channel) * capacity_ + y % capacity_) * stride_; }

 private:
  YuvPicture picture_;
  YuvColour colour_;
  const YuvKernels& kernels_;
  uint8_t* memory_;
  int capacity_;
  ptrdiff_t stride_;
  int done_ = 0;
};

}  // namespace

bool shape_yuv(const YuvPicture& picture, const YuvColour& colour, const Region& region, const FloatTarget& to) {
  const int group = picture.chroma_shift_x > 1 ? 1 << picture.chroma_shift_x : 2;
  const int top = region.top & ~1, left = region.left & ~(group - 1);
  const int height = region.top + region.height - top;
  // An even width, where there is one, so that vectors of pixel pairs reach its end.
  const int right = region.left + region.width, even = right + (right & 1);
  const int width = (even < picture.width ? even : picture.width) - left;
  // One more row where the region ends between two that share their chroma.
  const int below = height + ((height & 1) && top + height < picture.height ? 1 : 0);
  RowResizer resizer;
  if (!resizer.start(3, region.height, region.width, to)) return false;
  const int capacity = (resizer.most_rows() + 5) & ~1, down = region.top - top, across = region.left - left;
  const ptrdiff_t stride = (static_cast<ptrdiff_t>(width) + 63) / 64 * 64;
  const size_t pointers = 3 * static_cast<size_t>(resizer.most_rows()) * sizeof(uint8_t*);
  unsigned char* memory = ring_memory.at_least(3 * static_cast<size_t>(capacity) * static_cast<size_t>(stride) + pointers);
  if (!memory) return false;
  const auto** rows = reinterpret_cast<const uint8_t**>(memory);
  RowRing ring(part_of(picture, top, left, below, width), colour, memory + pointers, capacity, stride);
  for (int y = 0; y < to.height; ++y) {
    const int first = resizer.first(y) + down, count = resizer.count(y);
    ring.skip_to(first);
    ring.make_until(first + count);
    for (int c = 0; c < 3; ++c)
      for (int t = 0; t < count; ++t) rows[c * count + t] = ring.row(c, first + t) + across;
    resizer.write(y, rows);
  }
  RowResizer::end();
  ring_memory.trim();
  return true;
}

}  // namespace vision_io
