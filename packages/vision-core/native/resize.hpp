// Resampling of 8-bit images with separable filters.
#pragma once

#include <cstdint>

namespace vision_core {

enum class Filter : int { box, bilinear, hamming, bicubic, lanczos };

// `planes` images that lie plane_stride bytes apart, with rows row_stride bytes apart; a row holds `width` pixels of
// `channels` bytes (1, 3 or 4) next to each other.
struct SourceImages {
  const uint8_t* data;
  int64_t planes, channels, height, width, row_stride, plane_stride;
};

// Filters the images to target_height x target_width; the target is contiguous. All sizes are at least 1.
void resize_u8(const SourceImages& source, uint8_t* target, int64_t target_height, int64_t target_width, Filter filter,
               int threads);

// A part of a resized image: `height` rows from `top` on and `width` columns from `left` on, mirrored or not.
struct Window {
  int64_t top, left, height, width;
  bool mirrored;
};

// The same bytes as resize_u8 would give in this part, without making the others. The window lies inside the result.
void resize_window_u8(const SourceImages& source, uint8_t* target, int64_t target_height, int64_t target_width,
                      const Window& window, Filter filter, int threads);

}  // namespace vision_core
