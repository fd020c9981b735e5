// What happens to pixels before they are coded as JPEG, in libjpeg's integer arithmetic: colour and chroma averages.
#pragma once

#include <cstdint>

#include "vision/dispatch.hpp"

namespace vision_io {

// Rows may be read and written this far behind their end.
constexpr int forward_slack = 128;

struct JpegForwardKernels {
  // BT.601 full range. Reads exactly `count` samples, writes slack.
  void (*rgb_to_ycc)(const uint8_t* r, const uint8_t* g, const uint8_t* b, int count, uint8_t* y, uint8_t* cb, uint8_t* cr);
  // Means of 2x1 and 2x2 samples, rounded down and up in turns.
  void (*halve_row)(const uint8_t* row, int count, uint8_t* out);
  void (*halve_both)(const uint8_t* upper, const uint8_t* lower, int count, uint8_t* out);
};
VISION_DECLARE_KERNELS(JpegForwardKernels, jpeg_forward_kernels)

}  // namespace vision_io
