#include "copies.hpp"

#include <cstring>
#include <vector>

#include "kernels/flip.hpp"
#include "vision/thread_pool.hpp"

namespace vision_core {
namespace {

// Calls body(source plane, plane number, row of the result, the result's row) for all rows of all planes.
template <class Body>
void over_rows(const Pixels& p, int64_t height, int64_t row_bytes, uint8_t* target, int threads, const Body& body) {
  const int64_t lanes = p.interleaved() ? p.channels : 1, per_image = p.channels / lanes;
  vision::parallel_for(p.images * per_image * height, std::max<int64_t>(thread_bytes / row_bytes, 1), threads,
                       [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t plane = i / height, channel = plane % per_image;
      body(p.data + plane / per_image * p.image_stride + channel * p.channel_stride, channel, i % height,
           target + i * row_bytes);
    }
  });
}

// Where the value at place i outside of 0 ... size - 1 comes from.
int64_t source_of(int64_t i, int64_t size, Border border) {
  if (i >= 0 && i < size) return i;
  switch (border) {
    case Border::constant: return -1;
    case Border::edge: return i < 0 ? 0 : size - 1;
    case Border::reflect: return i < 0 ? -i : 2 * size - 2 - i;
    case Border::symmetric: return i < 0 ? -1 - i : 2 * size - 1 - i;
  }
  return -1;
}

}  // namespace

void flip_u8(const Pixels& p, bool horizontal, uint8_t* target, int threads) {
  const FlipKernels& kernels = VISION_SELECT(flip_kernels);
  const int64_t pixel = p.interleaved() ? p.channels : 1, row_bytes = p.width * pixel;
  over_rows(p, p.height, row_bytes, target, threads, [&](const uint8_t* plane, int64_t, int64_t y, uint8_t* out) {
    if (horizontal) {
      kernels.reverse(plane + y * p.row_stride, p.width, static_cast<int>(pixel), out);
    } else {
      std::memcpy(out, plane + (p.height - 1 - y) * p.row_stride, static_cast<size_t>(row_bytes));
    }
  });
}

void pad_u8(const Pixels& p, int64_t left, int64_t top, int64_t height, int64_t width, Border border,
            const uint8_t* fill, uint8_t* target, int threads) {
  const int64_t pixel = p.interleaved() ? p.channels : 1, row_bytes = width * pixel;
  // Columns of the result that lie inside the image; where none do, first and last are the same.
  const int64_t first = std::clamp<int64_t>(left, 0, width), last = std::clamp<int64_t>(left + p.width, first, width);
  std::vector<uint8_t> background(static_cast<size_t>(p.channels / pixel * row_bytes));
  for (size_t i = 0; i < background.size() && border == Border::constant; ++i)
    background[i] = pixel == 1 ? fill[i / static_cast<size_t>(row_bytes)] : fill[i % static_cast<size_t>(pixel)];
  std::vector<int64_t> columns(static_cast<size_t>(width));
  for (int64_t x = 0; x < width; ++x) columns[x] = source_of(x - left, p.width, border);

  over_rows(p, height, row_bytes, target, threads, [&](const uint8_t* plane, int64_t channel, int64_t y, uint8_t* out) {
    const int64_t source_row = source_of(y - top, p.height, border);
    const uint8_t* empty = background.data() + (pixel == 1 ? channel * row_bytes : 0);
    if (source_row < 0) {
      std::memcpy(out, empty, static_cast<size_t>(row_bytes));
      return;
    }
    const uint8_t* row = plane + source_row * p.row_stride;
    const auto side = [&](int64_t begin, int64_t end) {
      if (border == Border::constant) {
        std::memcpy(out + begin * pixel, empty + begin * pixel, static_cast<size_t>((end - begin) * pixel));
        return;
      }
      for (int64_t x = begin; x < end; ++x)
        for (int64_t c = 0; c < pixel; ++c) out[x * pixel + c] = row[columns[x] * pixel + c];
    };
    side(0, first);
    if (last > first)
      std::memcpy(out + first * pixel, row + (first - left) * pixel, static_cast<size_t>((last - first) * pixel));
    side(last, width);
  });
}

}  // namespace vision_core
