// What dense and depthwise convolutions share.
#pragma once

#include <cmath>
#include <memory>
#include <utility>

#include "plan/convolution.hpp"
#include "plan/operation.hpp"

namespace accel_mobile {

constexpr int64_t enough_work = 200000;  // multiply-adds that are worth handing to another thread

inline Requantise requantise_of(const ConvWeights& w, bool relu, int32_t y_zero_point, bool to_float) {
  if (to_float) return {w.multiplier.as<float>(), relu ? 0.0f : -INFINITY, INFINITY, 0};
  const float zero = static_cast<float>(y_zero_point);
  return {w.multiplier.as<float>(), relu ? 0.0f : -zero, 255.0f - zero, y_zero_point};
}

class Convolution : public Operation {
 public:
  Convolution(int x, int y, std::shared_ptr<ConvWeights> weights, const Geometry& geometry, const Gate& gate,
              const Epilogue& epilogue)
      : x_(x), w_(std::move(weights)), g_(geometry), gate_(gate), e_(epilogue) {
    reads = {x};
    if (gate.value >= 0) reads.push_back(gate.value);
    if (epilogue.residual >= 0) reads.push_back(epilogue.residual);
    writes = y;
  }

 protected:
  int x_;
  std::shared_ptr<ConvWeights> w_;
  Geometry g_;
  Gate gate_;
  Epilogue e_;
};

std::unique_ptr<Operation> make_dense(const Program& program, int x, int y, std::shared_ptr<ConvWeights> weights,
                                      const Geometry& geometry, const Gate& gate, const Epilogue& epilogue);
std::unique_ptr<Operation> make_stem_operation(int input, int x, int y, std::shared_ptr<ConvWeights> weights,
                                               const Geometry& geometry, const Epilogue& epilogue);
// `middle`: sizes of what an expansion makes.
std::unique_ptr<Operation> make_depthwise_float(int x, int y, const Expansion& expansion, std::shared_ptr<ConvWeights> weights,
                                                const Geometry& geometry, const Epilogue& epilogue, const Value& middle);
std::unique_ptr<Operation> make_depthwise_int8(int x, int y, const Expansion& expansion, std::shared_ptr<ConvWeights> weights,
                                               const Geometry& geometry, const Epilogue& epilogue);

}  // namespace accel_mobile
