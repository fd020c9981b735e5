// Upright boxes and points moved as the pixels of their image are: scaled, shifted, turned, seen from elsewhere. The
// order of operations is that of the reference in torch, so the results are the same bit for bit.
#pragma once

#include <cstdint>

#include "rotated_format.hpp"

namespace vision_core {

struct AxisMove {
  double scale, shift;  // position -> position * scale + shift
};

struct Limits {
  bool on;
  double width, height;  // positions are cut to 0..width and 0..height
};

// A point goes to ((a x + b y + c) / w, (d x + e y + f) / w), w = g x + h y + 1 when `projective`, else 1.
struct PointMapping {
  double values[8];  // a to h
  bool projective;
};

// Boxes are [count, 4] in an upright format; `to` may be another upright one.
template <class T>
void scale_boxes(BoxFormat from, BoxFormat to, const T* boxes, int64_t count, AxisMove x, AxisMove y, Limits limits,
                 int threads, T* out);

// Each result is the smallest upright box around the four mapped corners.
template <class T>
void map_boxes(BoxFormat format, const T* boxes, int64_t count, const PointMapping& mapping, Limits limits, int threads,
               T* out);

// Points are [count, columns] with x, y first; further columns are copied.
template <class T>
void scale_points(const T* points, int64_t count, int64_t columns, AxisMove x, AxisMove y, Limits limits, int threads,
                  T* out);

template <class T>
void map_points(const T* points, int64_t count, int64_t columns, const PointMapping& mapping, int threads, T* out);

}  // namespace vision_core
