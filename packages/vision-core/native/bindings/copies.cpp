#include "copies.hpp"

#include <nanobind/stl/array.h>

#include "bindings/bindings.hpp"

namespace vision_core {

static void run_flip_u8(uintptr_t source, const Layout& layout, bool horizontal, uintptr_t target, int threads) {
  flip_u8(pixels_at(in<uint8_t>(source), layout), horizontal, out<uint8_t>(target), threads);
}

static void run_pad_u8(uintptr_t source, const Layout& layout, int64_t left, int64_t top, int64_t height, int64_t width,
                       int border, nb::bytes fill, uintptr_t target, int threads) {
  const uint8_t* values = static_cast<const uint8_t*>(fill.data());  // the caller holds it
  nb::gil_scoped_release free;
  pad_u8(pixels_at(in<uint8_t>(source), layout), left, top, height, width, static_cast<Border>(border), values,
         out<uint8_t>(target), threads);
}

void bind_copies(nb::module_& m) {
  m.def("flip_u8", &run_flip_u8, "source"_a, "layout"_a, "horizontal"_a, "target"_a, "threads"_a, NoGil());
  m.def("pad_u8", &run_pad_u8, "source"_a, "layout"_a, "left"_a, "top"_a, "height"_a, "width"_a, "border"_a, "fill"_a,
        "target"_a, "threads"_a);
}

}  // namespace vision_core
