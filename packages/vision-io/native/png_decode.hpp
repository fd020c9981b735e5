// PNG to planes: chunks, inflate (libdeflate), filters, Adam7, palettes, transparency.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace vision_io {

enum class PngMode : int { unchanged, gray, gray_alpha, rgb, rgb_alpha };

struct PngChunk {
  const uint8_t* data = nullptr;
  size_t size = 0;
};

struct PngFile {
  int width = 0, height = 0, depth = 0, colour = 0, interlace = 0;
  PngChunk palette, transparent, exif;
  std::vector<PngChunk> packed;
  const char* error = nullptr;

  int samples() const { return colour == 2 ? 3 : colour == 4 ? 2 : colour == 6 ? 4 : 1; }
  bool has_alpha() const { return colour >= 4 || transparent.data; }
  bool is_colour() const { return colour == 2 || colour == 3 || colour == 6; }
};

// Reads the chunks; `error` says what is wrong. Pixels are not touched; checksums only on demand.
PngFile png_open(const uint8_t* data, size_t size, bool checksums);

// There cannot be pixels for that size: deflate does not expand so far.
bool png_hollow(const PngFile& file);

// Planes that a mode gives.
int png_channels(const PngFile& file, PngMode mode);

// Writes the planes: bytes, or 16-bit words when the file has 16 bits (then only for PngMode::unchanged). Returns null or
// what is wrong with the pixels.
const char* png_decode(const PngFile& file, PngMode mode, uint8_t* out, ptrdiff_t channel_stride, ptrdiff_t row_stride);

}  // namespace vision_io
