// A growing list of boxes of any shape that finds those which may overlap another box.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "kernels/bounds.hpp"

namespace vision_core {

template <class Shape>
class BoundedBoxes {
 public:
  explicit BoundedBoxes(const BoundsKernels& kernels) : kernels_(kernels) {}

  void add(const Shape& box) {
    const size_t place = boxes_.size() % bounds_chunk;
    if (place == 0) chunks_.resize(chunks_.size() + bounds_values, std::numeric_limits<float>::quiet_NaN());
    float* p = chunks_.data() + (boxes_.size() / bounds_chunk) * bounds_values + place;
    const Bounds bounds = box.bounds();
    for (int axis = 0; axis < 3; ++axis) {
      p[axis * bounds_chunk] = bounds.low[axis];
      p[(3 + axis) * bounds_chunk] = bounds.high[axis];
    }
    boxes_.push_back(box);
  }

  void clear() {
    chunks_.clear();
    boxes_.clear();
  }

  int64_t size() const { return static_cast<int64_t>(boxes_.size()); }
  const Shape& operator[](int64_t i) const { return boxes_[static_cast<size_t>(i)]; }

  // Calls visit(i), in order, for each first <= i < last whose bounds touch those of `box`, until it returns false.
  // Returns whether it never did.
  template <class Visit>
  bool each_touching(const Shape& box, int64_t first, int64_t last, Visit&& visit) const {
    constexpr int64_t at_once = 16;
    uint32_t hits[at_once * bounds_chunk];
    const Bounds bounds = box.bounds();
    const int64_t chunks = (last + bounds_chunk - 1) / bounds_chunk;
    for (int64_t chunk = first / bounds_chunk; chunk < chunks; chunk += at_once) {
      const int64_t number =
          kernels_.touching(chunks_.data(), chunk, std::min(chunk + at_once, chunks), bounds, hits);
      for (int64_t k = 0; k < number; ++k) {
        const int64_t i = hits[k];
        if (i >= first && i < last && !visit(i)) return false;
      }
    }
    return true;
  }

 private:
  const BoundsKernels& kernels_;
  std::vector<float> chunks_;
  std::vector<Shape> boxes_;
};

}  // namespace vision_core
