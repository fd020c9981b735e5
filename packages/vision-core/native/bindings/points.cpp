#include "points.hpp"

#include <nanobind/stl/array.h>

#include "bindings/bindings.hpp"
#include "noise.hpp"

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

static void run_add_noise_u8(uintptr_t source, uintptr_t noise, int64_t count, double scale, double shift, bool clip,
                             uintptr_t target, int threads) {
  add_noise_u8(in<uint8_t>(source), in<float>(noise), count, static_cast<float>(scale), static_cast<float>(shift), clip,
               threads, out<uint8_t>(target));
}

void bind_points(nb::module_& m) {
  m.def("add_noise_u8", &run_add_noise_u8, "source"_a, "noise"_a, "count"_a, "scale"_a, "shift"_a, "clip"_a, "target"_a,
        "threads"_a, NoGil());
  m.def("point_u8", &run_point_u8, "source"_a, "layout"_a, "kind"_a, "first"_a, "second"_a, "target"_a, "threads"_a,
        NoGil());
  m.def("lut_u8", &run_lut_u8, "source"_a, "layout"_a, "tables"_a, "per_channel"_a, "target"_a, "threads"_a, NoGil());
  m.def("histogram_u8", &run_histogram_u8, "source"_a, "layout"_a, "bins"_a, "threads"_a, NoGil());
}

}  // namespace vision_core
