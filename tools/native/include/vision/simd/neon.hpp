// Four 32-bit lanes (64-bit Arm NEON; dotprod and i8mm add the byte dot products). See vision/simd.hpp.
#pragma once

#include <arm_neon.h>

namespace vision::simd::VISION_ISA_NAMESPACE {

struct f32 {
  static constexpr int lanes = 4;
  float32x4_t v;
};
struct i32 {
  static constexpr int lanes = 4;
  int32x4_t v;
};
struct i16 {
  static constexpr int lanes = 8;
  int16x8_t v;
};
struct u8 {
  static constexpr int lanes = 16;
  uint8x16_t v;
};
struct s8 {
  static constexpr int lanes = 16;
  int8x16_t v;
};
struct mask {
  uint32x4_t v;
};

inline f32 set(float x) { return {vdupq_n_f32(x)}; }
inline f32 load(const float* p) { return {vld1q_f32(p)}; }
inline void store(float* p, f32 x) { vst1q_f32(p, x.v); }
inline f32 load_first(const float* p, int n) {
  float t[4] = {};
  std::memcpy(t, p, static_cast<size_t>(n) * 4);
  return load(t);
}
inline void store_first(float* p, f32 x, int n) {
  float t[4];
  store(t, x);
  std::memcpy(p, t, static_cast<size_t>(n) * 4);
}
inline f32 add(f32 a, f32 b) { return {vaddq_f32(a.v, b.v)}; }
inline f32 sub(f32 a, f32 b) { return {vsubq_f32(a.v, b.v)}; }
inline f32 mul(f32 a, f32 b) { return {vmulq_f32(a.v, b.v)}; }
inline f32 div(f32 a, f32 b) { return {vdivq_f32(a.v, b.v)}; }
inline f32 fma(f32 a, f32 b, f32 c) { return {vfmaq_f32(c.v, a.v, b.v)}; }
// As on x86, the second operand comes back when either is not a number.
inline f32 min(f32 a, f32 b) { return {vbslq_f32(vcltq_f32(a.v, b.v), a.v, b.v)}; }
inline f32 max(f32 a, f32 b) { return {vbslq_f32(vcgtq_f32(a.v, b.v), a.v, b.v)}; }
inline mask lt(f32 a, f32 b) { return {vcltq_f32(a.v, b.v)}; }
inline mask le(f32 a, f32 b) { return {vcleq_f32(a.v, b.v)}; }
inline mask gt(f32 a, f32 b) { return {vcgtq_f32(a.v, b.v)}; }
inline mask ge(f32 a, f32 b) { return {vcgeq_f32(a.v, b.v)}; }
inline f32 select(mask m, f32 a, f32 b) { return {vbslq_f32(m.v, a.v, b.v)}; }
inline i32 round_to_i32(f32 x) { return {vcvtnq_s32_f32(x.v)}; }
inline i32 truncate_to_i32(f32 x) { return {vcvtq_s32_f32(x.v)}; }
inline f32 to_f32(i32 x) { return {vcvtq_f32_s32(x.v)}; }
inline float sum(f32 x) { return vaddvq_f32(x.v); }

inline bool any(mask m) { return vmaxvq_u32(m.v) != 0; }
inline uint32_t bits(mask m) {
  const uint32_t weights[4] = {1, 2, 4, 8};
  return vaddvq_u32(vandq_u32(m.v, vld1q_u32(weights)));
}

inline i32 set(int32_t x) { return {vdupq_n_s32(x)}; }
inline i32 load(const int32_t* p) { return {vld1q_s32(p)}; }
inline void store(int32_t* p, i32 x) { vst1q_s32(p, x.v); }
inline i32 load_first(const int32_t* p, int n) {
  int32_t t[4] = {};
  std::memcpy(t, p, static_cast<size_t>(n) * 4);
  return load(t);
}
inline void store_first(int32_t* p, i32 x, int n) {
  int32_t t[4];
  store(t, x);
  std::memcpy(p, t, static_cast<size_t>(n) * 4);
}
inline i32 add(i32 a, i32 b) { return {vaddq_s32(a.v, b.v)}; }
inline i32 sub(i32 a, i32 b) { return {vsubq_s32(a.v, b.v)}; }
inline i32 mul(i32 a, i32 b) { return {vmulq_s32(a.v, b.v)}; }
inline i32 min(i32 a, i32 b) { return {vminq_s32(a.v, b.v)}; }
inline i32 max(i32 a, i32 b) { return {vmaxq_s32(a.v, b.v)}; }
template <int n>
inline i32 shift_left(i32 x) { return {vshlq_n_s32(x.v, n)}; }
template <int n>
inline i32 shift_right(i32 x) { return {vshrq_n_s32(x.v, n)}; }
inline mask gt(i32 a, i32 b) { return {vcgtq_s32(a.v, b.v)}; }
inline mask eq(i32 a, i32 b) { return {vceqq_s32(a.v, b.v)}; }
inline i32 select(mask m, i32 a, i32 b) { return {vbslq_s32(m.v, a.v, b.v)}; }

inline i16 set16(int16_t x) { return {vdupq_n_s16(x)}; }
inline i16 load(const int16_t* p) { return {vld1q_s16(p)}; }
inline void store(int16_t* p, i16 x) { vst1q_s16(p, x.v); }
inline i16 add(i16 a, i16 b) { return {vaddq_s16(a.v, b.v)}; }
inline i16 sub(i16 a, i16 b) { return {vsubq_s16(a.v, b.v)}; }
inline i16 add_saturated(i16 a, i16 b) { return {vqaddq_s16(a.v, b.v)}; }
inline i16 sub_saturated(i16 a, i16 b) { return {vqsubq_s16(a.v, b.v)}; }
inline i16 mul_low(i16 a, i16 b) { return {vmulq_s16(a.v, b.v)}; }
inline i16 mul_high(i16 a, i16 b) {
  const int32x4_t low = vmull_s16(vget_low_s16(a.v), vget_low_s16(b.v)), high = vmull_high_s16(a.v, b.v);
  return {vuzp2q_s16(vreinterpretq_s16_s32(low), vreinterpretq_s16_s32(high))};
}
inline i16 mul_q15(i16 a, i16 b) { return {vqrdmulhq_s16(a.v, b.v)}; }
inline i16 min(i16 a, i16 b) { return {vminq_s16(a.v, b.v)}; }
inline i16 max(i16 a, i16 b) { return {vmaxq_s16(a.v, b.v)}; }
template <int n>
inline i16 shift_left(i16 x) { return {vshlq_n_s16(x.v, n)}; }
template <int n>
inline i16 shift_right(i16 x) { return {vshrq_n_s16(x.v, n)}; }

inline u8 set8(uint8_t x) { return {vdupq_n_u8(x)}; }
inline s8 set8(int8_t x) { return {vdupq_n_s8(x)}; }
inline u8 load(const uint8_t* p) { return {vld1q_u8(p)}; }
inline s8 load(const int8_t* p) { return {vld1q_s8(p)}; }
inline void store(uint8_t* p, u8 x) { vst1q_u8(p, x.v); }
inline void store(int8_t* p, s8 x) { vst1q_s8(p, x.v); }

inline i16 widen_low(u8 x) { return {vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(x.v)))}; }
inline i16 widen_high(u8 x) { return {vreinterpretq_s16_u16(vmovl_high_u8(x.v))}; }
inline i32 widen_low(i16 x) { return {vmovl_s16(vget_low_s16(x.v))}; }
inline i32 widen_high(i16 x) { return {vmovl_high_s16(x.v)}; }
inline i16 narrow_i16(i32 low, i32 high) { return {vqmovn_high_s32(vqmovn_s32(low.v), high.v)}; }
inline u8 narrow_u8(i16 low, i16 high) { return {vqmovun_high_s16(vqmovun_s16(low.v), high.v)}; }
inline s8 narrow_s8(i16 low, i16 high) { return {vqmovn_high_s16(vqmovn_s16(low.v), high.v)}; }

inline i32 dot4(i32 acc, u8 a, s8 b) {
#if VISION_ISA_IS_I8MM
  return {vusdotq_s32(acc.v, a.v, b.v)};
#elif VISION_ISA_IS_DOTPROD
  // sdot takes signed bytes on both sides: a - 128 fits, and 128 * sum(b) is added back in two halves of 64.
  const int8x16_t signed_a = vreinterpretq_s8_u8(veorq_u8(a.v, vdupq_n_u8(0x80))), half = vdupq_n_s8(64);
  return {vdotq_s32(vdotq_s32(vdotq_s32(acc.v, signed_a, b.v), half, b.v), half, b.v)};
#else
  const int16x8_t low_a = vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(a.v)));
  const int16x8_t high_a = vreinterpretq_s16_u16(vmovl_high_u8(a.v));
  const int16x8_t low_b = vmovl_s8(vget_low_s8(b.v)), high_b = vmovl_high_s8(b.v);
  const int32x4_t low = vpaddq_s32(vmull_s16(vget_low_s16(low_a), vget_low_s16(low_b)), vmull_high_s16(low_a, low_b));
  const int32x4_t high = vpaddq_s32(vmull_s16(vget_low_s16(high_a), vget_low_s16(high_b)), vmull_high_s16(high_a, high_b));
  return {vaddq_s32(acc.v, vpaddq_s32(low, high))};
#endif
}

}  // namespace vision::simd::VISION_ISA_NAMESPACE
