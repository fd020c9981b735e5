// Activations on vectors; the numbers are those of accel_mobile/_runtime/native.py.
#pragma once

#include "kernels/lanes.hpp"

namespace accel_mobile {

enum class Activation : int32_t { none, relu, relu6, silu, sigmoid, hardswish, hardsigmoid, tanh };

namespace VISION_ISA_NAMESPACE {
using namespace vision::simd::VISION_ISA_NAMESPACE;

// 2^(-x * scale) for |x * scale| <= 126, relative error below 1e-6: -x * scale = n + r, |r| <= 1/2, and a polynomial for 2^r
// (minimax in relative error, 8e-8). The product is not rounded on its way to r, so r is exact but for `scale` itself.
inline f32 power_of_two(f32 x, float scale) {
  const f32 product = mul(x, set(-scale));
#if VISION_ISA_IS_AVX512
  const f32 whole = {_mm512_roundscale_ps(product.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
#else
  const i32 n = round_to_i32(product);
  const f32 whole = to_f32(n);
#endif
#if VISION_ISA_IS_AVX512
  const f32 r = {_mm512_fnmsub_ps(x.v, _mm512_set1_ps(scale), whole.v)};
#else
  const f32 r = fma(x, set(-scale), sub(set(0.0f), whole));
#endif
  f32 y = set(0.0013276472f);
  y = fma(y, r, set(0.009675541f));
  y = fma(y, r, set(0.05550713f));
  y = fma(y, r, set(0.2402212f));
  y = fma(y, r, set(0.69314694f));
  y = fma(y, r, set(1.0000001f));
#if VISION_ISA_IS_AVX512
  return {_mm512_scalef_ps(y.v, whole.v)};
#else
  return mul(y, as_f32(shift_left<23>(add(n, set(127)))));
#endif
}

inline f32 sigmoid(f32 x) {
  const f32 y = max(min(x, set(87.0f)), set(-87.0f));
  return reciprocal(add(set(1.0f), power_of_two(y, 1.44269504f)));
}

inline f32 clamp(f32 x, float low, float high) { return min(max(x, set(low)), set(high)); }

template <Activation kind>
inline f32 activated(f32 x) {
  if constexpr (kind == Activation::relu) return max(x, set(0.0f));
  if constexpr (kind == Activation::relu6) return clamp(x, 0.0f, 6.0f);
  if constexpr (kind == Activation::silu) return mul(x, sigmoid(x));
  if constexpr (kind == Activation::sigmoid) return sigmoid(x);
  if constexpr (kind == Activation::hardswish) return mul(x, mul(clamp(add(x, set(3.0f)), 0.0f, 6.0f), set(1.0f / 6)));
  if constexpr (kind == Activation::hardsigmoid) return mul(clamp(add(x, set(3.0f)), 0.0f, 6.0f), set(1.0f / 6));
  if constexpr (kind == Activation::tanh) return sub(mul(sigmoid(add(x, x)), set(2.0f)), set(1.0f));
  return x;
}

// Calls body with the activation as a type, so that the choice is made once and not for every vector.
template <Activation kind>
struct Kind {
  static constexpr Activation value = kind;
};
template <class Body>
inline void with_activation(Activation kind, Body&& body) {
  switch (kind) {
    case Activation::none: return body(Kind<Activation::none>{});
    case Activation::relu: return body(Kind<Activation::relu>{});
    case Activation::relu6: return body(Kind<Activation::relu6>{});
    case Activation::silu: return body(Kind<Activation::silu>{});
    case Activation::sigmoid: return body(Kind<Activation::sigmoid>{});
    case Activation::hardswish: return body(Kind<Activation::hardswish>{});
    case Activation::hardsigmoid: return body(Kind<Activation::hardsigmoid>{});
    case Activation::tanh: return body(Kind<Activation::tanh>{});
  }
}

// Applies an activation in place to `count` floats, a multiple of the lanes.
inline void activate(float* x, int64_t count, Activation kind) {
  if (kind == Activation::none) return;
  with_activation(kind, [&](auto chosen) {
    for (int64_t i = 0; i < count; i += f32::lanes) store(x + i, activated<decltype(chosen)::value>(load(x + i)));
  });
}

}  // namespace VISION_ISA_NAMESPACE
}  // namespace accel_mobile
