// Decoded planes to three RGB planes of bytes. Strides are in bytes; rows of the destination are contiguous.
#pragma once

#include <cstddef>
#include <cstdint>

#include "vision/dispatch.hpp"

namespace vision_io {

struct Destination {
  uint8_t* rgb;
  ptrdiff_t channel_stride, row_stride;
  // Nobody reads it soon: where rows begin at cache lines, they go past the cache, which saves reading them first.
  bool passing = false;
};

// Chroma sample (x >> chroma_shift_x, y >> chroma_shift_y) belongs to pixel (x, y). `chroma_step` is the distance of
// two samples of one chroma plane, counted in samples: 1 for planes of their own, 2 where U and V alternate.
struct YuvPicture {
  const uint8_t *y, *u, *v;
  ptrdiff_t y_stride, u_stride, v_stride;
  int width, height;
  int chroma_step, chroma_shift_x, chroma_shift_y;
  int sample_bytes;  // 1, or 2 for little-endian words
  int sample_shift;  // unused low bits of a word
};

// y_offset, y_gain, v_to_r, u_to_g, v_to_g, u_to_b of swscale's 16-bit arithmetic.
struct FixedCoefficients {
  int16_t y_offset, y_gain, v_to_r, u_to_g, v_to_g, u_to_b;
};

struct FloatCoefficients {
  float y_offset, y_gain, centre, v_to_r, u_to_g, v_to_g, u_to_b;
};

struct YuvKernels {
  // 8-bit samples, chroma shared by 2x2 pixels. For interleaved chroma `u` is the lower of the two addresses when
  // u < v (NV12) and v < u means NV21.
  void (*fixed_420)(const YuvPicture&, const FixedCoefficients&, const Destination&);
  void (*exact)(const YuvPicture&, const FloatCoefficients&, const Destination&);
};
VISION_DECLARE_KERNELS(YuvKernels, yuv_kernels)

}  // namespace vision_io
