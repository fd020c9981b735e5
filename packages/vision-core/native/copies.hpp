// Copies of images with pixels at other places.
#pragma once

#include "pixels.hpp"

namespace vision_core {

enum class Border : int { constant, edge, reflect, symmetric };

// Mirrors left to right, or upside down. The target is dense in the source's order.
void flip_u8(const Pixels& source, bool horizontal, uint8_t* target, int threads);

// Copies the part of the image that starts at (-left, -top); what lies outside shows `fill`, a value for each channel, or
// the image's border. Mirrored borders reach no farther than the image.
void pad_u8(const Pixels& source, int64_t left, int64_t top, int64_t height, int64_t width, Border border,
            const uint8_t* fill, uint8_t* target, int threads);

}  // namespace vision_core
