// Noise that was drawn before, added to 8-bit values.
#pragma once

#include <cstdint>

namespace vision_core {

// target = source + noise * scale + shift, the change cut towards 0 to whole steps; cut off at 0 and 255 if `clip`, else
// modulo 256.
void add_noise_u8(const uint8_t* source, const float* noise, int64_t count, float scale, float shift, bool clip,
                  int threads, uint8_t* target);

}  // namespace vision_core
