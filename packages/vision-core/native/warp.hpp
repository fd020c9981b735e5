// Resampling of 8-bit images at positions that a mapping gives.
#pragma once

#include "kernels/warp.hpp"
#include "pixels.hpp"

namespace vision_core {

// Where the pixels of the result come from. Positions are normalised as grid_sample has them: -1 and 1 are the image's
// outer borders.
struct Mapping {
  enum Kind : int { affine, perspective, displacement } kind;
  double numbers[8];         // affine: a matrix between centred pixels, row by row; perspective: its coefficients
  const float* field;        // displacement: x and y for each pixel of the result
  const float *xs, *ys;      // displacement: the normalised positions of columns and rows
};

// fill: a value for each channel, or null: then lie zeros around the image. The target is dense in the source's order.
void warp_u8(const Pixels& source, const Mapping& mapping, int64_t height, int64_t width, bool bilinear,
             const float* fill, uint8_t* target, int threads);

}  // namespace vision_core
