// Bytes to resized, normalised floats: the antialiased triangle filter of the usual training pipelines.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vision_io {

struct BytePlanes {
  const uint8_t* pixels;
  int channels, height, width;
  ptrdiff_t channel_stride, row_stride;
};

struct FloatTarget {
  float* out;  // planes of height x width, one behind the other
  int height, width;
  bool flip;
  const float* factor;  // four values each: out = factor * byte + bias
  const float* bias;
};

// False: no memory.
bool resize_normalised(const BytePlanes& from, const FloatTarget& to);

}  // namespace vision_io
