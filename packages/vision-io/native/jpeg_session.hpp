// A JPEG between its header and its pixels, for callers that allocate in between.
#pragma once

#include "jpeg_errors.hpp"

namespace vision_io {

struct JpegSession {
  jpeg_decompress_struct info;
  JpegErrors errors;
};

// Reads the header; false when the report says why not. jpeg_end() is due in either case.
bool jpeg_begin(JpegSession& session, const uint8_t* data, size_t size, JpegHeader& header, JpegReport& report);

// As jpeg_decode() in jpeg_decode.hpp. Once per session.
void jpeg_pixels(JpegSession& session, JpegMode mode, const JpegWindow& window, uint8_t* out, ptrdiff_t channel_stride,
                 ptrdiff_t row_stride);

// The window, resized and normalised.
void jpeg_pixels_resized(JpegSession& session, JpegMode mode, int channels, const JpegWindow& window, const FloatTarget& target,
                         JpegReport& report);

void jpeg_end(JpegSession& session);

}  // namespace vision_io
