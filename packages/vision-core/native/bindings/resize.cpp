#include "resize.hpp"

#include <nanobind/stl/array.h>
#include <nanobind/stl/pair.h>

#include <array>
#include <utility>

#include "bindings/bindings.hpp"

namespace vision_core {

static void run_resize_u8(uintptr_t source, uintptr_t target, int64_t planes, int64_t channels, int64_t source_height,
                          int64_t source_width, int64_t target_height, int64_t target_width, int64_t row_stride,
                          int64_t plane_stride, int filter, int threads) {
  const SourceImages images{in<uint8_t>(source), planes,     channels,    source_height,
                            source_width,        row_stride, plane_stride};
  resize_u8(images, out<uint8_t>(target), target_height, target_width, static_cast<Filter>(filter), threads);
}

static void run_resize_window_u8(uintptr_t source, uintptr_t target, const std::array<int64_t, 6>& images,
                                 std::pair<int64_t, int64_t> size, const std::array<int64_t, 4>& window, bool mirrored,
                                 int filter, int threads) {
  const auto [planes, channels, height, width, row_stride, plane_stride] = images;
  resize_window_u8({in<uint8_t>(source), planes, channels, height, width, row_stride, plane_stride}, out<uint8_t>(target),
                   size.first, size.second, {window[0], window[1], window[2], window[3], mirrored},
                   static_cast<Filter>(filter), threads);
}

void bind_resize(nb::module_& m) {
  m.def("resize_u8", &run_resize_u8, "source"_a, "target"_a, "planes"_a, "channels"_a, "source_height"_a,
        "source_width"_a, "target_height"_a, "target_width"_a, "row_stride"_a, "plane_stride"_a, "filter"_a,
        "threads"_a, NoGil());
  m.def("resize_window_u8", &run_resize_window_u8, "source"_a, "target"_a, "images"_a, "size"_a, "window"_a, "mirrored"_a,
        "filter"_a, "threads"_a, NoGil());
}

}  // namespace vision_core
