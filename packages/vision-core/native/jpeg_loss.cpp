// Coding the coefficients loses nothing, so it is left out. What remains goes in two sweeps: rows of blocks are
// transformed, quantised and transformed back; then rows of pixels get their colours, which need the rows of chroma
// above and below. ITU-T T.81 has the blocks and the tables, ITU-T T.871 (JFIF) the colours.
#include "jpeg_loss.hpp"

#include <cstring>
#include <memory>
#include <vector>

#include "kernels/colour.hpp"
#include "kernels/jpeg_loss.hpp"
#include "vision/thread_pool.hpp"

namespace vision_core {
namespace {

constexpr int64_t unit = 16;                      // rows of pixels in a row of blocks of chroma
constexpr int64_t kept_bytes = int64_t{1} << 23;  // of decoded images, before their colours are made

// T.81, tables K.1 and K.2: steps at quality 50.
constexpr uint8_t luma_steps[64] = {
    16, 11, 10, 16, 24,  40,  51,  61,   //
    12, 12, 14, 19, 26,  58,  60,  55,   //
    14, 13, 16, 24, 40,  57,  69,  56,   //
    14, 17, 22, 29, 51,  87,  80,  62,   //
    18, 22, 37, 56, 68,  109, 103, 77,   //
    24, 35, 55, 64, 81,  104, 113, 92,   //
    49, 64, 78, 87, 103, 121, 120, 101,  //
    72, 92, 95, 98, 112, 100, 103, 99};
constexpr uint8_t chroma_corner[4][4] = {{17, 18, 24, 47}, {18, 21, 26, 66}, {24, 26, 56, 99}, {47, 66, 99, 99}};

// Qualities below 50 enlarge the steps by 50 / quality, those above shrink them linearly.
JpegSteps steps_of(int quality, bool chroma) {
  const int percent = quality < 50 ? 5000 / quality : 200 - 2 * quality;
  JpegSteps steps;
  for (int i = 0; i < 64; ++i) {
    const int row = i / 8, column = i % 8;
    const int base = !chroma ? luma_steps[i] : row < 4 && column < 4 ? chroma_corner[row][column] : 99;
    const int step = std::clamp((base * percent + 50) / 100, 1, 255);
    steps.step[i] = step;
    steps.half[i] = static_cast<float>(4 * step) + 0.5f;
    steps.reciprocal[i] = 1.0f / static_cast<float>(8 * step);
  }
  return steps;
}

int64_t up_to(int64_t x, int64_t multiple) { return (x + multiple - 1) / multiple * multiple; }

// Repeats the last of `count` values up to `end`.
template <class T>
void extend(T* row, int64_t count, int64_t end) {
  for (int64_t i = count; i < end; ++i) row[i] = row[count - 1];
}

// Sizes of an image and of what is kept of it: luma, then both planes of chroma.
struct Sizes {
  explicit Sizes(const Pixels& p)
      : colour(p.channels == 3), width(p.width), height(p.height), stride(up_to(width, 2 * jpeg_reach)),
        half_width((width + 1) / 2), half_height((height + 1) / 2), half_stride(stride / 2),
        units((height + unit - 1) / unit), luma(units * unit * stride), chroma(units * unit / 2 * half_stride),
        bytes(luma + (colour ? 2 * chroma : 0)) {}

  bool colour;
  int64_t width, height, stride, half_width, half_height, half_stride, units, luma, chroma, bytes;
};

class JpegLoss {
 public:
  JpegLoss(const Pixels& source, const Pixels& target, int quality)
      : source_(source), target_(target), size_(source), luma_(steps_of(quality, false)),
        chroma_(steps_of(quality, true)), colours_(VISION_SELECT(colour_kernels)),
        kernels_(VISION_SELECT(jpeg_loss_kernels)) {}

  const Sizes& size() const { return size_; }

  // Units [begin, end) of the images from `first` on, into `kept`.
  void transform(int64_t first, int64_t begin, int64_t end, uint8_t* kept) const {
    Band band(size_);
    for (int64_t i = begin; i < end; ++i) {
      uint8_t* image = kept + i / size_.units * size_.bytes;
      const int64_t y = i % size_.units * unit, rows = std::min(size_.height - y, unit);
      for (int64_t r = 0; r < rows; ++r) take_row(first + i / size_.units, y + r, band, r);
      for (int64_t r = rows; r < unit; ++r) copy_row(band.luma.data(), size_.stride, rows - 1, r);
      for (int64_t r = 0; r < rows; r += jpeg_block)
        kernels_.through_blocks(band.luma.data() + r * size_.stride, size_.stride, up_to(size_.width, jpeg_block),
                                luma_, image + (y + r) * size_.stride, size_.stride);
      if (!size_.colour) continue;
      for (int64_t c = 0; c < 2; ++c) {
        halve(band.chroma[c].data(), rows, band.half.data());
        kernels_.through_blocks(band.half.data(), size_.half_stride, up_to(size_.half_width, jpeg_block), chroma_,
                                image + size_.luma + c * size_.chroma + y / 2 * size_.half_stride, size_.half_stride);
      }
    }
  }

  // Rows [begin, end) of the images from `first` on, out of `kept`.
  void colour(int64_t first, int64_t begin, int64_t end, const uint8_t* kept) const {
    Line line(size_);
    for (int64_t i = begin; i < end; ++i) {
      const uint8_t* image = kept + i / size_.height * size_.bytes;
      const int64_t y = i % size_.height;
      const uint8_t* luma = image + y * size_.stride;
      uint8_t* out = writable(target_) + (first + i / size_.height) * target_.image_stride + y * target_.row_stride;
      if (!size_.colour) {
        std::memcpy(out, luma, static_cast<size_t>(size_.width));
        continue;
      }
      spread(image + size_.luma, y, line, line.cb.data());
      spread(image + size_.luma + size_.chroma, y, line, line.cr.data());
      if (target_.interleaved()) {
        const MutablePlanes planes{line.r.data(), line.g.data(), line.b.data()};
        kernels_.to_rgb(luma, line.cb.data(), line.cr.data(), size_.width, planes);
        colours_.join({planes.r, planes.g, planes.b}, size_.width, out);
      } else {
        const MutablePlanes planes{out, out + target_.channel_stride, out + 2 * target_.channel_stride};
        kernels_.to_rgb(luma, line.cb.data(), line.cr.data(), size_.width, planes);
      }
    }
  }

 private:
  struct Band {  // one unit of rows on its way into the blocks
    explicit Band(const Sizes& s)
        : luma(unit * s.stride), half(s.colour ? jpeg_block * s.half_stride : 0),
          chroma{std::vector<uint8_t>(s.colour ? unit * s.stride : 0),
                 std::vector<uint8_t>(s.colour ? unit * s.stride : 0)},
          r(half.empty() ? 0 : s.width), g(r.size()), b(r.size()) {}
    std::vector<int16_t> luma, half;
    std::vector<uint8_t> chroma[2], r, g, b;
  };

  struct Line {  // one row on its way out
    explicit Line(const Sizes& s)
        : sums(s.colour ? s.half_width + 2 : 0), cb(s.colour ? s.stride : 0), cr(cb.size()), r(cb.size()), g(cb.size()),
          b(cb.size()) {}
    std::vector<uint16_t> sums;
    std::vector<uint8_t> cb, cr, r, g, b;
  };

  template <class T>
  static void copy_row(T* rows, int64_t stride, int64_t from, int64_t to) {
    std::memcpy(rows + to * stride, rows + from * stride, static_cast<size_t>(stride) * sizeof(T));
  }

  void take_row(int64_t image, int64_t y, Band& band, int64_t r) const {
    const uint8_t* at = source_.data + image * source_.image_stride + y * source_.row_stride;
    int16_t* luma = band.luma.data() + r * size_.stride;
    if (!size_.colour) {
      kernels_.centre(at, size_.width, luma);
      return extend(luma, size_.width, size_.stride);
    }
    Planes planes{at, at + source_.channel_stride, at + 2 * source_.channel_stride};
    if (source_.interleaved()) {
      const MutablePlanes split{band.r.data(), band.g.data(), band.b.data()};
      colours_.split(at, size_.width, split);
      planes = {split.r, split.g, split.b};
    }
    uint8_t *cb = band.chroma[0].data() + r * size_.stride, *cr = band.chroma[1].data() + r * size_.stride;
    kernels_.to_ycc(planes, size_.width, luma, cb, cr);
    extend(luma, size_.width, size_.stride);
    extend(cb, size_.width, size_.stride);
    extend(cr, size_.width, size_.stride);
  }

  // A last odd row is halved with itself; what a block lacks below repeats the last halved row.
  void halve(const uint8_t* chroma, int64_t rows, int16_t* out) const {
    for (int64_t r = 0; r < jpeg_block; ++r) {
      if (2 * r >= rows) {
        copy_row(out, size_.half_stride, r - 1, r);
        continue;
      }
      const uint8_t* upper = chroma + 2 * r * size_.stride;
      kernels_.halve(upper, 2 * r + 1 < rows ? upper + size_.stride : upper, size_.half_stride,
                     out + r * size_.half_stride);
    }
  }

  // Chroma of row y. Images with at most two columns of chroma have them repeated, as decoders do.
  void spread(const uint8_t* plane, int64_t y, Line& line, uint8_t* out) const {
    const int64_t row = y / 2, other = std::clamp<int64_t>(y % 2 ? row + 1 : row - 1, 0, size_.half_height - 1);
    const uint8_t *near = plane + row * size_.half_stride, *far = plane + other * size_.half_stride;
    if (size_.half_width > 2) return kernels_.spread(near, far, size_.half_width, line.sums.data(), out);
    for (int64_t x = 0; x < size_.half_width; ++x) out[2 * x] = out[2 * x + 1] = near[x];
  }

  Pixels source_, target_;
  Sizes size_;
  JpegSteps luma_, chroma_;
  const ColourKernels& colours_;
  const JpegLossKernels& kernels_;
};

}  // namespace

void jpeg_loss_u8(const Pixels& source, int quality, uint8_t* target, int threads) {
  const JpegLoss loss(source, dense(source, target, source.channels, source.height, source.width), quality);
  const Sizes& size = loss.size();
  const int64_t at_once = std::clamp<int64_t>(kept_bytes / size.bytes, 1, source.images);
  const std::unique_ptr<uint8_t[]> kept(new uint8_t[static_cast<size_t>(at_once * size.bytes)]);
  const int64_t grain = std::max<int64_t>(thread_bytes / 8 / (unit * size.stride), 1);
  for (int64_t first = 0; first < source.images; first += at_once) {
    const int64_t images = std::min(at_once, source.images - first);
    vision::parallel_for(images * size.units, grain, threads,
                         [&](int64_t begin, int64_t end) { loss.transform(first, begin, end, kept.get()); });
    vision::parallel_for(images * size.height, grain * unit * 4, threads,
                         [&](int64_t begin, int64_t end) { loss.colour(first, begin, end, kept.get()); });
  }
}

}  // namespace vision_core
