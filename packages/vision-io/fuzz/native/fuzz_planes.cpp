// Planes of decoded frames to RGB, interleaved pixels to planes, turns, words to bytes: with nothing around the planes.
#include "input.hpp"
#include "kernels/planes.hpp"
#include "kernels/yuv.hpp"
#include "vision/simd.hpp"

using namespace vision_io;

namespace {

void yuv(fuzz::Input& input, int width, int height) {
  const bool fixed = input.byte() & 1;
  const int bytes = fixed ? 1 : input.in(1, 2), pairs = input.in(1, 2);
  const int right = fixed ? 1 : input.in(0, 2), down = fixed ? 1 : input.in(0, 2);
  const int across = (width + (1 << right) - 1) >> right, rows = (height + (1 << down) - 1) >> down;
  const ptrdiff_t stride = static_cast<ptrdiff_t>(width) * bytes, chroma = static_cast<ptrdiff_t>(across) * bytes * pairs;
  fuzz::Exact<uint8_t> y(static_cast<size_t>(stride * height)), u(static_cast<size_t>(chroma * rows)), v(static_cast<size_t>(chroma * rows));
  y.fill(input);
  u.fill(input);
  v.fill(input);
  const uint8_t *first = u.get(), *second = pairs == 2 ? u.get() + bytes : v.get();
  const bool swapped = pairs == 2 && input.byte() & 1;
  const YuvPicture picture{y.get(), swapped ? second : first, swapped ? first : second, stride, chroma, chroma,
                           width, height, pairs, right, down, bytes, 0};
  const fuzz::Exact<uint8_t> out(static_cast<size_t>(3 * width * height));
  const Destination target{out.get(), static_cast<ptrdiff_t>(width) * height, width};
  const YuvKernels& kernels = VISION_SELECT(yuv_kernels);
  if (fixed)
    kernels.fixed_420(picture, {128, 9539, 13075, -3209, -6660, 16525}, target);
  else
    kernels.exact(picture, {16, 1.164f, 128, 1.596f, -0.392f, -0.813f, 2.017f}, target);
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  fuzz::choose_isa(input.byte());
  const int how = static_cast<int>(input.byte() % 4), width = input.in(1, 300), height = input.in(1, 20);
  const ptrdiff_t plane = static_cast<ptrdiff_t>(width) * height;
  const PlaneKernels& kernels = VISION_SELECT(plane_kernels);
  if (how == 0) {
    yuv(input, width, height);
  } else if (how == 1) {
    const int step = input.in(1, 4), channels = input.in(1, step);
    int offsets[4] = {};
    for (int c = 0; c < channels; ++c) offsets[c] = input.in(0, step - 1);
    fuzz::Exact<uint8_t> from(static_cast<size_t>(plane * step));
    from.fill(input);
    const fuzz::Exact<uint8_t> out(static_cast<size_t>(plane * channels));
    kernels.split({from.get(), static_cast<ptrdiff_t>(width) * step, width, height, step}, offsets, channels, out.get(), plane, width);
    for (ptrdiff_t i = 0; i < plane; ++i)
      for (int c = 0; c < channels; ++c)
        if (out.get()[c * plane + i] != from.get()[i * step + offsets[c]]) fuzz::fail("split moves bytes");
  } else if (how == 2) {
    const int planes = input.in(1, 3), quarters = input.in(1, 3);
    fuzz::Exact<uint8_t> from(static_cast<size_t>(plane * planes));
    from.fill(input);
    const fuzz::Exact<uint8_t> out(static_cast<size_t>(plane * planes));
    kernels.turn(from.get(), width, height, planes, quarters, out.get(), plane, quarters == 2 ? width : height);
  } else {
    fuzz::Exact<uint8_t> words(static_cast<size_t>(2 * plane));
    words.fill(input);
    const fuzz::Exact<uint8_t> out(static_cast<size_t>(plane));
    kernels.words_to_bytes(words.get(), 2 * static_cast<ptrdiff_t>(width), width, height, 255.0f / 1023, out.get(), width);
  }
  return 0;
}
