#include "kernels/regions.hpp"

#include "kernels/lanes.hpp"
#include "kernels/region_blocks.hpp"

namespace vision_core {
namespace VISION_ISA_NAMESPACE {
namespace {

// The values of a pixel in one block of channels.
template <class T>
struct Block {
  using V = Lanes<T>;
  static constexpr int lanes = region_lanes<T>, vectors = lanes / V::lanes;
  V v[vectors];

  void zero() {
    for (int i = 0; i < vectors; ++i) v[i] = set(T(0));
  }
  void load_from(const T* p) {
    for (int i = 0; i < vectors; ++i) v[i] = load(p + i * V::lanes);
  }
  void store_to(T* p) const {
    for (int i = 0; i < vectors; ++i) store(p + i * V::lanes, v[i]);
  }
  void add_weighted(const T* p, T weight) {
    const V w = set(weight);
    for (int i = 0; i < vectors; ++i) v[i] = fma(load(p + i * V::lanes), w, v[i]);
  }
};

// sums[j] (+)= the sum of `count` rows with their weights, at column columns[j].
template <int count, bool fresh, class T>
void sum_rows(const Region<T>& box, int tap, const T* image, int64_t pixel_stride, int64_t row_stride, T* sums) {
  const T* rows[count];
  T weights[count];
  for (int t = 0; t < count; ++t) {
    rows[t] = image + box.row_at[tap + t] * row_stride;
    weights[t] = box.row_weight[tap + t];
  }
  for (int j = 0; j < box.column_count; ++j, sums += Block<T>::lanes) {
    const int64_t at = box.columns[j] * pixel_stride;
    Block<T> sum;
    if (fresh)
      sum.zero();
    else
      sum.load_from(sums);
    for (int t = 0; t < count; ++t) sum.add_weighted(rows[t] + at, weights[t]);
    sum.store_to(sums);
  }
}

template <bool fresh, class T>
void sum_some_rows(const Region<T>& box, int tap, int count, const T* image, int64_t pixel_stride, int64_t row_stride,
                   T* sums) {
  switch (count) {
    case 1: return sum_rows<1, fresh>(box, tap, image, pixel_stride, row_stride, sums);
    case 2: return sum_rows<2, fresh>(box, tap, image, pixel_stride, row_stride, sums);
    case 3: return sum_rows<3, fresh>(box, tap, image, pixel_stride, row_stride, sums);
    default: return sum_rows<4, fresh>(box, tap, image, pixel_stride, row_stride, sums);
  }
}

template <class T>
void pool_rotated(const Region<T>& box, const T* image, int64_t pixel_stride, T* bins) {
  const int count = box.row_bins * box.column_bins;
  for (int bin = 0; bin < count; ++bin, bins += Block<T>::lanes) {
    Block<T> sum;
    sum.zero();
    for (int t = box.pixel_begin[bin]; t < box.pixel_begin[bin + 1]; ++t)
      sum.add_weighted(image + box.pixel_at[t] * pixel_stride, box.pixel_weight[t]);
    sum.store_to(bins);
  }
}

template <class T>
void pool(const Region<T>& box, const T* image, int64_t pixel_stride, int64_t width, T* sums, T* bins) {
  if (box.rotated) return pool_rotated(box, image, pixel_stride, bins);
  constexpr int lanes = Block<T>::lanes;
  for (int row = 0; row < box.row_bins; ++row) {
    const int end = box.row_begin[row + 1];
    bool fresh = true;
    for (int tap = box.row_begin[row]; tap < end; tap += 4, fresh = false) {
      if (fresh)
        sum_some_rows<true>(box, tap, end - tap, image, pixel_stride, width * pixel_stride, sums);
      else
        sum_some_rows<false>(box, tap, end - tap, image, pixel_stride, width * pixel_stride, sums);
    }
    for (int column = 0; column < box.column_bins; ++column, bins += lanes) {
      Block<T> sum;
      sum.zero();
      if (!fresh)
        for (int t = box.column_begin[column]; t < box.column_begin[column + 1]; ++t)
          sum.add_weighted(sums + box.column_at[t] * lanes, box.column_weight[t]);
      sum.store_to(bins);
    }
  }
}

template <class T>
void add_block(T* p, const Block<T>& value, T weight) {
  Block<T> sum;
  sum.load_from(p);
  for (int i = 0; i < Block<T>::vectors; ++i) sum.v[i] = fma(value.v[i], set(weight), sum.v[i]);
  sum.store_to(p);
}

template <class T>
void spread(const Region<T>& box, const T* bins, int64_t width, T* sums, T* image) {
  constexpr int lanes = Block<T>::lanes;
  if (box.rotated) {
    for (int bin = 0; bin < box.row_bins * box.column_bins; ++bin) {
      Block<T> value;
      value.load_from(bins + bin * lanes);
      for (int t = box.pixel_begin[bin]; t < box.pixel_begin[bin + 1]; ++t)
        add_block(image + static_cast<int64_t>(box.pixel_at[t]) * lanes, value, box.pixel_weight[t]);
    }
    return;
  }
  for (int row = 0; row < box.row_bins; ++row, bins += box.column_bins * lanes) {
    if (box.row_begin[row] == box.row_begin[row + 1]) continue;
    Block<T> zeros;
    zeros.zero();
    for (int j = 0; j < box.column_count; ++j) zeros.store_to(sums + j * lanes);
    for (int column = 0; column < box.column_bins; ++column) {
      Block<T> value;
      value.load_from(bins + column * lanes);
      for (int t = box.column_begin[column]; t < box.column_begin[column + 1]; ++t)
        add_block(sums + box.column_at[t] * lanes, value, box.column_weight[t]);
    }
    for (int tap = box.row_begin[row]; tap < box.row_begin[row + 1]; ++tap) {
      T* target = image + box.row_at[tap] * width * lanes;
      for (int j = 0; j < box.column_count; ++j) {
        Block<T> value;
        value.load_from(sums + j * lanes);
        add_block(target + static_cast<int64_t>(box.columns[j]) * lanes, value, box.row_weight[tap]);
      }
    }
  }
}

// sums[i] += weight * row[i]
template <class T>
void add_weighted(T* sums, const T* row, T weight, int64_t count) {
  using V = Lanes<T>;
  const V w = set(weight);
  int64_t i = 0;
  for (; i + V::lanes <= count; i += V::lanes) store(sums + i, fma(load(row + i), w, load(sums + i)));
  for (; i < count; ++i) sums[i] += row[i] * weight;
}

// Whether so many of the columns between the first and the last one are needed that vectors may run over all of them.
template <class T>
bool dense(const Region<T>& box) {
  return box.last_column - box.first_column < 4 * box.column_count;
}

template <class T>
void pool_plane(const Region<T>& box, const T* plane, int64_t width, T* sums, T* bins) {
  if (box.rotated) {
    for (int bin = 0; bin < box.row_bins * box.column_bins; ++bin) {
      T sum = 0;
      for (int t = box.pixel_begin[bin]; t < box.pixel_begin[bin + 1]; ++t)
        sum += plane[box.pixel_at[t]] * box.pixel_weight[t];
      bins[bin] = sum;
    }
    return;
  }
  const bool all = dense(box);
  const int64_t count = box.column_count == 0 ? 0 : all ? box.last_column - box.first_column + 1 : box.column_count;
  for (int row = 0; row < box.row_bins; ++row) {
    for (int64_t j = 0; j < count; ++j) sums[j] = 0;
    for (int tap = box.row_begin[row]; tap < box.row_begin[row + 1]; ++tap) {
      const T* from = plane + box.row_at[tap] * width;
      const T weight = box.row_weight[tap];
      if (all)
        add_weighted(sums, from + box.first_column, weight, count);
      else
        for (int64_t j = 0; j < count; ++j) sums[j] += from[box.columns[j]] * weight;
    }
    for (int column = 0; column < box.column_bins; ++column) {
      T sum = 0;
      for (int t = box.column_begin[column]; t < box.column_begin[column + 1]; ++t) {
        const int at = box.column_at[t];
        sum += sums[all ? box.columns[at] - box.first_column : at] * box.column_weight[t];
      }
      *bins++ = sum;
    }
  }
}

template <class T>
void spread_plane(const Region<T>& box, const T* bins, int64_t width, T* sums, T* plane) {
  if (box.rotated) {
    for (int bin = 0; bin < box.row_bins * box.column_bins; ++bin)
      for (int t = box.pixel_begin[bin]; t < box.pixel_begin[bin + 1]; ++t)
        plane[box.pixel_at[t]] += bins[bin] * box.pixel_weight[t];
    return;
  }
  const bool all = dense(box);
  const int64_t count = box.column_count == 0 ? 0 : all ? box.last_column - box.first_column + 1 : box.column_count;
  for (int row = 0; row < box.row_bins; ++row, bins += box.column_bins) {
    if (box.row_begin[row] == box.row_begin[row + 1]) continue;
    for (int64_t j = 0; j < count; ++j) sums[j] = 0;
    for (int column = 0; column < box.column_bins; ++column)
      for (int t = box.column_begin[column]; t < box.column_begin[column + 1]; ++t) {
        const int at = box.column_at[t];
        sums[all ? box.columns[at] - box.first_column : at] += bins[column] * box.column_weight[t];
      }
    for (int tap = box.row_begin[row]; tap < box.row_begin[row + 1]; ++tap) {
      T* to = plane + box.row_at[tap] * width;
      const T weight = box.row_weight[tap];
      if (all)
        add_weighted(to + box.first_column, sums, weight, count);
      else
        for (int64_t j = 0; j < count; ++j) to[box.columns[j]] += sums[j] * weight;
    }
  }
}

template <class T>
void pool_bin(const Region<T>* boxes, int64_t count, int row, int column, const T* plane, int64_t width, T* bins,
              int64_t stride) {
  for (int64_t k = 0; k < count; ++k, bins += stride) {
    const Region<T>& box = boxes[k];
    const int begin = box.column_begin[column], end = box.column_begin[column + 1];
    T sum = 0;
    for (int tap = box.row_begin[row]; tap < box.row_begin[row + 1]; ++tap) {
      const T* from = plane + box.row_at[tap] * width;
      T part = 0;
      for (int t = begin; t < end; ++t) part += from[box.columns[box.column_at[t]]] * box.column_weight[t];
      sum += part * box.row_weight[tap];
    }
    *bins = sum;
  }
}

template <class T>
void spread_bin(const Region<T>* boxes, int64_t count, int row, int column, const T* bins, int64_t stride,
                int64_t width, T* plane) {
  for (int64_t k = 0; k < count; ++k, bins += stride) {
    const Region<T>& box = boxes[k];
    for (int tap = box.row_begin[row]; tap < box.row_begin[row + 1]; ++tap) {
      T* to = plane + box.row_at[tap] * width;
      const T value = *bins * box.row_weight[tap];
      for (int t = box.column_begin[column]; t < box.column_begin[column + 1]; ++t)
        to[box.columns[box.column_at[t]]] += value * box.column_weight[t];
    }
  }
}

}  // namespace
}  // namespace VISION_ISA_NAMESPACE

#define VISION_REGION_FUNCTIONS                                                                      \
  {                                                                                                  \
    &VISION_ISA_NAMESPACE::pack, &VISION_ISA_NAMESPACE::unpack, &VISION_ISA_NAMESPACE::pool,         \
        &VISION_ISA_NAMESPACE::spread, &VISION_ISA_NAMESPACE::pool_plane,                            \
        &VISION_ISA_NAMESPACE::spread_plane, &VISION_ISA_NAMESPACE::pool_bin,                        \
        &VISION_ISA_NAMESPACE::spread_bin                                                            \
  }
VISION_DEFINE_KERNELS(RegionKernels, region_kernels) = {VISION_REGION_FUNCTIONS, VISION_REGION_FUNCTIONS};

}  // namespace vision_core
