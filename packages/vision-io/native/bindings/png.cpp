#include "../png_decode.hpp"
#include "../png_encode.hpp"
#include "codecs.hpp"

#include <libdeflate.h>
#include <nanobind/nanobind.h>
#include <nanobind/stl/array.h>

#include <array>

namespace nb = nanobind;

namespace vision_io {
namespace {

const uint8_t* source(uintptr_t address) { return reinterpret_cast<const uint8_t*>(address); }

// (width, height, depth, planes that the mode gives, exif or None, too little data for the size), or a text that says what is wrong.
nb::object header(uintptr_t data, size_t size, int mode) {
  const PngFile file = png_open(source(data), size, false);
  if (file.error) return nb::str(file.error);
  const int channels = png_channels(file, file.depth == 16 ? PngMode::unchanged : static_cast<PngMode>(mode));
  nb::object exif = nb::none();
  if (file.exif.data) exif = nb::bytes(file.exif.data, file.exif.size);
  return nb::make_tuple(file.width, file.height, file.depth, channels, exif, png_hollow(file));
}

nb::object decode(uintptr_t data, size_t size, int mode, std::array<int, 3> shape, uintptr_t out, int64_t channel_stride,
                  int64_t row_stride) {
  const char* error = nullptr;
  {
    nb::gil_scoped_release release;
    const PngFile file = png_open(source(data), size, true);
    const PngMode wanted = file.depth == 16 ? PngMode::unchanged : static_cast<PngMode>(mode);
    error = file.error;
    if (!error && (png_channels(file, wanted) != shape[0] || file.height != shape[1] || file.width != shape[2]))
      error = "the picture has another size than before";
    if (!error) error = png_decode(file, wanted, reinterpret_cast<uint8_t*>(out), channel_stride, row_stride);
  }
  return error ? nb::object(nb::str(error)) : nb::none();
}

// The whole picture in one call: `allocate(channels, height, width)` gives a uint8 tensor and its address. None when the
// header asks for more than the limits, has 16 bits, or anything is damaged (the caller finds out what), else the tensor.
nb::object decode_whole(uintptr_t data, size_t size, int mode, int max_side, int64_t max_pixels, nb::callable allocate) {
  const PngFile file = png_open(source(data), size, true);
  const auto wanted = static_cast<PngMode>(mode);
  const int64_t plane = int64_t{file.width} * file.height;
  if (file.error || file.depth == 16 || png_hollow(file) || file.width > max_side || file.height > max_side || plane > max_pixels) return nb::none();
  nb::tuple target = nb::cast<nb::tuple>(allocate(png_channels(file, wanted), file.height, file.width));
  auto* out = reinterpret_cast<uint8_t*>(nb::cast<uintptr_t>(target[1]));
  const char* error = nullptr;
  {
    nb::gil_scoped_release release;
    error = png_decode(file, wanted, out, plane, file.width);
  }
  return error ? nb::none() : nb::object(target[0]);
}

nb::object encode(uintptr_t pixels, std::array<int, 3> shape, int sample_bytes, int64_t channel_stride, int64_t row_stride,
                  int level, nb::callable allocate) {
  PngBytes file;
  {
    nb::gil_scoped_release release;
    file = png_encode({source(pixels), shape[0], shape[1], shape[2], sample_bytes, channel_stride, row_stride}, level);
  }
  if (!file.bytes) return nb::none();
  return handed_over(file.bytes, file.size, allocate);
}

}  // namespace

void bind_png(nb::module_& m) {
  m.attr("inflate_library") = "libdeflate " LIBDEFLATE_VERSION_STRING;
  m.def("png_header", &header, "Size and depth of a PNG, or what is wrong with it.");
  m.def("png_decode", &decode, "A PNG to planes; None, or what is wrong with it.");
  m.def("png_decode_whole", &decode_whole, "A whole picture in one call.");
  m.def("png_encode", &encode, "Planes to a PNG file.");
}

}  // namespace vision_io
