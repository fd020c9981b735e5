// Rows of pixels from right to left.
#pragma once

#include <cstdint>

#include "vision/dispatch.hpp"

namespace vision_core {

struct FlipKernels {
  // Pixels of `size` bytes: out[i] = in[count - 1 - i].
  void (*reverse)(const uint8_t* in, int64_t count, int size, uint8_t* out);
};

VISION_DECLARE_KERNELS(FlipKernels, flip_kernels)

}  // namespace vision_core
