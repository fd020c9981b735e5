// Blurring with a separable symmetric window, and sharpening.
#pragma once

#include "pixels.hpp"

namespace vision_core {

// Weights from the centre of the window outwards: size / 2 + 1 of them.
struct Window {
  const double* weights;
  int64_t radius;
};

// The image is mirrored at its border without repeating the outermost pixels; both radii are smaller than its sides. The
// target is dense in the source's order.
void blur_u8(const Pixels& source, const Window& across, const Window& down, uint8_t* target, int threads);

// The same for `planes` contiguous planes of floats.
void blur_f32(const float* source, int64_t planes, int64_t height, int64_t width, const Window& across,
              const Window& down, float* target, int threads);

// Blends with the mean over 3 x 3 pixels that counts the middle five times; the outermost pixels stay as they are.
void sharpness_u8(const Pixels& source, double factor, uint8_t* target, int threads);

}  // namespace vision_core
