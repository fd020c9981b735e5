// The shapes of boxes: how they are read, what bounds them, and the exact overlap of two of them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "kernels/bounds.hpp"
#include "rotated_format.hpp"

namespace vision_core {

// Bounds in float32 that hold what they bound, whatever is rounded.
inline float float_below(double x) {
  const float rounded = static_cast<float>(x);
  return static_cast<double>(rounded) > x ? std::nextafter(rounded, -std::numeric_limits<float>::infinity()) : rounded;
}

inline float float_above(double x) { return -float_below(-x); }

// x1 y1 x2 y2, computed in T, operation by operation as torch does.
template <class T>
struct Upright {
  using Value = T;
  static constexpr int values = 4;
  T x1, y1, x2, y2, area;

  static Upright load(const T* p) { return {p[0], p[1], p[2], p[3], (p[2] - p[0]) * (p[3] - p[1])}; }

  Bounds bounds() const {
    return {{float_below(x1), float_below(y1), 0}, {float_above(x2), float_above(y2), 0}};
  }

  static T iou(const Upright& a, const Upright& b) {
    const T width = std::min(a.x2, b.x2) - std::max(a.x1, b.x1), height = std::min(a.y2, b.y2) - std::max(a.y1, b.y1);
    const T inter = (width > 0 ? width : 0) * (height > 0 ? height : 0);
    return inter / ((a.area + b.area) - inter);
  }
};

// x1 y1 z1 x2 y2 z2.
template <class T>
struct Solid {
  using Value = T;
  static constexpr int values = 6;
  T low[3], high[3], volume;

  static Solid load(const T* p) {
    return {{p[0], p[1], p[2]}, {p[3], p[4], p[5]}, (p[3] - p[0]) * (p[4] - p[1]) * (p[5] - p[2])};
  }

  Bounds bounds() const {
    return {{float_below(low[0]), float_below(low[1]), float_below(low[2])},
            {float_above(high[0]), float_above(high[1]), float_above(high[2])}};
  }

  static T iou(const Solid& a, const Solid& b) {
    T inter = 1;
    for (int axis = 0; axis < 3; ++axis) {
      const T side = std::min(a.high[axis], b.high[axis]) - std::max(a.low[axis], b.low[axis]);
      inter = inter * (side > 0 ? side : 0);
    }
    return inter / ((a.volume + b.volume) - inter);
  }
};

// Centre x, centre y, width, height, degrees counter-clockwise (y points down). All is computed in double.
template <class T>
struct Rotated {
  using Value = T;
  static constexpr int values = 5;
  double x, y, width, height, cos, sin;

  static Rotated of(const CentredBox& box) {
    const double angle = box.degrees * radians_per_degree;
    return {box.x, box.y, box.width, box.height, std::cos(angle), std::sin(angle)};
  }

  static Rotated load(const T* p) { return of(read_rotated<double>(BoxFormat::cxcywhr, p)); }

  // A little wider than the corners, which are rounded in other ways elsewhere.
  Bounds bounds() const {
    const double half_x = 0.5 * (std::fabs(width * cos) + std::fabs(height * sin)) * (1 + 1e-9);
    const double half_y = 0.5 * (std::fabs(width * sin) + std::fabs(height * cos)) * (1 + 1e-9);
    return {{float_below(x - half_x), float_below(y - half_y), 0}, {float_above(x + half_x), float_above(y + half_y), 0}};
  }

  static double iou(const Rotated& a, const Rotated& b) {
    if (!(a.width > 0 && a.height > 0 && b.width > 0 && b.height > 0)) return 0;
    const double area_a = a.width * a.height, area_b = b.width * b.height;
    const double inter = std::min(intersection(a, b), std::min(area_a, area_b));
    const double whole = area_a + area_b - inter;
    return inter > 0 && whole > 0 && std::isfinite(whole) ? inter / whole : 0;
  }

 private:
  struct Point {
    double x, y;
  };

  // Sutherland and Hodgman, "Reentrant polygon clipping", 1974: `a` in the frame of `b`, where `b` is upright and
  // centred, is cut by b's four sides. A crossing is computed only where two corners lie on different sides of one, so
  // parallel and coincident edges need no special case.
  static double intersection(const Rotated& a, const Rotated& b) {
    const double dx = a.x - b.x, dy = a.y - b.y;
    const Point centre{dx * b.cos - dy * b.sin, dx * b.sin + dy * b.cos};
    const double cos = a.cos * b.cos + a.sin * b.sin, sin = a.sin * b.cos - a.cos * b.sin;
    const Point u{0.5 * a.width * cos, -0.5 * a.width * sin}, v{0.5 * a.height * sin, 0.5 * a.height * cos};
    Point polygon[8] = {{centre.x - u.x - v.x, centre.y - u.y - v.y},
                        {centre.x + u.x - v.x, centre.y + u.y - v.y},
                        {centre.x + u.x + v.x, centre.y + u.y + v.y},
                        {centre.x - u.x + v.x, centre.y - u.y + v.y}};
    Point other[8];
    int corners = 4;
    corners = clip(polygon, corners, 1, 0, 0.5 * b.width, other);
    corners = clip(other, corners, -1, 0, 0.5 * b.width, polygon);
    corners = clip(polygon, corners, 0, 1, 0.5 * b.height, other);
    corners = clip(other, corners, 0, -1, 0.5 * b.height, polygon);
    double twice = 0;  // shoelace formula around the first corner
    for (int i = 2; i < corners; ++i) {
      const Point p{polygon[i - 1].x - polygon[0].x, polygon[i - 1].y - polygon[0].y};
      const Point q{polygon[i].x - polygon[0].x, polygon[i].y - polygon[0].y};
      twice += p.x * q.y - p.y * q.x;
    }
    return 0.5 * std::fabs(twice);
  }

  // Keeps what has x * axis_x + y * axis_y <= limit. A convex polygon gains at most one corner; a rounded one, or one
  // with NaN, may seem not convex: `room` is never left.
  static int clip(const Point* in, int corners, double axis_x, double axis_y, double limit, Point* out) {
    constexpr int room = 8;
    int number = 0;
    for (int i = 0; i < corners; ++i) {
      const Point p = in[i], q = in[i + 1 < corners ? i + 1 : 0];
      const double p_over = p.x * axis_x + p.y * axis_y - limit, q_over = q.x * axis_x + q.y * axis_y - limit;
      if (p_over <= 0 && number < room) out[number++] = p;
      if ((p_over < 0 && q_over > 0) || (p_over > 0 && q_over < 0)) {
        const double along = p_over / (p_over - q_over);
        if (number < room) out[number++] = {p.x + along * (q.x - p.x), p.y + along * (q.y - p.y)};
      }
    }
    return number;
  }
};

}  // namespace vision_core
