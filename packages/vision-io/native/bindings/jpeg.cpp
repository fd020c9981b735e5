#include "../jpeg_batch.hpp"
#include "../jpeg_encode.hpp"
#include "../jpeg_session.hpp"
#include "codecs.hpp"

#include <nanobind/nanobind.h>
#include <nanobind/stl/array.h>

#include <array>
#include <cstdio>
#include <vector>

#include <jpeglib.h>

namespace nb = nanobind;
using namespace nb::literals;

#define VISION_TEXT_(x) #x
#define VISION_TEXT(x) VISION_TEXT_(x)

namespace vision_io {
namespace {

const uint8_t* source(uintptr_t address) { return reinterpret_cast<const uint8_t*>(address); }

// (width, height, components, colour space, too little data for that), or a text that says why the library refuses the file.
nb::object header(uintptr_t data, size_t size) {
  JpegHeader facts;
  JpegReport report;
  jpeg_header(source(data), size, facts, report);
  if (report.status != JpegStatus::good) return nb::str(report.text);
  return nb::make_tuple(facts.width, facts.height, facts.components, facts.colour, facts.hollow);
}

// [(index, status, corrupt, text)] of the files that have something to tell. `jobs`: a table of JpegJob.
nb::list decode(uintptr_t jobs, int64_t count, std::array<int, 2> size, std::array<float, 4> factor, std::array<float, 4> bias,
                int threads) {
  std::vector<JpegReport> reports(static_cast<size_t>(count));
  JpegResize resize{size[0], size[1], {}, {}};
  for (size_t c = 0; c < 4; ++c) {
    resize.factor[c] = factor[c];
    resize.bias[c] = bias[c];
  }
  {
    nb::gil_scoped_release release;
    decode_jpegs(reinterpret_cast<const JpegJob*>(jobs), count, resize, threads, reports.data());
  }
  nb::list told;
  for (size_t i = 0; i < reports.size(); ++i)
    if (reports[i].status != JpegStatus::good || reports[i].corrupt)
      told.append(nb::make_tuple(i, static_cast<int>(reports[i].status), reports[i].corrupt, nb::str(reports[i].text)));
  return told;
}

// Whether the header asks for no more than the limits and the data.
bool admitted(const JpegHeader& facts, int max_side, int64_t max_pixels) {
  return !facts.hollow && facts.width <= max_side && facts.height <= max_side &&
         int64_t{facts.width} * facts.height <= max_pixels;
}

// Makes the window of a region, if it lies inside the picture.
bool inside(const std::array<int64_t, 4>& region, const JpegHeader& facts, JpegWindow& window) {
  const auto [top, left, height, width] = region;
  if (top < 0 || left < 0 || height < 1 || width < 1 || top > facts.height || left > facts.width) return false;
  if (height > facts.height - top || width > facts.width - left) return false;
  window = {8, static_cast<int>(top), static_cast<int>(left), static_cast<int>(height), static_cast<int>(width)};
  return true;
}

struct OpenJpeg : JpegSession {
  ~OpenJpeg() { jpeg_end(*this); }
};

// One picture or a region (top, left, height, width) of it in one call; a region without height is all of it. `target`:
// allocate(channels, height, width), which gives a uint8 tensor and the address of its memory, or
// (tensor, address, (channels, height, width), (channel stride, row stride)).
// The tensor; or (tensor, status, corrupt, text) where there is something to tell; or None, and the caller finds out why:
// the header asks for more than the limits, the library refuses it, or region or tensor do not fit.
nb::object decode_directly(uintptr_t data, size_t size, int mode, int max_side, int64_t max_pixels,
                           std::array<int64_t, 4> region, nb::object target) {
  JpegReport report;
  JpegHeader facts;
  OpenJpeg session;
  if (!jpeg_begin(session, source(data), size, facts, report)) return nb::none();
  if (!admitted(facts, max_side, max_pixels)) return nb::none();
  JpegWindow window{8, 0, 0, facts.height, facts.width};
  if (region[2] && !inside(region, facts, window)) return nb::none();
  const auto wanted = static_cast<JpegMode>(mode);
  const int channels = wanted == JpegMode::unchanged ? facts.components : mode;
  std::array<int64_t, 2> strides{int64_t{window.width} * window.height, window.width};
  nb::tuple place;
  if (PyTuple_Check(target.ptr())) {
    place = nb::borrow<nb::tuple>(target);
    if (nb::cast<std::array<int64_t, 3>>(place[2]) != std::array<int64_t, 3>{channels, window.height, window.width}) return nb::none();
    strides = nb::cast<std::array<int64_t, 2>>(place[3]);
  } else {
    place = nb::cast<nb::tuple>(target(channels, window.height, window.width));
  }
  auto* out = reinterpret_cast<uint8_t*>(nb::cast<uintptr_t>(place[1]));
  {
    nb::gil_scoped_release release;
    jpeg_pixels(session, wanted, window, out, strides[0], strides[1]);
  }
  if (report.status == JpegStatus::good && !report.corrupt) return place[0];
  if (report.status == JpegStatus::refused) return nb::none();
  return nb::make_tuple(place[0], static_cast<int>(report.status), report.corrupt, nb::str(report.text));
}

// A region of one picture as resized, normalised floats, in one call. None as above; else (status, corrupt, text).
nb::object decode_resized(uintptr_t data, size_t size, int mode, int max_side, int64_t max_pixels, std::array<int64_t, 4> region,
                          std::array<int, 2> to, bool flip, std::array<float, 4> factor, std::array<float, 4> bias, uintptr_t out) {
  JpegReport report;
  {
    nb::gil_scoped_release release;
    JpegHeader facts;
    OpenJpeg session;
    const bool read = jpeg_begin(session, source(data), size, facts, report) && admitted(facts, max_side, max_pixels);
    JpegWindow window{8, 0, 0, facts.height, facts.width};
    if (!read || (region[2] && !inside(region, facts, window))) {
      report.status = JpegStatus::refused;
    } else {
      const FloatTarget target{reinterpret_cast<float*>(out), to[0], to[1], flip, factor.data(), bias.data()};
      jpeg_pixels_resized(session, static_cast<JpegMode>(mode), mode, window, target, report);
    }
  }
  if (report.status == JpegStatus::refused) return nb::none();
  return nb::make_tuple(static_cast<int>(report.status), report.corrupt, nb::str(report.text));
}

nb::object encode(uintptr_t pixels, std::array<int, 3> shape, int64_t channel_stride, int64_t row_stride, int quality,
                  std::array<int, 2> sampling, bool progressive, bool optimise, nb::callable allocate) {
  JpegReport report;
  Encoded encoded;
  {
    nb::gil_scoped_release release;
    encoded = jpeg_encode(source(pixels), shape[0], shape[1], shape[2], channel_stride, row_stride,
                          {quality, sampling[0], sampling[1], progressive, optimise}, report);
  }
  if (!encoded.bytes) return nb::str(report.text);
  return handed_over(encoded.bytes, encoded.size, allocate);
}

}  // namespace

void bind_jpeg(nb::module_& m) {
  m.attr("jpeg_library") = "libjpeg-turbo " VISION_TEXT(LIBJPEG_TURBO_VERSION);
  m.def("jpeg_header", &header, "Size and colour of a JPEG, or why it is refused.");
  m.def("jpeg_decode", &decode, "Decode a table of JPEGs; returns what went wrong.");
  m.def("jpeg_decode_directly", &decode_directly, "One picture, or a part of it, in one call.");
  m.def("jpeg_decode_resized", &decode_resized, "A part of one picture as resized, normalised floats, in one call.");
  m.def("jpeg_encode", &encode, "Planes to a JPEG file, or why not.");
}

}  // namespace vision_io
