// Changes of colour over the three channels of a pixel.
#pragma once

#include "pixels.hpp"

namespace vision_core {

enum class Colour : int { brightness, contrast, saturation, hue };

struct ColourStep {
  Colour kind;
  double factor;
};

// Three channels in, three out; values are rounded between the steps. The target is dense in the source's order.
void colour_chain_u8(const Pixels& source, const ColourStep* steps, int count, uint8_t* target, int threads);

// Three channels in, `channels` (1 or 3) equal ones out.
void gray_u8(const Pixels& source, int64_t channels, uint8_t* target, int threads);

// The mean of the gray values of one image with 1 or 3 channels.
float gray_mean(const Pixels& image, int threads);

}  // namespace vision_core
