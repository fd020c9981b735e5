// All operations but convolutions. Each maker throws std::invalid_argument where the values do not fit each other.
#pragma once

#include <memory>
#include <vector>

#include "plan/program.hpp"

namespace accel_mobile {

// Between a caller's dense (n, c, t, h, w) tensor, of the type of the value, and the arena.
std::unique_ptr<Operation> make_input(const Program& program, int index, int y);
std::unique_ptr<Operation> make_output(const Program& program, int x, int index);

std::unique_ptr<Operation> make_activation(const Program& program, int x, int y, int32_t activation);
std::unique_ptr<Operation> make_add(const Program& program, int a, int b, int y, int32_t activation);
std::unique_ptr<Operation> make_multiply(const Program& program, int a, int b, int y);
// Scale and shift per channel; `gate` instead of constants: per sample and channel.
std::unique_ptr<Operation> make_affine(const Program& program, int x, int y, const float* scale, const float* shift,
                                       int32_t activation);
std::unique_ptr<Operation> make_channel_scale(const Program& program, int x, int gate, int y, int32_t activation);
// float32 or uint8 in, float32 out.
std::unique_ptr<Operation> make_global_average(const Program& program, int x, int y, int32_t zero_point, float scale);
std::unique_ptr<Operation> make_pool(const Program& program, int x, int y, bool maximum, const int64_t* kernel,
                                     const int64_t* stride, const int64_t* padding, bool count_padding);
std::unique_ptr<Operation> make_softmax(const Program& program, int x, int y);

std::unique_ptr<Operation> make_quantize(const Program& program, int x, int y, float inverse_scale, int32_t zero_point);
std::unique_ptr<Operation> make_dequantize(const Program& program, int x, int y, float scale, int32_t zero_point);
std::unique_ptr<Operation> make_lookup(const Program& program, int x, int y, const uint8_t* table);
std::unique_ptr<Operation> make_add_int8(const Program& program, int a, int b, int y, const int32_t* zero_points,
                                         const float* multipliers, int32_t y_zero_point, bool relu,
                                         const uint8_t* table);
std::unique_ptr<Operation> make_channel_scale_int8(const Program& program, int x, int gate, int y, float multiplier,
                                                   int32_t x_zero_point, int32_t y_zero_point, const uint8_t* table);

}  // namespace accel_mobile
