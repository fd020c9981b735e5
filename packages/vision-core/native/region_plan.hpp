// Where boxes look in their images: the taps that the kernels need, made from coordinates.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/regions.hpp"

namespace vision_core {

enum class RegionKind { align = 0, rotated = 1, align_3d = 2, sensitive_align = 3, sensitive_pool = 4 };

// Three axes each: depth, height, width. An image without depth has depth 1, one bin there, and no coordinate.
struct RegionGrid {
  RegionKind kind;
  int64_t images;
  int64_t pixels[3];
  int64_t bins[3];
  double scale[3];
  int64_t ratio;  // samples per bin and axis; 0: as many as pixels
  bool aligned;
};

// Returns the first box of which the number of the image is none of 0 to images - 1, or -1. A box has `values` values
// after that number.
template <class B>
int64_t find_wrong_image(const B* boxes, int64_t count, int values, int64_t images);

template <class T>
class RegionPlan {
 public:
  explicit RegionPlan(const RegionGrid& grid);

  // Plans boxes from `begin` on, and returns the end: not all, where the taps of all would need much memory.
  template <class B>
  int64_t build(const B* boxes, int64_t begin, int64_t count);

  // Boxes of the current part, ordered by their images; in each image in their order.
  const std::vector<Region<T>>& regions() const { return regions_; }
  const std::vector<int64_t>& numbers() const { return numbers_; }           // of each region its box
  const std::vector<int64_t>& image_begin() const { return image_begin_; }   // [images + 1], into regions

  static int values(RegionKind kind) { return kind == RegionKind::rotated ? 5 : kind == RegionKind::align_3d ? 6 : 4; }

 private:
  struct Offsets {
    int32_t image;
    size_t row_begin, row_at, column_begin, column_at, columns, row_weight, column_weight;
    int32_t column_count, first_column, last_column;
  };
  struct Taps {  // of one axis
    std::vector<int32_t> begin, at;
    std::vector<T> weight;
    void clear();
    void add(int32_t pixel, T weight);
  };

  template <class B>
  void plan_upright(const B* box, Offsets& offsets);
  template <class B>
  void plan_rotated(const B* box, Offsets& offsets);
  template <class B>
  void sample_axis(B start, B extent, int axis, Taps& taps);
  template <class B>
  void average_axis(B first, B last, int axis, Taps& taps);
  void combine_rows();
  void store(Offsets& offsets);
  void collect_columns(Offsets& offsets);
  void resolve();

  RegionGrid grid_;
  Taps depth_, height_, width_, rows_;
  std::vector<int32_t> place_;  // of each column its position among those that a box needs, or -1
  std::vector<int32_t> integers_;
  std::vector<T> weights_;
  std::vector<Offsets> offsets_;
  std::vector<Region<T>> regions_;
  std::vector<int64_t> numbers_, image_begin_;
};

}  // namespace vision_core
