#include "bindings/bindings.hpp"
#include "box_coordinates.hpp"
#include "box_iou.hpp"

namespace vision_core {

static void run_box_iou(int kind, uintptr_t boxes1, int64_t count1, uintptr_t boxes2, int64_t count2, double eps,
                        bool is_double, int threads, uintptr_t to) {
  const Overlap overlap = static_cast<Overlap>(kind);
  if (is_double)
    box_iou(overlap, in<double>(boxes1), count1, in<double>(boxes2), count2, eps, threads, out<double>(to));
  else
    box_iou(overlap, in<float>(boxes1), count1, in<float>(boxes2), count2, eps, threads, out<float>(to));
}

static void run_rotated_box_iou(int format, uintptr_t boxes1, int64_t count1, uintptr_t boxes2, int64_t count2, bool is_double,
                                int threads, uintptr_t to) {
  const BoxFormat source = static_cast<BoxFormat>(format);
  if (is_double)
    rotated_box_iou(source, in<double>(boxes1), count1, in<double>(boxes2), count2, threads, out<double>(to));
  else
    rotated_box_iou(source, in<float>(boxes1), count1, in<float>(boxes2), count2, threads, out<float>(to));
}

static void run_convert(int from, int to_format, uintptr_t boxes, int64_t count, bool is_double, int threads,
                        uintptr_t to) {
  const BoxFormat source = static_cast<BoxFormat>(from), target = static_cast<BoxFormat>(to_format);
  if (is_double)
    convert_boxes(source, target, in<double>(boxes), count, threads, out<double>(to));
  else
    convert_boxes(source, target, in<float>(boxes), count, threads, out<float>(to));
}

static void run_areas(int format, uintptr_t boxes, int64_t count, bool is_double, int threads, uintptr_t to) {
  const BoxFormat source = static_cast<BoxFormat>(format);
  if (is_double)
    box_areas(source, in<double>(boxes), count, threads, out<double>(to));
  else
    box_areas(source, in<float>(boxes), count, threads, out<float>(to));
}

static void run_clip(uintptr_t boxes, int64_t count, double width, double height, bool is_double, int threads,
                     uintptr_t to) {
  if (is_double)
    clip_boxes(in<double>(boxes), count, width, height, threads, out<double>(to));
  else
    clip_boxes(in<float>(boxes), count, static_cast<float>(width), static_cast<float>(height), threads, out<float>(to));
}

static int64_t run_large(uintptr_t boxes, int64_t count, double least, bool is_double, uintptr_t keep) {
  return is_double ? large_boxes(in<double>(boxes), count, least, out<int64_t>(keep))
                   : large_boxes(in<float>(boxes), count, least, out<int64_t>(keep));
}

void bind_boxes(nb::module_& m) {
  m.def("box_iou", &run_box_iou, "kind"_a, "boxes1"_a, "count1"_a, "boxes2"_a, "count2"_a, "eps"_a, "double"_a,
        "threads"_a, "out"_a, NoGil());
  m.def("rotated_box_iou", &run_rotated_box_iou, "format"_a, "boxes1"_a, "count1"_a, "boxes2"_a, "count2"_a, "double"_a,
        "threads"_a, "out"_a, NoGil());
  m.def("convert_boxes", &run_convert, "source"_a, "to"_a, "boxes"_a, "count"_a, "double"_a, "threads"_a, "out"_a,
        NoGil());
  m.def("box_areas", &run_areas, "format"_a, "boxes"_a, "count"_a, "double"_a, "threads"_a, "out"_a, NoGil());
  m.def("clip_boxes", &run_clip, "boxes"_a, "count"_a, "width"_a, "height"_a, "double"_a, "threads"_a, "out"_a,
        NoGil());
  m.def("large_boxes", &run_large, "boxes"_a, "count"_a, "least"_a, "double"_a, "keep"_a, NoGil());
}

}  // namespace vision_core
