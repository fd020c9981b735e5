// Depthwise convolution, float32, one line of outputs of several frames at a time.
#pragma once

#include <cstdint>

#include "vision/dispatch.hpp"

namespace accel_mobile {

// A row of inputs that takes part in a frame of outputs: where it begins, and where its weights do.
struct DepthwiseTap {
  int64_t x, weight;
};

// y[f, w, c] = act(bias[c] + sum over the taps of frame f and k of x[tap, w * stride - padding + k * dilation, c] * weight)
// The taps of a frame are the (time, height) taps that lie inside the input; those left and right of a row count as zero.
// Channels come in vectors; inputs, weights and results of a vector lie together or apart, as the distances say.
struct DepthwiseF32 {
  const float* x;
  int64_t x_vector, x_position;
  const DepthwiseTap* taps;
  const int64_t* first_tap;  // [frames + 1]: taps[first_tap[f]] to taps[first_tap[f + 1] - 1] belong to frame f
  int64_t frames, vectors;
  int64_t in_width, out_width;
  int64_t kernel, stride, padding, dilation;  // along the width
  const float* weight;                        // [vector][tap][lanes]
  int64_t weight_vector;
  const float* bias;
  float* y;
  int64_t y_frame, y_position;  // vectors of results lie side by side
  int32_t activation;
};

struct DepthwiseF32Kernels {
  int lanes;
  void (*line)(const DepthwiseF32&);
};
VISION_DECLARE_KERNELS(DepthwiseF32Kernels, depthwise_f32)

}  // namespace accel_mobile
