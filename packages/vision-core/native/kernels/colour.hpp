// Colours of pixels in three planes: red, green, blue.
#pragma once

#include <cstdint>

#include "vision/dispatch.hpp"

namespace vision_core {

struct Planes {
  const uint8_t *r, *g, *b;
};

struct MutablePlanes {
  uint8_t *r, *g, *b;
};

struct ColourKernels {
  // Results may replace their sources. other is 1 - factor, rounded once.
  void (*saturate)(const Planes& in, int64_t count, float factor, float other, const MutablePlanes& out);
  // turn: sixths of the colour circle.
  void (*hue)(const Planes& in, int64_t count, float turn, const MutablePlanes& out);
  void (*gray)(const Planes& in, int64_t count, uint8_t* out);
  void (*gray_interleaved)(const uint8_t* in, int64_t count, uint8_t* out);
  uint64_t (*sum)(const uint8_t* in, int64_t count);
  void (*split)(const uint8_t* in, int64_t pixels, const MutablePlanes& out);
  void (*join)(const Planes& in, int64_t pixels, uint8_t* out);
};

VISION_DECLARE_KERNELS(ColourKernels, colour_kernels)

}  // namespace vision_core
