// Depthwise convolution, uint8, with dot products over time.
//
// A quad holds four successive frames of one channel in four bytes, so one dot product of bytes sums up to three taps
// in time; two sets of weights, [k0 k1 k2 0] and [0 k0 k1 k2], give two output frames from one loaded quad.
#pragma once

#include <cstdint>

#include "kernels/requantise_fields.hpp"
#include "vision/dispatch.hpp"

namespace accel_mobile {

// One row of outputs of two successive frames.
struct DepthwiseU8 {
  const uint8_t* const* rows;  // for each tap in height, a row of quads [width][channels][4]
  int64_t row_count;
  int64_t channels, in_width, out_width;
  int64_t kernel, stride, padding, dilation;  // along the width
  const int8_t* weight;                       // packed: [frame of the pair][height][kernel][channels][4]
  const int32_t* bias;
  int32_t x_zero_point;  // what lies outside
  uint8_t* y[2];         // the second may be null
  Requantise requantise;
};

struct DepthwiseU8Kernels {
  // quads[i] = {frames[0][i], frames[1][i], frames[2][i], frames[3][i]}; count is a multiple of 16
  void (*make_quads)(const uint8_t* const* frames, uint8_t* quads, int64_t count);
  void (*row)(const DepthwiseU8&);
};
VISION_DECLARE_KERNELS(DepthwiseU8Kernels, depthwise_u8)

}  // namespace accel_mobile
