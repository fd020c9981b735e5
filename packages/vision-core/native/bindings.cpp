// What Python calls: addresses and sizes in, checked by the caller; the GIL is free while a kernel runs.
#include <nanobind/nanobind.h>

#include "nms.hpp"
#include "resize.hpp"
#include "vision/bindings.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

template <class T>
const T* at(uintptr_t address) {
  return reinterpret_cast<const T*>(address);
}

int64_t nms(uintptr_t boxes, uintptr_t scores, uintptr_t groups, int64_t count, double threshold, bool is_double,
            int threads, uintptr_t keep) {
  int64_t* result = reinterpret_cast<int64_t*>(keep);
  const int64_t* group = at<int64_t>(groups);
  return is_double
             ? vision_core::nms(at<double>(boxes), at<double>(scores), group, count, threshold, threads, result)
             : vision_core::nms(at<float>(boxes), at<float>(scores), group, count, threshold, threads, result);
}

void resize_u8(uintptr_t source, uintptr_t target, int64_t planes, int64_t channels, int64_t source_height,
               int64_t source_width, int64_t target_height, int64_t target_width, int64_t row_stride,
               int64_t plane_stride, int filter, int threads) {
  const vision_core::SourceImages images{at<uint8_t>(source), planes,     channels,    source_height,
                                         source_width,        row_stride, plane_stride};
  vision_core::resize_u8(images, reinterpret_cast<uint8_t*>(target), target_height, target_width,
                         static_cast<vision_core::Filter>(filter), threads);
}

}  // namespace

NB_MODULE(_native_ext, m) {
  vision::bind_common(m);
  const auto no_gil = nb::call_guard<nb::gil_scoped_release>();
  m.def("nms", &nms, "boxes"_a, "scores"_a, "groups"_a, "count"_a, "iou_threshold"_a, "double"_a, "threads"_a, "keep"_a,
        no_gil);
  m.def("resize_u8", &resize_u8, "source"_a, "target"_a, "planes"_a, "channels"_a, "source_height"_a, "source_width"_a,
        "target_height"_a, "target_width"_a, "row_stride"_a, "plane_stride"_a, "filter"_a, "threads"_a, no_gil);
}
