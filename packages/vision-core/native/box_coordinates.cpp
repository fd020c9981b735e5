#include "box_coordinates.hpp"

#include "vision/thread_pool.hpp"

namespace vision_core {
namespace {

constexpr int64_t boxes_per_thread = 1 << 14;  // about 20 us of work

template <class T>
struct Box {
  T a, b, c, d;
};

template <BoxFormat from, class T>
Box<T> corners(const T* p) {
  if constexpr (from == BoxFormat::xywh) return {p[0], p[1], p[0] + p[2], p[1] + p[3]};
  if constexpr (from == BoxFormat::cxcywh) {
    const T half_w = T(0.5) * p[2], half_h = T(0.5) * p[3];
    return {p[0] - half_w, p[1] - half_h, p[0] + half_w, p[1] + half_h};
  }
  return {p[0], p[1], p[2], p[3]};
}

template <BoxFormat to, class T>
Box<T> from_corners(const Box<T>& x) {
  if constexpr (to == BoxFormat::xywh) return {x.a, x.b, x.c - x.a, x.d - x.b};
  if constexpr (to == BoxFormat::cxcywh) return {(x.a + x.c) / 2, (x.b + x.d) / 2, x.c - x.a, x.d - x.b};
  return x;
}

template <class T, class Each>
void for_each_box(const T* boxes, int64_t count, int threads, T* out, Each&& each) {
  vision::parallel_for(count, boxes_per_thread, threads, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const Box<T> box = each(boxes + 4 * i);
      T* p = out + 4 * i;
      p[0] = box.a, p[1] = box.b, p[2] = box.c, p[3] = box.d;
    }
  });
}

template <BoxFormat from, BoxFormat to, class T>
void convert(const T* boxes, int64_t count, int threads, T* out) {
  for_each_box(boxes, count, threads, out, [](const T* p) { return from_corners<to, T>(corners<from, T>(p)); });
}

template <BoxFormat from, class T>
void convert_from(BoxFormat to, const T* boxes, int64_t count, int threads, T* out) {
  switch (to) {
    case BoxFormat::xyxy: return convert<from, BoxFormat::xyxy>(boxes, count, threads, out);
    case BoxFormat::xywh: return convert<from, BoxFormat::xywh>(boxes, count, threads, out);
    default: return convert<from, BoxFormat::cxcywh>(boxes, count, threads, out);
  }
}

template <class T>
void convert_rotated(BoxFormat from, BoxFormat to, const T* boxes, int64_t count, int threads, T* out) {
  const int64_t read = format_values(from), written = format_values(to);
  vision::parallel_for(count, boxes_per_thread / 32, threads, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) write_rotated(to, read_rotated<T>(from, boxes + read * i), out + written * i);
  });
}

}  // namespace

template <class T>
void convert_boxes(BoxFormat from, BoxFormat to, const T* boxes, int64_t count, int threads, T* out) {
  switch (from) {
    case BoxFormat::xyxy: return convert_from<BoxFormat::xyxy>(to, boxes, count, threads, out);
    case BoxFormat::xywh: return convert_from<BoxFormat::xywh>(to, boxes, count, threads, out);
    case BoxFormat::cxcywh: return convert_from<BoxFormat::cxcywh>(to, boxes, count, threads, out);
    default: return convert_rotated(from, to, boxes, count, threads, out);
  }
}

template <class T>
void box_areas(BoxFormat format, const T* boxes, int64_t count, int threads, T* out) {
  const bool two_corners = format == BoxFormat::xyxy;
  vision::parallel_for(count, boxes_per_thread, threads, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const T* p = boxes + 4 * i;
      out[i] = two_corners ? (p[2] - p[0]) * (p[3] - p[1]) : p[2] * p[3];
    }
  });
}

template <class T>
void clip_boxes(const T* boxes, int64_t count, T width, T height, int threads, T* out) {
  // NaN fails every comparison and stays.
  const auto clip = [](T x, T most) {
    const T positive = x < 0 ? 0 : x;
    return positive > most ? most : positive;
  };
  for_each_box(boxes, count, threads, out, [&](const T* p) {
    return Box<T>{clip(p[0], width), clip(p[1], height), clip(p[2], width), clip(p[3], height)};
  });
}

template <class T>
int64_t large_boxes(const T* boxes, int64_t count, double least, int64_t* keep) {
  int64_t number = 0;
  const T limit = static_cast<T>(least);
  for (int64_t i = 0; i < count; ++i) {
    const T* p = boxes + 4 * i;
    keep[number] = i;  // there is room: number <= i
    number += (p[2] - p[0] >= limit) & (p[3] - p[1] >= limit);
  }
  return number;
}

#define VISION_INSTANTIATE(T)                                                                      \
  template void convert_boxes(BoxFormat, BoxFormat, const T*, int64_t, int, T*);                   \
  template void box_areas(BoxFormat, const T*, int64_t, int, T*);                                  \
  template void clip_boxes(const T*, int64_t, T, T, int, T*);                                      \
  template int64_t large_boxes(const T*, int64_t, double, int64_t*);
VISION_INSTANTIATE(float)
VISION_INSTANTIATE(double)
#undef VISION_INSTANTIATE

}  // namespace vision_core
