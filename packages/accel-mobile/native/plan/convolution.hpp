// Convolutions as operations of a program.
#pragma once

#include <memory>
#include <vector>

#include "plan/program.hpp"
#include "plan/weights.hpp"

namespace accel_mobile {

// How the taps lie: time, height, width.
struct Geometry {
  int64_t stride[3] = {1, 1, 1}, padding[3] = {0, 0, 0}, dilation[3] = {1, 1, 1};
};

// What happens to the input while rows are gathered (squeeze-and-excitation before a projection):
// act(x * gate[sample, channel]); in uint8 the product is requantised and looked up.
struct Gate {
  int value = -1;  // float32 (n, 1, 1, 1, c), or -1
  int32_t activation = 0;
  float multiplier = 1.0f;  // uint8: scale of the input / scale of the product
  int32_t x_zero_point = 0, zero_point = 0;  // uint8: of the input, of the product
  std::shared_ptr<Buffer> table;
};

struct Epilogue {
  int residual = -1;
  int32_t activation = 0;  // float32
  bool relu = false;       // uint8
  int32_t y_zero_point = 0, residual_zero_point = 0;
  float residual_multiplier = 0.0f;
  std::shared_ptr<Buffer> table;
  float inverse_scale = 0.0f;  // expanded depthwise, float32 with a uint8 result: what quantises it, with y_zero_point
};

// A pointwise convolution, or a stem on a caller's planes, whose result a depthwise one alone reads: computed on the way,
// never stored as a whole.
struct Expansion {
  std::shared_ptr<ConvWeights> weights;  // null: there is none
  int input = -1;      // stem: number of the caller's tensor
  Geometry geometry;   // stem
  int32_t activation = 0;  // float32
  bool relu = false;       // uint8
  int32_t y_zero_point = 0;
  std::shared_ptr<Buffer> table;
};

// Throws std::invalid_argument where values, weights and geometry do not fit each other.
std::unique_ptr<Operation> make_convolution(const Program& program, int x, int y, std::shared_ptr<ConvWeights> weights,
                                            const Geometry& geometry, const Gate& gate, const Epilogue& epilogue);
// `x` is the number of a value with the sizes of the caller's tensor, which need not lie in the arena.
std::unique_ptr<Operation> make_stem(const Program& program, int input, int x, int y, std::shared_ptr<ConvWeights> weights,
                                     const Geometry& geometry, const Epilogue& epilogue);
std::unique_ptr<Operation> make_expanded_depthwise(const Program& program, int x, int y, const Expansion& expansion,
                                                   std::shared_ptr<ConvWeights> weights, const Geometry& geometry,
                                                   const Epilogue& epilogue);

}  // namespace accel_mobile
