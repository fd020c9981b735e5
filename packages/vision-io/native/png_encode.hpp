// Planes to PNG: the row filter of the least sum of absolute differences, deflate by libdeflate.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vision_io {

struct PngPicture {
  const uint8_t* pixels;
  int channels, height, width;
  int sample_bytes;  // 1, or 2 for native-endian words
  ptrdiff_t channel_stride, row_stride;  // bytes; samples of a row are contiguous
};

struct PngBytes {
  uint8_t* bytes = nullptr;  // of malloc; null: no memory
  size_t size = 0;
};

// `level`: 0 (stored) to 12 (smallest).
PngBytes png_encode(const PngPicture& picture, int level);

}  // namespace vision_io
