// Non-maximum suppression of boxes in memory.
#pragma once

#include <cstdint>

namespace vision_core {

// Writes the indices of the kept boxes to `keep` (room for `count`), best score first, and returns how many they are.
// boxes: [count, 4] x1 y1 x2 y2; groups: null, or [count], boxes of different groups do not affect each other.
template <class T>
int64_t nms(const T* boxes, const T* scores, const int64_t* groups, int64_t count, double threshold, int threads,
            int64_t* keep);

// Writes the positions of `scores` in descending order; equal scores keep their order, NaN comes first.
template <class T>
void sort_scores(const T* scores, int64_t count, int64_t* order);

}  // namespace vision_core
