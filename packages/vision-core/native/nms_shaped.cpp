// Suppression of boxes of any shape: bounds tell which kept boxes a candidate may overlap, then the exact overlap counts.
#include <memory>

#include "bounded_boxes.hpp"
#include "nms.hpp"
#include "nms_groups.hpp"
#include "overlap.hpp"

namespace vision_core {
namespace {

template <class Shape>
class ShapedGreedy {
 public:
  ShapedGreedy(const Shape* boxes, int64_t count, double threshold, const BoundsKernels& kernels)
      : boxes_(boxes), count_(count), threshold_(threshold), kept_(kernels) {}

  // A block at a time: its boxes are compared with all boxes kept before it by many threads, then those that are left
  // with each other by one.
  void run(uint8_t* keep, int threads) {
    const int64_t block = threads > 1 && count_ > 2 * parallel_block ? parallel_block : count_;
    for (int64_t begin = 0; begin < count_; begin += block) {
      const int64_t end = std::min(begin + block, count_), before = kept_.size();
      if (before) {
        vision::parallel_for(end - begin, 16, threads, [&](int64_t first, int64_t last) {
          for (int64_t i = begin + first; i < begin + last; ++i) keep[i] = free(boxes_[i], 0, before);
        });
      }
      for (int64_t i = begin; i < end; ++i) {
        keep[i] = (!before || keep[i]) && free(boxes_[i], before, kept_.size());
        if (keep[i]) kept_.add(boxes_[i]);
      }
    }
  }

 private:
  static constexpr int64_t parallel_block = 256;

  // Whether none of the kept boxes first <= k < last suppresses `box`.
  bool free(const Shape& box, int64_t first, int64_t last) const {
    const auto passes = [&](int64_t k) { return !(Shape::iou(kept_[k], box) > threshold_); };
    if (threshold_ >= 0) return kept_.each_touching(box, first, last, passes);
    for (int64_t k = first; k < last; ++k)  // what does not overlap is suppressed, too
      if (!passes(k)) return false;
    return true;
  }

  const Shape* boxes_;
  int64_t count_;
  double threshold_;
  BoundedBoxes<Shape> kept_;
};

template <class Shape, class T>
int64_t run(const T* boxes, const T* scores, const int64_t* groups, int64_t count, double threshold, int threads,
            int64_t* keep) {
  if (count <= 0) return 0;
  const size_t n = static_cast<size_t>(count);
  const GroupedOrder order(scores, groups, count);
  const BoundsKernels& kernels = VISION_SELECT(bounds_kernels);
  std::vector<Shape> sorted;
  sorted.reserve(n);
  for (const int64_t i : order.order()) sorted.push_back(Shape::load(boxes + Shape::values * i));
  std::unique_ptr<uint8_t[]> kept(new uint8_t[n]);
  for_each_group(order, threads, [&](int64_t begin, int64_t end, int inner_threads) {
    ShapedGreedy<Shape>(sorted.data() + begin, end - begin, threshold, kernels).run(kept.get() + begin, inner_threads);
  });
  return write_kept(order, kept.get(), keep);
}

}  // namespace

template <class T>
int64_t shaped_nms(BoxShape shape, const T* boxes, const T* scores, const int64_t* groups, int64_t count,
                   double threshold, int threads, int64_t* keep) {
  switch (shape) {
    case BoxShape::rotated: return run<Rotated<T>>(boxes, scores, groups, count, threshold, threads, keep);
    case BoxShape::solid: return run<Solid<T>>(boxes, scores, groups, count, threshold, threads, keep);
    default: return nms(boxes, scores, groups, count, threshold, threads, keep);
  }
}

template int64_t shaped_nms(BoxShape, const float*, const float*, const int64_t*, int64_t, double, int, int64_t*);
template int64_t shaped_nms(BoxShape, const double*, const double*, const int64_t*, int64_t, double, int, int64_t*);

}  // namespace vision_core
