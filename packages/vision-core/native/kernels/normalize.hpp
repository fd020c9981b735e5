// Bytes to floats, floats to normalised ones, and floats to 16 bits.
#pragma once

#include <cstdint>

#include "vision/dispatch.hpp"

namespace vision_core {

constexpr int normalize_turn = 64;  // values of each channel in the tables of means and deviations

struct NormalizeKernels {
  // out[i] = in[i] * (1 / 255)
  void (*scale)(const uint8_t* in, int64_t count, float* out);
  // out[i] = (in[i] * (1 / 255) - mean[j]) / std[j] with j = i % (normalize_turn * channels).
  void (*normalize)(const uint8_t* in, int64_t count, const float* mean, const float* std, int channels, float* out);
  // out[i] = (in[i] - mean[j]) / std[j]
  void (*normalize_f32)(const float* in, int64_t count, const float* mean, const float* std, int channels, float* out);
  // Rounded to nearest, ties to even.
  void (*to_float16)(const float* in, int64_t count, uint16_t* out);
  void (*to_bfloat16)(const float* in, int64_t count, uint16_t* out);
};

VISION_DECLARE_KERNELS(NormalizeKernels, normalize_kernels)

}  // namespace vision_core
