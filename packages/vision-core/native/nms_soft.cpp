// Suppression that lowers scores instead of dropping boxes.
#include <queue>

#include "bounded_boxes.hpp"
#include "nms.hpp"
#include "nms_groups.hpp"
#include "overlap.hpp"

namespace vision_core {
namespace {

template <class T>
T factor(const SoftNms& options, T iou) {
  if (options.decay == Decay::gaussian) return std::exp(-(iou * iou) / static_cast<T>(options.sigma));
  return static_cast<double>(iou) > options.threshold ? 1 - iou : T{1};
}

// Scores only go down, so the best box is found without lowering all: the box on top of the heap is lowered by the boxes
// that were taken since it was last looked at, and taken if that did not change its place.
template <class Shape, class T>
int64_t soft(const T* boxes, const T* scores, int64_t count, const SoftNms& options, int64_t* indices, T* lowered) {
  struct Candidate {
    T score;
    int64_t index, seen;  // how many taken boxes have lowered the score
    bool operator<(const Candidate& other) const {
      return score != other.score ? score < other.score : index > other.index;
    }
  };
  std::vector<Candidate> start;
  for (int64_t i = 0; i < count; ++i)
    if (static_cast<double>(scores[i]) > options.least) start.push_back({scores[i], i, 0});
  std::priority_queue<Candidate> heap(std::less<Candidate>(), std::move(start));
  BoundedBoxes<Shape> taken(VISION_SELECT(bounds_kernels));
  while (!heap.empty()) {
    Candidate best = heap.top();
    heap.pop();
    if (best.seen < taken.size()) {
      const Shape box = Shape::load(boxes + Shape::values * best.index);
      const T before = best.score;
      taken.each_touching(box, best.seen, taken.size(), [&](int64_t k) {
        const T iou = static_cast<T>(Shape::iou(taken[k], box));
        if (iou > 0) best.score *= factor(options, iou);
        return true;
      });
      best.seen = taken.size();
      if (best.score != before) {
        if (static_cast<double>(best.score) > options.least) heap.push(best);
        continue;
      }
    }
    indices[taken.size()] = best.index;
    lowered[taken.size()] = best.score;
    taken.add(Shape::load(boxes + Shape::values * best.index));
  }
  return taken.size();
}

template <class T>
T decayed(Decay decay, T iou, T most, T sigma) {
  return decay == Decay::gaussian ? std::exp(sigma * (most * most - iou * iou)) : (1 - iou) / (1 - most);
}

template <class Shape, class T>
void lower_all(const T* boxes, const T* scores, const int64_t* groups, int64_t count, Decay decay, T sigma, int threads,
               T* lowered) {
  const GroupedOrder order(scores, groups, count);
  const std::vector<int64_t>& sorted = order.order();
  const BoundsKernels& kernels = VISION_SELECT(bounds_kernels);
  std::vector<T> most(static_cast<size_t>(count));  // greatest overlap of each box with a better one
  for_each_group(order, threads, [&](int64_t begin, int64_t end, int inner_threads) {
    BoundedBoxes<Shape> members(kernels);
    for (int64_t i = begin; i < end; ++i) members.add(Shape::load(boxes + Shape::values * sorted[i]));
    vision::parallel_for(end - begin, 64, inner_threads, [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i) {
        T greatest = 0;
        members.each_touching(members[i], 0, i, [&](int64_t k) {
          const T iou = static_cast<T>(Shape::iou(members[k], members[i]));
          greatest = iou > greatest ? iou : greatest;
          return true;
        });
        most[begin + i] = greatest;
      }
    });
    vision::parallel_for(end - begin, 64, inner_threads, [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i) {
        T least = 1;  // the best box of the group lowers what it does not overlap by 1, others by 1 or more
        members.each_touching(members[i], 0, i, [&](int64_t k) {
          const T iou = static_cast<T>(Shape::iou(members[k], members[i]));
          const T to = iou > 0 ? decayed(decay, iou, most[begin + k], sigma) : T{1};
          least = to < least ? to : least;
          return true;
        });
        lowered[sorted[begin + i]] = scores[sorted[begin + i]] * least;
      }
    });
  });
}

}  // namespace

template <class T>
int64_t soft_nms(BoxShape shape, const T* boxes, const T* scores, int64_t count, const SoftNms& options,
                 int64_t* indices, T* lowered) {
  switch (shape) {
    case BoxShape::rotated: return soft<Rotated<T>>(boxes, scores, count, options, indices, lowered);
    case BoxShape::solid: return soft<Solid<T>>(boxes, scores, count, options, indices, lowered);
    default: return soft<Upright<T>>(boxes, scores, count, options, indices, lowered);
  }
}

template <class T>
void matrix_nms(BoxShape shape, const T* boxes, const T* scores, const int64_t* groups, int64_t count, Decay decay,
                double sigma, int threads, T* lowered) {
  if (count <= 0) return;
  const T s = static_cast<T>(sigma);
  switch (shape) {
    case BoxShape::rotated: return lower_all<Rotated<T>>(boxes, scores, groups, count, decay, s, threads, lowered);
    case BoxShape::solid: return lower_all<Solid<T>>(boxes, scores, groups, count, decay, s, threads, lowered);
    default: return lower_all<Upright<T>>(boxes, scores, groups, count, decay, s, threads, lowered);
  }
}

template int64_t soft_nms(BoxShape, const float*, const float*, int64_t, const SoftNms&, int64_t*, float*);
template int64_t soft_nms(BoxShape, const double*, const double*, int64_t, const SoftNms&, int64_t*, double*);
template void matrix_nms(BoxShape, const float*, const float*, const int64_t*, int64_t, Decay, double, int, float*);
template void matrix_nms(BoxShape, const double*, const double*, const int64_t*, int64_t, Decay, double, int, double*);

}  // namespace vision_core
