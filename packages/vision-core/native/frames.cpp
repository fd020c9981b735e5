#include "frames.hpp"

#include <cmath>
#include <cstring>

#include "vision/thread_pool.hpp"

namespace vision_core {
namespace {

struct Span {
  int64_t first, last;  // columns; the last one not included
};

// The half-planes leave one span of each row.
Span span_of(const std::vector<HalfPlane>& inside, int64_t row, int64_t width) {
  const double end = static_cast<double>(width);
  double first = 0, last = end;
  for (const HalfPlane& plane : inside) {
    // The middle of column j is at j + 0.5.
    const double value = plane.down * (static_cast<double>(row) + 0.5) + plane.offset + plane.across * 0.5;
    if (plane.across > 0) {
      first = std::max(first, std::ceil(-value / plane.across));
    } else if (plane.across < 0) {
      last = std::min(last, std::floor(value / -plane.across) + 1);
    } else if (!(value >= 0)) {
      last = 0;
    }
  }
  first = first < end ? first : end;  // also where it is no number
  last = last > first ? last : first;
  return {static_cast<int64_t>(first), static_cast<int64_t>(std::min(last, end))};
}

void fill_run(uint8_t* row, int64_t first, int64_t last, int64_t pixel, const uint8_t* fill) {
  if (pixel == 1) {
    std::memset(row + first, fill[0], static_cast<size_t>(last - first));
    return;
  }
  for (int64_t x = first; x < last; ++x)
    for (int64_t c = 0; c < pixel; ++c) row[x * pixel + c] = fill[c];
}

}  // namespace

void fill_outside_u8(const Pixels& image, const std::vector<HalfPlane>& inside, const uint8_t* fill, int threads) {
  const int64_t lanes = image.interleaved() ? image.channels : 1, per_image = image.channels / lanes;
  const int64_t row_bytes = image.width * lanes * per_image * image.images;
  vision::parallel_for(image.height, std::max<int64_t>(thread_bytes / std::max<int64_t>(row_bytes, 1), 1), threads,
                       [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) {
      const Span span = span_of(inside, y, image.width);
      if (span.first == 0 && span.last == image.width) continue;
      for (int64_t plane = 0; plane < image.images * per_image; ++plane) {
        const int64_t channel = plane % per_image;
        uint8_t* row = writable(image) + plane / per_image * image.image_stride + channel * image.channel_stride +
                       y * image.row_stride;
        fill_run(row, 0, span.first, lanes, fill + channel);
        fill_run(row, span.last, image.width, lanes, fill + channel);
      }
    }
  });
}

}  // namespace vision_core
