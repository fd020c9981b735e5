// The reference: one 32-bit lane, in plain C++. See vision/simd.hpp.
#pragma once

namespace vision::simd::scalar {

struct f32 {
  static constexpr int lanes = 1;
  float v;
};
struct i32 {
  static constexpr int lanes = 1;
  int32_t v;
};
struct i16 {
  static constexpr int lanes = 2;
  int16_t v[2];
};
struct u8 {
  static constexpr int lanes = 4;
  uint8_t v[4];
};
struct s8 {
  static constexpr int lanes = 4;
  int8_t v[4];
};
struct mask {
  bool v;
};

inline f32 set(float x) { return {x}; }
inline f32 load(const float* p) { return {*p}; }
inline void store(float* p, f32 x) { *p = x.v; }
inline f32 load_first(const float* p, int n) { return {n > 0 ? *p : 0.0f}; }
inline void store_first(float* p, f32 x, int n) {
  if (n > 0) *p = x.v;
}
inline f32 add(f32 a, f32 b) { return {a.v + b.v}; }
inline f32 sub(f32 a, f32 b) { return {a.v - b.v}; }
inline f32 mul(f32 a, f32 b) { return {a.v * b.v}; }
inline f32 div(f32 a, f32 b) { return {a.v / b.v}; }
inline f32 fma(f32 a, f32 b, f32 c) { return {a.v * b.v + c.v}; }
inline f32 min(f32 a, f32 b) { return {a.v < b.v ? a.v : b.v}; }
inline f32 max(f32 a, f32 b) { return {a.v > b.v ? a.v : b.v}; }
inline mask lt(f32 a, f32 b) { return {a.v < b.v}; }
inline mask le(f32 a, f32 b) { return {a.v <= b.v}; }
inline mask gt(f32 a, f32 b) { return {a.v > b.v}; }
inline mask ge(f32 a, f32 b) { return {a.v >= b.v}; }
inline f32 select(mask m, f32 a, f32 b) { return m.v ? a : b; }
inline i32 round_to_i32(f32 x) { return {static_cast<int32_t>(__builtin_nearbyintf(x.v))}; }
inline i32 truncate_to_i32(f32 x) { return {static_cast<int32_t>(x.v)}; }
inline f32 to_f32(i32 x) { return {static_cast<float>(x.v)}; }
inline float sum(f32 x) { return x.v; }

inline bool any(mask m) { return m.v; }
inline uint32_t bits(mask m) { return m.v; }

inline i32 set(int32_t x) { return {x}; }
inline i32 load(const int32_t* p) { return {*p}; }
inline void store(int32_t* p, i32 x) { *p = x.v; }
inline i32 load_first(const int32_t* p, int n) { return {n > 0 ? *p : 0}; }
inline void store_first(int32_t* p, i32 x, int n) {
  if (n > 0) *p = x.v;
}
inline i32 add(i32 a, i32 b) { return {static_cast<int32_t>(static_cast<uint32_t>(a.v) + static_cast<uint32_t>(b.v))}; }
inline i32 sub(i32 a, i32 b) { return {static_cast<int32_t>(static_cast<uint32_t>(a.v) - static_cast<uint32_t>(b.v))}; }
inline i32 mul(i32 a, i32 b) { return {static_cast<int32_t>(static_cast<uint32_t>(a.v) * static_cast<uint32_t>(b.v))}; }
inline i32 min(i32 a, i32 b) { return a.v < b.v ? a : b; }
inline i32 max(i32 a, i32 b) { return a.v > b.v ? a : b; }
template <int n>
inline i32 shift_left(i32 x) { return {static_cast<int32_t>(static_cast<uint32_t>(x.v) << n)}; }
template <int n>
inline i32 shift_right(i32 x) { return {x.v >> n}; }
inline mask gt(i32 a, i32 b) { return {a.v > b.v}; }
inline mask eq(i32 a, i32 b) { return {a.v == b.v}; }
inline i32 select(mask m, i32 a, i32 b) { return m.v ? a : b; }

inline int16_t clamp_i16(int32_t x) { return static_cast<int16_t>(x < -32768 ? -32768 : x > 32767 ? 32767 : x); }
inline i16 set16(int16_t x) { return {{x, x}}; }
inline i16 load(const int16_t* p) { return {{p[0], p[1]}}; }
inline void store(int16_t* p, i16 x) { std::memcpy(p, x.v, sizeof(x.v)); }
inline i16 add(i16 a, i16 b) { return {{static_cast<int16_t>(a.v[0] + b.v[0]), static_cast<int16_t>(a.v[1] + b.v[1])}}; }
inline i16 sub(i16 a, i16 b) { return {{static_cast<int16_t>(a.v[0] - b.v[0]), static_cast<int16_t>(a.v[1] - b.v[1])}}; }
inline i16 add_saturated(i16 a, i16 b) { return {{clamp_i16(a.v[0] + b.v[0]), clamp_i16(a.v[1] + b.v[1])}}; }
inline i16 sub_saturated(i16 a, i16 b) { return {{clamp_i16(a.v[0] - b.v[0]), clamp_i16(a.v[1] - b.v[1])}}; }
inline i16 mul_low(i16 a, i16 b) { return {{static_cast<int16_t>(a.v[0] * b.v[0]), static_cast<int16_t>(a.v[1] * b.v[1])}}; }
inline i16 mul_high(i16 a, i16 b) { return {{static_cast<int16_t>((a.v[0] * b.v[0]) >> 16), static_cast<int16_t>((a.v[1] * b.v[1]) >> 16)}}; }
inline i16 mul_q15(i16 a, i16 b) { return {{static_cast<int16_t>((a.v[0] * b.v[0] + 0x4000) >> 15), static_cast<int16_t>((a.v[1] * b.v[1] + 0x4000) >> 15)}}; }
inline i16 min(i16 a, i16 b) { return {{a.v[0] < b.v[0] ? a.v[0] : b.v[0], a.v[1] < b.v[1] ? a.v[1] : b.v[1]}}; }
inline i16 max(i16 a, i16 b) { return {{a.v[0] > b.v[0] ? a.v[0] : b.v[0], a.v[1] > b.v[1] ? a.v[1] : b.v[1]}}; }
template <int n>
inline i16 shift_left(i16 x) { return {{static_cast<int16_t>(static_cast<uint16_t>(x.v[0]) << n), static_cast<int16_t>(static_cast<uint16_t>(x.v[1]) << n)}}; }
template <int n>
inline i16 shift_right(i16 x) { return {{static_cast<int16_t>(x.v[0] >> n), static_cast<int16_t>(x.v[1] >> n)}}; }

inline u8 set8(uint8_t x) { return {{x, x, x, x}}; }
inline s8 set8(int8_t x) { return {{x, x, x, x}}; }
inline u8 load(const uint8_t* p) { return {{p[0], p[1], p[2], p[3]}}; }
inline s8 load(const int8_t* p) { return {{p[0], p[1], p[2], p[3]}}; }
inline void store(uint8_t* p, u8 x) { std::memcpy(p, x.v, sizeof(x.v)); }
inline void store(int8_t* p, s8 x) { std::memcpy(p, x.v, sizeof(x.v)); }

inline i16 widen_low(u8 x) { return {{x.v[0], x.v[1]}}; }
inline i16 widen_high(u8 x) { return {{x.v[2], x.v[3]}}; }
inline i32 widen_low(i16 x) { return {x.v[0]}; }
inline i32 widen_high(i16 x) { return {x.v[1]}; }
inline i16 narrow_i16(i32 low, i32 high) { return {{clamp_i16(low.v), clamp_i16(high.v)}}; }
inline u8 narrow_u8(i16 low, i16 high) {
  u8 y{};
  for (int i = 0; i < 4; ++i) {
    const int16_t x = i < 2 ? low.v[i] : high.v[i - 2];
    y.v[i] = static_cast<uint8_t>(x < 0 ? 0 : x > 255 ? 255 : x);
  }
  return y;
}
inline s8 narrow_s8(i16 low, i16 high) {
  s8 y{};
  for (int i = 0; i < 4; ++i) {
    const int16_t x = i < 2 ? low.v[i] : high.v[i - 2];
    y.v[i] = static_cast<int8_t>(x < -128 ? -128 : x > 127 ? 127 : x);
  }
  return y;
}
inline i32 dot4(i32 acc, u8 a, s8 b) {
  int32_t total = acc.v;
  for (int i = 0; i < 4; ++i) total += static_cast<int32_t>(a.v[i]) * b.v[i];
  return {total};
}

}  // namespace vision::simd::scalar
