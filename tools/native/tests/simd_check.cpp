#include "simd_check.hpp"

#include "vision/simd.hpp"

namespace vision_test {
namespace VISION_ISA_NAMESPACE {

using namespace vision::simd::VISION_ISA_NAMESPACE;

static void f32_arithmetic(const Arrays& x, float* out) {
  for (int k = 0; k < x.count; k += f32::lanes) {
    const f32 a = load(x.a + k), b = load(x.b + k), c = load(x.c + k);
    const f32 results[8] = {add(a, b), sub(a, b), mul(a, b), div(a, b), fma(a, b, c), min(a, b), max(a, b), set(1.5f)};
    for (int r = 0; r < 8; ++r) store(out + r * x.count + k, results[r]);
  }
}

static void f32_compare(const Arrays& x, float* out) {
  for (int k = 0; k < x.count; k += f32::lanes) {
    const f32 a = load(x.a + k), b = load(x.b + k);
    const mask masks[4] = {lt(a, b), le(a, b), gt(a, b), ge(a, b)};
    for (int r = 0; r < 4; ++r) {
      const f32 chosen = select(masks[r], set(1.0f), set(0.0f));
      store(out + r * x.count + k, chosen);
      const bool wrong = any(masks[r]) != (bits(masks[r]) != 0);
      for (int lane = 0; lane < f32::lanes; ++lane)
        if (wrong || ((bits(masks[r]) >> lane) & 1u) != (out[r * x.count + k + lane] == 1.0f)) out[r * x.count + k] = -1.0f;
    }
  }
}

static void f32_partial(const Arrays& x, int n, float* out) {
  store(out, set(-1.0f));
  store_first(out, load_first(x.a, n), n);
}

static void convert(const Arrays& x, int32_t* out) {
  for (int k = 0; k < x.count; k += f32::lanes) {
    const f32 value = add(load(x.a + k), to_f32(set(int32_t{3})));
    store(out + k, round_to_i32(value));
    store(out + x.count + k, truncate_to_i32(value));
  }
}

static void i32_arithmetic(const Arrays& x, int32_t* out) {
  for (int k = 0; k < x.count; k += i32::lanes) {
    const i32 a = load(x.i + k), b = load(x.j + k);
    const i32 results[7] = {add(a, b),         sub(a, b),          mul(a, b), select(gt(a, b), a, b),
                            shift_left<3>(a), shift_right<5>(a), min(max(a, b), set(int32_t{1000}))};
    for (int r = 0; r < 7; ++r) store(out + r * x.count + k, results[r]);
  }
}

static void i16_arithmetic(const Arrays& x, int16_t* out) {
  for (int k = 0; k < x.count; k += i16::lanes) {
    const i16 a = load(x.s + k), b = load(x.t + k);
    const i16 results[11] = {add(a, b),      sub(a, b), add_saturated(a, b), sub_saturated(a, b), mul_low(a, b),
                             mul_high(a, b), min(a, b), max(a, b),           shift_left<2>(a),    shift_right<3>(a),
                            mul_q15(a, b)};
    for (int r = 0; r < 11; ++r) store(out + r * x.count + k, results[r]);
  }
}

static void widen(const Arrays& x, int16_t* from_u8, int32_t* from_i16) {
  for (int k = 0; k < x.count; k += u8::lanes) {
    const u8 bytes = load(x.u + k);
    store(from_u8 + k, widen_low(bytes));
    store(from_u8 + k + i16::lanes, widen_high(bytes));
  }
  for (int k = 0; k < x.count; k += i16::lanes) {
    const i16 words = load(x.s + k);
    store(from_i16 + k, widen_low(words));
    store(from_i16 + k + i32::lanes, widen_high(words));
  }
}

static void narrow(const Arrays& x, int16_t* to_i16, uint8_t* to_u8, int8_t* to_s8) {
  for (int k = 0; k < x.count; k += i16::lanes) store(to_i16 + k, narrow_i16(load(x.i + k), load(x.i + k + i32::lanes)));
  for (int k = 0; k < x.count; k += u8::lanes) {
    const i16 low = load(x.s + k), high = load(x.s + k + i16::lanes);
    store(to_u8 + k, narrow_u8(low, high));
    store(to_s8 + k, narrow_s8(low, high));
  }
}

static void dot4_all(const Arrays& x, int32_t* out) {
  for (int k = 0; k < x.count; k += u8::lanes) store(out + k / 4, dot4(load(x.i + k / 4), load(x.u + k), load(x.v + k)));
}

}  // namespace VISION_ISA_NAMESPACE

VISION_DEFINE_KERNELS(SimdChecks, simd_checks) = {
    &VISION_ISA_NAMESPACE::f32_arithmetic, &VISION_ISA_NAMESPACE::f32_compare,    &VISION_ISA_NAMESPACE::f32_partial,
    &VISION_ISA_NAMESPACE::convert,        &VISION_ISA_NAMESPACE::i32_arithmetic, &VISION_ISA_NAMESPACE::i16_arithmetic,
    &VISION_ISA_NAMESPACE::widen,          &VISION_ISA_NAMESPACE::narrow,         &VISION_ISA_NAMESPACE::dot4_all,
    vision::simd::VISION_ISA_NAMESPACE::f32::lanes};

}  // namespace vision_test
