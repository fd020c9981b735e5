// Many JPEGs on the thread pool: each with its own size, window and target, none harmed by another's damage.
#pragma once

#include <cstdint>

#include "jpeg_decode.hpp"

namespace vision_io {

// One row of the table that Python fills; all fields are 64-bit integers.
struct JpegJob {
  int64_t data, size;  // address and number of bytes
  int64_t mode, channels, eighths, top, left, height, width;
  int64_t out;  // address: bytes, or floats when resized
  int64_t channel_stride, row_stride;
  int64_t flip;
};

// What all jobs of a call share when they resize; `height` 0: no resizing.
struct JpegResize {
  int height = 0, width = 0;
  float factor[4] = {1, 1, 1, 1}, bias[4] = {0, 0, 0, 0};
};

void decode_jpegs(const JpegJob* jobs, int64_t count, const JpegResize& resize, int threads, JpegReport* reports);

}  // namespace vision_io
