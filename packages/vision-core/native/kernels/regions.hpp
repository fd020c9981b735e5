// The inner loops of operators that pool regions by weighted sums of pixels, and their transposes.
//
// The channels of an image are divided into blocks of region_lanes, which fill a cache line. Packed, a block holds for
// each pixel the values of its channels side by side, so that channels are what vectors are made of. Where few boxes
// meet many pixels, packing does not pay: then planes are read in place.
#pragma once

#include <cstdint>

#include "vision/dispatch.hpp"

namespace vision_core {

template <class T>
constexpr int region_lanes = 64 / static_cast<int>(sizeof(T));

// Where the bins of one box look. Weights of upright boxes are products: a bin (r, c) is the sum over the taps of row r
// and those of column c. Rows of a volume are numbered through all its slices. Rotated boxes have taps of their own
// for each bin.
template <class T>
struct Region {
  int32_t row_bins, column_bins;
  const int32_t *row_begin, *row_at;  // taps of bin r: row_begin[r] to row_begin[r + 1]; rows of the image
  const T* row_weight;
  const int32_t *column_begin, *column_at;  // the same; positions in `columns`
  const T* column_weight;
  const int32_t* columns;  // the columns of the image that any bin looks at
  int32_t column_count, first_column, last_column;
  bool rotated;
  const int32_t *pixel_begin, *pixel_at;  // rotated: taps of each bin, pixels of the image
  const T* pixel_weight;
};

template <class T>
struct RegionFunctions {
  // Between planes and a block of at most region_lanes channels.
  void (*pack)(const T* planes, int64_t plane_stride, int64_t pixels, int channels, T* packed);
  void (*unpack)(const T* packed, int64_t pixels, int channels, T* planes, int64_t plane_stride);
  // From an image to the bins of a box and back (adding), both packed. sums: room for `column_count` pixels.
  void (*pool)(const Region<T>&, const T* image, int64_t pixel_stride, int64_t width, T* sums, T* bins);
  void (*spread)(const Region<T>&, const T* bins, int64_t width, T* sums, T* image);
  // The same for one channel. sums: room for `width` values.
  void (*pool_plane)(const Region<T>&, const T* plane, int64_t width, T* sums, T* bins);
  void (*spread_plane)(const Region<T>&, const T* bins, int64_t width, T* sums, T* plane);
  // One bin of upright boxes in one channel, as position-sensitive operators need it; bins lie `stride` apart.
  void (*pool_bin)(const Region<T>* boxes, int64_t count, int row, int column, const T* plane, int64_t width, T* bins,
                   int64_t stride);
  void (*spread_bin)(const Region<T>* boxes, int64_t count, int row, int column, const T* bins, int64_t stride,
                     int64_t width, T* plane);
};

struct RegionKernels {
  RegionFunctions<float> f32;
  RegionFunctions<double> f64;
};

VISION_DECLARE_KERNELS(RegionKernels, region_kernels)

}  // namespace vision_core
