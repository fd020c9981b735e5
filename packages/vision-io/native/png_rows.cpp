#include "png_rows.hpp"

#include <cstdint>
#include <cstring>
#include <utility>

#include "kernels/jpeg.hpp"
#include "kernels/planes.hpp"
#include "kernels/png.hpp"
#include "scratch.hpp"

namespace vision_io {
namespace {

struct Pass {
  int x, y, dx, dy;
};
constexpr Pass adam7[] = {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}};
constexpr Pass whole[] = {{0, 0, 1, 1}};

thread_local Scratch rows_memory, samples_memory;

int pass_count(const PngFile& file) { return file.interlace ? 7 : 1; }
Pass pass_of(const PngFile& file, int i) { return file.interlace ? adam7[i] : whole[0]; }
int64_t pixels_of(int size, int first, int step) { return size > first ? (static_cast<int64_t>(size) - first + step - 1) / step : 0; }
int64_t row_bytes(const PngFile& file, int64_t width) { return (width * file.samples() * file.depth + 7) / 8; }
int64_t rounded(int64_t bytes) { return (bytes + 63) / 64 * 64; }

// Rows become planes here. `samples` are interleaved: 1 byte each, or 2 (big-endian) at 16 bits.
class RowWriter {
 public:
  RowWriter(const PngFile& file, PngMode mode, const PngTarget& target, uint8_t* planes)
      : file_(file), mode_(mode), target_(target), split_(VISION_SELECT(plane_kernels)), colour_(VISION_SELECT(jpeg_kernels)) {
    for (int i = 0; i < 5; ++i) light_[i] = planes + i * rounded(file.width + 2 * png_slack);
    for (int i = 0; i < 256; ++i) {
      const size_t at = static_cast<size_t>(i);
      const bool there = at * 3 + 2 < file.palette.size;
      for (size_t c = 0; c < 3; ++c) palette_[c][i] = there ? file.palette.data[3 * at + c] : 0;
      palette_[3][i] = file.colour == 3 && at < file.transparent.size ? file.transparent.data[at] : 255;
    }
    scale_ = file.colour == 0 && file.depth < 8 ? 255 / ((1 << file.depth) - 1) : 1;
  }

  static int64_t memory(const PngFile& file) { return 5 * rounded(file.width + 2 * png_slack); }

  void write(int y, const uint8_t* samples) const {
    uint8_t* out[4];
    for (int c = 0; c < 4; ++c) out[c] = target_.out + y * target_.row_stride + c * target_.channel_stride;
    if (file_.depth == 16)
      words(samples, out);
    else
      bytes(samples, out);
  }

 private:
  int key(int sample) const { return file_.transparent.data[2 * sample] << 8 | file_.transparent.data[2 * sample + 1]; }

  void words(const uint8_t* samples, uint8_t* const* out) const {
    const int channels = file_.samples();
    for (int c = 0; c < channels; ++c) {
      uint16_t* to = reinterpret_cast<uint16_t*>(out[c]);
      const uint8_t* from = samples + 2 * c;
      for (int x = 0; x < file_.width; ++x, from += 2 * channels) to[x] = static_cast<uint16_t>(from[0] << 8 | from[1]);
    }
    if (!file_.transparent.data) return;
    uint16_t* alpha = reinterpret_cast<uint16_t*>(out[channels]);
    for (int x = 0; x < file_.width; ++x) {
      bool same = true;
      for (int c = 0; c < channels; ++c) same = same && reinterpret_cast<const uint16_t*>(out[c])[x] == key(c);
      alpha[x] = same ? 0 : 65535;
    }
  }

  void bytes(const uint8_t* samples, uint8_t* const* out) const {
    const size_t width = static_cast<size_t>(file_.width);
    const bool colour = file_.is_colour(), unchanged = mode_ == PngMode::unchanged;
    if (unchanged && file_.colour == 3) {
      std::memcpy(out[0], samples, width);
      return;
    }
    const bool to_colour = unchanged ? colour : mode_ == PngMode::rgb || mode_ == PngMode::rgb_alpha;
    const bool to_alpha = unchanged ? file_.has_alpha() : mode_ == PngMode::gray_alpha || mode_ == PngMode::rgb_alpha;
    uint8_t* alpha = to_alpha ? out[to_colour ? 3 : 1] : light_[3];
    uint8_t* const* light = colour && !to_colour ? light_ : out;
    take_apart(samples, light, alpha, to_alpha);
    if (colour && !to_colour) colour_.rgb_to_gray(light[0], light[1], light[2], file_.width, out[0]);
    if (!colour && to_colour)
      for (int c = 1; c < 3; ++c) std::memcpy(out[c], out[0], width);
  }

  // Gray or RGB to `light`, alpha (where wanted) to `alpha`.
  void take_apart(const uint8_t* samples, uint8_t* const* light, uint8_t* alpha, bool wanted) const {
    const int width = file_.width, channels = file_.samples();
    if (file_.colour == 3) {
      for (int c = 0; c < 3; ++c)
        for (int x = 0; x < width; ++x) light[c][x] = palette_[c][samples[x]];
      for (int x = 0; wanted && x < width; ++x) alpha[x] = palette_[3][samples[x]];
      return;
    }
    static constexpr int order[4] = {0, 1, 2, 3};
    const int lights = channels >= 3 ? 3 : 1;
    const Interleaved row{samples, 0, width, 1, channels};
    split_.split(row, order, lights, light[0], lights > 1 ? light[1] - light[0] : 0, 0);
    if (!wanted) {
    } else if (file_.colour >= 4) {
      split_.split(row, order + channels - 1, 1, alpha, 0, 0);
    } else if (file_.transparent.data) {
      for (int x = 0; x < width; ++x) {
        bool same = true;
        for (int c = 0; c < lights; ++c) same = same && light[c][x] == key(c);
        alpha[x] = same ? 0 : 255;
      }
    } else {
      std::memset(alpha, 255, static_cast<size_t>(width));
    }
    for (int x = 0; scale_ > 1 && x < width; ++x) light[0][x] = static_cast<uint8_t>(light[0][x] * scale_);
  }

  const PngFile& file_;
  PngMode mode_;
  PngTarget target_;
  const PlaneKernels& split_;
  const JpegKernels& colour_;
  uint8_t* light_[5];
  uint8_t palette_[4][256];
  int scale_;
};

void unpack(const uint8_t* row, int64_t count, int depth, uint8_t* out) {
  const int per_byte = 8 / depth, mask = (1 << depth) - 1;
  for (int64_t i = 0; i < count; ++i)
    out[i] = static_cast<uint8_t>(row[i / per_byte] >> (8 - depth - static_cast<int>(i % per_byte) * depth) & mask);
}

}  // namespace

size_t png_raw_size(const PngFile& file) {
  size_t size = 0;
  for (int i = 0; i < pass_count(file); ++i) {
    const Pass pass = pass_of(file, i);
    const int64_t width = pixels_of(file.width, pass.x, pass.dx), height = pixels_of(file.height, pass.y, pass.dy);
    if (!width || !height) continue;
    const int64_t line = 1 + row_bytes(file, width);
    if (line > (INT64_MAX >> 4) / height) return SIZE_MAX;  // what a header may say, but no memory holds
    size += static_cast<size_t>(height * line);
  }
  return size;
}

const char* png_write_rows(const PngFile& file, PngMode mode, const uint8_t* raw, const PngTarget& target) {
  const PngKernels& kernels = VISION_SELECT(png_kernels);
  const int sample = file.depth == 16 ? 2 : 1, pixel = sample * file.samples();
  const int step = file.depth < 8 ? 1 : pixel;
  const int64_t line = rounded(row_bytes(file, file.width) + png_slack), unpacked = rounded(int64_t{file.width} * pixel + png_slack);
  const int64_t picture = file.interlace ? static_cast<int64_t>(file.height) * file.width * pixel : 0;
  uint8_t* memory = rows_memory.at_least(static_cast<size_t>(2 * line + unpacked + RowWriter::memory(file)));
  uint8_t* samples = picture ? samples_memory.at_least(static_cast<size_t>(picture + png_slack)) : nullptr;
  if (!memory || (picture && !samples)) return "no memory for the rows";
  uint8_t *row = memory, *above = memory + line, *bytes = memory + 2 * line;
  const RowWriter writer(file, mode, target, bytes + unpacked);
  for (int i = 0; i < pass_count(file); ++i) {
    const Pass pass = pass_of(file, i);
    const int64_t width = pixels_of(file.width, pass.x, pass.dx), height = pixels_of(file.height, pass.y, pass.dy);
    const int64_t size = row_bytes(file, width);
    if (!width || !height) continue;
    std::memset(above, 0, static_cast<size_t>(line));
    for (int64_t y = 0; y < height; ++y, raw += size + 1) {
      if (raw[0] > 4) return "an unknown row filter";
      kernels.unfilter(raw[0], raw + 1, above, size, step, row);
      const uint8_t* here = row;
      if (file.depth < 8) {
        unpack(row, width, file.depth, bytes);
        here = bytes;
      }
      if (!file.interlace) {
        writer.write(static_cast<int>(y), here);
      } else {
        uint8_t* to = samples + ((pass.y + y * pass.dy) * file.width + pass.x) * pixel;
        for (int64_t x = 0; x < width; ++x, to += pass.dx * pixel, here += pixel) std::memcpy(to, here, static_cast<size_t>(pixel));
      }
      std::swap(row, above);
    }
  }
  for (int y = 0; file.interlace && y < file.height; ++y)
    writer.write(y, samples + static_cast<int64_t>(y) * file.width * pixel);
  rows_memory.trim();
  samples_memory.trim();
  return nullptr;
}

}  // namespace vision_io
