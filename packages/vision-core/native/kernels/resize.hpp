// The two passes of a separable filter over 8-bit pixels, in integers.
#pragma once

#include <cstdint>

#include "vision/dispatch.hpp"

namespace vision_core {

constexpr int row_bits = 6;    // bits that a row of 16-bit values has beyond a pixel's
constexpr int tap_block = 16;  // weights of one target pixel come in blocks of so many, filled up with 0
constexpr int spare_taps = 3;  // of these 0s at least, so that taps can be taken four at a time

// The filter along a row. stride: weights per target pixel; a row must go on for `stride` pixels behind its end, with
// any values.
struct RowFilter {
  const int32_t *start, *taps;
  const int16_t* weights;
  int64_t stride;
  int shift;
};

// Rows of 16-bit values that the horizontal pass takes at once, and room for it. `values` of a row count, and as many
// follow as make it a multiple of 8; so do the results' places.
struct ResizeBlock {
  const int16_t* rows;
  int64_t row_stride, values;
  int count;          // of rows; up to block_rows are read
  int16_t* turned;    // block_rows for each place of a row and of one pixel and 8 places behind it
  uint8_t* results;   // block_rows for each value of a target row and 8 behind it
};

// A filter of at most two taps, for values of a row that lie side by side: values of target pixels in groups of 64, each
// from 64 neighbouring values of the source.
struct SpreadGroup {
  int64_t base;         // the first of the source's values
  uint8_t from[2][64];  // places of the taps, counted from there
  // Pairs of 16-bit weights, by the order in which parts of 128 bits interleave: the one of value 16 i + 4 k + j is at
  // [k][4 i + j].
  int32_t weights[4][16];
};

struct ResizeKernels {
  // out[x] = sum over t of weights[t] * rows[t][x], rounded to 16-bit values or to pixels, for x < count. Behind an odd
  // number of weights stands a 0.
  void (*vertical_16)(const uint8_t* rows, int64_t row_stride, const int16_t* weights, int taps, int shift,
                      int64_t count, int16_t* out);
  void (*vertical_8)(const uint8_t* rows, int64_t row_stride, const int16_t* weights, int taps, int shift,
                     int64_t count, uint8_t* out);
  // out[x] = sum over t of weights[x][t] * row[start[x] + t], rounded to a pixel, for pixels of 1, 3 and 4 channels.
  void (*horizontal_16[3])(const int16_t* row, const RowFilter& filter, int64_t width, uint8_t* out);
  void (*horizontal_8[3])(const uint8_t* row, const RowFilter& filter, int64_t width, uint8_t* out);
  // The same for a block of rows whose values have `bits` behind the point; the rows of `out` lie out_stride apart.
  int block_rows;  // 0: this ISA has no such pass
  void (*horizontal_block)(const ResizeBlock& block, int bits, const RowFilter& filter, int channels, int64_t width,
                           uint8_t* out, int64_t out_stride);
  // Whole groups of a row, 64 values each; null, or false, where the processor has no fitting instructions.
  bool (*can_spread)();
  void (*spread)(const uint8_t* row, const SpreadGroup* groups, int64_t count, int shift, uint8_t* out);
  // out[x] = row[x] rounded to a pixel.
  void (*narrow)(const int16_t* row, int64_t count, uint8_t* out);
};

VISION_DECLARE_KERNELS(ResizeKernels, resize_kernels)

}  // namespace vision_core
