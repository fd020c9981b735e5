// Bytes to resized floats: every pair of sizes, every alignment, and results that are means of what went in.
#include <cmath>

#include "input.hpp"
#include "resample.hpp"

using namespace vision_io;

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  fuzz::choose_isa(input.byte());
  const int channels = input.in(1, 4), height = input.in(1, 200), width = input.in(1, 400);
  const int to_height = input.in(1, 120), to_width = input.in(1, 200);
  const bool flip = input.byte() & 1;
  const ptrdiff_t row = width + input.in(0, 3), plane = row * height;
  fuzz::Exact<uint8_t> pixels(static_cast<size_t>(plane * channels));
  pixels.fill(input);
  static constexpr float factor[] = {1, 1, 1, 1}, bias[] = {0, 0, 0, 0};
  const fuzz::Exact<float> out(static_cast<size_t>(channels) * static_cast<size_t>(to_height * to_width));
  if (!resize_normalised({pixels.get(), channels, height, width, plane, row}, {out.get(), to_height, to_width, flip, factor, bias}))
    fuzz::fail("a small picture has memory");
  for (size_t i = 0; i < out.count(); ++i)
    if (!(out.get()[i] >= -0.01f && out.get()[i] <= 255.01f)) fuzz::fail("a mean of bytes is a byte");
  return 0;
}
