// What a JPEG file of 8-bit pixels keeps of them: colours, halved chroma, blocks of quantised frequencies.
#pragma once

#include <cstdint>

#include "colour.hpp"
#include "vision/dispatch.hpp"

namespace vision_core {

constexpr int jpeg_block = 8;   // pixels a side
constexpr int jpeg_reach = 32;  // columns are taken in groups of up to so many: strides are multiples of it

// Quantisation of the 64 frequencies, row by row. A coefficient comes scaled by 8.
struct JpegSteps {
  int32_t step[64];
  float half[64];        // half of 8 steps, and 0.5: what is rounded to nearest is cut below
  float reciprocal[64];  // of 8 steps
};

struct JpegLossKernels {
  // Luma has 128 taken off. JFIF's equations, in 16-bit fixed point.
  void (*to_ycc)(const Planes& rgb, int64_t count, int16_t* y, uint8_t* cb, uint8_t* cr);
  void (*centre)(const uint8_t* gray, int64_t count, int16_t* out);
  // Means of 2 x 2 values, 128 taken off; halves are rounded down and up in turns. `count` values come out.
  void (*halve)(const uint8_t* upper, const uint8_t* lower, int64_t count, int16_t* out);
  // One row of blocks: cosine transform, quantisation, and back. Reads and writes whole groups of columns.
  void (*through_blocks)(const int16_t* in, int64_t in_stride, int64_t columns, const JpegSteps& steps, uint8_t* out,
                         int64_t out_stride);
  // Doubles a row of chroma with triangle weights, 3 to 1 to the nearer of two rows and of two columns.
  // `sums` has room for count + 2 values.
  void (*spread)(const uint8_t* near, const uint8_t* far, int64_t count, uint16_t* sums, uint8_t* out);
  void (*to_rgb)(const uint8_t* y, const uint8_t* cb, const uint8_t* cr, int64_t count, const MutablePlanes& rgb);
};

VISION_DECLARE_KERNELS(JpegLossKernels, jpeg_loss_kernels)

}  // namespace vision_core
