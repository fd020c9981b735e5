#include "warp.hpp"

#include "vision/simd.hpp"

#if VISION_ISA_IS_SSE41 || VISION_ISA_IS_AVX2 || VISION_ISA_IS_AVX512
#define VISION_WARP_X86 1
#include <immintrin.h>
#elif VISION_ISA_IS_NEON
#include <arm_neon.h>
#endif

namespace vision_core {
namespace VISION_ISA_NAMESPACE {
namespace {

namespace simd = vision::simd::VISION_ISA_NAMESPACE;
using simd::f32;
using simd::i32;

constexpr int lanes = f32::lanes;

// A row of a matrix product as torch computes it: without fused operations, the products added one after the other.
inline f32 row_of(const float* w, f32 column, f32 row) {
  return simd::add(simd::add(simd::mul(column, simd::set(w[0])), simd::mul(row, simd::set(w[1]))), simd::set(w[2]));
}

// All arrays here have room for whole vectors behind their last value.
void project(const Projection& m, float column, float row, int count, float* xs, float* ys) {
  float steps[lanes];
  for (int k = 0; k < lanes; ++k) steps[k] = static_cast<float>(k);
  const f32 first = simd::load(steps), y = simd::set(row), one = simd::set(1.0f);
  for (int i = 0; i < count; i += lanes) {
    const f32 x = simd::add(simd::set(column + static_cast<float>(i)), first);
    f32 u = row_of(m.x, x, y), v = row_of(m.y, x, y);
    if (m.divide) {
      const f32 below = row_of(m.below, x, y);
      u = simd::sub(simd::div(u, below), one);
      v = simd::sub(simd::div(v, below), one);
    }
    simd::store(xs + i, u);
    simd::store(ys + i, v);
  }
}

void displace(const float* column, float row, const float* field, int count, float* xs, float* ys) {
  for (int i = 0; i < count; ++i) xs[i] = column[i] + field[2 * i];
  for (int i = 0; i < count; ++i) ys[i] = row + field[2 * i + 1];
}

// From normalised positions to pixels, cut to -1 ... size: there are zeros. NaN goes to `size`.
inline f32 to_pixels(f32 x, float size) {
  const f32 at = simd::sub(simd::mul(simd::add(x, simd::set(1.0f)), simd::set(size / 2)), simd::set(0.5f));
  return simd::max(simd::min(at, simd::set(size)), simd::set(-1.0f));
}

int locate(const Places& image, const float* xs, const float* ys, int count, int32_t* offsets) {
  const float height = static_cast<float>(image.height), width = static_cast<float>(image.width);
  const i32 last_column = simd::set(image.width - 1), last_row = simd::set(image.height - 1), none = simd::set(0);
  const i32 row_bytes = simd::set(image.row_bytes), pixel_bytes = simd::set(image.pixel_bytes);
  i32 least = none, most = none, farthest = none;
  for (int i = 0; i < count; i += lanes) {  // the arrays have room for whole vectors
    const i32 x = simd::round_to_i32(to_pixels(simd::load(xs + i), width));
    const i32 y = simd::round_to_i32(to_pixels(simd::load(ys + i), height));
    const i32 column = simd::max(simd::min(x, last_column), none), row = simd::max(simd::min(y, last_row), none);
    const i32 offset = simd::add(simd::mul(row, row_bytes), simd::mul(column, pixel_bytes));
    const i32 beyond = simd::sub(simd::set(-1), offset);  // the complement
    i32 signed_offset = simd::select(simd::eq(column, x), offset, beyond);
    signed_offset = simd::select(simd::eq(row, y), signed_offset, beyond);
    simd::store(offsets + i, signed_offset);
    least = i == 0 ? signed_offset : simd::min(least, signed_offset);
    most = i == 0 ? signed_offset : simd::max(most, signed_offset);
    farthest = simd::max(farthest, offset);
  }
  int32_t ends[3 * lanes];
  simd::store(ends, least), simd::store(ends + lanes, most), simd::store(ends + 2 * lanes, farthest);
  const int32_t last = (image.height - 1) * image.row_bytes + (image.width - 1) * image.pixel_bytes;
  int found = 0;
  for (int k = 0; k < lanes; ++k)  // values behind the last may add to this: then more care is taken than need be
    found |= (ends[k] < 0 ? picks_outside : 0) | (ends[lanes + k] >= 0 ? picks_inside : 0) |
             (ends[2 * lanes + k] == last ? picks_last : 0);
  return found;
}

// At offsets that are all inside.
template <int size>
inline void pick_sized(const uint8_t* data, const int32_t* offsets, int count, uint8_t* out) {
  int i = 0;
  for (; i + 4 <= count; i += 4) {
    std::memcpy(out + size * i, data + offsets[i], size);
    std::memcpy(out + size * (i + 1), data + offsets[i + 1], size);
    std::memcpy(out + size * (i + 2), data + offsets[i + 2], size);
    std::memcpy(out + size * (i + 3), data + offsets[i + 3], size);
  }
  for (; i < count; ++i) std::memcpy(out + size * i, data + offsets[i], size);
}

// Four bytes each, of which the next pixel overwrites what is too much.
inline void pick_triples(const uint8_t* data, const int32_t* offsets, int count, uint8_t* out) {
  int i = 0;
  for (; i + 5 <= count; i += 4) {
    std::memcpy(out + 3 * i, data + offsets[i], 4);
    std::memcpy(out + 3 * i + 3, data + offsets[i + 1], 4);
    std::memcpy(out + 3 * i + 6, data + offsets[i + 2], 4);
    std::memcpy(out + 3 * i + 9, data + offsets[i + 3], 4);
  }
  for (; i < count; ++i) std::memcpy(out + 3 * i, data + offsets[i], 3);
}

// Between a pixel in memory and the low bytes of a register. Three bytes are copied as two and one: through a variable
// they would be written in parts and read as a whole, which processors wait for.
template <int size>
inline uint32_t load_pixel(const uint8_t* p) {
  uint32_t pixel = 0;
  if (size == 4) {
    std::memcpy(&pixel, p, 4);
  } else if (size == 3) {
    uint16_t low;
    std::memcpy(&low, p, 2);
    pixel = low | static_cast<uint32_t>(p[2]) << 16;
  } else {
    pixel = *p;
  }
  return pixel;
}

template <int size>
inline void store_pixel(uint32_t pixel, uint8_t* p) {
  if (size == 4) {
    std::memcpy(p, &pixel, 4);
  } else if (size == 3) {
    const uint16_t low = static_cast<uint16_t>(pixel);
    std::memcpy(p, &low, 2);
    p[2] = static_cast<uint8_t>(pixel >> 16);
  } else {
    *p = static_cast<uint8_t>(pixel);
  }
}

template <int size>
inline void pick_one_by_one(const uint8_t* data, const int32_t* offsets, int count, const uint8_t* fill, uint8_t* out) {
  const uint32_t outside = load_pixel<size>(fill);
  for (int i = 0; i < count; ++i) {
    const int32_t sign = offsets[i] >> 31;
    const uint32_t pixel = load_pixel<size>(data + (offsets[i] ^ sign)), mask = static_cast<uint32_t>(sign);
    store_pixel<size>((pixel & ~mask) | (outside & mask), out + size * i);
  }
}

// Most of what is partly outside consists of a run inside and one outside.
template <int size>
inline void pick_or_fill(const uint8_t* data, const int32_t* offsets, int count, const uint8_t* fill, uint8_t* out) {
  constexpr uint32_t all = lanes == 32 ? ~0u : (1u << lanes) - 1;
  const uint32_t outside = load_pixel<size>(fill);
  int i = 0;
  for (; i + lanes <= count; i += lanes) {
    const uint32_t inside = simd::bits(simd::gt(simd::load(offsets + i), simd::set(-1)));
    if (inside == all) {
      size == 3 ? pick_triples(data, offsets + i, lanes, out + 3 * i)
                : pick_sized<size>(data, offsets + i, lanes, out + size * i);
    } else if (inside == 0) {
      for (int k = 0; k < lanes; ++k) store_pixel<size>(outside, out + size * (i + k));
    } else {
      pick_one_by_one<size>(data, offsets + i, lanes, fill, out + size * i);
    }
  }
  pick_one_by_one<size>(data, offsets + i, count - i, fill, out + size * i);
}

template <int size>
inline void pick_pixels(const uint8_t* data, const int32_t* offsets, int count, int found, const uint8_t* fill,
                        uint8_t* out) {
  if (size == 3 && (found & picks_last)) return pick_one_by_one<size>(data, offsets, count, fill, out);
  if (found & picks_outside) return pick_or_fill<size>(data, offsets, count, fill, out);
  size == 3 ? pick_triples(data, offsets, count, out) : pick_sized<size>(data, offsets, count, out);
}

void pick(const uint8_t* data, const int32_t* offsets, int count, int size, int found, const uint8_t* fill,
          uint8_t* out) {
  if (size == 1) return pick_pixels<1>(data, offsets, count, found, fill, out);
  if (size == 3) return pick_pixels<3>(data, offsets, count, found, fill, out);
  if (size == 4) return pick_pixels<4>(data, offsets, count, found, fill, out);
  for (int i = 0; i < count; ++i)
    for (int k = 0; k < size; ++k) out[i * size + k] = offsets[i] < 0 ? fill[k] : data[offsets[i] + k];
}

// Addresses and weights of the four neighbours of `lanes` positions.
struct Neighbours {
  int32_t offset[lanes];
  int32_t above[lanes], below[lanes];  // the left neighbour's weight in the low half, the right one's in the high half
};

inline void find_neighbours(const PackedImage& image, float* xs, float* ys, Neighbours& to) {
  const f32 one = simd::set(1.0f), zero = simd::set(0.0f), scale = simd::set(static_cast<float>(1 << weight_bits));
  const f32 x = to_pixels(simd::load(xs), image.width), y = to_pixels(simd::load(ys), image.height);
  simd::store(xs, x);
  simd::store(ys, y);
  // Positions start at -1. Where x + 1 is rounded up to a whole number, the part behind it becomes 0.
  const f32 left = simd::sub(simd::to_f32(simd::truncate_to_i32(simd::add(x, one))), one);
  const f32 top = simd::sub(simd::to_f32(simd::truncate_to_i32(simd::add(y, one))), one);
  const f32 right = simd::max(simd::sub(x, left), zero), bottom = simd::max(simd::sub(y, top), zero);
  const f32 below = simd::mul(bottom, scale), above = simd::sub(scale, below);
  const f32 above_right = simd::mul(above, right), below_right = simd::mul(below, right);
  const auto pair = [](f32 low, f32 high) {
    return simd::add(simd::round_to_i32(low), simd::shift_left<16>(simd::round_to_i32(high)));
  };
  simd::store(to.above, pair(simd::sub(above, above_right), above_right));
  simd::store(to.below, pair(simd::sub(below, below_right), below_right));
  const i32 row = simd::set(static_cast<int32_t>(image.row_bytes));
  simd::store(to.offset, simd::add(simd::mul(simd::truncate_to_i32(top), row),
                                   simd::shift_left<2>(simd::truncate_to_i32(left))));
}

#if VISION_WARP_X86
#include "warp_x86.hpp"
#else

// The sums of `lanes` pixels.
inline void blend(const PackedImage& image, const Neighbours& from, uint8_t* out) {
  for (int k = 0; k < lanes; ++k) {
    const uint8_t *p = image.data + from.offset[k], *q = p + image.row_bytes;
    const int32_t a = from.above[k] & 0xffff, b = from.above[k] >> 16, c = from.below[k] & 0xffff, d = from.below[k] >> 16;
    for (int i = 0; i < 4; ++i)
      out[4 * k + i] = static_cast<uint8_t>((a * p[i] + b * p[i + 4] + c * q[i] + d * q[i + 4] +
                                             (1 << (weight_bits - 1))) >> weight_bits);
  }
}

#endif

void bilinear(const PackedImage& image, float* xs, float* ys, int count, uint8_t* out) {
  Neighbours near;
  for (int i = 0; i < count; i += lanes) {
    find_neighbours(image, xs + i, ys + i, near);
    blend(image, near, out + 4 * i);
  }
}

#include "pack.hpp"

}  // namespace
}  // namespace VISION_ISA_NAMESPACE

VISION_DEFINE_KERNELS(WarpKernels, warp_kernels) = {
    &VISION_ISA_NAMESPACE::project, &VISION_ISA_NAMESPACE::displace, &VISION_ISA_NAMESPACE::bilinear,
    &VISION_ISA_NAMESPACE::locate,  &VISION_ISA_NAMESPACE::pick,     &VISION_ISA_NAMESPACE::pack,
    &VISION_ISA_NAMESPACE::unpack};

}  // namespace vision_core
