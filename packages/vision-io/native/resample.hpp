// Bytes to resized, normalised floats: the antialiased triangle filter of the usual training pipelines.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/resample.hpp"

namespace vision_io {

struct BytePlanes {
  const uint8_t* pixels;
  int channels, height, width;
  ptrdiff_t channel_stride, row_stride;
};

struct FloatTarget {
  float* out;
  int height, width;
  bool flip;
  const float* factor;  // four values each: out = factor * byte + bias
  const float* bias;
  // In elements; 0: planes of height x width, one behind the other.
  ptrdiff_t channel_stride = 0, row_stride = 0;
  // Not floats but bytes are at `out`: clipped to 0..255 and rounded to the nearest, ties to even.
  bool bytes = false;
};

// False: no memory.
bool resize_normalised(const BytePlanes& from, const FloatTarget& to);

// The same for callers that make their rows one after the other. Everything is thread_local: one at a time per thread.
class RowResizer {
 public:
  // False: no memory.
  bool start(int channels, int height, int width, const FloatTarget& to);
  // Output row y needs the rows [first(y), first(y) + count(y)); first() never falls.
  int first(int y) const { return rows_[y].first; }
  int count(int y) const { return rows_[y].count; }
  int most_rows() const { return most_rows_; }
  // `rows`: the addresses of its rows, channel by channel.
  void write(int y, const uint8_t* const* rows) const;
  // Gives back what is large.
  static void end();

 private:
  FloatTarget to_;
  int channels_, width_, most_rows_;
  const Taps* rows_;
  const float* row_weights_;
  const AcrossPlan* across_;
  const ResampleKernels* kernels_;
  float *sums_, *pixels_, *line_;
};

}  // namespace vision_io
