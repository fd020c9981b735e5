#include "nms.hpp"

#include "vision/simd.hpp"

namespace vision_core {
namespace VISION_ISA_NAMESPACE {
namespace {

namespace simd = vision::simd::VISION_ISA_NAMESPACE;
using simd::f32;

template <class T>
struct Box {
  T x1, y1, x2, y2, area;
};

// Whether a box of the chunk suppresses `box`. All operations are rounded one by one and in this order: the result
// equals the reference's bit for bit.
//
// The quotient is computed only where inter >= threshold * union. Where the rounded quotient exceeds the threshold, the
// exact product lies below inter, and rounding is monotone: no suppression is missed. A threshold below 0 is the
// exception, it suppresses what does not overlap at all.
inline bool hits(const float* chunk, const Box<float>& box, float threshold, bool always_divide) {
  const f32 x1 = simd::set(box.x1), y1 = simd::set(box.y1), x2 = simd::set(box.x2), y2 = simd::set(box.y2);
  const f32 area = simd::set(box.area), limit = simd::set(threshold), zero = simd::set(0.0f);
  for (int i = 0; i < chunk_boxes; i += f32::lanes) {
    const float* p = chunk + i;
    const f32 left = simd::max(simd::load(p), x1), top = simd::max(simd::load(p + chunk_boxes), y1);
    const f32 right = simd::min(simd::load(p + 2 * chunk_boxes), x2);
    const f32 bottom = simd::min(simd::load(p + 3 * chunk_boxes), y2);
    const f32 width = simd::max(simd::sub(right, left), zero), height = simd::max(simd::sub(bottom, top), zero);
    const f32 inter = simd::mul(width, height);
    const f32 whole = simd::sub(simd::add(simd::load(p + 4 * chunk_boxes), area), inter);
    if (!always_divide && !simd::any(simd::ge(inter, simd::mul(limit, whole)))) continue;
    if (simd::any(simd::gt(simd::div(inter, whole), limit))) return true;
  }
  return false;
}

inline bool hits(const double* chunk, const Box<double>& box, double threshold, bool) {
  int found = 0;
  for (int i = 0; i < chunk_boxes; ++i) {  // compilers turn this loop into vectors
    const double* p = chunk + i;
    const double left = p[0] > box.x1 ? p[0] : box.x1;
    const double top = p[chunk_boxes] > box.y1 ? p[chunk_boxes] : box.y1;
    const double right = p[2 * chunk_boxes] < box.x2 ? p[2 * chunk_boxes] : box.x2;
    const double bottom = p[3 * chunk_boxes] < box.y2 ? p[3 * chunk_boxes] : box.y2;
    const double width = right - left > 0 ? right - left : 0, height = bottom - top > 0 ? bottom - top : 0;
    const double inter = width * height;
    found |= inter / (p[4 * chunk_boxes] + box.area - inter) > threshold;
  }
  return found;
}

template <class T>
bool hits_list(const T* chunks, int64_t count, const Box<T>& box, const NmsIndex<T>& index) {
  for (int64_t i = 0; i < count; ++i)
    if (hits(chunks + i * chunk_values, box, index.threshold, index.negative_threshold)) return true;
  return false;
}

template <class T>
bool hits_any(const NmsIndex<T>& index, const Box<T>& box) {
  if (index.columns == 0) return hits_list(index.kept, index.kept_chunks, box, index);
  const CellRange range = cells_of(index, box.x1, box.y1, box.x2, box.y2);
  if (cell_count(range) > max_cells) return hits_list(index.kept, index.kept_chunks, box, index);
  if (hits_list(index.large, index.large_chunks, box, index)) return true;
  for (int32_t row = range.first_row; row <= range.last_row; ++row)
    for (int32_t column = range.first_column; column <= range.last_column; ++column)
      for (int32_t at = index.head[static_cast<int64_t>(row) * index.columns + column]; at >= 0; at = index.before[at])
        if (hits(index.cells + static_cast<int64_t>(at) * chunk_values, box, index.threshold, false)) return true;
  return false;
}

template <class T>
void test(const NmsIndex<T>& index, const NmsBoxes<T>& boxes, int64_t begin, int64_t end, uint8_t* suppressed) {
  for (int64_t i = begin; i < end; ++i)
    suppressed[i] = hits_any(index, Box<T>{boxes.x1[i], boxes.y1[i], boxes.x2[i], boxes.y2[i], boxes.area[i]});
}

}  // namespace
}  // namespace VISION_ISA_NAMESPACE

VISION_DEFINE_KERNELS(NmsKernels, nms_kernels) = {&VISION_ISA_NAMESPACE::test<float>,
                                                  &VISION_ISA_NAMESPACE::test<double>};

}  // namespace vision_core
