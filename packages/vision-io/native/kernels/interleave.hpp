// Planes of bytes to interleaved pixels, for encoders.
#pragma once

#include <cstdint>

#include "vision/dispatch.hpp"

namespace vision_io {

struct InterleaveKernels {
  // out[channels * x + c] = planes[c][x], for 1 to 4 channels.
  void (*join)(const uint8_t* const* planes, int channels, int width, uint8_t* out);
};
VISION_DECLARE_KERNELS(InterleaveKernels, interleave_kernels)

}  // namespace vision_io
