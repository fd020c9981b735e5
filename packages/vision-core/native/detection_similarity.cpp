// How alike a detection and a ground truth are: IoU of boxes and of masks, object keypoint similarity. In double, and
// operation by operation as COCO's protocol does it: a threshold must fall on the same side.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <vector>

#include "detection_metrics.hpp"
#include "rle.hpp"

namespace vision_core {
namespace {

double box_iou(const double* d, const double* g, bool crowd) {
  const double w = std::min(d[2] + d[0], g[2] + g[0]) - std::max(d[0], g[0]);
  if (!(w > 0)) return 0;
  const double h = std::min(d[3] + d[1], g[3] + g[1]) - std::max(d[1], g[1]);
  if (!(h > 0)) return 0;
  const double both = w * h, area = d[2] * d[3];
  return both / (crowd ? area : area + g[2] * g[3] - both);
}

// Where a point lies outside of [low, high], by how much.
double outside(double low, double value, double high) {
  return std::max(0.0, low - value) + std::max(0.0, value - high);
}

double keypoint_similarity(const DetectionProblem& p, int64_t detection, int64_t truth) {
  const double* d = p.detections.shapes + detection * p.keypoints * 2;
  const double* g = p.truths.shapes + truth * p.keypoints * 3;
  const double* box = p.truths.boxes + 4 * truth;
  const double scale = p.truths.areas[truth] + std::numeric_limits<double>::epsilon();
  int64_t labelled = 0;
  for (int64_t k = 0; k < p.keypoints; ++k) labelled += g[3 * k + 2] > 0;
  double sum = 0;
  for (int64_t k = 0; k < p.keypoints; ++k) {
    double dx, dy;
    if (labelled) {
      if (!(g[3 * k + 2] > 0)) continue;
      dx = d[2 * k] - g[3 * k], dy = d[2 * k + 1] - g[3 * k + 1];
    } else {  // nothing is labelled: distance to the box, blown up to three times its size
      dx = outside(box[0] - box[2], d[2 * k], box[0] + box[2] * 2);
      dy = outside(box[1] - box[3], d[2 * k + 1], box[1] + box[3] * 2);
    }
    sum += std::exp(-((dx * dx + dy * dy) / p.variances[k] / scale / 2));
  }
  return sum / static_cast<double>(labelled ? labelled : p.keypoints);
}

std::vector<Runs> read_masks(const Instances& all, const int64_t* indices, int64_t count, const char* argument) {
  std::vector<Runs> masks;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t index = indices[i], begin = all.text_offsets[index], end = all.text_offsets[index + 1];
    const std::string_view text(all.texts + begin, static_cast<size_t>(end - begin));
    masks.push_back(parse_runs(text, {all.sizes[2 * index], all.sizes[2 * index + 1]}, {argument, index}));
  }
  return masks;
}

void mask_ious(const DetectionProblem& p, const int64_t* detections, int64_t detection_count, const int64_t* truths,
               int64_t truth_count, double* result) {
  std::vector<uint8_t> crowd;
  for (int64_t j = 0; j < truth_count; ++j) crowd.push_back(p.truths.crowd[truths[j]]);
  const int64_t* size = p.detections.sizes + 2 * detections[0];
  iou_of(read_masks(p.detections, detections, detection_count, "detections"),
         read_masks(p.truths, truths, truth_count, "truths"), {size[0], size[1]}, crowd.data(), 1, result);
}

}  // namespace

void similarities(const DetectionProblem& p, const int64_t* detections, int64_t detection_count, const int64_t* truths,
                  int64_t truth_count, double* result) {
  if (p.shape == Shape::mask) {
    mask_ious(p, detections, detection_count, truths, truth_count, result);
    return;
  }
  for (int64_t i = 0; i < detection_count; ++i) {
    const int64_t d = detections[i];
    for (int64_t j = 0; j < truth_count; ++j, ++result) {
      const int64_t g = truths[j];
      *result = p.shape == Shape::keypoints
                    ? keypoint_similarity(p, d, g)
                    : box_iou(p.detections.shapes + 4 * d, p.truths.shapes + 4 * g, p.truths.crowd[g]);
    }
  }
}

}  // namespace vision_core
