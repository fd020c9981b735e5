// Matrix product with what follows it, float32: the pointwise convolution, and every other one on gathered rows.
#pragma once

#include <cstdint>

#include "vision/dispatch.hpp"

namespace accel_mobile {

// y[r, c] = act(sum_k a[r, k] * w[k, c] + bias[c] + residual[r, c])
// Results of a row lie `y_stride` behind those of the row before, each vector `y_vector` behind the one before.
struct GemmF32 {
  const float* a;
  int64_t a_stride, rows, depth;
  const float* weight;  // packed: [vector][depth][lanes]
  const float* bias;    // one per packed column
  int64_t vectors;      // columns / lanes
  bool half;            // the last vector has weights in its first half only
  const float* residual;  // or null; placed like y
  float* y;
  int64_t y_stride, y_vector;
  int32_t activation;
};

// The same with weights of one byte and a scale per column, for layers that are read once per call:
// y[r, c] = act(sum_k a[r, k] * w[k, c] * scale[c] + bias[c])
struct GemmF32W8 {
  const float* a;
  int64_t a_stride, rows, depth;
  const int8_t* weight;  // packed as above
  const float *scale, *bias;
  int64_t vectors;
  float* y;
  int64_t y_stride;
  int32_t activation;
};

struct GemmF32Kernels {
  int lanes;  // columns per vector
  int rows;   // rows per tile: callers hand over multiples of it where they can
  void (*multiply)(const GemmF32&);
  void (*multiply_w8)(const GemmF32W8&);
};
VISION_DECLARE_KERNELS(GemmF32Kernels, gemm_f32)

}  // namespace accel_mobile
