// The greatest value in each bin of a box, and where it is.
#pragma once

#include <cstdint>

#include "kernels/regions.hpp"

namespace vision_core {

// Bins of one box: rows row_begin[r] to row_end[r], columns column_begin[c] to column_end[c] of the image.
struct MaxRegion {
  int32_t row_bins, column_bins;
  const int32_t *row_begin, *row_end, *column_begin, *column_end;
};

template <class T>
struct MaxFunctions {
  // Of a packed block of channels. places: null, or the pixel of each maximum, the first one among equals, -1 for none.
  void (*pool)(const MaxRegion&, const T* packed, int64_t width, T* bins, int32_t* places);
  // Of one channel. columns: room for `width` values.
  void (*pool_plane)(const MaxRegion&, const T* plane, int64_t width, T* columns, T* bins, int32_t* places);
  void (*pack)(const T* planes, int64_t plane_stride, int64_t pixels, int channels, T* packed);
  void (*unpack)(const T* packed, int64_t pixels, int channels, T* planes, int64_t plane_stride);
  void (*unpack_places)(const int32_t* packed, int64_t pixels, int channels, int32_t* planes, int64_t plane_stride);
};

struct MaxKernels {
  MaxFunctions<float> f32;
  MaxFunctions<double> f64;
};

VISION_DECLARE_KERNELS(MaxKernels, max_kernels)

}  // namespace vision_core
