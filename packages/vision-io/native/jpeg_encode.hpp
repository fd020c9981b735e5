// Planes of bytes to JPEG through libjpeg-turbo.
#pragma once

#include <cstddef>
#include <cstdint>

#include "jpeg_decode.hpp"

namespace vision_io {

struct JpegSettings {
  int quality;                    // 1 to 100
  int across, down;               // luma samples per chroma sample: 1, 2 or 4
  bool progressive, optimise;
};

struct Encoded {
  uint8_t* bytes = nullptr;  // of malloc; the caller frees it
  size_t size = 0;
};

// `channels` 1 (gray) or 3 (RGB); rows are contiguous.
Encoded jpeg_encode(const uint8_t* pixels, int channels, int height, int width, ptrdiff_t channel_stride, ptrdiff_t row_stride,
                    const JpegSettings& settings, JpegReport& report);

}  // namespace vision_io
