#include "nms.hpp"

#include <vector>

#include "bindings/bindings.hpp"

namespace vision_core {

static int64_t run_nms(uintptr_t boxes, uintptr_t scores, uintptr_t groups, int64_t count, double threshold, int shape,
                       bool is_double, int threads, uintptr_t keep) {
  const BoxShape kind = static_cast<BoxShape>(shape);
  const int64_t* group = in<int64_t>(groups);
  return is_double ? shaped_nms(kind, in<double>(boxes), in<double>(scores), group, count, threshold, threads,
                                out<int64_t>(keep))
                   : shaped_nms(kind, in<float>(boxes), in<float>(scores), group, count, threshold, threads,
                                out<int64_t>(keep));
}

static void run_nms_mask(uintptr_t boxes, uintptr_t scores, uintptr_t groups, int64_t count, double threshold, int shape,
                         bool is_double, int threads, uintptr_t mask) {
  std::vector<int64_t> keep(static_cast<size_t>(count));
  const int64_t kept = run_nms(boxes, scores, groups, count, threshold, shape, is_double, threads,
                               reinterpret_cast<uintptr_t>(keep.data()));
  for (int64_t i = 0; i < kept; ++i) out<uint8_t>(mask)[keep[static_cast<size_t>(i)]] = 1;
}

static int64_t run_soft_nms(uintptr_t boxes, uintptr_t scores, int64_t count, int decay, double threshold, double sigma,
                            double least, int shape, bool is_double, uintptr_t indices, uintptr_t lowered) {
  const BoxShape kind = static_cast<BoxShape>(shape);
  const SoftNms options{static_cast<Decay>(decay), threshold, sigma, least};
  return is_double ? soft_nms(kind, in<double>(boxes), in<double>(scores), count, options, out<int64_t>(indices),
                              out<double>(lowered))
                   : soft_nms(kind, in<float>(boxes), in<float>(scores), count, options, out<int64_t>(indices),
                              out<float>(lowered));
}

static void run_matrix_nms(uintptr_t boxes, uintptr_t scores, uintptr_t groups, int64_t count, int decay, double sigma,
                           int shape, bool is_double, int threads, uintptr_t lowered) {
  const BoxShape kind = static_cast<BoxShape>(shape);
  const Decay how = static_cast<Decay>(decay);
  const int64_t* group = in<int64_t>(groups);
  if (is_double)
    matrix_nms(kind, in<double>(boxes), in<double>(scores), group, count, how, sigma, threads, out<double>(lowered));
  else
    matrix_nms(kind, in<float>(boxes), in<float>(scores), group, count, how, sigma, threads, out<float>(lowered));
}

void bind_nms(nb::module_& m) {
  m.def("nms", &run_nms, "boxes"_a, "scores"_a, "groups"_a, "count"_a, "iou_threshold"_a, "shape"_a, "double"_a,
        "threads"_a, "keep"_a, NoGil());
  m.def("nms_mask", &run_nms_mask, "boxes"_a, "scores"_a, "groups"_a, "count"_a, "iou_threshold"_a, "shape"_a,
        "double"_a, "threads"_a, "mask"_a, NoGil());
  m.def("soft_nms", &run_soft_nms, "boxes"_a, "scores"_a, "count"_a, "decay"_a, "iou_threshold"_a, "sigma"_a,
        "score_threshold"_a, "shape"_a, "double"_a, "indices"_a, "lowered"_a, NoGil());
  m.def("matrix_nms", &run_matrix_nms, "boxes"_a, "scores"_a, "groups"_a, "count"_a, "decay"_a, "sigma"_a, "shape"_a,
        "double"_a, "threads"_a, "lowered"_a, NoGil());
}

}  // namespace vision_core
