#include "kernels/depthwise_f32.hpp"

#include "kernels/activation.hpp"

namespace accel_mobile {
namespace VISION_ISA_NAMESPACE {

// Outputs side by side that share loaded inputs and weights.
#if VISION_ISA_IS_AVX512
constexpr int block = 5;
#else
constexpr int block = 4;
#endif

// `outputs` results from column `first` of the input on. With `edge`, columns outside the row are left out.
template <int kernel, int stride, int outputs, bool edge>
static void outputs_of(const DepthwiseF32& d, int64_t out, int64_t first) {
  constexpr int columns = (outputs - 1) * stride + kernel;
  for (int64_t c = 0; c < d.channels; c += f32::lanes) {
    f32 sum[outputs];
#pragma GCC unroll 8
    for (int o = 0; o < outputs; ++o) sum[o] = load(d.bias + c);
    for (int64_t r = 0; r < d.row_count; ++r) {
      const float* x = d.rows[r] + first * d.channels + c;
      f32 w[kernel];
#pragma GCC unroll 8
      for (int k = 0; k < kernel; ++k) w[k] = load(d.weights[r] + k * d.channels + c);
#pragma GCC unroll 16
      for (int j = 0; j < columns; ++j) {
        if (edge && static_cast<uint64_t>(first + j) >= static_cast<uint64_t>(d.in_width)) continue;
        const f32 value = load(x + j * d.channels);
#pragma GCC unroll 8
        for (int k = 0; k < kernel; ++k) {
          const int o = (j - k) / stride;
          if (j >= k && (j - k) % stride == 0 && o < outputs) sum[o] = fma(value, w[k], sum[o]);
        }
      }
    }
#pragma GCC unroll 8
    for (int o = 0; o < outputs; ++o) store(d.y + (out + o) * d.channels + c, sum[o]);
  }
}

template <int kernel, int stride, int outputs>
static void some(const DepthwiseF32& d, int64_t out) {
  const int64_t first = out * stride - d.padding, end = first + (outputs - 1) * stride + kernel;
  if (first < 0 || end > d.in_width) {
    outputs_of<kernel, stride, outputs, true>(d, out, first);
  } else {
    outputs_of<kernel, stride, outputs, false>(d, out, first);
  }
}

template <int kernel, int stride, int outputs>
static void rest(const DepthwiseF32& d, int64_t out) {
  if constexpr (outputs > 0) {
    if (d.out_width - out == outputs) return some<kernel, stride, outputs>(d, out);
    rest<kernel, stride, outputs - 1>(d, out);
  }
}

template <int kernel, int stride>
static void unrolled(const DepthwiseF32& d) {
  int64_t out = 0;
  for (; d.out_width - out >= block; out += block) some<kernel, stride, block>(d, out);
  rest<kernel, stride, block - 1>(d, out);
}

static void any(const DepthwiseF32& d) {
  for (int64_t out = 0; out < d.out_width; ++out) {
    for (int64_t c = 0; c < d.channels; c += f32::lanes) {
      f32 sum = load(d.bias + c);
      for (int64_t r = 0; r < d.row_count; ++r) {
        for (int64_t k = 0; k < d.kernel; ++k) {
          const int64_t column = out * d.stride - d.padding + k * d.dilation;
          if (column < 0 || column >= d.in_width) continue;
          sum = fma(load(d.rows[r] + column * d.channels + c), load(d.weights[r] + k * d.channels + c), sum);
        }
      }
      store(d.y + out * d.channels + c, sum);
    }
  }
}

static void row(const DepthwiseF32& d) {
  const bool dense = d.dilation == 1;
  if (dense && d.kernel == 3 && d.stride == 1) {
    unrolled<3, 1>(d);
  } else if (dense && d.kernel == 3 && d.stride == 2) {
    unrolled<3, 2>(d);
  } else if (dense && d.kernel == 1 && d.stride == 1) {
    unrolled<1, 1>(d);
  } else {
    any(d);
  }
  activate(d.y, d.out_width * d.channels, static_cast<Activation>(d.activation));
}

}  // namespace VISION_ISA_NAMESPACE

VISION_DEFINE_KERNELS(DepthwiseF32Kernels, depthwise_f32) = {&VISION_ISA_NAMESPACE::row};

}  // namespace accel_mobile
