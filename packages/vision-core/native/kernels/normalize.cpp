#include "normalize.hpp"

#include "vision/simd.hpp"

#if VISION_ISA_IS_AVX2 || VISION_ISA_IS_AVX512
#include <immintrin.h>
#elif VISION_ISA_IS_NEON
#include <arm_neon.h>
#endif

namespace vision_core {
namespace VISION_ISA_NAMESPACE {
namespace {

namespace simd = vision::simd::VISION_ISA_NAMESPACE;
using simd::f32;
using simd::i16;
using simd::u8;

constexpr float per_step = static_cast<float>(1.0 / 255.0);

// Calls body(k, x) for the four quarters of a vector of bytes.
template <class Body>
inline void quarters(const uint8_t* in, const Body& body) {
  const u8 bytes = simd::load(in);
  const i16 low = simd::widen_low(bytes), high = simd::widen_high(bytes);
  const f32 unit = simd::set(per_step);
  body(0, simd::mul(simd::to_f32(simd::widen_low(low)), unit));
  body(1, simd::mul(simd::to_f32(simd::widen_high(low)), unit));
  body(2, simd::mul(simd::to_f32(simd::widen_low(high)), unit));
  body(3, simd::mul(simd::to_f32(simd::widen_high(high)), unit));
}

void scale(const uint8_t* in, int64_t count, float* out) {
  int64_t i = 0;
  for (; i + u8::lanes <= count; i += u8::lanes)
    quarters(in + i, [&](int k, f32 x) { simd::store(out + i + k * f32::lanes, x); });
  for (; i < count; ++i) out[i] = static_cast<float>(in[i]) * per_step;
}

// Calls body(first value, values) for runs that are as long as the tables.
template <class Body>
inline void turns(int64_t count, int channels, const Body& body) {
  const int64_t turn = static_cast<int64_t>(normalize_turn) * channels;
  for (int64_t start = 0; start < count; start += turn) body(start, count - start < turn ? count - start : turn);
}

void normalize(const uint8_t* in, int64_t count, const float* mean, const float* std, int channels, float* out) {
  turns(count, channels, [&](int64_t start, int64_t n) {
    const uint8_t* from = in + start;
    float* to = out + start;
    int64_t j = 0;
    for (; j + u8::lanes <= n; j += u8::lanes)
      quarters(from + j, [&](int k, f32 x) {
        const int64_t at = j + k * f32::lanes;
        simd::store(to + at, simd::div(simd::sub(x, simd::load(mean + at)), simd::load(std + at)));
      });
    for (; j < n; ++j) to[j] = (static_cast<float>(from[j]) * per_step - mean[j]) / std[j];
  });
}

void normalize_f32(const float* in, int64_t count, const float* mean, const float* std, int channels, float* out) {
  turns(count, channels, [&](int64_t start, int64_t n) {
    int64_t j = 0;
    for (; j + f32::lanes <= n; j += f32::lanes)
      simd::store(out + start + j,
                  simd::div(simd::sub(simd::load(in + start + j), simd::load(mean + j)), simd::load(std + j)));
    for (; j < n; ++j) out[start + j] = (in[start + j] - mean[j]) / std[j];
  });
}

inline uint32_t bits_of(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, 4);
  return bits;
}

// The arithmetic of IEEE 754: the format's own step at the magnitude of x is added and taken away again, in integers.
inline uint16_t half_of(float x) {
  const uint32_t bits = bits_of(x), sign = bits >> 16 & 0x8000, rest = bits & 0x7fffffff;
  if (rest > 0x7f800000) return static_cast<uint16_t>(sign | 0x7e00);
  if (rest >= 0x47800000) return static_cast<uint16_t>(sign | 0x7c00);
  if (rest < 0x38800000) {  // below the smallest normal number
    float magnitude;
    std::memcpy(&magnitude, &rest, 4);
    return static_cast<uint16_t>(sign | (bits_of(magnitude + 0.5f) - 0x3f000000));
  }
  return static_cast<uint16_t>(sign | ((rest + 0xfff + (rest >> 13 & 1) - 0x38000000) >> 13));
}

void to_float16(const float* in, int64_t count, uint16_t* out) {
  int64_t i = 0;
#if VISION_ISA_IS_AVX2 || VISION_ISA_IS_AVX512
  for (; i + 8 <= count; i += 8)
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i), _mm256_cvtps_ph(_mm256_loadu_ps(in + i), 0));
#elif VISION_ISA_IS_NEON
  for (; i + 4 <= count; i += 4)
    vst1_u16(out + i, vreinterpret_u16_f16(vcvt_f16_f32(vld1q_f32(in + i))));
#endif
  for (; i < count; ++i) out[i] = half_of(in[i]);
}

void to_bfloat16(const float* in, int64_t count, uint16_t* out) {  // compilers make vectors of it
  for (int64_t i = 0; i < count; ++i) {
    const uint32_t bits = bits_of(in[i]), rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    out[i] = static_cast<uint16_t>((bits & 0x7fffffff) > 0x7f800000 ? 0x7fc0 : rounded);
  }
}

}  // namespace
}  // namespace VISION_ISA_NAMESPACE

VISION_DEFINE_KERNELS(NormalizeKernels, normalize_kernels) = {
    &VISION_ISA_NAMESPACE::scale, &VISION_ISA_NAMESPACE::normalize, &VISION_ISA_NAMESPACE::normalize_f32, &VISION_ISA_NAMESPACE::to_float16,
    &VISION_ISA_NAMESPACE::to_bfloat16};

}  // namespace vision_core
