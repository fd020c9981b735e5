// The encoders on any picture; a PNG must come back as it was.
#include "input.hpp"
#include "jpeg_encode.hpp"
#include "png_decode.hpp"
#include "png_encode.hpp"

using namespace vision_io;

namespace {

void png(fuzz::Input& input, int channels, int height, int width) {
  const int bytes = input.in(1, 2), level = input.in(0, 9);
  const ptrdiff_t row = static_cast<ptrdiff_t>(width) * bytes, plane = row * height;
  const size_t words = (static_cast<size_t>(plane * channels) + 1) / 2;
  fuzz::Exact<uint16_t> pixels(words);
  pixels.fill(input);
  const auto* from = reinterpret_cast<const uint8_t*>(pixels.get());
  const PngBytes file = png_encode({from, channels, height, width, bytes, plane, row}, level);
  if (!file.bytes) fuzz::fail("a small picture has memory");
  const PngFile opened = png_open(file.bytes, file.size, true);
  if (opened.error || opened.width != width || opened.height != height || png_channels(opened, PngMode::unchanged) != channels)
    fuzz::fail("the file says what was written");
  const fuzz::Exact<uint16_t> out(words);
  auto* to = reinterpret_cast<uint8_t*>(out.get());
  if (png_decode(opened, PngMode::unchanged, to, plane, row)) fuzz::fail("the file can be read");
  if (std::memcmp(from, to, static_cast<size_t>(plane * channels)) != 0) fuzz::fail("pixels come back");
  std::free(file.bytes);
}

void jpeg(fuzz::Input& input, int channels, int height, int width) {
  static constexpr int factors[][2] = {{1, 1}, {2, 1}, {2, 2}, {1, 2}, {4, 1}};
  const auto& sampling = factors[input.byte() % 5];
  const JpegSettings settings{input.in(1, 100), sampling[0], sampling[1], (input.byte() & 1) != 0, (input.byte() & 1) != 0};
  const ptrdiff_t row = width, plane = row * height;
  fuzz::Exact<uint8_t> pixels(static_cast<size_t>(plane * channels));
  pixels.fill(input);
  JpegReport report;
  const Encoded file = jpeg_encode(pixels.get(), channels, height, width, plane, row, settings, report);
  if (!file.bytes) fuzz::fail("every picture can be written");
  JpegHeader header;
  JpegReport reading;
  jpeg_header(file.bytes, file.size, header, reading);
  if (reading.status != JpegStatus::good || header.width != width || header.height != height)
    fuzz::fail("the file says what was written");
  std::free(file.bytes);
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  fuzz::choose_isa(input.byte());
  const int width = input.in(1, 200), height = input.in(1, 60);
  if (input.byte() & 1)
    png(input, input.in(1, 4), height, width);
  else
    jpeg(input, input.byte() & 1 ? 3 : 1, height, width);
  return 0;
}
