// Sums over neighbours: down columns, along rows, and over 3 x 3.
#pragma once

#include <cstdint>

#include "vision/dispatch.hpp"

namespace vision_core {

constexpr int blur_bits = 6;  // bits behind the point between the two passes

// Windows are symmetric: weights from the centre outwards, radius + 1 of them. Integer weights are multiples of 2^-15.
struct SmoothKernels {
  // rows: 2 radius + 1 of them, from above downwards. out has blur_bits bits behind the point.
  void (*down_8)(const uint8_t* const* rows, const int16_t* weights, int radius, int64_t count, int16_t* out);
  // Neighbours lie `step` values apart; radius of them before in[0] and behind in[count - 1].
  void (*along_8)(const int16_t* in, const int16_t* weights, int radius, int64_t step, int64_t count, uint8_t* out);
  void (*down_f32)(const float* const* rows, const float* weights, int radius, int64_t count, float* out);
  void (*along_f32)(const float* in, const float* weights, int radius, int64_t count, float* out);
  // One row between two others; neighbours lie `step` values apart, one before and one behind. rest is 1 - factor.
  void (*sharpen)(const uint8_t* above, const uint8_t* row, const uint8_t* below, int64_t step, int64_t count, float rest,
                  uint8_t* out);
};

VISION_DECLARE_KERNELS(SmoothKernels, smooth_kernels)

}  // namespace vision_core
