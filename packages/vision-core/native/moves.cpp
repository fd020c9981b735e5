#include "moves.hpp"

#include "vision/thread_pool.hpp"

namespace vision_core {
namespace {

constexpr int64_t items_per_thread = 1 << 13;

template <class T>
struct Corners {
  T left, top, right, bottom;
};

template <class T>
Corners<T> read(BoxFormat format, const T* p) {
  if (format == BoxFormat::xyxy) return {p[0], p[1], p[2], p[3]};
  const bool centred = format == BoxFormat::cxcywh;
  const T left = centred ? p[0] - p[2] * T(0.5) : p[0], top = centred ? p[1] - p[3] * T(0.5) : p[1];
  return {left, top, left + p[2], top + p[3]};
}

template <class T>
void write(BoxFormat format, const Corners<T>& box, T* p) {
  const T width = box.right - box.left, height = box.bottom - box.top;
  const bool centred = format == BoxFormat::cxcywh, corners = format == BoxFormat::xyxy;
  p[0] = centred ? (box.left + box.right) * T(0.5) : box.left;
  p[1] = centred ? (box.top + box.bottom) * T(0.5) : box.top;
  p[2] = corners ? box.right : width;
  p[3] = corners ? box.bottom : height;
}

template <class T>
T moved(T value, T scale, T shift) {
  return value * scale + shift;
}

template <class T>
T cut(T value, T limit) {  // NaN stays NaN
  const T above = value < T(0) ? T(0) : value;
  return above > limit ? limit : above;
}

template <class T>
Corners<T> cut(const Corners<T>& box, Limits limits) {
  if (!limits.on) return box;
  const T width = static_cast<T>(limits.width), height = static_cast<T>(limits.height);
  return {cut(box.left, width), cut(box.top, height), cut(box.right, width), cut(box.bottom, height)};
}

template <class T>
struct Map {
  T a, b, c, d, e, f, g, h;
  bool projective;

  explicit Map(const PointMapping& m)
      : a(T(m.values[0])), b(T(m.values[1])), c(T(m.values[2])), d(T(m.values[3])), e(T(m.values[4])),
        f(T(m.values[5])), g(T(m.values[6])), h(T(m.values[7])), projective(m.projective) {}

  void operator()(T x, T y, T& to_x, T& to_y) const {
    to_x = x * a + y * b + c;
    to_y = x * d + y * e + f;
    if (!projective) return;
    const T depth = x * g + y * h + T(1);
    to_x /= depth;
    to_y /= depth;
  }
};

template <class T>
void widen(T value, T& low, T& high) {  // one NaN makes both NaN
  if (value < low || value != value) low = value;
  if (value > high || value != value) high = value;
}

}  // namespace

template <class T>
void scale_boxes(BoxFormat from, BoxFormat to, const T* boxes, int64_t count, AxisMove x, AxisMove y, Limits limits,
                 int threads, T* out) {
  const T sx = T(x.scale), tx = T(x.shift), sy = T(y.scale), ty = T(y.shift);
  // Centres and sizes scale as corners do; sizes do not shift.
  const bool direct = from == to && from != BoxFormat::xyxy && sx > 0 && sy > 0 && !limits.on;
  vision::parallel_for(count, items_per_thread, threads, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const T* p = boxes + 4 * i;
      T* q = out + 4 * i;
      if (direct) {
        q[0] = moved(p[0], sx, tx), q[1] = moved(p[1], sy, ty), q[2] = p[2] * sx, q[3] = p[3] * sy;
        continue;
      }
      const Corners<T> box = read(from, p);
      const T left = moved(sx < 0 ? box.right : box.left, sx, tx), right = moved(sx < 0 ? box.left : box.right, sx, tx);
      const T top = moved(sy < 0 ? box.bottom : box.top, sy, ty), bottom = moved(sy < 0 ? box.top : box.bottom, sy, ty);
      write(to, cut(Corners<T>{left, top, right, bottom}, limits), q);
    }
  });
}

template <class T>
void map_boxes(BoxFormat format, const T* boxes, int64_t count, const PointMapping& mapping, Limits limits, int threads,
               T* out) {
  const Map<T> map(mapping);
  vision::parallel_for(count, items_per_thread / 4, threads, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const Corners<T> box = read(format, boxes + 4 * i);
      T x, y;
      map(box.left, box.top, x, y);
      Corners<T> around{x, y, x, y};
      for (int corner = 1; corner < 4; ++corner) {
        map(corner & 1 ? box.right : box.left, corner & 2 ? box.bottom : box.top, x, y);
        widen(x, around.left, around.right);
        widen(y, around.top, around.bottom);
      }
      write(format, cut(around, limits), out + 4 * i);
    }
  });
}

template <class T>
void scale_points(const T* points, int64_t count, int64_t columns, AxisMove x, AxisMove y, Limits limits, int threads,
                  T* out) {
  const T sx = T(x.scale), tx = T(x.shift), sy = T(y.scale), ty = T(y.shift);
  const T width = T(limits.width), height = T(limits.height);
  vision::parallel_for(count, items_per_thread, threads, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const T* p = points + columns * i;
      T* q = out + columns * i;
      const T to_x = moved(p[0], sx, tx), to_y = moved(p[1], sy, ty);
      q[0] = limits.on ? cut(to_x, width) : to_x;
      q[1] = limits.on ? cut(to_y, height) : to_y;
      for (int64_t j = 2; j < columns; ++j) q[j] = p[j];
    }
  });
}

template <class T>
void map_points(const T* points, int64_t count, int64_t columns, const PointMapping& mapping, int threads, T* out) {
  const Map<T> map(mapping);
  vision::parallel_for(count, items_per_thread, threads, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const T* p = points + columns * i;
      T* q = out + columns * i;
      map(p[0], p[1], q[0], q[1]);
      for (int64_t j = 2; j < columns; ++j) q[j] = p[j];
    }
  });
}

#define INSTANTIATE(T)                                                                                               \
  template void scale_boxes<T>(BoxFormat, BoxFormat, const T*, int64_t, AxisMove, AxisMove, Limits, int, T*);       \
  template void map_boxes<T>(BoxFormat, const T*, int64_t, const PointMapping&, Limits, int, T*);                        \
  template void scale_points<T>(const T*, int64_t, int64_t, AxisMove, AxisMove, Limits, int, T*);                   \
  template void map_points<T>(const T*, int64_t, int64_t, const PointMapping&, int, T*);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace vision_core
