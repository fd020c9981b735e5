// Whole PNG files: chunks, inflate, rows. Two bytes in front choose the mode and the instruction set. Checksums of chunks
// are not checked, so that the fuzzer gets past them.
#include "input.hpp"
#include "png_decode.hpp"

using namespace vision_io;

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  auto mode = static_cast<PngMode>(input.byte() % 5);
  fuzz::choose_isa(input.byte());
  png_open(input.rest(), input.size(), true);
  const PngFile file = png_open(input.rest(), input.size(), false);
  if (!file.error && png_hollow(file)) return 0;
  if (file.error || int64_t{file.width} * file.height > 1 << 18) return 0;
  if (file.depth == 16) mode = PngMode::unchanged;
  const int channels = png_channels(file, mode), bytes = file.depth == 16 ? 2 : 1;
  const ptrdiff_t row = static_cast<ptrdiff_t>(file.width) * bytes, plane = row * file.height;
  fuzz::Exact<uint16_t> out((static_cast<size_t>(plane * channels) + 1) / 2);
  png_decode(file, mode, reinterpret_cast<uint8_t*>(out.get()), plane, row);
  return 0;
}
