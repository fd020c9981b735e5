// Addresses, sizes and strides come from vision_io._pixels.store and vision_io._image, which check them.
#include <nanobind/nanobind.h>
#include <nanobind/stl/array.h>

#include <array>
#include <cstdint>

#include "bindings/codecs.hpp"
#include "bindings/images.hpp"
#include "kernels/planes.hpp"
#include "kernels/yuv.hpp"
#include "vision/bindings.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

const uint8_t* source(uintptr_t address) { return reinterpret_cast<const uint8_t*>(address); }
uint8_t* target(uintptr_t address) { return reinterpret_cast<uint8_t*>(address); }

void fixed_420(std::array<uintptr_t, 3> planes, std::array<int64_t, 3> strides, int chroma_step, int width, int height,
               std::array<int, 6> c, uintptr_t out, int64_t channel_stride, int64_t row_stride, bool passing) {
  const vision_io::YuvPicture picture{source(planes[0]), source(planes[1]), source(planes[2]), strides[0], strides[1],
                                      strides[2], width, height, chroma_step, 1, 1, 1, 0};
  const auto word = [&](int i) { return static_cast<int16_t>(c[i]); };
  const vision_io::FixedCoefficients coefficients{word(0), word(1), word(2), word(3), word(4), word(5)};
  const vision_io::YuvKernels& kernels = VISION_SELECT(vision_io::yuv_kernels);
  nb::gil_scoped_release release;
  kernels.fixed_420(picture, coefficients, {target(out), channel_stride, row_stride, passing});
}

void exact(std::array<uintptr_t, 3> planes, std::array<int64_t, 3> strides, int chroma_step, std::array<int, 2> shift,
           int sample_bytes, int sample_shift, int width, int height, std::array<float, 7> c, uintptr_t out,
           int64_t channel_stride, int64_t row_stride) {
  const vision_io::YuvPicture picture{source(planes[0]), source(planes[1]), source(planes[2]), strides[0], strides[1],
                                      strides[2], width, height, chroma_step, shift[0], shift[1], sample_bytes, sample_shift};
  const vision_io::FloatCoefficients coefficients{c[0], c[1], c[2], c[3], c[4], c[5], c[6]};
  const vision_io::YuvKernels& kernels = VISION_SELECT(vision_io::yuv_kernels);
  nb::gil_scoped_release release;
  kernels.exact(picture, coefficients, {target(out), channel_stride, row_stride});
}

void split(uintptr_t pixels, int64_t stride, int width, int height, int step, std::array<int, 4> offsets, int channels,
           uintptr_t out, int64_t channel_stride, int64_t row_stride) {
  const vision_io::PlaneKernels& kernels = VISION_SELECT(vision_io::plane_kernels);
  nb::gil_scoped_release release;
  kernels.split({source(pixels), stride, width, height, step}, offsets.data(), channels, target(out), channel_stride,
                row_stride);
}

void turn(uintptr_t from, int width, int height, int planes, int quarters, uintptr_t out, int64_t channel_stride,
          int64_t row_stride) {
  const vision_io::PlaneKernels& kernels = VISION_SELECT(vision_io::plane_kernels);
  nb::gil_scoped_release release;
  kernels.turn(source(from), width, height, planes, quarters, target(out), channel_stride, row_stride);
}

void words_to_bytes(uintptr_t words, int64_t stride, int width, int height, float factor, uintptr_t out,
                    int64_t row_stride) {
  const vision_io::PlaneKernels& kernels = VISION_SELECT(vision_io::plane_kernels);
  nb::gil_scoped_release release;
  kernels.words_to_bytes(source(words), stride, width, height, factor, target(out), row_stride);
}

}  // namespace

NB_MODULE(_native_ext, m) {
  vision::bind_common(m);
  vision_io::bind_frames(m);
  vision_io::bind_images(m);
  m.def("fixed_420", &fixed_420, "8-bit 4:2:0 planes to RGB planes in swscale's arithmetic.");
  m.def("exact", &exact, "YUV planes of 8 to 16 bits to RGB planes, rounded once.");
  m.def("split", &split, "Interleaved bytes to planes.");
  m.def("turn", &turn, "Planes of bytes, turned counter-clockwise by quarters.");
  m.def("words_to_bytes", &words_to_bytes, "A plane of 16-bit samples, scaled to bytes.");
}
