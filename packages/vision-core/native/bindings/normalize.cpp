#include "normalize.hpp"

#include <nanobind/stl/array.h>
#include <nanobind/stl/vector.h>

#include <vector>

#include "bindings/bindings.hpp"

namespace vision_core {

static void run_normalize_u8(uintptr_t source, const Layout& layout, const std::vector<float>& mean,
                             const std::vector<float>& std, int type, uintptr_t target, int threads) {
  normalize_u8(pixels_at(in<uint8_t>(source), layout), mean.empty() ? nullptr : mean.data(),
               std.empty() ? nullptr : std.data(), static_cast<Real>(type), out<void>(target), threads);
}

static void run_normalize_f32(uintptr_t source, const Layout& layout, const std::vector<float>& mean,
                              const std::vector<float>& std, uintptr_t target, int threads) {
  normalize_f32(pixels_at(in<uint8_t>(source), layout), mean.data(), std.data(), out<float>(target), threads);
}

void bind_normalize(nb::module_& m) {
  m.def("normalize_f32", &run_normalize_f32, "source"_a, "layout"_a, "mean"_a, "std"_a, "target"_a, "threads"_a, NoGil());
  m.def("normalize_u8", &run_normalize_u8, "source"_a, "layout"_a, "mean"_a, "std"_a, "type"_a, "target"_a, "threads"_a,
        NoGil());
}

}  // namespace vision_core
