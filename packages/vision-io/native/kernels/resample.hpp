// The two passes of a separable resize from planes of bytes to planes of floats.
#pragma once

#include <cstddef>
#include <cstdint>

#include "vision/dispatch.hpp"

namespace vision_io {

// Rows of floats need this many values of slack, which must be finite numbers.
constexpr int resample_slack = 32;
constexpr int resample_group = 16;

// Which samples make one output sample: `count` from `first` on, with `count` weights in a row of a table.
struct Taps {
  int first, count;
};

// The horizontal filter, twice: per output sample, and for groups of 16 neighbours that read a window of 32 samples.
struct AcrossPlan {
  const Taps* taps;
  const float* weights;  // weights[x * stride + t]
  int stride, width;
  int most;                 // taps of any output sample
  bool grouped;             // all groups fit their windows
  const int32_t* base;      // of each group: where its window starts
  const int32_t* offset;    // of each output sample: its first tap, from the base on
  const float* by_group;    // by_group[(group * most + t) * 16 + lane], zeros behind the last tap
};

struct ResampleKernels {
  // out[x] = sum of weights[t] * rows[t][x]
  void (*blend)(const uint8_t* const* rows, const float* weights, int taps, int width, float* out);
  // Output x of plane c = factor[c] * (weighted sum of rows[c]) + bias[c]. `pixels`: room for 4 floats per sample.
  void (*across)(const float* const* rows, int channels, int from_width, const AcrossPlan& plan, const float* factor,
                 const float* bias, float* pixels, float* out, ptrdiff_t channel_stride);
  // Clipped to 0..255 and rounded. Reads up to 63 floats behind the last.
  void (*to_bytes)(const float* values, int count, uint8_t* out);
};
VISION_DECLARE_KERNELS(ResampleKernels, resample_kernels)

}  // namespace vision_io
