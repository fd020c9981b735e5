// Chroma upsampling and colour of JPEG in libjpeg's integer arithmetic: its default ("fancy") filters and its tables.
#pragma once

#include <cstdint>

#include "vision/dispatch.hpp"

namespace vision_io {

// Rows that are read need this many bytes of slack on either side, rows that are written behind their end.
constexpr int jpeg_slack = 128;

struct JpegKernels {
  // Doubles the samples [begin, end) of a row into out[0 ... 2 * (end - begin)): 3/4 of the nearer, 1/4 of the farther
  // sample. The row's first and last sample must have been repeated outside of it.
  void (*double_row)(const uint8_t* row, int begin, int end, uint8_t* out);
  // The same in both directions: `far` is the row above or below that lies nearer to the output row.
  void (*double_both)(const uint8_t* near, const uint8_t* far, int begin, int end, uint8_t* out);
  // Doubling rows only; `bias` is 1 for the upper and 2 for the lower of the two output rows.
  void (*blend_rows)(const uint8_t* near, const uint8_t* far, int count, int bias, uint8_t* out);
  // BT.601 full range. Reads `count` samples and slack, writes exactly `count` bytes to each plane.
  void (*ycc_to_rgb)(const uint8_t* y, const uint8_t* cb, const uint8_t* cr, int count, uint8_t* r, uint8_t* g, uint8_t* b);
  // Luma of RGB, 16-bit fixed point.
  void (*rgb_to_gray)(const uint8_t* r, const uint8_t* g, const uint8_t* b, int count, uint8_t* out);
  // Inks as Adobe stores them (255: none) to RGB: one plane is black * ink / 255, rounded.
  void (*ink_to_light)(const uint8_t* ink, const uint8_t* black, int count, uint8_t* out);
};
VISION_DECLARE_KERNELS(JpegKernels, jpeg_kernels)

}  // namespace vision_io
