// Operations on rows of channels, float32. Channels are multiples of 16.
#pragma once

#include <cstdint>

#include "vision/dispatch.hpp"

namespace accel_mobile {

struct RowsF32Kernels {
  void (*activate)(const float* x, float* y, int64_t count, int32_t activation);
  void (*add)(const float* a, const float* b, float* y, int64_t count, int32_t activation);
  void (*multiply)(const float* a, const float* b, float* y, int64_t count);
  // y[r, c] = act(x[r, c] * scale[c] + shift[c]); a null shift counts as zero
  void (*affine)(const float* x, int64_t x_stride, const float* scale, const float* shift, float* y, int64_t y_stride,
                 int64_t rows, int64_t channels, int32_t activation);
  // y[c] += sum over r of x[r, c], from sums of four rows at a time
  void (*accumulate)(const float* x, int64_t x_stride, float* y, int64_t rows, int64_t channels);
  void (*scale)(float* y, float factor, int64_t count);
  // y[c] = max(y[c], x[c])
  void (*maximum)(const float* x, float* y, int64_t count);
  // uint8 from float32: round(clamp(x * inverse_scale)) + zero_point
  void (*quantize)(const float* x, int64_t x_stride, uint8_t* y, int64_t y_stride, int64_t rows, int64_t channels,
                   float inverse_scale, int32_t zero_point);
};
VISION_DECLARE_KERNELS(RowsF32Kernels, rows_f32)

}  // namespace accel_mobile
