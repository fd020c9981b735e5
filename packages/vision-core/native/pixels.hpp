// How 8-bit images lie in memory, and how a pass over them is cut into pieces.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

namespace vision_core {

// Distances in values. Either planes (pixel_stride 1) or interleaved pixels (channel_stride 1, pixel_stride channels).
struct Pixels {
  const uint8_t* data;
  int64_t images, channels, height, width, image_stride, channel_stride, row_stride, pixel_stride;

  bool interleaved() const { return pixel_stride != 1; }
  int64_t values() const { return images * channels * height * width; }

  // Rows that follow each other without a gap are one long row.
  Pixels joined() const {
    Pixels p = *this;
    if (row_stride == width * pixel_stride || height == 1) {
      p.row_stride = p.width * height * pixel_stride;
      p.width *= height;
      p.height = 1;
    }
    return p;
  }
};

using Layout = std::array<int64_t, 8>;

inline Pixels pixels_at(const uint8_t* data, const Layout& layout) {
  return {data, layout[0], layout[1], layout[2], layout[3], layout[4], layout[5], layout[6], layout[7]};
}

// The same sizes in the same order, packed without gaps at `data`, which is what results are.
inline Pixels dense(const Pixels& p, const uint8_t* data, int64_t channels, int64_t height, int64_t width) {
  const bool interleaved = p.interleaved() && channels > 1;
  const int64_t pixel = interleaved ? channels : 1, plane = height * width;
  return {data, p.images, channels, height, width, channels * plane, interleaved ? 1 : plane, width * pixel, pixel};
}

inline uint8_t* writable(const Pixels& p) { return const_cast<uint8_t*>(p.data); }

// Bytes that are worth a thread: some 20 us at memory speed.
constexpr int64_t thread_bytes = 1 << 17;

}  // namespace vision_core
