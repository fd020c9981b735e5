// Positions of a mapping, and pixels taken from them.
#pragma once

#include <cstdint>

#include "vision/dispatch.hpp"

namespace vision_core {

constexpr int warp_tile = 256;    // pixels of the result that are made at once
constexpr int weight_bits = 14;   // of the four neighbours' weights

// Up to three channels of an image as pixels of 4 bytes, the last of which is 255. Around it lie zeros: one pixel before
// each row and column, two behind. `data` is the first pixel of the image.
struct PackedImage {
  const uint8_t* data;
  int64_t row_bytes;
  float height, width;
};

struct Channels {  // of pixels that lie `step` bytes apart
  const uint8_t* at[3];
  int64_t step;
  int count;
};

struct MutableChannels {
  uint8_t* at[3];
  int64_t step;
  int count;
};

// What the rows of a mapping have in common, in float32: normalised = (numerator / denominator) + offset.
struct Projection {
  float x[3], y[3], below[3];  // weights of column, row and 1
  bool divide;
};

struct WarpKernels {
  // Normalised positions of `count` pixels of a row, the first of which has the coordinates (column, row).
  void (*project)(const Projection& mapping, float column, float row, int count, float* xs, float* ys);
  // xs[i] = column[i] + field[2 i], ys[i] = row + field[2 i + 1].
  void (*displace)(const float* column, float row, const float* field, int count, float* xs, float* ys);
  // Pixels of 4 bytes at normalised positions, count <= warp_tile. xs and ys have room for, and become, positions in
  // pixels, cut to what the zeros around the image cover.
  void (*nearest)(const PackedImage& image, float* xs, float* ys, int count, uint8_t* out);
  void (*bilinear)(const PackedImage& image, float* xs, float* ys, int count, uint8_t* out);
  void (*pack)(const Channels& in, int64_t count, uint8_t* out);
  void (*unpack)(const uint8_t* in, int64_t count, const MutableChannels& out);
};

VISION_DECLARE_KERNELS(WarpKernels, warp_kernels)

}  // namespace vision_core
