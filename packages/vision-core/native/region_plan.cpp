#include "region_plan.hpp"

#include <algorithm>
#include <cmath>

namespace vision_core {
namespace {

constexpr size_t enough_taps = size_t{1} << 22;

// Positions of the samples of one bin: (number + 0.5) * size / count from `first` on, for numbers in [begin, end). Of
// boxes that reach far beyond the image only those from `lowest` on, of which at most `limit` can count.
template <class B>
struct BinSamples {
  B first, size, count, begin, end;

  BinSamples(B start, B extent, int64_t bins, int64_t bin, B samples, B lowest, int64_t limit) : count(samples) {
    size = extent / static_cast<B>(bins);
    first = start + static_cast<B>(bin) * size;
    begin = 0, end = samples;
    if (!(samples > 0) || !std::isfinite(first) || !std::isfinite(size)) {
      end = 0;
    } else if (samples > static_cast<B>(limit)) {
      const B skipped = std::floor((lowest - first) / (size / samples));
      begin = skipped > 0 ? skipped : 0;
      end = std::min(samples, begin + static_cast<B>(limit));
    }
  }
  int64_t number() const { return end > begin ? static_cast<int64_t>(std::min<B>(end - begin, B(1e9))) : 0; }
  B position(int64_t i) const { return first + (begin + static_cast<B>(i) + B(0.5)) * size / count; }
};

template <class B>
B samples_per_bin(const RegionGrid& grid, B extent, int axis) {
  if (grid.ratio > 0) return static_cast<B>(grid.ratio);
  const B count = std::ceil(extent / static_cast<B>(grid.bins[axis]));
  return std::isfinite(count) ? count : B(0);
}

int64_t sample_limit(const RegionGrid& grid, int64_t pixels) { return grid.ratio > 0 ? grid.ratio : 2 * pixels + 8; }

// The pixels around a position in the image, and how far towards the upper one it lies.
template <class B>
struct Neighbours {
  int32_t low, high;
  B part;

  Neighbours(B position, int64_t pixels) {
    const B last = static_cast<B>(pixels - 1);
    const B inside = position < 0 ? B(0) : position > last ? last : position;
    low = static_cast<int32_t>(inside);
    high = low + 1 < pixels ? low + 1 : low;
    part = inside - static_cast<B>(low);
  }
};

template <class B>
bool seen(B position, int64_t pixels) {
  return position >= B(-1) && position <= static_cast<B>(pixels);
}

}  // namespace

template <class B>
int64_t find_wrong_image(const B* boxes, int64_t count, int values, int64_t images) {
  for (int64_t k = 0; k < count; ++k) {
    const B image = boxes[k * (values + 1)];
    if (!(image > B(-1) && image < static_cast<B>(images))) return k;
  }
  return -1;
}

template <class T>
void RegionPlan<T>::Taps::clear() {
  begin.assign(1, 0);
  at.clear();
  weight.clear();
}

// Neighbouring samples share pixels: their weights are added.
template <class T>
void RegionPlan<T>::Taps::add(int32_t pixel, T value) {
  if (value == 0) return;
  const size_t first = static_cast<size_t>(begin.back());
  for (size_t i = at.size(); i > first && i + 2 > at.size(); --i)
    if (at[i - 1] == pixel) {
      weight[i - 1] += value;
      return;
    }
  at.push_back(pixel);
  weight.push_back(value);
}

template <class T>
RegionPlan<T>::RegionPlan(const RegionGrid& grid) : grid_(grid), place_(static_cast<size_t>(grid.pixels[2]), -1) {}

template <class T>
template <class B>
void RegionPlan<T>::sample_axis(B start, B extent, int axis, Taps& taps) {
  taps.clear();
  const int64_t pixels = grid_.pixels[axis];
  const B count = samples_per_bin(grid_, extent, axis);
  for (int64_t bin = 0; bin < grid_.bins[axis]; ++bin) {
    const BinSamples<B> samples(start, extent, grid_.bins[axis], bin, count, B(-1), sample_limit(grid_, pixels));
    const B share = 1 / count;
    const int64_t number = pixels > 0 ? samples.number() : 0;
    for (int64_t i = 0; i < number; ++i) {
      const B position = samples.position(i);
      if (!seen(position, pixels)) continue;
      const Neighbours<B> near(position, pixels);
      taps.add(near.low, static_cast<T>((1 - near.part) * share));
      taps.add(near.high, static_cast<T>(near.part * share));
    }
    taps.begin.push_back(static_cast<int32_t>(taps.at.size()));
  }
}

template <class T>
template <class B>
void RegionPlan<T>::average_axis(B first, B last, int axis, Taps& taps) {
  taps.clear();
  first = std::round(first * static_cast<B>(grid_.scale[axis]));
  last = std::round(last * static_cast<B>(grid_.scale[axis]));
  const B size = std::max(last - first, B(1)) / static_cast<B>(grid_.bins[axis]);
  const B limit = static_cast<B>(grid_.pixels[axis] - 1);  // torchvision leaves out the border
  for (int64_t bin = 0; bin < grid_.bins[axis]; ++bin) {
    if (std::isfinite(first) && std::isfinite(last) && limit > 0) {
      const B start = std::floor(static_cast<B>(bin) * size) + first, stop = std::ceil(static_cast<B>(bin + 1) * size) + first;
      const int32_t begin = static_cast<int32_t>(start > 0 ? std::min(start, limit) : B(0));
      const int32_t end = static_cast<int32_t>(stop > 0 ? std::min(stop, limit) : B(0));
      for (int32_t pixel = begin; pixel < end; ++pixel) taps.add(pixel, T(1) / static_cast<T>(end - begin));
    }
    taps.begin.push_back(static_cast<int32_t>(taps.at.size()));
  }
}

template <class T>
template <class B>
void RegionPlan<T>::plan_upright(const B* box, Offsets& offsets) {
  const bool deep = grid_.kind == RegionKind::align_3d;
  const int axes = deep ? 3 : 2;
  Taps* const taps[3] = {&depth_, &height_, &width_};
  for (int axis = 3 - axes; axis < 3; ++axis) {
    const B low = box[2 - axis], high = box[axes + 2 - axis];
    if (grid_.kind == RegionKind::sensitive_pool) {
      average_axis(low, high, axis, *taps[axis]);
      continue;
    }
    const B offset = grid_.aligned ? B(0.5) : B(0), scale = static_cast<B>(grid_.scale[axis]);
    const B start = low * scale - offset;
    B extent = high * scale - offset - start;
    if (!grid_.aligned && extent < 1) extent = 1;
    sample_axis(start, extent, axis, *taps[axis]);
  }
  if (deep) combine_rows();
  collect_columns(offsets);
  store(offsets);
}

// Rows of a volume: pairs of a slice and a row in it.
template <class T>
void RegionPlan<T>::combine_rows() {
  rows_.clear();
  const int32_t height = static_cast<int32_t>(grid_.pixels[1]);
  for (size_t d = 0; d + 1 < depth_.begin.size(); ++d)
    for (size_t h = 0; h + 1 < height_.begin.size(); ++h) {
      for (int32_t i = depth_.begin[d]; i < depth_.begin[d + 1]; ++i)
        for (int32_t j = height_.begin[h]; j < height_.begin[h + 1]; ++j) {
          rows_.at.push_back(depth_.at[i] * height + height_.at[j]);
          rows_.weight.push_back(depth_.weight[i] * height_.weight[j]);
        }
      rows_.begin.push_back(static_cast<int32_t>(rows_.at.size()));
    }
  std::swap(rows_, height_);
}

template <class T>
void RegionPlan<T>::collect_columns(Offsets& offsets) {
  offsets.columns = integers_.size();
  int32_t count = 0;
  offsets.first_column = offsets.last_column = width_.at.empty() ? 0 : width_.at[0];
  for (int32_t& at : width_.at) {
    offsets.first_column = std::min(offsets.first_column, at);
    offsets.last_column = std::max(offsets.last_column, at);
    int32_t& place = place_[static_cast<size_t>(at)];
    if (place < 0) {
      place = count++;
      integers_.push_back(at);
    }
    at = place;
  }
  offsets.column_count = count;
  for (int32_t i = 0; i < count; ++i) place_[static_cast<size_t>(integers_[offsets.columns + static_cast<size_t>(i)])] = -1;
}

template <class T>
void RegionPlan<T>::store(Offsets& offsets) {
  const auto keep = [](auto& all, const auto& part) {
    const size_t at = all.size();
    all.insert(all.end(), part.begin(), part.end());
    return at;
  };
  offsets.row_begin = keep(integers_, height_.begin);
  offsets.row_at = keep(integers_, height_.at);
  offsets.row_weight = keep(weights_, height_.weight);
  offsets.column_begin = keep(integers_, width_.begin);
  offsets.column_at = keep(integers_, width_.at);
  offsets.column_weight = keep(weights_, width_.weight);
}

template <class T>
template <class B>
void RegionPlan<T>::plan_rotated(const B* box, Offsets& offsets) {
  const int64_t height = grid_.pixels[1], width = grid_.pixels[2];
  const B scale = static_cast<B>(grid_.scale[2]), offset = grid_.aligned ? B(0.5) : B(0);
  const B centre_x = box[0] * scale - offset, centre_y = box[1] * scale - offset;
  B size_x = box[2] * scale, size_y = box[3] * scale;
  if (!grid_.aligned) size_x = size_x < 1 ? B(1) : size_x, size_y = size_y < 1 ? B(1) : size_y;
  const B angle = box[4] * static_cast<B>(3.14159265358979323846 / 180), cosine = std::cos(angle), sine = std::sin(angle);
  // The middle of the image in the axes of the box, and a circle around it that holds all that counts.
  const B middle_x = B(0.5) * static_cast<B>(width) - centre_x, middle_y = B(0.5) * static_cast<B>(height) - centre_y;
  const double radius = 0.5 * std::hypot(static_cast<double>(height) + 2, static_cast<double>(width) + 2);
  const B lowest_v = middle_x * sine + middle_y * cosine - static_cast<B>(radius);
  const B lowest_u = middle_x * cosine - middle_y * sine - static_cast<B>(radius);
  const B count_v = samples_per_bin(grid_, size_y, 1), count_u = samples_per_bin(grid_, size_x, 2);
  const int64_t limit = sample_limit(grid_, static_cast<int64_t>(2 * radius));
  const bool any = height > 0 && width > 0;

  height_.clear();
  for (int64_t row = 0; row < grid_.bins[1]; ++row) {
    const BinSamples<B> along_v(B(-0.5) * size_y, size_y, grid_.bins[1], row, count_v, lowest_v, limit);
    for (int64_t column = 0; column < grid_.bins[2]; ++column) {
      const BinSamples<B> along_u(B(-0.5) * size_x, size_x, grid_.bins[2], column, count_u, lowest_u, limit);
      const B share = (1 / count_v) * (1 / count_u);
      const int64_t number_v = any ? along_v.number() : 0, number_u = any ? along_u.number() : 0;
      for (int64_t i = 0; i < number_v; ++i) {
        const B v = along_v.position(i);
        for (int64_t j = 0; j < number_u; ++j) {
          const B u = along_u.position(j);
          const B y = v * cosine - u * sine + centre_y, x = v * sine + u * cosine + centre_x;
          if (!seen(y, height) || !seen(x, width)) continue;
          const Neighbours<B> near_y(y, height), near_x(x, width);
          const int32_t low = near_y.low * static_cast<int32_t>(width), high = near_y.high * static_cast<int32_t>(width);
          height_.add(low + near_x.low, static_cast<T>((1 - near_y.part) * (1 - near_x.part) * share));
          height_.add(low + near_x.high, static_cast<T>((1 - near_y.part) * near_x.part * share));
          height_.add(high + near_x.low, static_cast<T>(near_y.part * (1 - near_x.part) * share));
          height_.add(high + near_x.high, static_cast<T>(near_y.part * near_x.part * share));
        }
      }
      height_.begin.push_back(static_cast<int32_t>(height_.at.size()));
    }
  }
  width_.clear();
  collect_columns(offsets);
  store(offsets);
}

template <class T>
template <class B>
int64_t RegionPlan<T>::build(const B* boxes, int64_t begin, int64_t count) {
  integers_.clear(), weights_.clear(), offsets_.clear();
  const int values = RegionPlan::values(grid_.kind);
  int64_t k = begin;
  for (; k < count && integers_.size() < enough_taps; ++k) {
    const B* box = boxes + k * (values + 1);
    offsets_.push_back({});
    offsets_.back().image = static_cast<int32_t>(box[0]);
    if (grid_.kind == RegionKind::rotated)
      plan_rotated(box + 1, offsets_.back());
    else
      plan_upright(box + 1, offsets_.back());
  }
  resolve();
  for (int64_t& number : numbers_) number += begin;
  return k;
}

// Orders the boxes by images, and turns offsets into addresses, now that nothing moves any more.
template <class T>
void RegionPlan<T>::resolve() {
  image_begin_.assign(static_cast<size_t>(grid_.images) + 1, 0);
  for (const Offsets& o : offsets_) ++image_begin_[static_cast<size_t>(o.image) + 1];
  for (size_t i = 1; i < image_begin_.size(); ++i) image_begin_[i] += image_begin_[i - 1];
  std::vector<int64_t> next(image_begin_.begin(), image_begin_.end() - 1);
  regions_.resize(offsets_.size());
  numbers_.resize(offsets_.size());
  const int32_t* integers = integers_.data();
  const T* weights = weights_.data();
  const bool rotated = grid_.kind == RegionKind::rotated;
  const int32_t row_bins = static_cast<int32_t>(grid_.bins[0] * grid_.bins[1]), column_bins = static_cast<int32_t>(grid_.bins[2]);
  for (size_t k = 0; k < offsets_.size(); ++k) {
    const Offsets& o = offsets_[k];
    const int64_t place = next[static_cast<size_t>(o.image)]++;
    numbers_[static_cast<size_t>(place)] = static_cast<int64_t>(k);
    const int32_t *begin = integers + o.row_begin, *at = integers + o.row_at;
    const T* weight = weights + o.row_weight;
    regions_[static_cast<size_t>(place)] = {row_bins, column_bins, begin, at, weight, integers + o.column_begin,
                                            integers + o.column_at, weights + o.column_weight, integers + o.columns,
                                            o.column_count, o.first_column, o.last_column, rotated, begin, at, weight};
  }
}

#define VISION_BOXES(B) template int64_t find_wrong_image(const B*, int64_t, int, int64_t);
VISION_BOXES(float)
VISION_BOXES(double)
#define VISION_PLAN(T)                                                         \
  template class RegionPlan<T>;                                                \
  template int64_t RegionPlan<T>::build(const float*, int64_t, int64_t);       \
  template int64_t RegionPlan<T>::build(const double*, int64_t, int64_t);
VISION_PLAN(float)
VISION_PLAN(double)

}  // namespace vision_core
