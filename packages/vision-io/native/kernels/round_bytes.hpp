// Floats to bytes: clipped to 0..255 and rounded to the nearest, ties to even (as NumPy's rint).
#pragma once

#include "vision/simd.hpp"

namespace vision_io::VISION_ISA_NAMESPACE {

namespace simd = vision::simd::VISION_ISA_NAMESPACE;

// Four vectors of floats become one of bytes. `f(i)` computes the floats of the lanes from `i` on.
template <class Function>
inline simd::u8 bytes_of(Function f, int i) {
  constexpr int lanes = simd::f32::lanes;
  const simd::f32 zero = simd::set(0.0f), top = simd::set(255.0f);
  const auto rounded = [&](int at) { return simd::round_to_i32(simd::min(simd::max(f(at), zero), top)); };
  return simd::narrow_u8(simd::narrow_i16(rounded(i), rounded(i + lanes)),
                         simd::narrow_i16(rounded(i + 2 * lanes), rounded(i + 3 * lanes)));
}

// Bytes of f(0) ... f(count - 1) to `out`. f is called for whole vectors, up to u8::lanes - 1 values further.
template <class Function>
inline void store_bytes_of(Function f, int count, uint8_t* out) {
  constexpr int lanes = simd::u8::lanes;
  int i = 0;
  for (; i + lanes <= count; i += lanes) simd::store(out + i, bytes_of(f, i));
  if (i < count) {
    uint8_t rest[lanes];
    simd::store(rest, bytes_of(f, i));
    memcpy(out + i, rest, static_cast<size_t>(count - i));
  }
}

}  // namespace vision_io::VISION_ISA_NAMESPACE
