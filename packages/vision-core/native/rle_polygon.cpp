// Polygons become masks as in the COCO tools, to the pixel: corners are rounded to a grid of five points a pixel, edges
// are walked on that grid in steps along their longer side, and a column of pixels is crossed where a walk passes its
// centre, between points 5 c + 2 and 5 c + 3. Between crossings down the columns, in and out take turns.
//
// Walks are not stored: the crossings of an edge are computed column by column.
#include <algorithm>
#include <cmath>
#include <utility>

#include "rle.hpp"

namespace vision_core {
namespace {

constexpr int64_t fine = 5;  // points a pixel

struct Point {
  int64_t x, y;
};

struct Toggles {
  MaskSize size;
  std::vector<int64_t> at;
  size_t room;

  explicit Toggles(MaskSize mask_size)
      : size(mask_size), room(std::max<size_t>(1 << 16, 2 * static_cast<size_t>(size.pixels()) + 2)) {}

  void add(int64_t column, int64_t y) {
    const int64_t row = y < 0 ? 0 : std::min((y + 2) / fine, size.height);
    at.push_back(column * size.height + row);
    if (at.size() >= room) settle();  // so that a polygon with any number of edges takes no more memory than its mask
  }

  // Sorts, and leaves out what cancels: two changes at one pixel.
  void settle() {
    std::sort(at.begin(), at.end());
    size_t kept = 0;
    for (const int64_t position : at) {
      if (kept && at[kept - 1] == position) {
        --kept;
      } else {
        at[kept++] = position;
      }
    }
    at.resize(kept);
  }
};

// The position beside the longer side after t steps, rounded as the COCO tools do (towards 0, behind adding a half).
int64_t beside(int64_t start, double slope, int64_t t) {
  return static_cast<int64_t>(static_cast<double>(start) + slope * static_cast<double>(t) + 0.5);
}

void cross(Point from, Point to, Toggles& toggles) {
  const int64_t dx = std::abs(to.x - from.x), dy = std::abs(to.y - from.y);
  if (dx == 0) return;
  const bool flat = dx >= dy;
  if (flat ? from.x > to.x : from.y > to.y) std::swap(from, to);
  const double slope = flat ? static_cast<double>(to.y - from.y) / static_cast<double>(dx)
                            : static_cast<double>(to.x - from.x) / static_cast<double>(dy);
  const int64_t left = std::min(from.x, to.x), right = std::max(from.x, to.x);
  const int64_t first = left <= 2 ? 0 : (left - 2 + fine - 1) / fine;
  const int64_t last = right < 3 ? -1 : std::min((right - 3) / fine, toggles.size.width - 1);
  for (int64_t column = first; column <= last; ++column) {
    const int64_t x = fine * column + 2;
    if (flat) {
      const int64_t t = x - from.x;
      toggles.add(column, std::min(beside(from.y, slope, t), beside(from.y, slope, t + 1)));
      continue;
    }
    // The last step before the walk is on the other side of x + 1/2: guess, then correct what rounding changed.
    const bool rising = slope > 0;
    const auto passed = [&](int64_t t) { return rising ? beside(from.x, slope, t) > x : beside(from.x, slope, t) <= x; };
    int64_t t = static_cast<int64_t>((static_cast<double>(x) + 0.5 - static_cast<double>(from.x)) / slope);
    t = std::clamp<int64_t>(t, 0, dy);
    while (t > 0 && passed(t)) --t;
    while (t < dy && !passed(t + 1)) ++t;
    if (t < dy) toggles.add(column, from.y + t);
  }
}

int64_t on_grid(double coordinate) {
  return static_cast<int64_t>(static_cast<double>(fine) * coordinate + 0.5);
}

}  // namespace

Runs polygon_runs(const double* xy, int64_t points, MaskSize size) {
  Toggles toggles(size);
  for (int64_t i = 0; i < points; ++i) {
    const double *a = xy + 2 * i, *b = xy + 2 * (i + 1 < points ? i + 1 : 0);
    cross({on_grid(a[0]), on_grid(a[1])}, {on_grid(b[0]), on_grid(b[1])}, toggles);
  }
  toggles.settle();
  Runs runs;
  int64_t begin = 0;
  for (const int64_t at : toggles.at) {
    if (at >= size.pixels()) break;
    runs.push_back(static_cast<uint32_t>(at - begin));
    begin = at;
  }
  runs.push_back(static_cast<uint32_t>(size.pixels() - begin));
  return runs;
}

}  // namespace vision_core
