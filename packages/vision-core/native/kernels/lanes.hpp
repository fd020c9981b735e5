// Vectors of float and of double under the same names, for kernels that are written for both.
#pragma once

#include "vision/simd.hpp"

namespace vision_core {
namespace VISION_ISA_NAMESPACE {
namespace {

namespace simd = vision::simd::VISION_ISA_NAMESPACE;
using simd::f32;
using simd::add;
using simd::fma;
using simd::load;
using simd::mul;
using simd::set;
using simd::store;

#if VISION_ISA_IS_AVX512
struct f64 {
  static constexpr int lanes = 8;
  __m512d v;
};
inline f64 set(double x) { return {_mm512_set1_pd(x)}; }
inline f64 load(const double* p) { return {_mm512_loadu_pd(p)}; }
inline void store(double* p, f64 x) { _mm512_storeu_pd(p, x.v); }
inline f64 add(f64 a, f64 b) { return {_mm512_add_pd(a.v, b.v)}; }
inline f64 mul(f64 a, f64 b) { return {_mm512_mul_pd(a.v, b.v)}; }
inline f64 fma(f64 a, f64 b, f64 c) { return {_mm512_fmadd_pd(a.v, b.v, c.v)}; }
#elif VISION_ISA_IS_AVX2 || VISION_ISA_IS_AVXVNNI
struct f64 {
  static constexpr int lanes = 4;
  __m256d v;
};
inline f64 set(double x) { return {_mm256_set1_pd(x)}; }
inline f64 load(const double* p) { return {_mm256_loadu_pd(p)}; }
inline void store(double* p, f64 x) { _mm256_storeu_pd(p, x.v); }
inline f64 add(f64 a, f64 b) { return {_mm256_add_pd(a.v, b.v)}; }
inline f64 mul(f64 a, f64 b) { return {_mm256_mul_pd(a.v, b.v)}; }
inline f64 fma(f64 a, f64 b, f64 c) { return {_mm256_fmadd_pd(a.v, b.v, c.v)}; }
#elif VISION_ISA_IS_SSE41
struct f64 {
  static constexpr int lanes = 2;
  __m128d v;
};
inline f64 set(double x) { return {_mm_set1_pd(x)}; }
inline f64 load(const double* p) { return {_mm_loadu_pd(p)}; }
inline void store(double* p, f64 x) { _mm_storeu_pd(p, x.v); }
inline f64 add(f64 a, f64 b) { return {_mm_add_pd(a.v, b.v)}; }
inline f64 mul(f64 a, f64 b) { return {_mm_mul_pd(a.v, b.v)}; }
inline f64 fma(f64 a, f64 b, f64 c) { return add(mul(a, b), c); }
#elif VISION_ISA_IS_NEON || VISION_ISA_IS_DOTPROD || VISION_ISA_IS_I8MM
struct f64 {
  static constexpr int lanes = 2;
  float64x2_t v;
};
inline f64 set(double x) { return {vdupq_n_f64(x)}; }
inline f64 load(const double* p) { return {vld1q_f64(p)}; }
inline void store(double* p, f64 x) { vst1q_f64(p, x.v); }
inline f64 add(f64 a, f64 b) { return {vaddq_f64(a.v, b.v)}; }
inline f64 mul(f64 a, f64 b) { return {vmulq_f64(a.v, b.v)}; }
inline f64 fma(f64 a, f64 b, f64 c) { return {vfmaq_f64(c.v, a.v, b.v)}; }
#else
struct f64 {
  static constexpr int lanes = 1;
  double v;
};
inline f64 set(double x) { return {x}; }
inline f64 load(const double* p) { return {*p}; }
inline void store(double* p, f64 x) { *p = x.v; }
inline f64 add(f64 a, f64 b) { return {a.v + b.v}; }
inline f64 mul(f64 a, f64 b) { return {a.v * b.v}; }
inline f64 fma(f64 a, f64 b, f64 c) { return {a.v * b.v + c.v}; }
#endif

template <class T>
struct LanesOf;
template <>
struct LanesOf<float> {
  using type = f32;
};
template <>
struct LanesOf<double> {
  using type = f64;
};
template <class T>
using Lanes = typename LanesOf<T>::type;

}  // namespace
}  // namespace VISION_ISA_NAMESPACE
}  // namespace vision_core
