// Pooling of regions by weighted sums of pixels, and its transpose.
#pragma once

#include <cstdint>

#include "region_plan.hpp"

namespace vision_core {

struct RegionShape {
  int64_t channels;    // of the image
  int64_t boxes;
  bool channels_last;  // of the image; pooled bins and gradients are always plane by plane
  int threads;
};

// Pools `image` [images, channels, depth, height, width] to `bins` [boxes, channels, bins...]; position-sensitive kinds
// to [boxes, channels / bins, bins...]. T is float or double, and so is B, what coordinates are made of. Numbers of
// images must have been checked (find_wrong_image).
template <class T, class B>
void pool_regions(const RegionGrid& grid, const RegionShape& shape, const T* image, const B* boxes, T* bins);

// Writes to `image` the sum of what every bin gives back to the pixels that it was made of.
template <class T, class B>
void spread_regions(const RegionGrid& grid, const RegionShape& shape, const T* bins, const B* boxes, T* image);

}  // namespace vision_core
