#include "png.hpp"

#include <cstdlib>
#include <cstring>

namespace vision_io {
namespace {

uint8_t paeth(int left, int up, int corner) {
  const int to_left = std::abs(up - corner), to_up = std::abs(left - corner), to_corner = std::abs(left + up - 2 * corner);
  if (to_left <= to_up && to_left <= to_corner) return static_cast<uint8_t>(left);
  return static_cast<uint8_t>(to_up <= to_corner ? up : corner);
}

void unfilter_row(int kind, const uint8_t* row, const uint8_t* above, int64_t width, int64_t step, uint8_t* out) {
  const auto left = [&](int64_t x) { return x >= step ? out[x - step] : 0; };
  const auto up = [&](int64_t x) { return above ? above[x] : 0; };
  const auto corner = [&](int64_t x) { return above && x >= step ? above[x - step] : 0; };
  switch (kind) {
    case 1:
      for (int64_t x = 0; x < width; ++x) out[x] = static_cast<uint8_t>(row[x] + left(x));
      break;
    case 2:
      for (int64_t x = 0; x < width; ++x) out[x] = static_cast<uint8_t>(row[x] + up(x));
      break;
    case 3:
      for (int64_t x = 0; x < width; ++x) out[x] = static_cast<uint8_t>(row[x] + (left(x) + up(x)) / 2);
      break;
    case 4:
      for (int64_t x = 0; x < width; ++x) out[x] = static_cast<uint8_t>(row[x] + paeth(left(x), up(x), corner(x)));
      break;
    default:
      std::memcpy(out, row, static_cast<size_t>(width));
  }
}

}  // namespace

void png_unfilter(const uint8_t* filtered, int64_t width, int64_t height, int step, uint8_t* out) {
  const uint8_t* above = nullptr;
  for (int64_t y = 0; y < height; ++y) {
    const uint8_t* row = filtered + y * (width + 1);
    unfilter_row(row[0], row + 1, above, width, step, out + y * width);
    above = out + y * width;
  }
}

}  // namespace vision_io
