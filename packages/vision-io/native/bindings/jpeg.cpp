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

struct OpenJpeg : JpegSession {
  ~OpenJpeg() { jpeg_end(*this); }
};

// The whole picture in one call. `allocate(channels, height, width)` gives a uint8 tensor and the address of its memory.
// None when the header asks for more than the limits or the data, or the library refuses it (the caller finds out why), else
// (tensor, status, corrupt, text).
nb::object decode_whole(uintptr_t data, size_t size, int mode, int max_side, int64_t max_pixels, nb::callable allocate) {
  JpegReport report;
  JpegHeader facts;
  OpenJpeg session;
  if (!jpeg_begin(session, source(data), size, facts, report)) return nb::none();
  const int64_t plane = int64_t{facts.width} * facts.height;
  if (facts.hollow || facts.width > max_side || facts.height > max_side || plane > max_pixels) return nb::none();
  const auto wanted = static_cast<JpegMode>(mode);
  const int channels = wanted == JpegMode::unchanged ? facts.components : mode;
  nb::tuple target = nb::cast<nb::tuple>(allocate(channels, facts.height, facts.width));
  auto* out = reinterpret_cast<uint8_t*>(nb::cast<uintptr_t>(target[1]));
  {
    nb::gil_scoped_release release;
    jpeg_pixels(session, wanted, {8, 0, 0, facts.height, facts.width}, out, plane, facts.width);
  }
  if (report.status == JpegStatus::refused) return nb::none();
  return nb::make_tuple(target[0], static_cast<int>(report.status), report.corrupt, nb::str(report.text));
}

nb::object encode(uintptr_t pixels, std::array<int, 3> shape, int64_t channel_stride, int64_t row_stride, int quality,
                  std::array<int, 2> sampling, bool progressive, bool optimise) {
  JpegReport report;
  Encoded encoded;
  {
    nb::gil_scoped_release release;
    encoded = jpeg_encode(source(pixels), shape[0], shape[1], shape[2], channel_stride, row_stride,
                          {quality, sampling[0], sampling[1], progressive, optimise}, report);
  }
  if (!encoded.bytes) return nb::str(report.text);
  return owned_bytes(encoded.bytes, encoded.size);
}

}  // namespace

void bind_jpeg(nb::module_& m) {
  m.attr("jpeg_library") = "libjpeg-turbo " VISION_TEXT(LIBJPEG_TURBO_VERSION);
  m.def("jpeg_header", &header, "Size and colour of a JPEG, or why it is refused.");
  m.def("jpeg_decode", &decode, "Decode a table of JPEGs; returns what went wrong.");
  m.def("jpeg_decode_whole", &decode_whole, "A whole picture in one call.");
  m.def("jpeg_encode", &encode, "Planes to a JPEG file, or why not.");
}

}  // namespace vision_io
