// Positions of a mapping, and pixels taken from them.
#pragma once

#include <cstdint>

#include "vision/dispatch.hpp"

namespace vision_core {

constexpr int warp_tile = 128;    // pixels of the result that are made at once
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

// An image as it lies, for picking: offsets are in bytes, and those of all pixels fit 32 bits.
struct Places {
  int32_t row_bytes, pixel_bytes;
  int32_t height, width;
};

// What a run of picked pixels has in it.
constexpr int picks_outside = 1;  // pixels from outside of the image
constexpr int picks_inside = 2;
constexpr int picks_last = 4;  // the image's last pixel

struct WarpKernels {
  // Normalised positions of `count` pixels of a row, the first of which has the coordinates (column, row).
  void (*project)(const Projection& mapping, float column, float row, int count, float* xs, float* ys);
  // xs[i] = column[i] + field[2 i], ys[i] = row + field[2 i + 1].
  void (*displace)(const float* column, float row, const float* field, int count, float* xs, float* ys);
  // Weighted means of four neighbours, pixels of 4 bytes, at normalised positions, count <= warp_tile. xs and ys have
  // room for, and become, positions in pixels, cut to what the zeros around the image cover.
  void (*bilinear)(const PackedImage& image, float* xs, float* ys, int count, uint8_t* out);
  // Where the nearest pixels lie, and what there is, of the constants above. In place of a pixel outside stands the
  // complement of the offset of the one that is nearest to it inside.
  int (*locate)(const Places& image, const float* xs, const float* ys, int count, int32_t* offsets);
  // Pixels of `size` bytes at such offsets, `fill` for those outside. `found` is what locate has returned.
  void (*pick)(const uint8_t* data, const int32_t* offsets, int count, int size, int found, const uint8_t* fill,
               uint8_t* out);
  void (*pack)(const Channels& in, int64_t count, uint8_t* out);
  void (*unpack)(const uint8_t* in, int64_t count, const MutableChannels& out);
};

VISION_DECLARE_KERNELS(WarpKernels, warp_kernels)

}  // namespace vision_core
