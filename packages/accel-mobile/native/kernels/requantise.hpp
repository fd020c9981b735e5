// From int32 sums to uint8: the float32 steps, each rounded once and never fused, that every executor takes alike.
#pragma once

#include "kernels/lanes.hpp"
#include "kernels/requantise_fields.hpp"

namespace accel_mobile {
namespace VISION_ISA_NAMESPACE {
using namespace vision::simd::VISION_ISA_NAMESPACE;

inline i32 rounded(f32 real, const Requantise& q) {
  return add(round_to_i32(min(max(real, set(q.low)), set(q.high))), set(q.zero_point));
}

// (x - zero_point) as float: exact.
inline f32 centred(const uint8_t* x, int32_t zero_point) { return to_f32(sub(load_bytes(x), set(zero_point))); }

}  // namespace VISION_ISA_NAMESPACE
}  // namespace accel_mobile
