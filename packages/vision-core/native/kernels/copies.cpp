// The borders of an image are a few bytes a row: a call of memcpy for each would cost more than all the copying. Here
// the way to copy is chosen once for all rows, and compilers make registers of copies of a fixed size.
#include "copies.hpp"

#include <cstring>

namespace vision_core {
namespace VISION_ISA_NAMESPACE {
namespace {

// Blocks of a fixed size, the last of which ends with the row and may overlap the one before; bytes >= block.
template <int block>
inline void copy_blocks(const uint8_t* from, uint8_t* to, int64_t bytes) {
  for (int64_t i = 0; i < bytes - block; i += block) std::memcpy(to + i, from + i, block);
  std::memcpy(to + bytes - block, from + bytes - block, block);
}

template <int block>
void copy_rows_of(const uint8_t* from, int64_t from_stride, uint8_t* to, int64_t to_stride, int64_t bytes, int64_t rows) {
  for (; rows > 0; --rows, from += from_stride, to += to_stride) copy_blocks<block>(from, to, bytes);
}

void copy_rows(const uint8_t* from, int64_t from_stride, uint8_t* to, int64_t to_stride, int64_t bytes, int64_t rows) {
  if (bytes <= 0) return;
  if (from_stride == bytes && to_stride == bytes) {
    std::memcpy(to, from, static_cast<size_t>(bytes * rows));
  } else if (bytes >= 4096) {
    for (; rows > 0; --rows, from += from_stride, to += to_stride) std::memcpy(to, from, static_cast<size_t>(bytes));
  } else if (bytes >= 64) {
    copy_rows_of<64>(from, from_stride, to, to_stride, bytes, rows);
  } else if (bytes >= 16) {
    copy_rows_of<16>(from, from_stride, to, to_stride, bytes, rows);
  } else if (bytes >= 8) {
    copy_rows_of<8>(from, from_stride, to, to_stride, bytes, rows);
  } else if (bytes >= 4) {
    copy_rows_of<4>(from, from_stride, to, to_stride, bytes, rows);
  } else {
    copy_rows_of<1>(from, from_stride, to, to_stride, bytes, rows);
  }
}

// One value, eight times in a register.
inline void repeat_bytes(uint8_t value, uint8_t* to, int64_t count) {
  const uint64_t eight = value * 0x0101010101010101u;
  if (count < 8) {
    for (int64_t i = 0; i < count; ++i) to[i] = value;
    return;
  }
  for (int64_t i = 0; i < count - 8; i += 8) std::memcpy(to + i, &eight, 8);
  std::memcpy(to + count - 8, &eight, 8);
}

// A pixel of 3 bytes is written as 4, of which the next one overwrites what is too much.
inline void repeat_triples(const uint8_t* from, uint8_t* to, int64_t count) {
  uint32_t pixel = 0;
  std::memcpy(&pixel, from, 3);
  for (int64_t x = 0; x + 1 < count; ++x) std::memcpy(to + 3 * x, &pixel, 4);
  std::memcpy(to + 3 * (count - 1), &pixel, 3);
}

void repeat_rows(const uint8_t* from, int64_t from_stride, uint8_t* to, int64_t to_stride, int64_t count, int size,
                 int64_t rows) {
  if (count <= 0) return;
  for (; rows > 0; --rows, from += from_stride, to += to_stride) {
    if (size == 1) {
      repeat_bytes(*from, to, count);
    } else if (size == 3) {
      repeat_triples(from, to, count);
    } else {
      for (int64_t x = 0; x < count; ++x)
        for (int k = 0; k < size; ++k) to[x * size + k] = from[k];
    }
  }
}

// Eight values in a register, swapped; the last eight may overlap those before.
inline void mirror_bytes(const uint8_t* from, uint8_t* to, int64_t count) {
  const auto eight = [&](int64_t i) {
    uint64_t x;
    std::memcpy(&x, from - i - 7, 8);
    x = __builtin_bswap64(x);
    std::memcpy(to + i, &x, 8);
  };
  for (int64_t i = 0; i < count - 8; i += 8) eight(i);
  eight(count - 8);
}

// As above: all but the last pixel are written as 4 bytes, and all but the first are followed by another one to read.
inline void mirror_triples(const uint8_t* from, uint8_t* to, int64_t count) {
  uint32_t pixel = 0;
  std::memcpy(&pixel, from, 3);
  for (int64_t x = 0; x + 1 < count; ++x) {
    std::memcpy(to + 3 * x, &pixel, 4);
    std::memcpy(&pixel, from - 3 * (x + 1), 4);
  }
  std::memcpy(to + 3 * (count - 1), &pixel, 3);
}

void mirror_rows(const uint8_t* from, int64_t from_stride, uint8_t* to, int64_t to_stride, int64_t count, int size,
                 int64_t rows) {
  if (count <= 0) return;
  for (; rows > 0; --rows, from += from_stride, to += to_stride) {
    if (size == 1 && count >= 8) {
      mirror_bytes(from, to, count);
    } else if (size == 3) {
      mirror_triples(from, to, count);
    } else {
      for (int64_t x = 0; x < count; ++x)
        for (int k = 0; k < size; ++k) to[x * size + k] = from[k - x * size];
    }
  }
}

}  // namespace
}  // namespace VISION_ISA_NAMESPACE

VISION_DEFINE_KERNELS(CopyKernels, copy_kernels) = {&VISION_ISA_NAMESPACE::copy_rows, &VISION_ISA_NAMESPACE::repeat_rows,
                                                    &VISION_ISA_NAMESPACE::mirror_rows};

}  // namespace vision_core
