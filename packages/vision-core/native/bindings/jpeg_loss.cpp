#include "jpeg_loss.hpp"

#include <nanobind/stl/array.h>

#include "bindings/bindings.hpp"

namespace vision_core {

static void run_jpeg_loss_u8(uintptr_t source, const Layout& layout, int quality, uintptr_t target, int threads) {
  jpeg_loss_u8(pixels_at(in<uint8_t>(source), layout), quality, out<uint8_t>(target), threads);
}

void bind_jpeg_loss(nb::module_& m) {
  m.def("jpeg_loss_u8", &run_jpeg_loss_u8, "source"_a, "layout"_a, "quality"_a, "target"_a, "threads"_a, NoGil());
}

}  // namespace vision_core
