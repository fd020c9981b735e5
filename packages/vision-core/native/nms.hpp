// Non-maximum suppression of boxes in memory.
#pragma once

#include <cstdint>

namespace vision_core {

enum class BoxShape : int { upright, rotated, solid };  // 4, 5 and 6 values, see overlap.hpp

// Writes the indices of the kept boxes to `keep` (room for `count`), best score first, and returns how many they are.
// boxes: [count, 4] x1 y1 x2 y2; groups: null, or [count], boxes of different groups do not affect each other.
template <class T>
int64_t nms(const T* boxes, const T* scores, const int64_t* groups, int64_t count, double threshold, int threads,
            int64_t* keep);

// The same of rotated boxes and of boxes in three dimensions.
template <class T>
int64_t shaped_nms(BoxShape shape, const T* boxes, const T* scores, const int64_t* groups, int64_t count,
                   double threshold, int threads, int64_t* keep);

enum class Decay : int { linear, gaussian };

struct SoftNms {
  Decay decay;
  double threshold;  // linear only: what overlaps less keeps its score
  double sigma;      // gaussian only
  double least;      // boxes whose score is not above it are dropped
};

// Bodla et al., "Soft-NMS", ICCV 2017. Writes indices and lowered scores, best first; returns how many they are.
template <class T>
int64_t soft_nms(BoxShape shape, const T* boxes, const T* scores, int64_t count, const SoftNms& options,
                 int64_t* indices, T* lowered);

// Wang et al., "SOLOv2", NeurIPS 2020: all scores are lowered at once. Writes lowered[count], in the boxes' order.
template <class T>
void matrix_nms(BoxShape shape, const T* boxes, const T* scores, const int64_t* groups, int64_t count, Decay decay,
                double sigma, int threads, T* lowered);

// Writes the positions of `scores` in descending order; equal scores keep their order, NaN comes first.
template <class T>
void sort_scores(const T* scores, int64_t count, int64_t* order);

}  // namespace vision_core
