#include "kernels/region_maximum.hpp"

#include "kernels/region_blocks.hpp"

namespace vision_core {
namespace VISION_ISA_NAMESPACE {
namespace {

using simd::gt;
using simd::i32;
using simd::max;
using simd::select;

// NaN is never greater: where there is nothing else, the value stays the least number and the place none.
template <class T>
constexpr T lowest = sizeof(T) == 4 ? static_cast<T>(-__FLT_MAX__) : static_cast<T>(-__DBL_MAX__);

// Calls inside(row, column) for every pixel of a bin, row by row; false where there is none.
template <class Inside>
inline bool for_pixels(const MaxRegion& box, int row, int column, Inside&& inside) {
  const int row_end = box.row_end[row], column_begin = box.column_begin[column], column_end = box.column_end[column];
  if (box.row_begin[row] >= row_end || column_begin >= column_end) return false;
  for (int y = box.row_begin[row]; y < row_end; ++y)
    for (int x = column_begin; x < column_end; ++x) inside(y, x);
  return true;
}

// max() of vectors gives its second argument where one of the two is NaN; on Arm it gives NaN, so the comparison is
// written out there.
inline f32 greater_of(f32 value, f32 best) {
#if VISION_ISA_IS_NEON || VISION_ISA_IS_DOTPROD || VISION_ISA_IS_I8MM
  return select(gt(value, best), value, best);
#else
  return max(value, best);
#endif
}

void pool_values(const MaxRegion& box, const float* packed, int64_t width, float* bins) {
  constexpr int lanes = region_lanes<float>, vectors = lanes / f32::lanes;
  for (int row = 0; row < box.row_bins; ++row)
    for (int column = 0; column < box.column_bins; ++column, bins += lanes) {
      f32 best[vectors];
      for (int i = 0; i < vectors; ++i) best[i] = set(lowest<float>);
      const bool any = for_pixels(box, row, column, [&](int y, int x) {
        const float* p = packed + (y * width + x) * lanes;
        for (int i = 0; i < vectors; ++i) best[i] = greater_of(load(p + i * f32::lanes), best[i]);
      });
      for (int i = 0; i < vectors; ++i) store(bins + i * f32::lanes, any ? best[i] : set(0.0f));
    }
}

void pool(const MaxRegion& box, const float* packed, int64_t width, float* bins, int32_t* places) {
  if (!places) return pool_values(box, packed, width, bins);
  constexpr int lanes = region_lanes<float>, vectors = lanes / f32::lanes;
  for (int row = 0; row < box.row_bins; ++row)
    for (int column = 0; column < box.column_bins; ++column, bins += lanes, places += lanes) {
      f32 best[vectors];
      i32 place[vectors];
      for (int i = 0; i < vectors; ++i) best[i] = set(lowest<float>), place[i] = simd::set(int32_t{-1});
      const bool any = for_pixels(box, row, column, [&](int y, int x) {
        const int64_t at = y * width + x;
        const i32 here = simd::set(static_cast<int32_t>(at));
        for (int i = 0; i < vectors; ++i) {
          const f32 value = load(packed + at * lanes + i * f32::lanes);
          const auto better = gt(value, best[i]);
          best[i] = select(better, value, best[i]);
          place[i] = select(better, here, place[i]);
        }
      });
      for (int i = 0; i < vectors; ++i) {
        store(bins + i * f32::lanes, any ? best[i] : set(0.0f));
        simd::store(places + i * f32::lanes, place[i]);
      }
    }
}

void pool(const MaxRegion& box, const double* packed, int64_t width, double* bins, int32_t* places) {
  constexpr int lanes = region_lanes<double>;
  for (int row = 0; row < box.row_bins; ++row)
    for (int column = 0; column < box.column_bins; ++column, bins += lanes) {
      double best[lanes];
      int32_t place[lanes];
      for (int i = 0; i < lanes; ++i) best[i] = lowest<double>, place[i] = -1;
      const bool any = for_pixels(box, row, column, [&](int y, int x) {
        const int64_t at = y * width + x;
        for (int i = 0; i < lanes; ++i) {
          const double value = packed[at * lanes + i];
          place[i] = value > best[i] ? static_cast<int32_t>(at) : place[i];
          best[i] = value > best[i] ? value : best[i];
        }
      });
      for (int i = 0; i < lanes; ++i) bins[i] = any ? best[i] : 0;
      if (places) {
        std::memcpy(places, place, sizeof(place));
        places += lanes;
      }
    }
}

// The first pixel of a bin, row by row, that has this value.
template <class T>
int32_t find(const MaxRegion& box, int row, int column, const T* plane, int64_t width, T value) {
  for (int y = box.row_begin[row]; y < box.row_end[row]; ++y)
    for (int x = box.column_begin[column]; x < box.column_end[column]; ++x)
      if (plane[y * width + x] == value) return static_cast<int32_t>(y * width + x);
  return -1;
}

// Rows first, all columns of the box at a time, then the columns of each bin.
template <class T>
void pool_plane(const MaxRegion& box, const T* plane, int64_t width, T* columns, T* bins, int32_t* places) {
  const int first = box.column_begin[0], last = box.column_end[box.column_bins - 1];
  for (int row = 0; row < box.row_bins; ++row) {
    const bool rows = box.row_begin[row] < box.row_end[row];
    for (int x = first; x < last; ++x) columns[x] = lowest<T>;
    for (int y = box.row_begin[row]; y < box.row_end[row]; ++y) {
      const T* from = plane + y * width;
      for (int x = first; x < last; ++x) columns[x] = from[x] > columns[x] ? from[x] : columns[x];
    }
    for (int column = 0; column < box.column_bins; ++column) {
      const int begin = box.column_begin[column], end = box.column_end[column];
      T best = lowest<T>;
      for (int x = begin; x < end; ++x) best = columns[x] > best ? columns[x] : best;
      *bins++ = rows && begin < end ? best : T(0);
      if (places) *places++ = best > lowest<T> ? find(box, row, column, plane, width, best) : -1;
    }
  }
}

void unpack_places_f32(const int32_t* packed, int64_t pixels, int channels, int32_t* planes, int64_t plane_stride) {
  unpack_bits(packed, pixels, channels, planes, plane_stride);
}

void unpack_places_f64(const int32_t* packed, int64_t pixels, int channels, int32_t* planes, int64_t plane_stride) {
  unpack_plain<region_lanes<double>>(packed, 0, pixels, 0, channels, planes, plane_stride);
}

}  // namespace
}  // namespace VISION_ISA_NAMESPACE

VISION_DEFINE_KERNELS(MaxKernels, max_kernels) = {
    {&VISION_ISA_NAMESPACE::pool, &VISION_ISA_NAMESPACE::pool_plane<float>, &VISION_ISA_NAMESPACE::pack,
     &VISION_ISA_NAMESPACE::unpack, &VISION_ISA_NAMESPACE::unpack_places_f32},
    {&VISION_ISA_NAMESPACE::pool, &VISION_ISA_NAMESPACE::pool_plane<double>, &VISION_ISA_NAMESPACE::pack,
     &VISION_ISA_NAMESPACE::unpack, &VISION_ISA_NAMESPACE::unpack_places_f64}};

}  // namespace vision_core
