#include "resample.hpp"

#include <cstring>

namespace vision_io {
namespace VISION_ISA_NAMESPACE {

// Four channels of a pixel. The compiler maps it to whatever the ISA has; sums have the same order on all of them.
typedef float pixel __attribute__((vector_size(16)));

static void blend(const uint8_t* const* rows, const float* weights, int taps, int width, int channel, float* __restrict sums,
                  float* __restrict out) {
  for (int x = 0; x < width; ++x) sums[x] = weights[0] * static_cast<float>(rows[0][x]);
  for (int t = 1; t < taps; ++t) {
    const uint8_t* __restrict row = rows[t];
    const float weight = weights[t];
    for (int x = 0; x < width; ++x) sums[x] += weight * static_cast<float>(row[x]);
  }
  for (int x = 0; x < width; ++x) out[4 * static_cast<ptrdiff_t>(x) + channel] = sums[x];
}

static inline pixel load_pixel(const float* p) {
  pixel x;
  memcpy(&x, p, sizeof x);
  return x;
}

static void across(const float* pixels, const Taps* taps, const float* weights, int weight_stride, int width, bool flip,
                   const float* factor, const float* bias, int channels, float* out, ptrdiff_t channel_stride) {
  const pixel scale = load_pixel(factor), offset = load_pixel(bias);
  for (int x = 0; x < width; ++x) {
    const float* from = pixels + 4 * static_cast<ptrdiff_t>(taps[x].first);
    const float* weight = weights + static_cast<ptrdiff_t>(x) * weight_stride;
    pixel sum = load_pixel(from) * weight[0];
    for (int t = 1; t < taps[x].count; ++t) sum += load_pixel(from + 4 * t) * weight[t];
    sum = sum * scale + offset;
    float* to = out + (flip ? width - 1 - x : x);
    for (int c = 0; c < channels; ++c) to[c * channel_stride] = sum[c];
  }
}

}  // namespace VISION_ISA_NAMESPACE

VISION_DEFINE_KERNELS(ResampleKernels, resample_kernels) = {&VISION_ISA_NAMESPACE::blend, &VISION_ISA_NAMESPACE::across};

}  // namespace vision_io
