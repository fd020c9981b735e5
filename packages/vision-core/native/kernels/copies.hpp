// Many short rows of bytes to other places.
#pragma once

#include <cstdint>

#include "vision/dispatch.hpp"

namespace vision_core {

// `rows` rows that lie from_stride and to_stride bytes apart; a stride may be 0 or negative.
struct CopyKernels {
  void (*copy_rows)(const uint8_t* from, int64_t from_stride, uint8_t* to, int64_t to_stride, int64_t bytes,
                    int64_t rows);
  // count times the pixel of `size` bytes at `from`.
  void (*repeat_rows)(const uint8_t* from, int64_t from_stride, uint8_t* to, int64_t to_stride, int64_t count, int size,
                      int64_t rows);
  // The pixel at `from`, the one before it, and so on.
  void (*mirror_rows)(const uint8_t* from, int64_t from_stride, uint8_t* to, int64_t to_stride, int64_t count, int size,
                      int64_t rows);
};

VISION_DECLARE_KERNELS(CopyKernels, copy_kernels)

}  // namespace vision_core
