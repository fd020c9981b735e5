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

  // One line of one frame of results from the planes of a sample; `padded` has room for `padded_floats()`.
  void make(const float* sample, int64_t frame, int64_t line, float* padded, const StemTarget& target);
  int64_t padded_floats() const { return w_.kernel[0] * w_.kernel[1] * w_.in_channels * row_floats(); }

 private:
  int64_t row_floats() const { return (y_.w - 1) * g_.stride[2] + (w_.kernel[2] - 1) * g_.dilation[2] + 1; }

  const Value &x_, &y_;
  const ConvWeights& w_;
  const Geometry& g_;
  int32_t activation_;
  std::vector<StemRow> rows_;
};

}  // namespace accel_mobile
