// Lines of a convolution whose input is what the caller handed over: planes of floats.
#pragma once

#include <vector>

#include "plan/convolution.hpp"

namespace accel_mobile {

// A range of vectors of channels, and where they go.
struct StemTarget {
  int64_t first_vector, vectors;
  float* y;
  int64_t y_position, y_vector;
};

class StemLines {
 public:
  // `x`, `y`: sizes of the input and of the convolution's result.
  StemLines(const Value& x, const Value& y, const ConvWeights& weights, const Geometry& geometry, int32_t activation)
      : x_(x), y_(y), w_(weights), g_(geometry), activation_(activation) {}

  // `count` results from column `first` of a line of a frame, from the planes of a sample; `padded` has room for
  // `padded_floats(count)`.
  void make(const float* sample, int64_t frame, int64_t line, int64_t first, int64_t count, float* padded, const StemTarget& target);
  // Asks for the memory that a line of a frame reads: rows lie far apart, the processor does not foresee the next.
  void fetch(const float* sample, int64_t frame, int64_t line) const;
  int64_t padded_floats(int64_t count) const { return w_.kernel[0] * w_.kernel[1] * w_.in_channels * row_floats(count); }

 private:
  // What `count` results read of a row.
  int64_t row_floats(int64_t count) const { return (count - 1) * g_.stride[2] + (w_.kernel[2] - 1) * g_.dilation[2] + 1; }
  const float* row(const float* from, int64_t low, int64_t length, float* padded) const;

  const Value &x_, &y_;
  const ConvWeights& w_;
  const Geometry& g_;
  int32_t activation_;
  std::vector<StemRow> rows_;
};

}  // namespace accel_mobile
