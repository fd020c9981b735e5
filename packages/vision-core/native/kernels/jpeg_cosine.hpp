// Cosine transforms of 8 values in integers: C. Loeffler, A. Ligtenberg, G. Moschytz, "Practical fast 1-D DCT
// algorithms with 11 multiplications", ICASSP 1989; 12 multiplications here, so that none follows another.
//
// Constants have 13 bits behind the point. Between the two passes of a block values have 2 bits behind the point; every
// pass leaves them larger by the square root of 8.
#pragma once

#include <cstdint>

#include "vision/simd.hpp"

namespace vision_core {
namespace VISION_ISA_NAMESPACE {
namespace {

namespace simd = vision::simd::VISION_ISA_NAMESPACE;
using simd::i32;

constexpr int constant_bits = 13, between_bits = 2;

constexpr int32_t fixed(double x) { return static_cast<int32_t>(x * (1 << constant_bits) + (x < 0 ? -0.5 : 0.5)); }

template <int bits>
inline i32 rounded(i32 x) {
  return simd::shift_right<bits>(simd::add(x, simd::set(int32_t{1} << (bits - 1))));
}

inline i32 times(i32 x, double factor) { return simd::mul(x, simd::set(fixed(factor))); }

// The odd half, which is the same forth and back but for the order of its values. ck below is cos(k pi / 16) sqrt(2).
inline void odd_half(const i32 a, const i32 b, const i32 c, const i32 d, i32 out[4]) {
  const i32 both = times(simd::add(simd::add(a, c), simd::add(b, d)), 1.175875602);  // c3
  const i32 outer = times(simd::add(a, d), -0.899976223);                            // c7-c3
  const i32 inner = times(simd::add(b, c), -2.562915447);                            // -c1-c3
  const i32 even = simd::add(times(simd::add(a, c), -1.961570560), both);            // -c3-c5
  const i32 odd = simd::add(times(simd::add(b, d), -0.390180644), both);             // c5-c3
  out[0] = simd::add(times(a, 0.298631336), simd::add(outer, even));  // -c1+c3+c5-c7
  out[1] = simd::add(times(b, 2.053119869), simd::add(inner, odd));   // c1+c3-c5+c7
  out[2] = simd::add(times(c, 3.072711026), simd::add(inner, even));  // c1+c3+c5-c7
  out[3] = simd::add(times(d, 1.501321110), simd::add(outer, odd));   // c1+c3-c5-c7
}

// The turn by 3 pi / 8: x weighs c6 and y weighs c2 in what is added.
inline void turn(i32 x, i32 y, i32& first, i32& second) {
  const i32 both = times(simd::add(x, y), 0.541196100);  // c6
  first = simd::add(both, times(x, 0.765366865));        // c2-c6
  second = simd::sub(both, times(y, 1.847759065));       // c2+c6
}

// Values to frequencies. The first pass adds the bits behind the point, the second takes them away.
template <bool first_pass>
inline void forward_cosine(i32 v[8]) {
  constexpr int bits = first_pass ? constant_bits - between_bits : constant_bits + between_bits;
  const i32 s0 = simd::add(v[0], v[7]), s1 = simd::add(v[1], v[6]), s2 = simd::add(v[2], v[5]),
            s3 = simd::add(v[3], v[4]);
  i32 odd[4];
  odd_half(simd::sub(v[3], v[4]), simd::sub(v[2], v[5]), simd::sub(v[1], v[6]), simd::sub(v[0], v[7]), odd);
  const i32 e0 = simd::add(s0, s3), e1 = simd::add(s1, s2);
  if constexpr (first_pass) {
    v[0] = simd::shift_left<between_bits>(simd::add(e0, e1));
    v[4] = simd::shift_left<between_bits>(simd::sub(e0, e1));
  } else {
    v[0] = rounded<between_bits>(simd::add(e0, e1));
    v[4] = rounded<between_bits>(simd::sub(e0, e1));
  }
  i32 second, sixth;
  turn(simd::sub(s0, s3), simd::sub(s1, s2), second, sixth);
  v[2] = rounded<bits>(second);
  v[6] = rounded<bits>(sixth);
  v[7] = rounded<bits>(odd[0]);
  v[5] = rounded<bits>(odd[1]);
  v[3] = rounded<bits>(odd[2]);
  v[1] = rounded<bits>(odd[3]);
}

// Frequencies to values. The second pass also divides by 8.
template <bool first_pass>
inline void inverse_cosine(i32 v[8]) {
  constexpr int bits = first_pass ? constant_bits - between_bits : constant_bits + between_bits + 3;
  i32 odd[4], second, sixth;
  odd_half(v[7], v[5], v[3], v[1], odd);
  turn(v[2], v[6], second, sixth);
  const i32 sum = simd::shift_left<constant_bits>(simd::add(v[0], v[4]));
  const i32 difference = simd::shift_left<constant_bits>(simd::sub(v[0], v[4]));
  const i32 e0 = simd::add(sum, second), e1 = simd::add(difference, sixth), e2 = simd::sub(difference, sixth),
            e3 = simd::sub(sum, second);
  v[0] = rounded<bits>(simd::add(e0, odd[3]));
  v[1] = rounded<bits>(simd::add(e1, odd[2]));
  v[2] = rounded<bits>(simd::add(e2, odd[1]));
  v[3] = rounded<bits>(simd::add(e3, odd[0]));
  v[4] = rounded<bits>(simd::sub(e3, odd[0]));
  v[5] = rounded<bits>(simd::sub(e2, odd[1]));
  v[6] = rounded<bits>(simd::sub(e1, odd[2]));
  v[7] = rounded<bits>(simd::sub(e0, odd[3]));
}

}  // namespace
}  // namespace VISION_ISA_NAMESPACE
}  // namespace vision_core
