// Average precision of detections by COCO's protocol: greedy matching in every (class, image), then precision over
// recall in every class.
#pragma once

#include <cstdint>

namespace vision_core {

enum class Shape : int32_t { box, keypoints, mask };

// Detections or ground truths of all images, one image after the other.
struct Instances {
  const int64_t* offsets = nullptr;   // [images + 1]: where each image begins
  const int32_t* classes = nullptr;   // [N]: 0 .. classes - 1; -1 is left out
  const double* areas = nullptr;      // [N]
  const double* shapes = nullptr;     // boxes: [N, 4] x y w h; detected keypoints: [N, K, 2]; true ones: [N, K, 3]
  const double* scores = nullptr;     // detections: [N]
  const double* boxes = nullptr;      // ground truths with keypoints: [N, 4] x y w h
  const uint8_t* crowd = nullptr;     // ground truths: [N]
  const uint8_t* ignore = nullptr;    // ground truths: [N]; crowds are ignored
  const char* texts = nullptr;        // masks: what rle.hpp describes; their reader has accepted them before
  const int64_t* text_offsets = nullptr;  // masks: [N + 1]: where each begins in the texts
  const int64_t* sizes = nullptr;     // masks: [N, 2]: height, width; the same for all masks of an image
};

struct DetectionProblem {
  int64_t images = 0, classes = 0, keypoints = 0;
  Shape shape = Shape::box;
  Instances detections, truths;
  const double* variances = nullptr;  // [K]: (2 sigma)^2

  const double* iou_thresholds = nullptr;     // [T]
  const double* recall_thresholds = nullptr;  // [R] ascending
  const double* area_ranges = nullptr;        // [A, 2]: both ends belong to it
  const int64_t* max_detections = nullptr;    // [M] ascending
  int64_t iou_count = 0, recall_count = 0, area_count = 0, max_count = 0;

  double* precision = nullptr;  // [classes, A, M, T, R]; -1 without ground truth
  double* scores = nullptr;     // [classes, A, M, T, R]: of the detection that reaches the recall
  double* recall = nullptr;     // [classes, A, M, T]
};

// Similarity of each detection (rows of the result) with each ground truth; both lists hold indices of instances.
// There is at least one of each.
void similarities(const DetectionProblem& problem, const int64_t* detections, int64_t detection_count,
                  const int64_t* truths, int64_t truth_count, double* result);

void evaluate_detections(const DetectionProblem& problem, int threads);

}  // namespace vision_core
