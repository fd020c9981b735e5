// Overlap of two sets of boxes, as a matrix.
#pragma once

#include <cstdint>

#include "kernels/box_iou.hpp"
#include "rotated_format.hpp"

namespace vision_core {

// out[count1, count2] from boxes1 [count1, 4] and boxes2 [count2, 4], x1 y1 x2 y2 (solid: 6, x1 y1 z1 x2 y2 z2).
template <class T>
void box_iou(Overlap kind, const T* boxes1, int64_t count1, const T* boxes2, int64_t count2, double eps, int threads,
             T* out);

// The IoU of rotated boxes [.., format_values(format)]. 0 where a box of the pair has no area or is not finite.
template <class T>
void rotated_box_iou(BoxFormat format, const T* boxes1, int64_t count1, const T* boxes2, int64_t count2, int threads, T* out);

}  // namespace vision_core
