// Matrix product of uint8 rows and int8 weights with exact int32 sums, and what follows it.
#pragma once

#include <cstdint>

#include "kernels/requantise_fields.hpp"
#include "vision/dispatch.hpp"

namespace accel_mobile {

// real[r, c] = float(sum_k a[r, k] * w[k, c] + bias[c]) * multiplier[c] (+ float(residual - its zero) * its multiplier)
struct GemmU8 {
  const uint8_t* a;
  int64_t a_stride, rows, quads;  // depth in groups of four bytes; weights of missing bytes are zero
  const int8_t* weight;           // packed: [vector][quad][lane][4]
  const int32_t* bias;            // with -zero_point * sum(w) folded in
  int64_t vectors;
  bool half;                // the last vector has weights in its first half only
  const uint8_t* residual;  // or null; `y_stride` apart
  int32_t residual_zero_point;
  float residual_multiplier;
  uint8_t* y;         // requantised, or
  float* y_float;     // real itself, not below requantise.low
  int64_t y_stride;
  int64_t block_vector;  // if not 0: y gets blocks for `quads_of_blocks`, those of a vector this far behind each other's
  Requantise requantise;
};

struct GemmU8Kernels {
  int lanes, rows;
  void (*multiply)(const GemmU8&);
};
VISION_DECLARE_KERNELS(GemmU8Kernels, gemm_u8)

}  // namespace accel_mobile
