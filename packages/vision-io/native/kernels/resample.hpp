// The two passes of a separable resize from planes of bytes to planes of floats.
#pragma once

#include <cstddef>
#include <cstdint>

#include "vision/dispatch.hpp"

namespace vision_io {

// Which samples make one output sample: `count` from `first` on, with `count` weights in a row of a table.
struct Taps {
  int first, count;
};

struct ResampleKernels {
  // out[4 * x + channel] = sum of weights[t] * rows[t][x]; the other channels of `out` are left alone.
  void (*blend)(const uint8_t* const* rows, const float* weights, int taps, int width, int channel, float* sums, float* out);
  // Output x of plane c = factor[c] * (weighted sum of 4-channel pixels) + bias[c]. `flip` mirrors the row.
  void (*across)(const float* pixels, const Taps* taps, const float* weights, int weight_stride, int width, bool flip,
                 const float* factor, const float* bias, int channels, float* out, ptrdiff_t channel_stride);
};
VISION_DECLARE_KERNELS(ResampleKernels, resample_kernels)

}  // namespace vision_io
