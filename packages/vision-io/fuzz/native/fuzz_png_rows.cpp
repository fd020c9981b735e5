// What stands behind inflate: filters, Adam7, palettes, transparency, all kinds of pixels. The input is the header's
// facts, then the rows.
#include "input.hpp"
#include "kernels/png.hpp"
#include "png_rows.hpp"

using namespace vision_io;

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static constexpr int kinds[][2] = {{0, 1}, {0, 2}, {0, 4}, {0, 8}, {0, 16}, {2, 8}, {2, 16}, {3, 1},
                                     {3, 2}, {3, 4}, {3, 8}, {4, 8}, {4, 16}, {6, 8}, {6, 16}};
  fuzz::Input input(data, size);
  fuzz::choose_isa(input.byte());
  PngFile file;
  const auto& kind = kinds[input.byte() % 15];
  file.colour = kind[0];
  file.depth = kind[1];
  file.width = input.in(1, 300);
  file.height = input.in(1, 40);
  file.interlace = static_cast<int>(input.byte() & 1);
  const fuzz::Exact<uint8_t> palette(3 * (1 + input.byte()));
  if (file.colour == 3) file.palette = {palette.get(), palette.count()};
  const size_t keys = file.colour == 0 ? 2 : file.colour == 2 ? 6 : 1 + input.byte();
  const fuzz::Exact<uint8_t> transparent(keys);
  if (file.colour < 4 && input.byte() & 1) file.transparent = {transparent.get(), transparent.count()};
  auto mode = static_cast<PngMode>(input.byte() % 5);
  if (file.depth == 16) mode = PngMode::unchanged;

  fuzz::Exact<uint8_t> raw(png_raw_size(file) + png_slack);
  raw.fill(input);
  const int channels = png_channels(file, mode), bytes = file.depth == 16 ? 2 : 1;
  const ptrdiff_t row = static_cast<ptrdiff_t>(file.width) * bytes, plane = row * file.height;
  fuzz::Exact<uint16_t> out((static_cast<size_t>(plane * channels) + 1) / 2);
  png_write_rows(file, mode, raw.get(), {reinterpret_cast<uint8_t*>(out.get()), plane, row});
  return 0;
}
