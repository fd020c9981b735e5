// Masks as bits: one bit a pixel, the lowest bit of a word is its first pixel.
#pragma once

#include <cstdint>

#include "vision/dispatch.hpp"

namespace vision_core {

struct BitmaskKernels {
  // Sets `count` bits to whether the byte is not 0, in ceil(count / 64) words; bits behind the last one are 0.
  void (*pack)(const uint8_t* bytes, int64_t count, uint64_t* words);
  // Writes `count` bytes, each 0 or 1.
  void (*unpack)(const uint64_t* words, int64_t count, uint8_t* bytes);
  // Exchanges the rows and columns of 64 x 64 bits.
  void (*transpose)(uint64_t* words);
  // The number of bits that are set, and of those that are set in both.
  int64_t (*count)(const uint64_t* words, int64_t count);
  int64_t (*count_both)(const uint64_t* a, const uint64_t* b, int64_t count);
  // The first and the last byte that is not 0; `count` and -1 if there is none.
  int64_t (*first_set)(const uint8_t* bytes, int64_t count);
  int64_t (*last_set)(const uint8_t* bytes, int64_t count);
};

VISION_DECLARE_KERNELS(BitmaskKernels, bitmask_kernels)

}  // namespace vision_core
