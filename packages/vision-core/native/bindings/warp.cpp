#include "warp.hpp"

#include <nanobind/stl/array.h>
#include <nanobind/stl/vector.h>

#include <vector>

#include "bindings/bindings.hpp"

namespace vision_core {

static void run_warp_u8(uintptr_t source, const Layout& layout, int kind, const std::vector<double>& numbers,
                        uintptr_t field, uintptr_t columns, uintptr_t rows, int64_t height, int64_t width, bool bilinear,
                        const std::vector<float>& fill, uintptr_t target, int threads) {
  Mapping mapping{static_cast<Mapping::Kind>(kind), {}, in<float>(field), in<float>(columns), in<float>(rows)};
  for (size_t i = 0; i < std::min<size_t>(numbers.size(), 8); ++i) mapping.numbers[i] = numbers[i];
  warp_u8(pixels_at(in<uint8_t>(source), layout), mapping, height, width, bilinear, fill.empty() ? nullptr : fill.data(),
          out<uint8_t>(target), threads);
}

void bind_warp(nb::module_& m) {
  m.def("warp_u8", &run_warp_u8, "source"_a, "layout"_a, "kind"_a, "numbers"_a, "field"_a, "columns"_a, "rows"_a,
        "height"_a, "width"_a, "bilinear"_a, "fill"_a, "target"_a, "threads"_a, NoGil());
}

}  // namespace vision_core
