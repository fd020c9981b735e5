#include "box_iou.hpp"

#include <algorithm>
#include <cmath>
#include <memory>

#include "bounded_boxes.hpp"
#include "overlap.hpp"
#include "vision/thread_pool.hpp"

namespace vision_core {
namespace {

constexpr int64_t pairs_per_thread = 16384;  // about 10 us of work

const auto& rows(const BoxIouKernels& kernels, float) { return kernels.rows_f32; }
const auto& rows(const BoxIouKernels& kernels, double) { return kernels.rows_f64; }

template <class T>
T aspect(const T* box) {
  return std::atan((box[2] - box[0]) / (box[3] - box[1]));
}

template <class T>
void fill_columns(Overlap kind, const T* boxes, int64_t count, T* columns) {
  const int axes = kind == Overlap::solid ? 3 : 2;
  for (int64_t j = 0; j < count; ++j) {
    const T* box = boxes + 2 * axes * j;
    T size = 1;
    for (int axis = 0; axis < axes; ++axis) {
      columns[axis * count + j] = box[axis];
      columns[(axes + axis) * count + j] = box[axes + axis];
      const T side = box[axes + axis] - box[axis];
      size = axis ? size * side : side;
    }
    columns[2 * axes * count + j] = size;
    if (kind == Overlap::complete) columns[5 * count + j] = aspect(box);
  }
}

int64_t row_grain(int64_t count2) { return std::max<int64_t>(1, pairs_per_thread / std::max<int64_t>(count2, 1)); }

}  // namespace

template <class T>
void box_iou(Overlap kind, const T* boxes1, int64_t count1, const T* boxes2, int64_t count2, double eps, int threads,
             T* out) {
  if (count1 <= 0 || count2 <= 0) return;
  const bool complete = kind == Overlap::complete;
  constexpr int64_t few = 64;
  T on_stack[7 * few];  // small sets need no allocation
  const int64_t places = 7 * count2 + (complete ? count1 : 0);
  std::unique_ptr<T[]> on_heap;
  T* columns = on_stack;
  if (places > 7 * few) {
    on_heap.reset(new T[static_cast<size_t>(places)]);
    columns = on_heap.get();
  }
  T* aspects = columns + 7 * count2;
  fill_columns(kind, boxes2, count2, columns);
  if (complete)
    for (int64_t i = 0; i < count1; ++i) aspects[i] = aspect(boxes1 + 4 * i);
  const OverlapTask<T> task{boxes1, aspects, columns, count2, static_cast<T>(eps), out};
  const auto run = rows(VISION_SELECT(box_iou_kernels), T{})[static_cast<int>(kind)];
  vision::parallel_for(count1, row_grain(count2), threads,
                       [&](int64_t begin, int64_t end) { run(task, begin, end); });
}

template <class T>
void rotated_box_iou(BoxFormat format, const T* boxes1, int64_t count1, const T* boxes2, int64_t count2, int threads,
                     T* out) {
  if (count1 <= 0 || count2 <= 0) return;
  BoundedBoxes<Rotated<T>> second(VISION_SELECT(bounds_kernels));
  const int64_t values = format_values(format);
  for (int64_t j = 0; j < count2; ++j) second.add(Rotated<T>::of(read_rotated<double>(format, boxes2 + values * j)));
  const int64_t grain = std::max<int64_t>(1, row_grain(count2) / 16);
  vision::parallel_for(count1, grain, threads, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      T* row = out + i * count2;
      std::fill(row, row + count2, T{0});
      const Rotated<T> box = Rotated<T>::of(read_rotated<double>(format, boxes1 + values * i));
      second.each_touching(box, 0, count2, [&](int64_t j) {
        row[j] = static_cast<T>(Rotated<T>::iou(box, second[j]));
        return true;
      });
    }
  });
}

template void box_iou(Overlap, const float*, int64_t, const float*, int64_t, double, int, float*);
template void box_iou(Overlap, const double*, int64_t, const double*, int64_t, double, int, double*);
template void rotated_box_iou(BoxFormat, const float*, int64_t, const float*, int64_t, int, float*);
template void rotated_box_iou(BoxFormat, const double*, int64_t, const double*, int64_t, int, double*);

}  // namespace vision_core
