// JPEG to planes through libjpeg-turbo's raw output: entropy decoding and IDCT are its own, the rest is ours.
#pragma once

#include <cstddef>
#include <cstdint>

#include "resample.hpp"

namespace vision_io {

enum class JpegStatus : int {
  good,
  refused,   // the linked library cannot read this kind of JPEG, or its header is damaged
  damaged,   // cut off, or an error in the coded pixels
  no_memory,
};

enum class JpegMode : int { unchanged, gray, gray_alpha, rgb, rgb_alpha };

struct JpegReport {
  JpegStatus status = JpegStatus::good;
  bool corrupt = false;  // damage that the decoder could step over; `text` says which
  char text[220] = "";
};

struct JpegHeader {
  int width = 0, height = 0, components = 0;
  int colour = 0;  // J_COLOR_SPACE of the file: 1 gray, 2 RGB, 3 YCbCr, 4 CMYK, 5 YCCK
  bool hollow = false;  // there cannot be pixels for that size: the file has less than a bit per block of 8x8 samples
};

struct JpegWindow {
  int eighths;  // scaled DCT: the picture is ceil(side * eighths / 8) pixels large
  int top, left, height, width;  // of the scaled picture
};

// Reads the header only.
void jpeg_header(const uint8_t* data, size_t size, JpegHeader& header, JpegReport& report);

// Decodes a window to planes of bytes. The caller has checked that the window lies inside the scaled picture and that
// there are as many planes as the mode has (CMYK: 4 for unchanged).
void jpeg_decode(const uint8_t* data, size_t size, JpegMode mode, const JpegWindow& window, uint8_t* out,
                 ptrdiff_t channel_stride, ptrdiff_t row_stride, JpegReport& report);

// Decodes a window, resizes it and writes normalised floats.
void jpeg_decode_resized(const uint8_t* data, size_t size, JpegMode mode, int channels, const JpegWindow& window,
                         const FloatTarget& target, JpegReport& report);

}  // namespace vision_io
