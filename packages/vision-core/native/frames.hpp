// What a warped image may show: only what all images between the warps that it was made of held.
#pragma once

#include <vector>

#include "pixels.hpp"

namespace vision_core {

// A half-plane: pixels whose middles (x, y) have x * across + y * down + offset >= 0 are inside.
struct HalfPlane {
  double across, down, offset;
};

// Writes `fill`, a value for each channel, to the pixels of `image` that are outside of one of the half-planes.
void fill_outside_u8(const Pixels& image, const std::vector<HalfPlane>& inside, const uint8_t* fill, int threads);

}  // namespace vision_core
