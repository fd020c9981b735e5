// Moves between interleaved and planar pixels of bytes. Strides are in bytes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "vision/dispatch.hpp"

namespace vision_io {

struct Interleaved {
  const uint8_t* pixels;
  ptrdiff_t row_stride;
  int width, height;
  int step;  // bytes from one pixel to the next: 1 to 4
};

struct PlaneKernels {
  // Byte offsets[c] of every pixel becomes plane c, for `channels` planes.
  void (*split)(const Interleaved&, const int* offsets, int channels, uint8_t* out, ptrdiff_t channel_stride,
                ptrdiff_t row_stride);
  // Turns `planes` planes of width x height bytes counter-clockwise by 1 to 3 quarters.
  void (*turn)(const uint8_t* from, int width, int height, int planes, int quarters, uint8_t* out,
               ptrdiff_t channel_stride, ptrdiff_t row_stride);
  // Rows of little-endian words times `factor`, clipped and rounded to bytes.
  void (*words_to_bytes)(const uint8_t* words, ptrdiff_t stride, int width, int height, float factor, uint8_t* out,
                         ptrdiff_t row_stride);
};
VISION_DECLARE_KERNELS(PlaneKernels, plane_kernels)

}  // namespace vision_io
