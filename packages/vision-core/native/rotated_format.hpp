// The three ways to write a rotated box, read into one and written from it, in double precision.
#pragma once

#include <cmath>
#include <cstdint>

namespace vision_core {

enum class BoxFormat : int { xyxy, xywh, cxcywh, xywhr, cxcywhr, xyxyxyxy };

constexpr int format_values(BoxFormat format) {
  return format == BoxFormat::xyxyxyxy ? 8 : format == BoxFormat::xywhr || format == BoxFormat::cxcywhr ? 5 : 4;
}

struct CentredBox {
  double x, y, width, height, degrees;  // counter-clockwise, y points down
};

constexpr double radians_per_degree = 3.14159265358979323846 / 180;

// Angles are computed in Trig: in float, sines cost a third.
template <class Trig, class T>
CentredBox read_rotated(BoxFormat format, const T* p) {
  if (format == BoxFormat::xyxyxyxy) {  // corners of a rectangle: upper left, upper right, lower right, lower left
    const double x1 = p[0], y1 = p[1], x2 = p[2], y2 = p[3], x3 = p[4], y3 = p[5], x4 = p[6], y4 = p[7];
    const double across_x = x2 - x1, across_y = y2 - y1, down_x = x4 - x1, down_y = y4 - y1;
    return {(x1 + x3) / 2, (y1 + y3) / 2, std::sqrt(across_x * across_x + across_y * across_y),
            std::sqrt(down_x * down_x + down_y * down_y),
            std::atan2(static_cast<Trig>(-across_y), static_cast<Trig>(across_x)) / radians_per_degree};
  }
  CentredBox box{static_cast<double>(p[0]), static_cast<double>(p[1]), static_cast<double>(p[2]),
                 static_cast<double>(p[3]), static_cast<double>(p[4])};
  if (format == BoxFormat::xywhr) {  // x and y are those of the corner that was the upper left one before the turn
    const Trig angle = static_cast<Trig>(box.degrees * radians_per_degree);
    const double cos = std::cos(angle), sin = std::sin(angle);
    box.x += (box.width * cos + box.height * sin) / 2;
    box.y += (box.height * cos - box.width * sin) / 2;
  }
  return box;
}

template <class T>
void write_rotated(BoxFormat format, const CentredBox& box, T* p) {
  if (format == BoxFormat::cxcywhr) {
    p[0] = static_cast<T>(box.x), p[1] = static_cast<T>(box.y);
  } else {
    const T angle = static_cast<T>(box.degrees * radians_per_degree);
    const double cos = std::cos(angle), sin = std::sin(angle);
    const double across_x = box.width * cos, across_y = -box.width * sin;
    const double down_x = box.height * sin, down_y = box.height * cos;
    const double x1 = box.x - (across_x + down_x) / 2, y1 = box.y - (across_y + down_y) / 2;
    p[0] = static_cast<T>(x1), p[1] = static_cast<T>(y1);
    if (format == BoxFormat::xyxyxyxy) {
      p[2] = static_cast<T>(x1 + across_x), p[3] = static_cast<T>(y1 + across_y);
      p[4] = static_cast<T>(x1 + across_x + down_x), p[5] = static_cast<T>(y1 + across_y + down_y);
      p[6] = static_cast<T>(x1 + down_x), p[7] = static_cast<T>(y1 + down_y);
      return;
    }
  }
  p[2] = static_cast<T>(box.width), p[3] = static_cast<T>(box.height), p[4] = static_cast<T>(box.degrees);
}

}  // namespace vision_core
