#include "png_decode.hpp"

#include <libdeflate.h>

#include <cstring>
#include <memory>

#include "kernels/png.hpp"
#include "png_rows.hpp"
#include "scratch.hpp"

namespace vision_io {
namespace {

constexpr size_t most_expansion = 1040;  // deflate makes at most 1032 bytes of one

thread_local Scratch packed_memory, raw_memory;

uint32_t word(const uint8_t* p) { return uint32_t{p[0]} << 24 | uint32_t{p[1]} << 16 | uint32_t{p[2]} << 8 | p[3]; }

const char* read_header(const uint8_t* p, size_t size, PngFile& file) {
  if (size != 13) return "IHDR has a wrong length";
  const uint32_t width = word(p), height = word(p + 4);
  if (width == 0 || height == 0 || width > 0x7fffffff || height > 0x7fffffff) return "the size is out of range";
  file.width = static_cast<int>(width);
  file.height = static_cast<int>(height);
  file.depth = p[8];
  file.colour = p[9];
  file.interlace = p[12];
  const int d = file.depth;
  const bool small = d == 1 || d == 2 || d == 4;
  const bool known = file.colour == 0 ? small || d == 8 || d == 16
                     : file.colour == 3 ? small || d == 8
                                        : (file.colour == 2 || file.colour == 4 || file.colour == 6) && (d == 8 || d == 16);
  if (!known || p[10] || p[11] || p[12] > 1) return "an unknown kind of pixels";
  return nullptr;
}

// Null, or why the chunk makes the file unreadable.
const char* take(const uint8_t* kind, PngChunk body, PngFile& file) {
  const auto is = [&](const char* name) { return std::memcmp(kind, name, 4) == 0; };
  if (is("IHDR")) return file.width ? "two headers" : read_header(body.data, body.size, file);
  if (!file.width) return "the header is not first";
  if (is("IDAT")) file.packed.push_back(body);
  if (is("PLTE")) {
    if (body.size % 3 || body.size > 768 || body.size == 0) return "the palette has a wrong length";
    file.palette = body;
  }
  if (is("tRNS") && file.colour < 4) {
    if (body.size < (file.colour == 0 ? 2u : file.colour == 2 ? 6u : 1u)) return "tRNS is too short";
    file.transparent = body;
  }
  if (is("eXIf")) file.exif = body;
  return nullptr;
}

size_t packed_size(const PngFile& file) {
  size_t size = 0;
  for (const PngChunk& chunk : file.packed) size += chunk.size;
  return size;
}

const char* inflate(const PngFile& file, size_t needed, const uint8_t*& raw) {
  const size_t size = packed_size(file);
  if (png_hollow(file)) return "there is too little data for the picture";
  const uint8_t* packed = file.packed.front().data;
  if (file.packed.size() > 1) {
    uint8_t* joined = packed_memory.at_least(size);
    if (!joined) return "no memory for the packed pixels";
    packed = joined;
    for (const PngChunk& chunk : file.packed) {
      std::memcpy(joined, chunk.data, chunk.size);
      joined += chunk.size;
    }
  }
  uint8_t* memory = raw_memory.at_least(needed + png_slack);
  if (!memory) return "no memory for the pixels";
  struct Free {
    void operator()(libdeflate_decompressor* p) const { libdeflate_free_decompressor(p); }
  };
  thread_local std::unique_ptr<libdeflate_decompressor, Free> inflater(libdeflate_alloc_decompressor());
  if (!inflater) return "no memory to inflate";
  size_t made = 0;
  if (libdeflate_zlib_decompress(inflater.get(), packed, size, memory, needed, &made) != LIBDEFLATE_SUCCESS)
    return "the packed pixels are damaged";
  if (made < needed) return "the data ends before the picture does";
  raw = memory;
  return nullptr;
}

}  // namespace

PngFile png_open(const uint8_t* data, size_t size, bool checksums) {
  PngFile file;
  static const uint8_t signature[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  if (size < 8 || std::memcmp(data, signature, 8) != 0) {
    file.error = "the signature is missing";
    return file;
  }
  size_t at = 8;
  for (;;) {
    if (size - at < 12) {
      file.error = "the data ends inside a chunk";
      return file;
    }
    const size_t length = word(data + at);
    if (length > size - at - 12) {
      file.error = "the data ends inside a chunk";
      return file;
    }
    const uint8_t* kind = data + at + 4;
    if (checksums && libdeflate_crc32(0, kind, length + 4) != word(kind + 4 + length)) {
      file.error = "a chunk has a wrong checksum";
      return file;
    }
    if (std::memcmp(kind, "IEND", 4) == 0) break;
    file.error = take(kind, {kind + 4, length}, file);
    if (file.error) return file;
    at += length + 12;
  }
  if (!file.width) file.error = "the header is missing";
  else if (file.packed.empty()) file.error = "there are no pixels";
  else if (file.colour == 3 && !file.palette.data) file.error = "the palette is missing";
  return file;
}

bool png_hollow(const PngFile& file) {
  const size_t size = packed_size(file);
  return size == 0 || png_raw_size(file) / most_expansion > size;
}

int png_channels(const PngFile& file, PngMode mode) {
  if (mode != PngMode::unchanged) return static_cast<int>(mode);
  if (file.colour == 3) return 1;
  return (file.colour == 0 || file.colour == 4 ? 1 : 3) + (file.has_alpha() ? 1 : 0);
}

const char* png_decode(const PngFile& file, PngMode mode, uint8_t* out, ptrdiff_t channel_stride, ptrdiff_t row_stride) {
  const size_t needed = png_raw_size(file);
  const uint8_t* raw = nullptr;
  const char* error = inflate(file, needed, raw);
  if (!error) error = png_write_rows(file, mode, raw, {out, channel_stride, row_stride});
  packed_memory.trim();
  raw_memory.trim();
  return error;
}

}  // namespace vision_io
