#include "bounds.hpp"

#include "vision/simd.hpp"

namespace vision_core {
namespace VISION_ISA_NAMESPACE {
namespace {

namespace simd = vision::simd::VISION_ISA_NAMESPACE;
using simd::f32;

int64_t touching(const float* chunks, int64_t first, int64_t last, const Bounds& bounds, uint32_t* hits) {
  const f32 low_x = simd::set(bounds.low[0]), low_y = simd::set(bounds.low[1]), low_z = simd::set(bounds.low[2]);
  const f32 high_x = simd::set(bounds.high[0]), high_y = simd::set(bounds.high[1]), high_z = simd::set(bounds.high[2]);
  int64_t number = 0;
  for (int64_t chunk = first; chunk < last; ++chunk) {
    for (int i = 0; i < bounds_chunk; i += f32::lanes) {
      const float* p = chunks + chunk * bounds_values + i;
      uint32_t found = simd::bits(simd::le(simd::load(p), high_x));
      found &= simd::bits(simd::ge(simd::load(p + 3 * bounds_chunk), low_x));
      if (!found) continue;
      found &= simd::bits(simd::le(simd::load(p + bounds_chunk), high_y));
      found &= simd::bits(simd::ge(simd::load(p + 4 * bounds_chunk), low_y));
      found &= simd::bits(simd::le(simd::load(p + 2 * bounds_chunk), high_z));
      found &= simd::bits(simd::ge(simd::load(p + 5 * bounds_chunk), low_z));
      for (; found; found &= found - 1)
        hits[number++] = static_cast<uint32_t>(chunk * bounds_chunk + i + __builtin_ctz(found));
    }
  }
  return number;
}

}  // namespace
}  // namespace VISION_ISA_NAMESPACE

VISION_DEFINE_KERNELS(BoundsKernels, bounds_kernels) = {&VISION_ISA_NAMESPACE::touching};

}  // namespace vision_core
