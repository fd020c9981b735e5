// From int32 sums to uint8: the float32 steps, each rounded once and never fused, that every executor takes alike.
#pragma once

#include "kernels/lanes.hpp"
#include "kernels/requantise_fields.hpp"

namespace accel_mobile {
namespace VISION_ISA_NAMESPACE {
using namespace vision::simd::VISION_ISA_NAMESPACE;

// Sums that are carried through a loop, as a vector of int32. The integer registers of the intrinsics have lanes of 64
// bits; carried in that type, gcc keeps a second copy of each sum in memory.
typedef int32_t Sums __attribute__((vector_size(sizeof(i32))));
inline Sums sums(i32 x) {
  Sums y;
  std::memcpy(&y, &x, sizeof(y));
  return y;
}
inline i32 lanes_of(Sums x) {
  i32 y;
  std::memcpy(&y, &x, sizeof(y));
  return y;
}

// The bounds in registers: stores of bytes may alias anything, so what lies in memory would be loaded again after each.
struct Rounding {
  f32 low, high;
  i32 zero_point;
  explicit Rounding(const Requantise& q) : low(set(q.low)), high(set(q.high)), zero_point(set(q.zero_point)) {}
  i32 operator()(f32 real) const { return add(round_to_i32(min(max(real, low), high)), zero_point); }
};

// (x - zero_point) as float: exact.
inline f32 centred(const uint8_t* x, i32 zero_point) { return to_f32(sub(load_bytes(x), zero_point)); }

}  // namespace VISION_ISA_NAMESPACE
}  // namespace accel_mobile
