// Frames on their way into tensors. Addresses, sizes and strides come from vision_io._pixels, which checks them.
#include "../fresh_pages.hpp"
#include "../recycled.hpp"
#include "../kernels/interleave.hpp"
#include "../shape_yuv.hpp"
#include "codecs.hpp"

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/array.h>

#include <array>
#include <memory>

namespace nb = nanobind;

namespace vision_io {
namespace {

using Four = std::array<float, 4>;

const uint8_t* source(uintptr_t address) { return reinterpret_cast<const uint8_t*>(address); }

// `colour`: the six numbers of FixedCoefficients, or the seven of FloatCoefficients. `layout`: the distance of two
// chroma samples, the shifts of the chroma planes, bytes and unused low bits of a sample. False: no memory.
bool shape(std::array<uintptr_t, 3> planes, std::array<int64_t, 3> strides, std::array<int, 5> layout, std::array<int, 2> size,
           bool fixed, std::array<float, 7> colour, std::array<int, 4> region, std::array<int, 2> to, bool flip, Four factor,
           Four bias, bool bytes, uintptr_t out, int64_t channel_stride, int64_t row_stride) {
  nb::gil_scoped_release release;
  const YuvPicture picture{source(planes[0]), source(planes[1]), source(planes[2]), strides[0], strides[1],
                           strides[2], size[1], size[0], layout[0], layout[1], layout[2], layout[3], layout[4]};
  const auto& c = colour;
  const FloatCoefficients exact{c[0], c[1], c[2], c[3], c[4], c[5], c[6]};
  FixedCoefficients words{};
  if (fixed) {
    const auto word = [&](size_t i) { return static_cast<int16_t>(c[i]); };
    words = {word(0), word(1), word(2), word(3), word(4), word(5)};
  }
  const FloatTarget target{reinterpret_cast<float*>(out), to[0], to[1], flip, factor.data(), bias.data(), channel_stride,
                           row_stride, bytes};
  return shape_yuv(picture, {fixed ? &words : nullptr, fixed ? nullptr : &exact}, {region[0], region[1], region[2], region[3]},
                   target);
}

// Three planes of bytes to pixels of three bytes.
void join(uintptr_t planes, int64_t channel_stride, int64_t row_stride, int height, int width, uintptr_t out, int64_t out_stride) {
  nb::gil_scoped_release release;
  const InterleaveKernels& kernels = VISION_SELECT(interleave_kernels);
  for (int64_t y = 0; y < height; ++y) {
    const uint8_t* red = source(planes) + y * row_stride;
    const uint8_t* const rows[3] = {red, red + channel_stride, red + 2 * channel_stride};
    kernels.join(rows, 3, width, reinterpret_cast<uint8_t*>(out) + y * out_stride);
  }
}

void populate(uintptr_t address, int64_t bytes) {
  nb::gil_scoped_release release;
  populate_pages(reinterpret_cast<void*>(address), bytes);
}

// A NumPy array of `size` bytes whose memory comes back when nobody holds it any more; None where there is none.
nb::object recycled(size_t size) {
  struct Owner {
    void* memory;
    size_t size;
  };
  void* const memory = recycled_take(size);
  if (!memory) return nb::none();
  nb::capsule owner(new Owner{memory, size}, [](void* p) noexcept {
    const std::unique_ptr<Owner> block(static_cast<Owner*>(p));
    recycled_give(block->memory, block->size);
  });
  return nb::cast(nb::ndarray<nb::numpy, uint8_t, nb::ndim<1>>(memory, {size}, owner));
}

}  // namespace

void bind_frames(nb::module_& m) {
  m.def("shape_yuv", &shape, "A part of YUV planes, resized and normalised.");
  m.def("join", &join, "Planes of bytes to interleaved pixels.");
  m.def("recycled", &recycled, "Bytes whose memory is kept for the next who asks.");
  m.def("recycled_kept", &recycled_kept, "Bytes that are kept.");
  m.def("populate", &populate, "Have the system back fresh memory with pages, all at once.");
}

}  // namespace vision_io
