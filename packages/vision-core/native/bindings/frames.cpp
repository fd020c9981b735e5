#include "frames.hpp"

#include <nanobind/stl/array.h>
#include <nanobind/stl/vector.h>

#include "bindings/bindings.hpp"

namespace vision_core {

// inside: three numbers for each half-plane.
static void run_fill_outside_u8(uintptr_t image, const Layout& layout, const std::vector<double>& inside,
                                const std::vector<int>& fill, int threads) {
  std::vector<HalfPlane> planes;
  for (size_t i = 0; i + 3 <= inside.size(); i += 3) planes.push_back({inside[i], inside[i + 1], inside[i + 2]});
  std::vector<uint8_t> values(static_cast<size_t>(layout[1]), 0);
  for (size_t c = 0; c < std::min(values.size(), fill.size()); ++c) values[c] = static_cast<uint8_t>(fill[c]);
  fill_outside_u8(pixels_at(in<uint8_t>(image), layout), planes, values.data(), threads);
}

void bind_frames(nb::module_& m) {
  m.def("fill_outside_u8", &run_fill_outside_u8, "image"_a, "layout"_a, "inside"_a, "fill"_a, "threads"_a, NoGil());
}

}  // namespace vision_core
