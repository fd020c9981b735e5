// Inflated PNG rows to planes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "png_decode.hpp"

namespace vision_io {

struct PngTarget {
  uint8_t* out;
  ptrdiff_t channel_stride, row_stride;  // bytes
};

// Bytes that the inflated rows of all passes take, filter bytes included; SIZE_MAX where that cannot be counted.
size_t png_raw_size(const PngFile& file);

// `raw` holds png_raw_size() bytes and slack. Null, or what is wrong.
const char* png_write_rows(const PngFile& file, PngMode mode, const uint8_t* raw, const PngTarget& target);

}  // namespace vision_io
