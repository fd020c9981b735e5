// Convolution weights in the order in which the kernels read them, for one instruction set.
#pragma once

#include <cstdint>
#include <memory>

#include "kernels/depthwise_f32.hpp"
#include "kernels/depthwise_u8.hpp"
#include "kernels/gemm_f32.hpp"
#include "kernels/gemm_u8.hpp"
#include "kernels/stem_f32.hpp"
#include "plan/buffer.hpp"
#include "plan/program.hpp"

namespace accel_mobile {

struct ConvWeights {
  Type type = Type::f32;
  bool depthwise = false;
  bool stem = false;      // float32, for planar inputs
  bool one_byte = false;  // float32 with int8 weights: `multiplier` holds the scale of each column
  int64_t in_channels = 0, out_channels = 0;
  int64_t kernel[3] = {1, 1, 1};  // time, height, width
  int64_t tap_channels = 0;       // dense: channels per tap in the packed depth
  int64_t depth = 0;              // dense: packed depth, in elements
  int64_t columns = 0;            // output channels, padded
  int32_t x_zero_point = 0;

  const GemmF32Kernels* gemm_f32 = nullptr;
  const GemmU8Kernels* gemm_u8 = nullptr;
  const StemF32Kernels* stem_f32 = nullptr;
  const DepthwiseF32Kernels* depthwise_f32 = nullptr;
  const DepthwiseU8Kernels* depthwise_u8 = nullptr;

  Buffer weight;
  Buffer bias;        // float or int32
  Buffer multiplier;  // u8, or the scale of one-byte weights

  // Whether the last of these vectors of output channels has channels in its first half only.
  bool half(int64_t first_vector, int64_t vectors, int64_t lanes) const {
    const int64_t rest = out_channels - (first_vector + vectors - 1) * lanes;
    return rest > 0 && rest <= lanes / 2;
  }
  int64_t taps() const { return kernel[0] * kernel[1] * kernel[2]; }
  size_t bytes() const { return weight.bytes() + bias.bytes() + multiplier.bytes(); }
};

// `weight` is (out_channels, in_channels or 1, time, height, width), `bias` (out_channels) or null.
std::shared_ptr<ConvWeights> pack_dense_f32(const float* weight, const float* bias, int64_t out_channels,
                                            int64_t in_channels, const int64_t* kernel);
// For inputs as the caller has them: planes of few channels.
std::shared_ptr<ConvWeights> pack_stem_f32(const float* weight, const float* bias, int64_t out_channels,
                                           int64_t in_channels, const int64_t* kernel);
// For pointwise layers: float32 arithmetic on int8 weights, each column times `scale`.
std::shared_ptr<ConvWeights> pack_dense_w8(const int8_t* weight, const float* scale, const float* bias,
                                           int64_t out_channels, int64_t in_channels);
std::shared_ptr<ConvWeights> pack_depthwise_f32(const float* weight, const float* bias, int64_t channels,
                                                const int64_t* kernel);
// `bias` is in units of the sums, without the zero point's part; `multiplier` turns sums into units of the result.
std::shared_ptr<ConvWeights> pack_dense_u8(const int8_t* weight, const int32_t* bias, const float* multiplier,
                                           int64_t out_channels, int64_t in_channels, const int64_t* kernel,
                                           int32_t x_zero_point);
// The kernel in time has at most three taps.
std::shared_ptr<ConvWeights> pack_depthwise_u8(const int8_t* weight, const int32_t* bias, const float* multiplier,
                                               int64_t channels, const int64_t* kernel, int32_t x_zero_point);

}  // namespace accel_mobile
