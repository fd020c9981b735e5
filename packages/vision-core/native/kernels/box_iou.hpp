// Overlap of every box of one set with every box of another, one pass that writes each result once.
#pragma once

#include <cstdint>

#include "vision/dispatch.hpp"

namespace vision_core {

enum class Overlap : int { iou, generalized, distance, complete, solid };  // solid: IoU of boxes in three dimensions

// The second set stands in columns: all x1, then all y1, x2, y2 (solid: x1 y1 z1 x2 y2 z2), then the areas (volumes),
// then, for `complete`, the angles of the diagonals.
template <class T>
struct OverlapTask {
  const T* boxes1;    // [.., 4] or [.., 6]
  const T* aspects1;  // angle of the diagonal of each of boxes1, `complete` only
  const T* columns2;
  int64_t count2;
  T eps;
  T* out;             // [.., count2]
};

struct BoxIouKernels {
  // Rows begin <= i < end of the result, for each Overlap.
  void (*rows_f32[5])(const OverlapTask<float>&, int64_t begin, int64_t end);
  void (*rows_f64[5])(const OverlapTask<double>&, int64_t begin, int64_t end);
};

VISION_DECLARE_KERNELS(BoxIouKernels, box_iou_kernels)

}  // namespace vision_core
