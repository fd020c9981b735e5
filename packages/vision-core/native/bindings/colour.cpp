#include "colour.hpp"

#include <nanobind/stl/array.h>
#include <nanobind/stl/vector.h>

#include <vector>

#include "bindings/bindings.hpp"

namespace vision_core {

static void run_colour_chain_u8(uintptr_t source, const Layout& layout, const std::vector<int>& kinds,
                                const std::vector<double>& factors, uintptr_t target, int threads) {
  std::vector<ColourStep> steps;
  for (size_t i = 0; i < std::min(kinds.size(), factors.size()); ++i)
    steps.push_back({static_cast<Colour>(kinds[i]), factors[i]});
  colour_chain_u8(pixels_at(in<uint8_t>(source), layout), steps.data(), static_cast<int>(steps.size()),
                  out<uint8_t>(target), threads);
}

static void run_gray_u8(uintptr_t source, const Layout& layout, int64_t channels, uintptr_t target, int threads) {
  gray_u8(pixels_at(in<uint8_t>(source), layout), channels, out<uint8_t>(target), threads);
}

void bind_colour(nb::module_& m) {
  m.def("colour_chain_u8", &run_colour_chain_u8, "source"_a, "layout"_a, "kinds"_a, "factors"_a, "target"_a, "threads"_a,
        NoGil());
  m.def("gray_u8", &run_gray_u8, "source"_a, "layout"_a, "channels"_a, "target"_a, "threads"_a, NoGil());
}

}  // namespace vision_core
