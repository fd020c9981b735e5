// Convolution of planar float32 rows with few channels, as the first layer of a network has them: one line of outputs.
#pragma once

#include <cstdint>

#include "vision/dispatch.hpp"

namespace accel_mobile {

// A row of one plane, beginning where the first tap of the first output lies, and where its weights begin.
struct StemRow {
  const float* x;
  int64_t weight;
};

// y[w, c] = act(bias[c] + sum over rows and taps k of row.x[w * stride + k * dilation] * weight[c])
struct StemF32 {
  const StemRow* rows;
  int64_t row_count, width;
  int64_t kernel, stride, dilation;
  const float* weight;  // [vector][row][tap][lanes]
  int64_t weight_vector;
  const float* bias;
  int64_t vectors;
  bool half;  // the last vector has values in its first half only
  float* y;
  int64_t y_position, y_vector;
  int32_t activation;
};

struct StemF32Kernels {
  int lanes;
  void (*line)(const StemF32&);
};
VISION_DECLARE_KERNELS(StemF32Kernels, stem_f32)

}  // namespace accel_mobile
