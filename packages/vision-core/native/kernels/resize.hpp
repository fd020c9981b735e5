// The two passes of a separable filter over 8-bit pixels, in integers.
#pragma once

#include <cstdint>

#include "vision/dispatch.hpp"

namespace vision_core {

constexpr int row_bits = 6;    // bits that a row between the passes has beyond a pixel's
constexpr int tap_block = 16;  // weights of one target pixel come in blocks of so many, filled up with 0
constexpr int row_slack = 16;  // values behind the end of a row that may be read, for full vectors

struct ResizeKernels {
  // out[x] = sum over t of weights[t] * rows[t][x], rounded to row_bits more bits than a pixel, for x < count.
  void (*vertical)(const uint8_t* rows, int64_t row_stride, const int16_t* weights, int taps, int shift, int64_t count,
                   int16_t* out);
  // out[x] = sum over t of weights[x][t] * row[start[x] + t], rounded to a pixel, for pixels of 1, 3 and 4 channels.
  // stride: weights per target pixel. Behind the last pixel of the row, stride pixels and row_slack values are read.
  void (*horizontal_1)(const int16_t* row, const int32_t* start, const int16_t* weights, const int32_t* taps,
                       int64_t stride, int shift, int64_t width, uint8_t* out);
  void (*horizontal_3)(const int16_t* row, const int32_t* start, const int16_t* weights, const int32_t* taps,
                       int64_t stride, int shift, int64_t width, uint8_t* out);
  void (*horizontal_4)(const int16_t* row, const int32_t* start, const int16_t* weights, const int32_t* taps,
                       int64_t stride, int shift, int64_t width, uint8_t* out);
  // out[x] = row[x] rounded to a pixel.
  void (*narrow)(const int16_t* row, int64_t count, uint8_t* out);
};

VISION_DECLARE_KERNELS(ResizeKernels, resize_kernels)

}  // namespace vision_core
