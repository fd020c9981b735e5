#include "resize.hpp"

#include "bindings/bindings.hpp"

namespace vision_core {

static void run_resize_u8(uintptr_t source, uintptr_t target, int64_t planes, int64_t channels, int64_t source_height,
                          int64_t source_width, int64_t target_height, int64_t target_width, int64_t row_stride,
                          int64_t plane_stride, int filter, int threads) {
  const SourceImages images{in<uint8_t>(source), planes,     channels,    source_height,
                            source_width,        row_stride, plane_stride};
  resize_u8(images, out<uint8_t>(target), target_height, target_width, static_cast<Filter>(filter), threads);
}

void bind_resize(nb::module_& m) {
  m.def("resize_u8", &run_resize_u8, "source"_a, "target"_a, "planes"_a, "channels"_a, "source_height"_a,
        "source_width"_a, "target_height"_a, "target_width"_a, "row_stride"_a, "plane_stride"_a, "filter"_a,
        "threads"_a, NoGil());
}

}  // namespace vision_core
