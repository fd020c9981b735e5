// The inner loop of non-maximum suppression: does any kept box suppress this one?
#pragma once

#include <cstdint>

#include "vision/dispatch.hpp"

namespace vision_core {

// Boxes are kept in chunks: chunk_boxes values of x1, then of y1, x2, y2 and area. Places that hold no box are NaN,
// which overlaps nothing.
constexpr int chunk_boxes = 16;
constexpr int chunk_values = 5 * chunk_boxes;

template <class T>
struct NmsBoxes {  // in order of their scores
  const T *x1, *y1, *x2, *y2, *area;
};

// The kept boxes, and a grid over the plane whose cells hold the chunks of the kept boxes that touch them. A box that
// touches more than max_cells cells is `large`: it stands in a list of its own, and as a candidate it is compared with
// all kept boxes.
template <class T>
struct NmsIndex {
  const T* kept = nullptr;
  int64_t kept_chunks = 0;
  const T* large = nullptr;
  int64_t large_chunks = 0;
  const T* cells = nullptr;         // chunks of all cells
  const int32_t* head = nullptr;    // per cell: its newest chunk, or -1
  const int32_t* before = nullptr;  // per chunk: the next older chunk of the cell, or -1
  T left = 0, top = 0, per_cell = 0;
  int32_t columns = 0, rows = 0;    // 0: there is no grid
  T threshold = 0;
  bool negative_threshold = false;
};

constexpr int64_t max_cells = 64;

// Cells from the first to the last that a box touches. Positions are mapped by a monotone function, also after
// rounding: boxes that overlap share a cell. NaN goes to cell 0; a box that is inside out touches no cell.
struct CellRange {
  int32_t first_column, last_column, first_row, last_row;
};

// These functions are static: the linker must not give code compiled for one ISA to another.
static inline int64_t cell_count(const CellRange& range) {
  if (range.last_column < range.first_column || range.last_row < range.first_row) return 0;
  return static_cast<int64_t>(range.last_column - range.first_column + 1) * (range.last_row - range.first_row + 1);
}

template <class T>
static inline int32_t cell_at(T position, T origin, T per_cell, int32_t cells) {
  T at = (position - origin) * per_cell;
  at = at > 0 ? at : 0;
  const T last = static_cast<T>(cells - 1);
  return static_cast<int32_t>(at < last ? at : last);
}

template <class T>
static inline CellRange cells_of(const NmsIndex<T>& index, T x1, T y1, T x2, T y2) {
  return {cell_at(x1, index.left, index.per_cell, index.columns), cell_at(x2, index.left, index.per_cell, index.columns),
          cell_at(y1, index.top, index.per_cell, index.rows), cell_at(y2, index.top, index.per_cell, index.rows)};
}

struct NmsKernels {
  // Sets suppressed[i] for begin <= i < end to whether a kept box suppresses boxes[i].
  void (*test_f32)(const NmsIndex<float>&, const NmsBoxes<float>&, int64_t begin, int64_t end, uint8_t* suppressed);
  void (*test_f64)(const NmsIndex<double>&, const NmsBoxes<double>&, int64_t begin, int64_t end, uint8_t* suppressed);
};

VISION_DECLARE_KERNELS(NmsKernels, nms_kernels)

}  // namespace vision_core
