#include "regions.hpp"

#include <nanobind/stl/array.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <limits>

#include "bindings/bindings.hpp"
#include "region_maximum.hpp"

namespace vision_core {
namespace {

using Sizes = std::vector<int64_t>;
using Settings = std::tuple<int, int64_t, int>;          // kind, samples per bin, threads
using Flags = std::tuple<bool, bool, bool, bool>;        // aligned, channels last, double values, double boxes
using Precisions = std::tuple<bool, bool>;               // double values, double boxes
constexpr int64_t too_large = -2;                        // for the numbers of pixels, which have 32 bits

RegionGrid grid_of(const Sizes& input, const Sizes& pooled, const std::vector<double>& scale, const Settings& settings,
                   const Flags& flags) {
  RegionGrid grid{static_cast<RegionKind>(std::get<0>(settings)),
                  input[0],
                  {1, 1, 1},
                  {1, 1, 1},
                  {1, 1, 1},
                  std::get<1>(settings) > 0 ? std::get<1>(settings) : 0,
                  std::get<0>(flags)};
  for (size_t axis = input.size() == 5 ? 0 : 1, i = 0; axis < 3; ++axis, ++i) {
    grid.pixels[axis] = input[2 + i];
    grid.bins[axis] = pooled[2 + i];
    grid.scale[axis] = scale[i];
  }
  return grid;
}

bool fits(const RegionGrid& grid) {
  double pixels = 1, bins = 1;
  for (int axis = 0; axis < 3; ++axis) {
    pixels *= static_cast<double>(grid.pixels[axis]);
    bins *= static_cast<double>(grid.bins[axis]);
  }
  return pixels < std::numeric_limits<int32_t>::max() && bins < std::numeric_limits<int32_t>::max();
}

template <class T, class B>
int64_t pool_as(const RegionGrid& grid, const RegionShape& shape, uintptr_t image, uintptr_t boxes, uintptr_t bins) {
  const int64_t wrong = find_wrong_image(in<B>(boxes), shape.boxes, RegionPlan<T>::values(grid.kind), grid.images);
  if (wrong < 0) pool_regions(grid, shape, in<T>(image), in<B>(boxes), out<T>(bins));
  return wrong;
}

template <class T, class B>
int64_t spread_as(const RegionGrid& grid, const RegionShape& shape, uintptr_t bins, uintptr_t boxes, uintptr_t image) {
  const int64_t wrong = find_wrong_image(in<B>(boxes), shape.boxes, RegionPlan<T>::values(grid.kind), grid.images);
  if (wrong < 0) spread_regions(grid, shape, in<T>(bins), in<B>(boxes), out<T>(image));
  return wrong;
}

int64_t run_pool(uintptr_t image, uintptr_t boxes, uintptr_t bins, const Sizes& input, const Sizes& pooled,
                 const std::vector<double>& scale, const Settings& settings, const Flags& flags) {
  const RegionGrid grid = grid_of(input, pooled, scale, settings, flags);
  const RegionShape shape{input[1], pooled[0], std::get<1>(flags), std::get<2>(settings)};
  if (!fits(grid)) return too_large;
  const bool wide = std::get<3>(flags);
  if (std::get<2>(flags)) return (wide ? pool_as<double, double> : pool_as<double, float>)(grid, shape, image, boxes, bins);
  return (wide ? pool_as<float, double> : pool_as<float, float>)(grid, shape, image, boxes, bins);
}

int64_t run_spread(uintptr_t bins, uintptr_t boxes, uintptr_t image, const Sizes& input, const Sizes& pooled,
                   const std::vector<double>& scale, const Settings& settings, const Flags& flags) {
  const RegionGrid grid = grid_of(input, pooled, scale, settings, flags);
  const RegionShape shape{input[1], pooled[0], false, std::get<2>(settings)};
  if (!fits(grid)) return too_large;
  const bool wide = std::get<3>(flags);
  if (std::get<2>(flags))
    return (wide ? spread_as<double, double> : spread_as<double, float>)(grid, shape, bins, boxes, image);
  return (wide ? spread_as<float, double> : spread_as<float, float>)(grid, shape, bins, boxes, image);
}

MaxShape max_shape(const Sizes& input, const Sizes& pooled, int threads) {
  return {input[0], input[1], input[2], input[3], pooled[0], pooled[2], pooled[3], threads};
}

template <class T, class B>
int64_t max_as(const MaxShape& shape, uintptr_t image, uintptr_t boxes, uintptr_t bins, uintptr_t places, double scale) {
  const int64_t wrong = find_wrong_image(in<B>(boxes), shape.boxes, 4, shape.images);
  if (wrong < 0) max_regions(shape, in<T>(image), in<B>(boxes), scale, out<T>(bins), out<int32_t>(places));
  return wrong;
}

int64_t run_max(uintptr_t image, uintptr_t boxes, uintptr_t bins, uintptr_t places, const Sizes& input,
                const Sizes& pooled, double scale, int threads, const Precisions& precisions) {
  const MaxShape shape = max_shape(input, pooled, threads);
  if (static_cast<double>(shape.height) * static_cast<double>(shape.width) >= std::numeric_limits<int32_t>::max())
    return too_large;
  const bool wide = std::get<1>(precisions);
  const auto run = std::get<0>(precisions) ? (wide ? max_as<double, double> : max_as<double, float>)
                                           : (wide ? max_as<float, double> : max_as<float, float>);
  return run(shape, image, boxes, bins, places, scale);
}

template <class T, class B>
int64_t spread_max_as(const MaxShape& shape, uintptr_t bins, uintptr_t boxes, uintptr_t places, uintptr_t image) {
  const int64_t wrong = find_wrong_image(in<B>(boxes), shape.boxes, 4, shape.images);
  if (wrong < 0) spread_max_regions(shape, in<T>(bins), in<B>(boxes), in<int32_t>(places), out<T>(image));
  return wrong;
}

int64_t run_spread_max(uintptr_t bins, uintptr_t boxes, uintptr_t places, uintptr_t image, const Sizes& input,
                       const Sizes& pooled, int threads, const Precisions& precisions) {
  const bool wide = std::get<1>(precisions);
  const auto run = std::get<0>(precisions) ? (wide ? spread_max_as<double, double> : spread_max_as<double, float>)
                                           : (wide ? spread_max_as<float, double> : spread_max_as<float, float>);
  return run(max_shape(input, pooled, threads), bins, boxes, places, image);
}

}  // namespace

void bind_regions(nb::module_& m) {
  m.def("pool_regions", &run_pool, "input"_a, "boxes"_a, "pooled"_a, "input_shape"_a, "pooled_shape"_a, "scale"_a,
        "settings"_a, "flags"_a, NoGil());
  m.def("spread_regions", &run_spread, "pooled"_a, "boxes"_a, "input"_a, "input_shape"_a, "pooled_shape"_a, "scale"_a,
        "settings"_a, "flags"_a, NoGil());
  m.def("max_regions", &run_max, "input"_a, "boxes"_a, "pooled"_a, "places"_a, "input_shape"_a, "pooled_shape"_a,
        "scale"_a, "threads"_a, "double"_a, NoGil());
  m.def("spread_max_regions", &run_spread_max, "pooled"_a, "boxes"_a, "places"_a, "input"_a, "input_shape"_a,
        "pooled_shape"_a, "threads"_a, "double"_a, NoGil());
}

}  // namespace vision_core
