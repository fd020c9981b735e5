#include "../kernels/png.hpp"
#include "../resample.hpp"
#include "codecs.hpp"

#include <nanobind/nanobind.h>
#include <nanobind/stl/array.h>

#include <array>

namespace nb = nanobind;

namespace vision_io {
namespace {

// Planes of bytes to planes of normalised floats of another size. False: no memory.
bool resize(uintptr_t pixels, std::array<int, 3> shape, int64_t channel_stride, int64_t row_stride, std::array<int, 2> size,
            bool flip, std::array<float, 4> factor, std::array<float, 4> bias, uintptr_t out) {
  nb::gil_scoped_release release;
  const BytePlanes from{reinterpret_cast<const uint8_t*>(pixels), shape[0], shape[1], shape[2], channel_stride, row_stride};
  return resize_normalised(from, {reinterpret_cast<float*>(out), size[0], size[1], flip, factor.data(), bias.data()});
}

// Rows of a filter byte and `bytes` bytes (with slack behind them) to rows without; `above` starts as zeros.
void unfilter(uintptr_t rows, uintptr_t zeros, int64_t bytes, int64_t height, int step, uintptr_t out) {
  const PngKernels& kernels = VISION_SELECT(png_kernels);
  nb::gil_scoped_release release;
  const auto* from = reinterpret_cast<const uint8_t*>(rows);
  const auto* above = reinterpret_cast<const uint8_t*>(zeros);
  auto* to = reinterpret_cast<uint8_t*>(out);
  for (int64_t y = 0; y < height; ++y, from += bytes + 1, to += bytes) {
    kernels.unfilter(from[0], from + 1, above, bytes, step, to);
    above = to;
  }
}

}  // namespace

void bind_resize(nb::module_& m) {
  m.def("resize_normalised", &resize, "Planes of bytes to normalised floats of another size.");
  m.def("png_unfilter", &unfilter, "Undo the row filters of a PNG.");
}

}  // namespace vision_io
