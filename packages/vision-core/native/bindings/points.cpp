#include "points.hpp"

#include <nanobind/stl/array.h>

#include "bindings/bindings.hpp"

namespace vision_core {

static void run_point_u8(uintptr_t source, const Layout& layout, int kind, double first, double second,
                         uintptr_t target, int threads) {
  point_u8(pixels_at(in<uint8_t>(source), layout), static_cast<Point>(kind), first, second, out<uint8_t>(target), threads);
}

static void run_lut_u8(uintptr_t source, const Layout& layout, uintptr_t tables, bool per_channel, uintptr_t target,
                       int threads) {
  lut_u8(pixels_at(in<uint8_t>(source), layout), in<uint8_t>(tables), per_channel, out<uint8_t>(target), threads);
}

static void run_histogram_u8(uintptr_t source, const Layout& layout, uintptr_t bins, int threads) {
  histogram_u8(pixels_at(in<uint8_t>(source), layout), out<int64_t>(bins), threads);
}

void bind_points(nb::module_& m) {
  m.def("point_u8", &run_point_u8, "source"_a, "layout"_a, "kind"_a, "first"_a, "second"_a, "target"_a, "threads"_a,
        NoGil());
  m.def("lut_u8", &run_lut_u8, "source"_a, "layout"_a, "tables"_a, "per_channel"_a, "target"_a, "threads"_a, NoGil());
  m.def("histogram_u8", &run_histogram_u8, "source"_a, "layout"_a, "bins"_a, "threads"_a, NoGil());
}

}  // namespace vision_core
