// Depthwise convolution, float32, one row of outputs at a time.
#pragma once

#include <cstdint>

#include "vision/dispatch.hpp"

namespace accel_mobile {

// y[w, c] = act(bias[c] + sum over rows r and taps k of row[r][w * stride - padding + k * dilation, c] * weight[r][k, c])
// Rows are the (time, height) taps that lie inside the input; taps left and right of a row count as zero.
struct DepthwiseF32 {
  const float* const* rows;
  const float* const* weights;  // for each row: [kernel][channels]
  int64_t row_count;
  int64_t channels;  // a multiple of 16; also the distance between positions
  int64_t in_width, out_width;
  int64_t kernel, stride, padding, dilation;  // along the width
  const float* bias;
  float* y;
  int32_t activation;
};

struct DepthwiseF32Kernels {
  void (*row)(const DepthwiseF32&);
};
VISION_DECLARE_KERNELS(DepthwiseF32Kernels, depthwise_f32)

}  // namespace accel_mobile
