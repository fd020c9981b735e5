// Masks of pixels: the boxes around them, how they overlap, and putting the small masks of detectors into images.
#pragma once

#include <cstdint>

namespace vision_core {

// masks: [count, height, width] of values of `size` bytes; where `floating` is set, -0.0 counts as 0.
// boxes: [count, 4], the first and the last column and row of each mask, zeros for an empty one.
void masks_to_boxes(const uint8_t* masks, int64_t count, int64_t height, int64_t width, int64_t size, bool floating,
                    int threads, float* boxes);

// a: [first_count, pixels], b: [second_count, pixels], bytes; iou: [first_count, second_count], 0 for two empty masks.
void mask_iou(const uint8_t* a, int64_t first_count, const uint8_t* b, int64_t second_count, int64_t pixels, int threads,
              float* iou);

// Where masks go: they are enlarged to the pixels from (x1, y1) to (x2, y2), both included, of an image.
struct Paste {
  const float* masks;    // [count, mask_height, mask_width]
  const int64_t* boxes;  // [count, 4] x1 y1 x2 y2, beyond the image if need be
  int64_t count, mask_height, mask_width, height, width;
};

// Enlarges bilinearly; out: [count, height, width], 0 outside of the boxes. The second one compares with a threshold.
void paste_masks(const Paste& paste, int threads, float* out);
void paste_masks(const Paste& paste, float threshold, int threads, uint8_t* out);

}  // namespace vision_core
