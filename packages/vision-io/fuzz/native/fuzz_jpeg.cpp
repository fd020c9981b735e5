// Whole JPEG files: header, then a window at a scale, as bytes or resized to floats. Ten bytes in front choose.
#include "input.hpp"
#include "jpeg_decode.hpp"
#include "jpeg_session.hpp"

using namespace vision_io;

namespace {

int scaled(int side, int eighths) { return (side * eighths + 7) / 8; }

void whole(const uint8_t* data, size_t size, JpegMode mode) {
  JpegReport report;
  JpegHeader header;
  JpegSession session;
  if (jpeg_begin(session, data, size, header, report) && int64_t{header.width} * header.height <= 1 << 18) {
    const int channels = mode == JpegMode::unchanged ? header.components : static_cast<int>(mode);
    const ptrdiff_t plane = static_cast<ptrdiff_t>(header.width) * header.height;
    const fuzz::Exact<uint8_t> out(static_cast<size_t>(plane * channels));
    jpeg_pixels(session, mode, {8, 0, 0, header.height, header.width}, out.get(), plane, header.width);
  }
  jpeg_end(session);
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  const auto mode = static_cast<JpegMode>(input.byte() % 5);
  fuzz::choose_isa(input.byte());
  const int eighths = 1 << input.byte() % 4, how = static_cast<int>(input.byte() % 3);
  const uint32_t a = input.word(), b = input.word(), c = input.word();
  if (how == 0) {
    whole(input.rest(), input.size(), mode);
    return 0;
  }
  JpegHeader header;
  JpegReport report;
  jpeg_header(input.rest(), input.size(), header, report);
  if (report.status != JpegStatus::good || header.hollow || int64_t{header.width} * header.height > 1 << 18) return 0;
  const int width = scaled(header.width, eighths), height = scaled(header.height, eighths);
  JpegWindow window{eighths, static_cast<int>(a % static_cast<uint32_t>(height)), static_cast<int>(b % static_cast<uint32_t>(width)), 0, 0};
  window.height = 1 + static_cast<int>(c % static_cast<uint32_t>(height - window.top));
  window.width = 1 + static_cast<int>((c >> 4) % static_cast<uint32_t>(width - window.left));
  const int channels = mode == JpegMode::unchanged ? header.components : static_cast<int>(mode);
  if (how == 1) {
    const ptrdiff_t plane = static_cast<ptrdiff_t>(window.width) * window.height;
    const fuzz::Exact<uint8_t> out(static_cast<size_t>(plane * channels));
    jpeg_decode(input.rest(), input.size(), mode, window, out.get(), plane, window.width, report);
    return 0;
  }
  if (channels > 4) return 0;
  static constexpr float factor[] = {1, 1, 1, 1}, bias[] = {0, 0, 0, 0};
  const int side = 1 + static_cast<int>(a >> 8) % 64;
  const fuzz::Exact<float> out(static_cast<size_t>(channels * side * side));
  jpeg_decode_resized(input.rest(), input.size(), mode, channels, window, {out.get(), side, side, (a & 1) != 0, factor, bias}, report);
  return 0;
}
