// Operations on rows of channels, uint8. Counts are multiples of 16.
#pragma once

#include <cstdint>

#include "kernels/requantise_fields.hpp"
#include "vision/dispatch.hpp"

namespace accel_mobile {

struct RowsU8Kernels {
  // y[i] = table[x[i]]; x and y may be the same
  void (*lookup)(const uint8_t* x, uint8_t* y, const uint8_t* table, int64_t count);
  // The same in place: y[r * stride + i] for `rows` rows of `count` bytes
  void (*lookup_rows)(uint8_t* y, int64_t stride, int64_t rows, int64_t count, const uint8_t* table);
  // y = requantised(float(a - a_zero) * a_multiplier + float(b - b_zero) * b_multiplier)
  void (*add)(const uint8_t* a, const uint8_t* b, uint8_t* y, int64_t count, const int32_t* zero_points,
              const float* multipliers, const Requantise&);
  // y[r, c] = requantised(float(x[r, c] - x_zero) * multiplier[c])
  void (*scale)(const uint8_t* x, int64_t x_stride, uint8_t* y, int64_t y_stride, int64_t rows, int64_t channels,
                int32_t x_zero_point, const Requantise&);
  // sums[c] += sum over r of x[r, c]
  void (*accumulate)(const uint8_t* x, int64_t x_stride, int32_t* sums, int64_t rows, int64_t channels);
  // y = float(x - zero_point) * scale
  void (*dequantize)(const uint8_t* x, float* y, int64_t count, int32_t zero_point, float scale);
};
VISION_DECLARE_KERNELS(RowsU8Kernels, rows_u8)

}  // namespace accel_mobile
