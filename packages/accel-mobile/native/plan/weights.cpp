#include "plan/weights.hpp"

#include <algorithm>
#include <stdexcept>

namespace accel_mobile {
namespace {

std::shared_ptr<ConvWeights> started(Type type, bool depthwise, int64_t out_channels, int64_t in_channels,
                                     const int64_t* kernel) {
  for (int64_t size : {out_channels, in_channels, kernel[0], kernel[1], kernel[2]})
    if (size < 1 || size > (1 << 24)) throw std::invalid_argument("sizes of convolution weights must be positive");
  auto packed = std::make_shared<ConvWeights>();
  packed->type = type;
  packed->depthwise = depthwise;
  packed->out_channels = out_channels;
  packed->in_channels = in_channels;
  std::copy(kernel, kernel + 3, packed->kernel);
  packed->columns = round_up(out_channels, 16);
  return packed;
}

template <class T>
Buffer padded(const T* values, int64_t count, int64_t padded_count) {
  Buffer buffer(static_cast<size_t>(padded_count) * sizeof(T));
  if (values) std::memcpy(buffer.as<T>(), values, static_cast<size_t>(count) * sizeof(T));
  return buffer;
}

// The sums start with what the zero point of the input adds to them: sum (x - z) w = sum x w - z sum w.
Buffer folded_bias(const int8_t* weight, const int32_t* bias, int64_t channels, int64_t per_channel, int64_t columns,
                   int32_t zero_point) {
  Buffer buffer = padded(bias, channels, columns);
  for (int64_t c = 0; c < channels; ++c) {
    int64_t total = 0;
    for (int64_t i = 0; i < per_channel; ++i) total += weight[c * per_channel + i];
    buffer.as<int32_t>()[c] -= static_cast<int32_t>(zero_point * total);
  }
  return buffer;
}

}  // namespace

std::shared_ptr<ConvWeights> pack_dense_f32(const float* weight, const float* bias, int64_t out_channels,
                                            int64_t in_channels, const int64_t* kernel) {
  auto packed = started(Type::f32, false, out_channels, in_channels, kernel);
  packed->gemm_f32 = &VISION_SELECT(gemm_f32);
  const int64_t lanes = packed->gemm_f32->lanes, taps = packed->taps();
  packed->tap_channels = in_channels;
  packed->depth = taps * in_channels;
  packed->bias = padded(bias, out_channels, packed->columns);
  packed->weight.resize(static_cast<size_t>(packed->columns * packed->depth) * sizeof(float));
  float* out = packed->weight.as<float>();
  for (int64_t o = 0; o < out_channels; ++o)
    for (int64_t c = 0; c < in_channels; ++c)
      for (int64_t tap = 0; tap < taps; ++tap)
        out[((o / lanes) * packed->depth + tap * in_channels + c) * lanes + o % lanes] =
            weight[(o * in_channels + c) * taps + tap];
  return packed;
}

std::shared_ptr<ConvWeights> pack_stem_f32(const float* weight, const float* bias, int64_t out_channels,
                                           int64_t in_channels, const int64_t* kernel) {
  auto packed = started(Type::f32, false, out_channels, in_channels, kernel);
  packed->stem = true;
  packed->stem_f32 = &VISION_SELECT(stem_f32);
  const int64_t lanes = packed->stem_f32->lanes, depth = packed->taps() * in_channels;
  packed->depth = depth;
  packed->bias = padded(bias, out_channels, packed->columns);
  packed->weight.resize(static_cast<size_t>(packed->columns * depth) * sizeof(float));
  for (int64_t o = 0; o < out_channels; ++o)
    for (int64_t k = 0; k < depth; ++k)
      packed->weight.as<float>()[(o / lanes * depth + k) * lanes + o % lanes] = weight[o * depth + k];
  return packed;
}

std::shared_ptr<ConvWeights> pack_dense_w8(const int8_t* weight, const float* scale, const float* bias,
                                           int64_t out_channels, int64_t in_channels) {
  const int64_t kernel[3] = {1, 1, 1};
  auto packed = started(Type::f32, false, out_channels, in_channels, kernel);
  packed->one_byte = true;
  packed->gemm_f32 = &VISION_SELECT(gemm_f32);
  const int64_t lanes = packed->gemm_f32->lanes;
  packed->tap_channels = packed->depth = in_channels;
  packed->bias = padded(bias, out_channels, packed->columns);
  packed->multiplier = padded(scale, out_channels, packed->columns);
  packed->weight.resize(static_cast<size_t>(packed->columns * in_channels));
  for (int64_t o = 0; o < out_channels; ++o)
    for (int64_t c = 0; c < in_channels; ++c)
      packed->weight.as<int8_t>()[((o / lanes) * in_channels + c) * lanes + o % lanes] = weight[o * in_channels + c];
  return packed;
}

std::shared_ptr<ConvWeights> pack_depthwise_f32(const float* weight, const float* bias, int64_t channels,
                                                const int64_t* kernel) {
  auto packed = started(Type::f32, true, channels, channels, kernel);
  packed->depthwise_f32 = &VISION_SELECT(depthwise_f32);
  const int64_t taps = packed->taps(), lanes = packed->depthwise_f32->lanes;
  packed->bias = padded(bias, channels, packed->columns);
  packed->weight.resize(static_cast<size_t>(packed->columns * taps) * sizeof(float));
  for (int64_t c = 0; c < channels; ++c)
    for (int64_t tap = 0; tap < taps; ++tap)
      packed->weight.as<float>()[(c / lanes * taps + tap) * lanes + c % lanes] = weight[c * taps + tap];
  return packed;
}

std::shared_ptr<ConvWeights> pack_dense_u8(const int8_t* weight, const int32_t* bias, const float* multiplier,
                                           int64_t out_channels, int64_t in_channels, const int64_t* kernel,
                                           int32_t x_zero_point) {
  auto packed = started(Type::u8, false, out_channels, in_channels, kernel);
  packed->gemm_u8 = &VISION_SELECT(gemm_u8);
  const int64_t lanes = packed->gemm_u8->lanes, taps = packed->taps();
  packed->x_zero_point = x_zero_point;
  packed->tap_channels = in_channels;
  packed->depth = round_up(taps * in_channels, 4);
  packed->bias = folded_bias(weight, bias, out_channels, taps * in_channels, packed->columns, x_zero_point);
  packed->multiplier = padded(multiplier, out_channels, packed->columns);
  packed->weight.resize(static_cast<size_t>(packed->columns * packed->depth));
  int8_t* out = packed->weight.as<int8_t>();
  for (int64_t o = 0; o < out_channels; ++o) {
    for (int64_t c = 0; c < in_channels; ++c) {
      for (int64_t tap = 0; tap < taps; ++tap) {
        const int64_t k = tap * in_channels + c;
        out[(o / lanes) * packed->depth * lanes + (k / 4) * lanes * 4 + (o % lanes) * 4 + k % 4] =
            weight[(o * in_channels + c) * taps + tap];
      }
    }
  }
  return packed;
}

std::shared_ptr<ConvWeights> pack_depthwise_u8(const int8_t* weight, const int32_t* bias, const float* multiplier,
                                               int64_t channels, const int64_t* kernel, int32_t x_zero_point) {
  auto packed = started(Type::u8, true, channels, channels, kernel);
  if (kernel[0] > 3) throw std::invalid_argument("depthwise int8 takes at most three taps in time");
  packed->depthwise_u8 = &VISION_SELECT(depthwise_u8);
  const int64_t taps = packed->taps(), area = kernel[1] * kernel[2], lanes = packed->depthwise_u8->lanes;
  packed->x_zero_point = x_zero_point;
  packed->bias = folded_bias(weight, bias, channels, taps, packed->columns, x_zero_point);
  packed->multiplier = padded(multiplier, channels, packed->columns);
  packed->weight.resize(static_cast<size_t>(2 * area * packed->columns * 4));
  int8_t* out = packed->weight.as<int8_t>();
  for (int64_t c = 0; c < channels; ++c)
    for (int64_t time = 0; time < kernel[0]; ++time)
      for (int64_t place = 0; place < area; ++place)
        for (int64_t frame = 0; frame < 2; ++frame)
          out[(((c / lanes * 2 + frame) * area + place) * lanes + c % lanes) * 4 + frame + time] =
              weight[c * taps + time * area + place];
  return packed;
}

}  // namespace accel_mobile
