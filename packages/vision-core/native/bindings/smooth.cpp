#include "smooth.hpp"

#include <nanobind/stl/array.h>
#include <nanobind/stl/vector.h>

#include <vector>

#include "bindings/bindings.hpp"

namespace vision_core {

static Window window_of(const std::vector<double>& weights) {
  return {weights.data(), static_cast<int64_t>(weights.size()) - 1};
}

static void run_blur_u8(uintptr_t source, const Layout& layout, const std::vector<double>& across,
                        const std::vector<double>& down, uintptr_t target, int threads) {
  blur_u8(pixels_at(in<uint8_t>(source), layout), window_of(across), window_of(down), out<uint8_t>(target), threads);
}

static void run_blur_f32(uintptr_t source, int64_t planes, int64_t height, int64_t width,
                         const std::vector<double>& across, const std::vector<double>& down, uintptr_t target,
                         int threads) {
  blur_f32(in<float>(source), planes, height, width, window_of(across), window_of(down), out<float>(target), threads);
}

static void run_sharpness_u8(uintptr_t source, const Layout& layout, double factor, uintptr_t target, int threads) {
  sharpness_u8(pixels_at(in<uint8_t>(source), layout), factor, out<uint8_t>(target), threads);
}

void bind_smooth(nb::module_& m) {
  m.def("blur_f32", &run_blur_f32, "source"_a, "planes"_a, "height"_a, "width"_a, "across"_a, "down"_a, "target"_a,
        "threads"_a, NoGil());
  m.def("blur_u8", &run_blur_u8, "source"_a, "layout"_a, "across"_a, "down"_a, "target"_a, "threads"_a, NoGil());
  m.def("sharpness_u8", &run_sharpness_u8, "source"_a, "layout"_a, "factor"_a, "target"_a, "threads"_a, NoGil());
}

}  // namespace vision_core
