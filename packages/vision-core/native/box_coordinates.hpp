// Arithmetic on the coordinates of boxes: formats, areas, borders. One box is one vector of four values, so baseline
// code runs at the speed of memory.
#pragma once

#include <cstdint>

#include "rotated_format.hpp"

namespace vision_core {

// Boxes are [count, format_values(format)]; both formats are upright, or both are rotated.
template <class T>
void convert_boxes(BoxFormat from, BoxFormat to, const T* boxes, int64_t count, int threads, T* out);

// Of upright boxes [count, 4].
template <class T>
void box_areas(BoxFormat format, const T* boxes, int64_t count, int threads, T* out);

template <class T>
void clip_boxes(const T* boxes, int64_t count, T width, T height, int threads, T* out);

// Writes the indices of the boxes with both sides at least `least`, ascending; returns how many they are.
template <class T>
int64_t large_boxes(const T* boxes, int64_t count, double least, int64_t* keep);

}  // namespace vision_core
