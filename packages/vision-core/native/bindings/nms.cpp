#include "nms.hpp"

#include "bindings/bindings.hpp"

namespace vision_core {

static int64_t run_nms(uintptr_t boxes, uintptr_t scores, uintptr_t groups, int64_t count, double threshold,
                       bool is_double, int threads, uintptr_t keep) {
  const int64_t* group = in<int64_t>(groups);
  return is_double ? nms(in<double>(boxes), in<double>(scores), group, count, threshold, threads, out<int64_t>(keep))
                   : nms(in<float>(boxes), in<float>(scores), group, count, threshold, threads, out<int64_t>(keep));
}

void bind_nms(nb::module_& m) {
  m.def("nms", &run_nms, "boxes"_a, "scores"_a, "groups"_a, "count"_a, "iou_threshold"_a, "double"_a, "threads"_a,
        "keep"_a, NoGil());
}

}  // namespace vision_core
