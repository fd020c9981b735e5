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

void nearest(const PackedImage& image, float* xs, float* ys, int count, uint8_t* out) {
  const i32 row = simd::set(static_cast<int32_t>(image.row_bytes));
  int32_t offsets[lanes];
  for (int i = 0; i < count; i += lanes) {
    const f32 x = to_pixels(simd::load(xs + i), image.width), y = to_pixels(simd::load(ys + i), image.height);
    simd::store(xs + i, x);
    simd::store(ys + i, y);
    simd::store(offsets, simd::add(simd::mul(simd::round_to_i32(y), row), simd::shift_left<2>(simd::round_to_i32(x))));
    const int n = count - i < lanes ? count - i : lanes;
    for (int k = 0; k < n; ++k) std::memcpy(out + 4 * (i + k), image.data + offsets[k], 4);
  }
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
    &VISION_ISA_NAMESPACE::project,  &VISION_ISA_NAMESPACE::displace, &VISION_ISA_NAMESPACE::nearest,
    &VISION_ISA_NAMESPACE::bilinear, &VISION_ISA_NAMESPACE::pack,     &VISION_ISA_NAMESPACE::unpack};

}  // namespace vision_core
