#include "smooth.hpp"

#include "vision/simd.hpp"

namespace vision_core {
namespace VISION_ISA_NAMESPACE {
namespace {

namespace simd = vision::simd::VISION_ISA_NAMESPACE;
using simd::f32;
using simd::i16;
using simd::i32;
using simd::u8;

// Calls vector(i) for whole vectors, the last of which may overlap the one before, or value(i) where none fits.
template <class Vector, class Value>
inline void over(int64_t count, int64_t lanes, const Vector& vector, const Value& value) {
  if (count < lanes) {
    for (int64_t i = 0; i < count; ++i) value(i);
    return;
  }
  for (int64_t i = 0; i + lanes <= count; i += lanes) vector(i);
  if (count % lanes) vector(count - lanes);
}

inline int32_t mul_q15(int32_t a, int32_t b) { return (a * b + 0x4000) >> 15; }

// Both neighbours of a pair are added before they are weighed: with 6 bits behind the point the sum fits 16 bits.
void down_8(const uint8_t* const* rows, const int16_t* weights, int radius, int64_t count, int16_t* out) {
  over(
      count, u8::lanes,
      [&](int64_t i) {
        const u8 centre = simd::load(rows[radius] + i);
        const i16 first = simd::set16(weights[0]);
        i16 low = simd::mul_q15(simd::shift_left<blur_bits>(simd::widen_low(centre)), first);
        i16 high = simd::mul_q15(simd::shift_left<blur_bits>(simd::widen_high(centre)), first);
        for (int k = 1; k <= radius; ++k) {
          const u8 a = simd::load(rows[radius - k] + i), b = simd::load(rows[radius + k] + i);
          const i16 weight = simd::set16(weights[k]);
          const i16 sum_low = simd::add(simd::widen_low(a), simd::widen_low(b));
          const i16 sum_high = simd::add(simd::widen_high(a), simd::widen_high(b));
          low = simd::add(low, simd::mul_q15(simd::shift_left<blur_bits>(sum_low), weight));
          high = simd::add(high, simd::mul_q15(simd::shift_left<blur_bits>(sum_high), weight));
        }
        simd::store(out + i, low);
        simd::store(out + i + i16::lanes, high);
      },
      [&](int64_t i) {
        int32_t sum = mul_q15(rows[radius][i] << blur_bits, weights[0]);
        for (int k = 1; k <= radius; ++k)
          sum += mul_q15((rows[radius - k][i] + rows[radius + k][i]) << blur_bits, weights[k]);
        out[i] = static_cast<int16_t>(sum);
      });
}

inline i16 along_vector(const int16_t* in, const int16_t* weights, int radius, int64_t step) {
  i16 sum = simd::add(simd::mul_q15(simd::load(in), simd::set16(weights[0])), simd::set16(1 << (blur_bits - 1)));
  for (int k = 1; k <= radius; ++k) {
    const i16 pair = simd::add_saturated(simd::load(in - k * step), simd::load(in + k * step));
    sum = simd::add(sum, simd::mul_q15(pair, simd::set16(weights[k])));
  }
  return simd::shift_right<blur_bits>(sum);
}

void along_8(const int16_t* in, const int16_t* weights, int radius, int64_t step, int64_t count, uint8_t* out) {
  over(
      count, u8::lanes,
      [&](int64_t i) {
        simd::store(out + i, simd::narrow_u8(along_vector(in + i, weights, radius, step),
                                             along_vector(in + i + i16::lanes, weights, radius, step)));
      },
      [&](int64_t i) {
        int32_t sum = mul_q15(in[i], weights[0]) + (1 << (blur_bits - 1));
        for (int k = 1; k <= radius; ++k) {
          const int32_t pair = in[i - k * step] + in[i + k * step];
          sum += mul_q15(pair < 32767 ? pair : 32767, weights[k]);
        }
        sum >>= blur_bits;
        out[i] = static_cast<uint8_t>(sum < 0 ? 0 : sum > 255 ? 255 : sum);
      });
}

void down_f32(const float* const* rows, const float* weights, int radius, int64_t count, float* out) {
  over(
      count, f32::lanes,
      [&](int64_t i) {
        f32 sum = simd::mul(simd::load(rows[radius] + i), simd::set(weights[0]));
        for (int k = 1; k <= radius; ++k)
          sum = simd::fma(simd::add(simd::load(rows[radius - k] + i), simd::load(rows[radius + k] + i)),
                          simd::set(weights[k]), sum);
        simd::store(out + i, sum);
      },
      [&](int64_t i) {
        float sum = rows[radius][i] * weights[0];
        for (int k = 1; k <= radius; ++k) sum += (rows[radius - k][i] + rows[radius + k][i]) * weights[k];
        out[i] = sum;
      });
}

void along_f32(const float* in, const float* weights, int radius, int64_t count, float* out) {
  over(
      count, f32::lanes,
      [&](int64_t i) {
        f32 sum = simd::mul(simd::load(in + i), simd::set(weights[0]));
        for (int k = 1; k <= radius; ++k)
          sum = simd::fma(simd::add(simd::load(in + i - k), simd::load(in + i + k)), simd::set(weights[k]), sum);
        simd::store(out + i, sum);
      },
      [&](int64_t i) {
        float sum = in[i] * weights[0];
        for (int k = 1; k <= radius; ++k) sum += (in[i - k] + in[i + k]) * weights[k];
        out[i] = sum;
      });
}

// A thirteenth, rounded to nearest: exact for all sums of 13 bytes.
constexpr int16_t thirteenth = 5042;  // of 2^16

template <class Widen>
inline i16 smoothed(const uint8_t* above, const uint8_t* row, const uint8_t* below, int64_t step, const Widen& widen) {
  i16 sum = simd::shift_left<2>(widen(simd::load(row)));
  for (int64_t at = -step; at <= step; at += step)
    sum = simd::add(simd::add(simd::add(sum, widen(simd::load(above + at))), widen(simd::load(row + at))),
                    widen(simd::load(below + at)));
  return simd::mul_high(simd::add(sum, simd::set16(6)), simd::set16(thirteenth));
}

// row + rest * (smooth - row), cut to what a byte holds and rounded down.
inline i16 move_to(i16 row, i16 smooth, f32 rest) {
  const i16 change = simd::sub(smooth, row);
  const f32 none = simd::set(0.0f), full = simd::set(255.0f);
  const auto half = [&](i32 x, i32 d) {
    const f32 y = simd::fma(simd::to_f32(d), rest, simd::to_f32(x));
    return simd::truncate_to_i32(simd::min(simd::max(y, none), full));
  };
  return simd::narrow_i16(half(simd::widen_low(row), simd::widen_low(change)),
                          half(simd::widen_high(row), simd::widen_high(change)));
}

void sharpen(const uint8_t* above, const uint8_t* row, const uint8_t* below, int64_t step, int64_t count, float rest,
             uint8_t* out) {
  const f32 rest_vector = simd::set(rest);
  over(
      count, u8::lanes,
      [&](int64_t i) {
        const auto low = [](u8 x) { return simd::widen_low(x); };
        const auto high = [](u8 x) { return simd::widen_high(x); };
        const u8 here = simd::load(row + i);
        simd::store(out + i,
                    simd::narrow_u8(
                        move_to(low(here), smoothed(above + i, row + i, below + i, step, low), rest_vector),
                        move_to(high(here), smoothed(above + i, row + i, below + i, step, high), rest_vector)));
      },
      [&](int64_t i) {
        int32_t sum = 4 * row[i] + 6;
        for (int64_t at = i - step; at <= i + step; at += step) sum += above[at] + row[at] + below[at];
        const float x = row[i], y = x + (static_cast<float>(sum / 13) - x) * rest;
        out[i] = static_cast<uint8_t>(y < 0 ? 0.0f : y > 255 ? 255.0f : y);
      });
}

}  // namespace
}  // namespace VISION_ISA_NAMESPACE

VISION_DEFINE_KERNELS(SmoothKernels, smooth_kernels) = {
    &VISION_ISA_NAMESPACE::down_8,    &VISION_ISA_NAMESPACE::along_8, &VISION_ISA_NAMESPACE::down_f32,
    &VISION_ISA_NAMESPACE::along_f32, &VISION_ISA_NAMESPACE::sharpen};

}  // namespace vision_core
