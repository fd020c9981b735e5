#include "png_encode.hpp"

#include <libdeflate.h>

#include <cstdlib>
#include <cstring>
#include <utility>

#include "kernels/interleave.hpp"
#include "kernels/png.hpp"
#include "scratch.hpp"

namespace vision_io {
namespace {

thread_local Scratch rows_memory, filtered_memory;

// A thread keeps its compressor: making one costs more than a small picture.
class Compressors {
 public:
  ~Compressors() { libdeflate_free_compressor(compressor_); }
  libdeflate_compressor* of(int level) {
    if (compressor_ && level == level_) return compressor_;
    libdeflate_free_compressor(compressor_);
    level_ = level;
    return compressor_ = libdeflate_alloc_compressor(level);
  }

 private:
  libdeflate_compressor* compressor_ = nullptr;
  int level_ = 0;
};

thread_local Compressors compressors;

void put_word(uint8_t* p, uint32_t value) {
  for (int i = 0; i < 4; ++i) p[i] = static_cast<uint8_t>(value >> (24 - 8 * i));
}

// Completes a chunk whose body of `size` bytes stands behind the first 8 bytes of `p`; returns what follows it.
uint8_t* close_chunk(uint8_t* p, const char* kind, size_t size) {
  put_word(p, static_cast<uint32_t>(size));
  std::memcpy(p + 4, kind, 4);
  put_word(p + 8 + size, libdeflate_crc32(0, p + 4, size + 4));
  return p + 12 + size;
}

void gather_row(const PngPicture& picture, const InterleaveKernels& kernels, int y, uint8_t* row) {
  const uint8_t* planes[4];
  for (int c = 0; c < 4; ++c)
    planes[c] = picture.pixels + y * picture.row_stride + (c < picture.channels ? c : 0) * picture.channel_stride;
  if (picture.sample_bytes == 1) {
    kernels.join(planes, picture.channels, picture.width, row);
    return;
  }
  for (int c = 0; c < picture.channels; ++c) {
    uint8_t* to = row + 2 * c;
    for (int x = 0; x < picture.width; ++x, to += 2 * picture.channels) {
      uint16_t value;
      std::memcpy(&value, planes[c] + 2 * x, 2);
      to[0] = static_cast<uint8_t>(value >> 8);
      to[1] = static_cast<uint8_t>(value);
    }
  }
}

// Rows of one filter byte and `bytes` bytes each.
bool filter_rows(const PngPicture& picture, int64_t bytes, bool choose, uint8_t* out) {
  const InterleaveKernels& interleave = VISION_SELECT(interleave_kernels);
  const PngKernels& kernels = VISION_SELECT(png_kernels);
  const int step = picture.channels * picture.sample_bytes;
  const int64_t line = (bytes + png_slack + 63) / 64 * 64;
  uint8_t* memory = rows_memory.at_least(static_cast<size_t>(4 * line + 64));
  if (!memory) return false;
  uint8_t *row = memory, *above = memory + line, *best = memory + 2 * line, *trial = memory + 3 * line;
  std::memset(above, 0, static_cast<size_t>(line));
  for (int y = 0; y < picture.height; ++y, out += bytes + 1) {
    gather_row(picture, interleave, y, row);
    int kind = 0;
    if (choose) {
      uint64_t least = UINT64_MAX;
      for (int i = 0; i <= 4; ++i) {
        const uint64_t sum = kernels.filter(i, row, above, bytes, step, trial);
        if (sum >= least) continue;
        least = sum;
        kind = i;
        std::swap(best, trial);
      }
    }
    out[0] = static_cast<uint8_t>(kind);
    std::memcpy(out + 1, choose ? best : row, static_cast<size_t>(bytes));
    std::swap(row, above);
  }
  rows_memory.trim();
  return true;
}

}  // namespace

PngBytes png_encode(const PngPicture& picture, int level) {
  static constexpr uint8_t colours[] = {0, 0, 4, 2, 6};
  const int64_t bytes = static_cast<int64_t>(picture.width) * picture.channels * picture.sample_bytes;
  const size_t size = static_cast<size_t>(bytes + 1) * static_cast<size_t>(picture.height);
  uint8_t* filtered = filtered_memory.at_least(size);
  libdeflate_compressor* deflater = compressors.of(level);
  const size_t bound = deflater ? libdeflate_zlib_compress_bound(deflater, size) : 0;
  uint8_t* file = deflater && filtered ? static_cast<uint8_t*>(std::malloc(bound + 64)) : nullptr;
  PngBytes result;
  if (file && filter_rows(picture, bytes, level > 0, filtered)) {
    static const uint8_t signature[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    std::memcpy(file, signature, 8);
    uint8_t* body = file + 16;
    put_word(body, static_cast<uint32_t>(picture.width));
    put_word(body + 4, static_cast<uint32_t>(picture.height));
    const uint8_t facts[] = {static_cast<uint8_t>(8 * picture.sample_bytes), colours[picture.channels], 0, 0, 0};
    std::memcpy(body + 8, facts, 5);
    uint8_t* at = close_chunk(file + 8, "IHDR", 13);
    const size_t packed = libdeflate_zlib_compress(deflater, filtered, size, at + 8, bound);
    if (packed > 0 && packed < 0x7fffffff) {
      at = close_chunk(close_chunk(at, "IDAT", packed), "IEND", 0);
      result.size = static_cast<size_t>(at - file);
      void* smaller = std::realloc(file, result.size);
      result.bytes = static_cast<uint8_t*>(smaller ? smaller : file);
      file = nullptr;
    }
  }
  std::free(file);
  filtered_memory.trim();
  return result;
}

}  // namespace vision_io
