// Row filters of the PNG specification (section 9), both ways.
#pragma once

#include <cstdint>

#include "vision/dispatch.hpp"

namespace vision_io {

// Rows may be read and written this far behind their end.
constexpr int png_slack = 64;

struct PngKernels {
  // Undoes filter `kind` (0 to 4; others count as 0). `step`: distance of the byte to the left, 1 to 8. `above` is the
  // unfiltered row before, zeros for the first one. `out` must not overlap with the others.
  void (*unfilter)(int kind, const uint8_t* row, const uint8_t* above, int64_t bytes, int step, uint8_t* out);
  // Applies filter `kind` (0 to 4); returns the sum of the absolute values of the signed results, the usual estimate of
  // how well they compress.
  uint64_t (*filter)(int kind, const uint8_t* row, const uint8_t* above, int64_t bytes, int step, uint8_t* out);
};
VISION_DECLARE_KERNELS(PngKernels, png_kernels)

}  // namespace vision_io
