// Depthwise convolution, uint8, with dot products over time.
//
// A quad holds four successive frames of one channel in four bytes, so one dot product of bytes sums up to three taps
// in time; two sets of weights, [k0 k1 k2 0] and [0 k0 k1 k2], give two output frames from one loaded quad.
#pragma once

#include <cstdint>

#include "kernels/requantise_fields.hpp"
#include "vision/dispatch.hpp"

namespace accel_mobile {

// A row of quads [width][lanes][4] of one vector of channels, and how far behind it that of the next vector lies.
struct DepthwiseRow {
  const uint8_t* x;
  int64_t vector;
};

// One line of outputs, all frames, two at a time.
struct DepthwiseU8 {
  const DepthwiseRow* rows;  // [pair of frames][height of the kernel]
  int64_t row_count, frames, vectors;
  int64_t in_width, out_width;
  int64_t kernel, stride, padding, dilation;  // along the width
  const int8_t* weight;                       // [vector][frame of the pair][height][kernel][lanes][4]
  const int32_t* bias;
  int32_t x_zero_point;  // what lies left and right
  uint8_t* y;
  int64_t y_frame, y_position;  // vectors of results lie side by side
  Requantise requantise;
};

struct DepthwiseU8Kernels {
  int lanes;
  // Quads of four frames whose channels lie together: quads[vector][i] from frames[0..3][i * stride + channel].
  void (*quads_of_rows)(const uint8_t* const* frames, int64_t stride, int64_t count, uint8_t* quads, int64_t quads_vector);
  // Quads of `count` places of one vector of channels, from four frames that gemm_u8 left in blocks.
  void (*quads_of_blocks)(const uint8_t* const* frames, int64_t count, uint8_t* quads);
  void (*line)(const DepthwiseU8&);
};
VISION_DECLARE_KERNELS(DepthwiseU8Kernels, depthwise_u8)

}  // namespace accel_mobile
