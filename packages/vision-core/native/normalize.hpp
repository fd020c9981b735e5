// From pixels to normalised floating point.
#pragma once

#include "pixels.hpp"

namespace vision_core {

enum class Real : int { float32, float16, bfloat16 };

// ((value / 255) - mean) / std in float32. mean and std: a value for each channel, or null for 0 and 1. The target is
// dense in the source's order.
void normalize_u8(const Pixels& source, const float* mean, const float* std, Real type, void* target, int threads);

// (value - mean) / std for floats, with strides in floats too. The target may be the source, if that is dense.
void normalize_f32(const Pixels& source, const float* mean, const float* std, float* target, int threads);

}  // namespace vision_core
