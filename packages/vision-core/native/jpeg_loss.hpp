// What compression as JPEG does to pixels, without the file.
#pragma once

#include "pixels.hpp"

namespace vision_core {

// One channel (gray) or three (red, green, blue, their chroma halved both ways). quality: 1..100. The target is dense
// in the source's order.
void jpeg_loss_u8(const Pixels& source, int quality, uint8_t* target, int threads);

}  // namespace vision_core
