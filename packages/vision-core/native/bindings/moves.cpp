#include "moves.hpp"

#include <nanobind/stl/pair.h>
#include <nanobind/stl/vector.h>

#include <stdexcept>
#include <utility>
#include <vector>

#include "bindings/bindings.hpp"

namespace vision_core {

using Pair = std::pair<double, double>;

static AxisMove axis(Pair pair) { return {pair.first, pair.second}; }

static Limits limits(bool on, Pair size) { return {on, size.second, size.first}; }

static PointMapping mapping(const std::vector<double>& values) {
  if (values.size() != 6 && values.size() != 8) throw std::invalid_argument("mapping: expected 6 or 8 numbers");
  PointMapping result{{}, values.size() == 8};
  for (size_t i = 0; i < values.size(); ++i) result.values[i] = values[i];
  return result;
}

static BoxFormat upright(int format) {
  if (format < 0 || format > 2) throw std::invalid_argument("format: expected an upright one");
  return static_cast<BoxFormat>(format);
}

static void run_scale_boxes(int from, int to, uintptr_t boxes, int64_t count, bool is_double, Pair x, Pair y, bool clamp,
                            Pair size, int threads, uintptr_t result) {
  const BoxFormat source = upright(from), target = upright(to);
  nb::gil_scoped_release free;
  if (is_double)
    scale_boxes(source, target, in<double>(boxes), count, axis(x), axis(y), limits(clamp, size), threads,
                out<double>(result));
  else
    scale_boxes(source, target, in<float>(boxes), count, axis(x), axis(y), limits(clamp, size), threads,
                out<float>(result));
}

static void run_map_boxes(int format, uintptr_t boxes, int64_t count, bool is_double, const std::vector<double>& values,
                          bool clamp, Pair size, int threads, uintptr_t result) {
  const PointMapping map = mapping(values);
  const BoxFormat source = upright(format);
  nb::gil_scoped_release free;
  if (is_double)
    map_boxes(source, in<double>(boxes), count, map, limits(clamp, size), threads, out<double>(result));
  else
    map_boxes(source, in<float>(boxes), count, map, limits(clamp, size), threads, out<float>(result));
}

static void run_scale_points(uintptr_t points, int64_t count, int64_t columns, bool is_double, Pair x, Pair y, bool clamp,
                             Pair size, int threads, uintptr_t result) {
  nb::gil_scoped_release free;
  if (is_double)
    scale_points(in<double>(points), count, columns, axis(x), axis(y), limits(clamp, size), threads,
                 out<double>(result));
  else
    scale_points(in<float>(points), count, columns, axis(x), axis(y), limits(clamp, size), threads, out<float>(result));
}

static void run_map_points(uintptr_t points, int64_t count, int64_t columns, bool is_double,
                           const std::vector<double>& values, int threads, uintptr_t result) {
  const PointMapping map = mapping(values);
  nb::gil_scoped_release free;
  if (is_double)
    map_points(in<double>(points), count, columns, map, threads, out<double>(result));
  else
    map_points(in<float>(points), count, columns, map, threads, out<float>(result));
}

void bind_moves(nb::module_& m) {
  m.def("map_boxes", &run_map_boxes, "format"_a, "boxes"_a, "count"_a, "double"_a, "mapping"_a, "clamp"_a, "size"_a,
        "threads"_a, "out"_a);
  m.def("map_points", &run_map_points, "points"_a, "count"_a, "columns"_a, "double"_a, "mapping"_a, "threads"_a,
        "out"_a);
  m.def("scale_boxes", &run_scale_boxes, "source"_a, "to"_a, "boxes"_a, "count"_a, "double"_a, "x"_a, "y"_a, "clamp"_a,
        "size"_a, "threads"_a, "out"_a);
  m.def("scale_points", &run_scale_points, "points"_a, "count"_a, "columns"_a, "double"_a, "x"_a, "y"_a, "clamp"_a,
        "size"_a, "threads"_a, "out"_a);
}

}  // namespace vision_core
