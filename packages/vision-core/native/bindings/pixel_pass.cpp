#include "pixel_pass.hpp"

#include <nanobind/stl/array.h>
#include <nanobind/stl/vector.h>

#include <vector>

#include "bindings/bindings.hpp"

namespace vision_core {

// factors: of a step of the kind order, its three numbers as digits to the base 4. tables: those of the steps that have
// one, one after the other. type: -1 for bytes.
static void run_pixel_pass_u8(uintptr_t source, const Layout& layout, bool mirrored, bool upside_down,
                              const std::vector<int>& kinds, const std::vector<double>& factors, const nb::bytes& tables,
                              const std::vector<float>& mean, const std::vector<float>& std, int type, bool planar,
                              uintptr_t target, int threads) {
  const char* table = tables.c_str();
  const char* const end = table + tables.size();
  std::vector<PassStep> steps;
  for (size_t i = 0; i < std::min(kinds.size(), factors.size()); ++i) {
    PassStep step{static_cast<PassKind>(kinds[i]), factors[i], nullptr, {0, 1, 2}};
    if (step.kind == PassKind::table) {
      if (end - table < 256) throw nb::value_error("tables: expected 256 bytes for each table");
      step.table = reinterpret_cast<const uint8_t*>(table);
      table += 256;
    } else if (step.kind == PassKind::order) {
      const int code = static_cast<int>(step.factor);
      for (int c = 0; c < 3; ++c) step.order[c] = std::min(code >> 2 * c & 3, 2);
    }
    steps.push_back(step);
  }
  const PassResult result{type < 0, static_cast<Real>(std::max(type, 0)), mean.empty() ? nullptr : mean.data(),
                          std.empty() ? nullptr : std.data(), planar, out<void>(target)};
  nb::gil_scoped_release release;
  pixel_pass_u8(pixels_at(in<uint8_t>(source), layout), mirrored, upside_down, steps, result, threads);
}

void bind_pixel_pass(nb::module_& m) {
  m.def("pixel_pass_u8", &run_pixel_pass_u8, "source"_a, "layout"_a, "mirrored"_a, "upside_down"_a, "kinds"_a,
        "factors"_a, "tables"_a, "mean"_a, "std"_a, "type"_a, "planar"_a, "target"_a, "threads"_a);
}

}  // namespace vision_core
