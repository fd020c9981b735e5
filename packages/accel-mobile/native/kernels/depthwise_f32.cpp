#include "kernels/depthwise_f32.hpp"

#include "kernels/activation.hpp"

namespace accel_mobile {
namespace VISION_ISA_NAMESPACE {

// The most outputs side by side that share loaded inputs and weights.
constexpr int most_outputs = 8;

static void silu_in_place(const DepthwiseF32& d, float* y, int outputs) {
  for (int64_t frame = 0; frame < d.frames; ++frame, y += d.y_frame)
    for (int o = 0; o < outputs; ++o) store(y + o * d.y_position, activated<Activation::silu>(load(y + o * d.y_position)));
}

// `outputs` results of every frame from column `first` of the input on. All frames of one vector of channels come one
// after the other: their inputs overlap, and stay in the nearest cache. With `edge`, columns outside are left out.
template <int kernel, int stride, int outputs, bool edge>
static void outputs_of(const DepthwiseF32& d, int64_t out, int64_t first) {
  constexpr int columns = (outputs - 1) * stride + kernel;
  const bool silu = static_cast<Activation>(d.activation) == Activation::silu;
  const f32 lowest = set(static_cast<Activation>(d.activation) == Activation::relu ? 0.0f : -__builtin_inff());
  const int64_t position = d.x_position, y_position = d.y_position;
  for (int64_t v = 0; v < d.vectors; ++v) {
    const float* inputs = d.x + v * d.x_vector + first * position;
    const float* weights = d.weight + v * d.weight_vector;
    const f32 bias = load(d.bias + v * f32::lanes);
    float* y = d.y + out * y_position + v * f32::lanes;
    // Results of the next vector, or of the next outputs: far apart as they lie, the processor does not foresee them.
    const int64_t next = v + 1 < d.vectors ? f32::lanes : outputs * y_position - v * f32::lanes;
    for (int64_t frame = 0; frame < d.frames; ++frame, y += d.y_frame) {
#pragma GCC unroll 8
      for (int o = 0; o < outputs; ++o) __builtin_prefetch(y + next + o * y_position, 1);
      f32 sum[outputs];
#pragma GCC unroll 8
      for (int o = 0; o < outputs; ++o) sum[o] = bias;
      for (int64_t tap = d.first_tap[frame]; tap < d.first_tap[frame + 1]; ++tap) {
        const float* x = inputs + d.taps[tap].x;
        f32 w[kernel];
#pragma GCC unroll 8
        for (int k = 0; k < kernel; ++k) w[k] = load(weights + d.taps[tap].weight + k * f32::lanes);
#pragma GCC unroll 32
        for (int j = 0; j < columns; ++j) {
          if (edge && static_cast<uint64_t>(first + j) >= static_cast<uint64_t>(d.in_width)) continue;
          const f32 value = load(x + j * position);
#pragma GCC unroll 8
          for (int k = 0; k < kernel; ++k) {
            const int o = (j - k) / stride;
            if (j >= k && (j - k) % stride == 0 && o < outputs) sum[o] = fma(value, w[k], sum[o]);
          }
        }
      }
#pragma GCC unroll 8
      for (int o = 0; o < outputs; ++o) store(y + o * y_position, max(sum[o], lowest));
    }
    // Apart from the sums: in between, one would wait for the other's latency.
    if (silu) silu_in_place(d, y - d.frames * d.y_frame, outputs);
  }
}

template <int kernel, int stride, int outputs>
static void some(const DepthwiseF32& d, int64_t out, int64_t count) {
  if constexpr (outputs > 0) {
    if (count != outputs) return some<kernel, stride, outputs - 1>(d, out, count);
    const int64_t first = out * stride - d.padding, end = first + (outputs - 1) * stride + kernel;
    if (first < 0 || end > d.in_width) {
      outputs_of<kernel, stride, outputs, true>(d, out, first);
    } else {
      outputs_of<kernel, stride, outputs, false>(d, out, first);
    }
  }
}

// Pieces of equal size, so that none is too short to fill the arithmetic units.
template <int kernel, int stride>
static void unrolled(const DepthwiseF32& d) {
  const int64_t pieces = (d.out_width + most_outputs - 1) / most_outputs;
  for (int64_t i = 0; i < pieces; ++i) {
    const int64_t out = d.out_width * i / pieces;
    some<kernel, stride, most_outputs>(d, out, d.out_width * (i + 1) / pieces - out);
  }
}

static void any(const DepthwiseF32& d) {
  for (int64_t v = 0; v < d.vectors; ++v) {
    for (int64_t frame = 0; frame < d.frames; ++frame) {
      for (int64_t out = 0; out < d.out_width; ++out) {
        f32 sum = load(d.bias + v * f32::lanes);
        for (int64_t tap = d.first_tap[frame]; tap < d.first_tap[frame + 1]; ++tap) {
          const float* x = d.x + v * d.x_vector + d.taps[tap].x;
          const float* w = d.weight + v * d.weight_vector + d.taps[tap].weight;
          for (int64_t k = 0; k < d.kernel; ++k) {
            const int64_t column = out * d.stride - d.padding + k * d.dilation;
            if (column < 0 || column >= d.in_width) continue;
            sum = fma(load(x + column * d.x_position), load(w + k * f32::lanes), sum);
          }
        }
        store(d.y + frame * d.y_frame + out * d.y_position + v * f32::lanes, sum);
      }
    }
  }
  for (int64_t frame = 0; frame < d.frames; ++frame)
    for (int64_t out = 0; out < d.out_width; ++out)
      activate(d.y + frame * d.y_frame + out * d.y_position, d.vectors * f32::lanes, static_cast<Activation>(d.activation));
}

static void line(const DepthwiseF32& d) {
  const Activation activation = static_cast<Activation>(d.activation);
  const bool joined = activation == Activation::none || activation == Activation::relu || activation == Activation::silu;
  const bool dense = joined && d.dilation == 1;
  if (dense && d.kernel == 3 && d.stride == 1) {
    unrolled<3, 1>(d);
  } else if (dense && d.kernel == 3 && d.stride == 2) {
    unrolled<3, 2>(d);
  } else if (dense && d.kernel == 1 && d.stride == 1) {
    unrolled<1, 1>(d);
  } else {
    any(d);
  }
}

}  // namespace VISION_ISA_NAMESPACE

VISION_DEFINE_KERNELS(DepthwiseF32Kernels, depthwise_f32) = {vision::simd::VISION_ISA_NAMESPACE::f32::lanes,
                                                             &VISION_ISA_NAMESPACE::line};

}  // namespace accel_mobile
