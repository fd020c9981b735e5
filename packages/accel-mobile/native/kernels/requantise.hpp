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

// Sums of half a vector of columns; lanes beyond are zero when it is widened.
#if VISION_ISA_IS_AVX512
typedef int32_t HalfSums __attribute__((vector_size(32)));
inline HalfSums half_sums(const int32_t* p) { return reinterpret_cast<HalfSums>(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))); }
inline HalfSums dot4_half(HalfSums sum, u8 x, const int8_t* w) {
  const __m256i weights = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(w));
  return reinterpret_cast<HalfSums>(_mm256_dpbusd_epi32(reinterpret_cast<__m256i>(sum), _mm512_castsi512_si256(x.v), weights));
}
inline i32 widened(HalfSums x) { return {_mm512_zextsi256_si512(reinterpret_cast<__m256i>(x))}; }
#else
using HalfSums = Sums;
inline HalfSums half_sums(const int32_t* p) { return sums(load(p)); }
inline HalfSums dot4_half(HalfSums sum, u8 x, const int8_t* w) { return sums(dot4(lanes_of(sum), x, load(w))); }
inline i32 widened(HalfSums x) { return lanes_of(x); }
#endif

// The bounds in registers: stores of bytes may alias anything, so what lies in memory would be loaded again after each.
struct Rounding {
  f32 low, high;
  i32 zero_point;
  explicit Rounding(const Requantise& q) : low(set(q.low)), high(set(q.high)), zero_point(set(q.zero_point)) {}
  i32 operator()(f32 real) const { return add(round_to_i32(min(max(real, low), high)), zero_point); }
};

#if VISION_ISA_IS_AVX512
// Four vectors at once by saturating packs. Rounding and the bounds may change places: the bounds are whole numbers. Only
// the upper one is needed before the conversion; what lies far below becomes the smallest integer, and saturates.
class Packing {
 public:
  explicit Packing(const Rounding& r)
      : high_(r.high),
        zero_point_(_mm512_packs_epi32(r.zero_point.v, r.zero_point.v)),
        lowest_(_mm512_set1_epi8(static_cast<char>(_mm512_cvtss_f32(max(add(r.low, to_f32(r.zero_point)), set(0.0f)).v)))) {}

  // Each part of 128 bits holds four values of a, of b, of c, of d.
  __m512i operator()(f32 a, f32 b, f32 c, f32 d) const {
    const __m512i ab = _mm512_adds_epi16(_mm512_packs_epi32(rounded(a), rounded(b)), zero_point_);
    const __m512i cd = _mm512_adds_epi16(_mm512_packs_epi32(rounded(c), rounded(d)), zero_point_);
    return _mm512_max_epu8(_mm512_packus_epi16(ab, cd), lowest_);
  }

 private:
  __m512i rounded(f32 x) const { return round_to_i32(min(x, high_)).v; }
  f32 high_;
  __m512i zero_point_, lowest_;
};

// From parts of four vectors each to one vector after the other.
inline __m512i in_turn(__m512i x) {
  return _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15), x);
}

// Vector i at y + i * step.
template <int count>
inline void store_apart(const Rounding& rounding, const f32 (&real)[count], uint8_t* y, int64_t step) {
  const Packing pack(rounding);
#pragma GCC unroll 2
  for (int i = 0; i < count; i += 4) {
    const int last = count - 1;
    const __m512i x = in_turn(pack(real[i], real[i + 1 < last ? i + 1 : last], real[i + 2 < last ? i + 2 : last], real[i + 3 < last ? i + 3 : last]));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(y + i * step), _mm512_castsi512_si128(x));
    if (count - i > 1) _mm_storeu_si128(reinterpret_cast<__m128i*>(y + (i + 1) * step), _mm512_extracti32x4_epi32(x, 1));
    if (count - i > 2) _mm_storeu_si128(reinterpret_cast<__m128i*>(y + (i + 2) * step), _mm512_extracti32x4_epi32(x, 2));
    if (count - i > 3) _mm_storeu_si128(reinterpret_cast<__m128i*>(y + (i + 3) * step), _mm512_extracti32x4_epi32(x, 3));
  }
}

// Up to four vectors side by side.
template <int count>
inline void store_together(const Rounding& rounding, const f32 (&real)[count], uint8_t* y) {
  constexpr int last = count - 1;
  const __m512i x = in_turn(Packing(rounding)(real[0], real[1 < last ? 1 : last], real[2 < last ? 2 : last], real[last]));
  _mm512_mask_storeu_epi8(y, ~0ull >> (64 - 16 * count), x);
}
#else
template <int count>
inline void store_apart(const Rounding& rounding, const f32 (&real)[count], uint8_t* y, int64_t step) {
#pragma GCC unroll 8
  for (int i = 0; i < count; ++i) store_bytes(y + i * step, rounding(real[i]));
}

template <int count>
inline void store_together(const Rounding& rounding, const f32 (&real)[count], uint8_t* y) {
  store_apart<count>(rounding, real, y, i32::lanes);
}
#endif

// (x - zero_point) as float: exact.
inline f32 centred(const uint8_t* x, i32 zero_point) { return to_f32(sub(load_bytes(x), zero_point)); }

}  // namespace VISION_ISA_NAMESPACE
}  // namespace accel_mobile
