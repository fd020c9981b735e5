// RoI pooling: the greatest value in each bin.
#pragma once

#include <cstdint>

namespace vision_core {

struct MaxShape {
  int64_t images, channels, height, width;
  int64_t boxes, row_bins, column_bins;
  int threads;
};

// image [images, channels, height, width] to bins [boxes, channels, row_bins, column_bins]; places: null, or the pixel
// of each maximum. boxes: [boxes, 5]. T is float or double, and so is B. Numbers of images must have been checked.
template <class T, class B>
void max_regions(const MaxShape& shape, const T* image, const B* boxes, double scale, T* bins, int32_t* places);

// Writes to `image` the sums of what arrives at each place.
template <class T, class B>
void spread_max_regions(const MaxShape& shape, const T* bins, const B* boxes, const int32_t* places, T* image);

}  // namespace vision_core
