// Between planes and packed blocks of channels: transposition.
#pragma once

#include "kernels/lanes.hpp"
#include "kernels/regions.hpp"

namespace vision_core {
namespace VISION_ISA_NAMESPACE {
namespace {

template <class T>
void pack_plain(const T* planes, int64_t plane_stride, int64_t begin, int64_t pixels, int first, int channels,
                T* packed) {
  constexpr int lanes = region_lanes<T>;
  for (int64_t p = begin; p < pixels; ++p)
    for (int c = first; c < lanes; ++c) packed[p * lanes + c] = c < channels ? planes[c * plane_stride + p] : T(0);
}

template <int lanes, class T>
void unpack_plain(const T* packed, int64_t begin, int64_t pixels, int first, int channels, T* planes,
                  int64_t plane_stride) {
  for (int c = first; c < channels; ++c)
    for (int64_t p = begin; p < pixels; ++p) planes[c * plane_stride + p] = packed[p * lanes + c];
}

#if VISION_ISA_IS_AVX512 || VISION_ISA_IS_AVX2 || VISION_ISA_IS_AVXVNNI
constexpr int tile = 8;
inline void transpose(const float* from, int64_t from_stride, float* to, int64_t to_stride) {
  __m256 r[8], t[8];
  for (int i = 0; i < 8; ++i) r[i] = _mm256_loadu_ps(from + i * from_stride);
  for (int i = 0; i < 8; i += 2) t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]), t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
  for (int i = 0; i < 8; i += 4) {
    r[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44), r[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
    r[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44), r[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
  }
  for (int i = 0; i < 4; ++i) {
    _mm256_storeu_ps(to + i * to_stride, _mm256_permute2f128_ps(r[i], r[i + 4], 0x20));
    _mm256_storeu_ps(to + (i + 4) * to_stride, _mm256_permute2f128_ps(r[i], r[i + 4], 0x31));
  }
}
#elif VISION_ISA_IS_SSE41
constexpr int tile = 4;
inline void transpose(const float* from, int64_t from_stride, float* to, int64_t to_stride) {
  __m128 a = _mm_loadu_ps(from), b = _mm_loadu_ps(from + from_stride), c = _mm_loadu_ps(from + 2 * from_stride),
         d = _mm_loadu_ps(from + 3 * from_stride);
  _MM_TRANSPOSE4_PS(a, b, c, d);
  _mm_storeu_ps(to, a);
  _mm_storeu_ps(to + to_stride, b);
  _mm_storeu_ps(to + 2 * to_stride, c);
  _mm_storeu_ps(to + 3 * to_stride, d);
}
#elif VISION_ISA_IS_NEON || VISION_ISA_IS_DOTPROD || VISION_ISA_IS_I8MM
constexpr int tile = 4;
inline void transpose(const float* from, int64_t from_stride, float* to, int64_t to_stride) {
  const float32x4x2_t ab = vtrnq_f32(vld1q_f32(from), vld1q_f32(from + from_stride));
  const float32x4x2_t cd = vtrnq_f32(vld1q_f32(from + 2 * from_stride), vld1q_f32(from + 3 * from_stride));
  vst1q_f32(to, vcombine_f32(vget_low_f32(ab.val[0]), vget_low_f32(cd.val[0])));
  vst1q_f32(to + to_stride, vcombine_f32(vget_low_f32(ab.val[1]), vget_low_f32(cd.val[1])));
  vst1q_f32(to + 2 * to_stride, vcombine_f32(vget_high_f32(ab.val[0]), vget_high_f32(cd.val[0])));
  vst1q_f32(to + 3 * to_stride, vcombine_f32(vget_high_f32(ab.val[1]), vget_high_f32(cd.val[1])));
}
#else
constexpr int tile = 1;
inline void transpose(const float* from, int64_t, float* to, int64_t) { std::memcpy(to, from, sizeof(*to)); }
#endif

inline void pack(const float* planes, int64_t plane_stride, int64_t pixels, int channels, float* packed) {
  constexpr int lanes = region_lanes<float>;
  const int whole = channels / tile * tile;
  int64_t p = 0;
  for (; p + tile <= pixels; p += tile)
    for (int c = 0; c < whole; c += tile)
      transpose(planes + c * plane_stride + p, plane_stride, packed + p * lanes + c, lanes);
  pack_plain(planes, plane_stride, p, pixels, 0, channels, packed);
  if (whole < lanes) pack_plain(planes, plane_stride, 0, p, whole, channels, packed);
}

inline void pack(const double* planes, int64_t plane_stride, int64_t pixels, int channels, double* packed) {
  pack_plain(planes, plane_stride, 0, pixels, 0, channels, packed);
}

// float, or anything else of 32 bits: the values are only moved.
template <class T>
void unpack_bits(const T* packed, int64_t pixels, int channels, T* planes, int64_t plane_stride) {
  static_assert(sizeof(T) == sizeof(float), "blocks of sixteen");
  constexpr int lanes = region_lanes<T>;
  const int whole = channels / tile * tile;
  const int64_t full = pixels / tile * tile;
  for (int c = 0; c < whole; c += tile)
    for (int64_t p = 0; p < full; p += tile)
      transpose(reinterpret_cast<const float*>(packed + p * lanes + c), lanes,
                reinterpret_cast<float*>(planes + c * plane_stride + p), plane_stride);
  unpack_plain<lanes>(packed, full, pixels, 0, whole, planes, plane_stride);
  unpack_plain<lanes>(packed, 0, pixels, whole, channels, planes, plane_stride);
}

inline void unpack(const float* packed, int64_t pixels, int channels, float* planes, int64_t plane_stride) {
  unpack_bits(packed, pixels, channels, planes, plane_stride);
}

inline void unpack(const double* packed, int64_t pixels, int channels, double* planes, int64_t plane_stride) {
  unpack_plain<region_lanes<double>>(packed, 0, pixels, 0, channels, planes, plane_stride);
}

}  // namespace
}  // namespace VISION_ISA_NAMESPACE
}  // namespace vision_core
