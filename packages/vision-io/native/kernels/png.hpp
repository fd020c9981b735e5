// Row filters of the PNG specification, section 9.
#pragma once

#include <cstdint>

namespace vision_io {

// `filtered` holds `height` rows of one filter byte (0 to 4, checked by the caller) and `width` bytes; `out` gets the
// rows without the filter bytes. `step` is the distance of the byte to the left, in bytes (1 to 8).
void png_unfilter(const uint8_t* filtered, int64_t width, int64_t height, int step, uint8_t* out);

}  // namespace vision_io
