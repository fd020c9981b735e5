// Which boxes of a list touch the bounds of another one: the cheap test before an exact one.
#pragma once

#include <cstdint>

#include "vision/dispatch.hpp"

namespace vision_core {

// Bounds stand in chunks: bounds_chunk values of the least x, then of the least y and z and of the greatest x, y and z.
// Places without a box are NaN, which touches nothing.
constexpr int bounds_chunk = 16;
constexpr int bounds_values = 6 * bounds_chunk;

struct Bounds {
  float low[3], high[3];
};

struct BoundsKernels {
  // Writes the places, counted from the start of `chunks`, of the bounds in chunks first <= c < last that touch
  // `bounds`, in order, and returns how many they are. hits: room for (last - first) * bounds_chunk.
  int64_t (*touching)(const float* chunks, int64_t first, int64_t last, const Bounds& bounds, uint32_t* hits);
};

VISION_DECLARE_KERNELS(BoundsKernels, bounds_kernels)

}  // namespace vision_core
