#include <algorithm>
#include <vector>

#include "kernels/rows_f32.hpp"
#include "kernels/rows_u8.hpp"
#include "plan/operation.hpp"
#include "plan/simple_operations.hpp"
#include "vision/thread_pool.hpp"

namespace accel_mobile {
namespace {

template <class Body>
void over_elements(const Value& value, int threads, Body&& body) {
  const int64_t blocks = value.rows() * value.stride / 16;
  vision::parallel_for(blocks, elements_grain / 16, threads,
                       [&](int64_t begin, int64_t end) { body(begin * 16, (end - begin) * 16); });
}

std::shared_ptr<Buffer> table_of(const uint8_t* table) {
  if (!table) return nullptr;
  auto buffer = std::make_shared<Buffer>(256);
  std::memcpy(buffer->as<uint8_t>(), table, 256);
  return buffer;
}

Requantise bounds(const float* multiplier, int32_t zero_point, bool relu) {
  const float zero = static_cast<float>(zero_point);
  return {multiplier, relu ? 0.0f : -zero, 255.0f - zero, zero_point};
}

void need_types(const Program& program, int x, Type x_type, int y, Type y_type) {
  const Value &a = program.value(x), &b = program.value(y);
  need(a.type == x_type && b.type == y_type, "an int8 operation got a value of the wrong type");
  need(a.stride % 16 == 0 && b.stride % 16 == 0, "an int8 operation needs a stride of whole vectors");
}

}  // namespace

std::unique_ptr<Operation> make_quantize(const Program& program, int x, int y, float inverse_scale, int32_t zero_point) {
  need_types(program, x, Type::f32, y, Type::u8);
  const Value value = program.value(x);
  need(same_places(value, program.value(y)), "quantize: sizes differ");
  const RowsF32Kernels* kernels = &VISION_SELECT(rows_f32);
  return operation("quantize", {x}, y, [=](const Run& run) {
    over_elements(value, run.threads, [&](int64_t first, int64_t count) {
      kernels->quantize(run.f32(x) + first, count, run.u8(y) + first, count, 1, count, inverse_scale, zero_point);
    });
  });
}

std::unique_ptr<Operation> make_dequantize(const Program& program, int x, int y, float scale, int32_t zero_point) {
  need_types(program, x, Type::u8, y, Type::f32);
  const Value value = program.value(x);
  need(same_places(value, program.value(y)), "dequantize: sizes differ");
  const RowsU8Kernels* kernels = &VISION_SELECT(rows_u8);
  return operation("dequantize", {x}, y, [=](const Run& run) {
    over_elements(value, run.threads, [&](int64_t first, int64_t count) {
      kernels->dequantize(run.u8(x) + first, run.f32(y) + first, count, zero_point, scale);
    });
  });
}

std::unique_ptr<Operation> make_lookup(const Program& program, int x, int y, const uint8_t* table) {
  need_types(program, x, Type::u8, y, Type::u8);
  const Value value = program.value(x);
  need(same_places(value, program.value(y)), "lookup: sizes differ");
  const RowsU8Kernels* kernels = &VISION_SELECT(rows_u8);
  return operation("lookup", {x}, y, [=, values = table_of(table)](const Run& run) {
    over_elements(value, run.threads, [&](int64_t first, int64_t count) {
      kernels->lookup(run.u8(x) + first, run.u8(y) + first, values->as<uint8_t>(), count);
    });
  });
}

std::unique_ptr<Operation> make_add_int8(const Program& program, int a, int b, int y, const int32_t* zero_points,
                                         const float* multipliers, int32_t y_zero_point, bool relu,
                                         const uint8_t* table) {
  need_types(program, a, Type::u8, y, Type::u8);
  need_types(program, b, Type::u8, y, Type::u8);
  const Value value = program.value(y);
  need(same_places(program.value(a), value) && same_places(program.value(b), value), "add: sizes differ");
  const RowsU8Kernels* kernels = &VISION_SELECT(rows_u8);
  const Requantise q = bounds(nullptr, y_zero_point, relu);
  const std::vector<int32_t> zeros(zero_points, zero_points + 2);
  const std::vector<float> factors(multipliers, multipliers + 2);
  return operation("add_u8", {a, b}, y, [=, values = table_of(table)](const Run& run) {
    over_elements(value, run.threads, [&](int64_t first, int64_t count) {
      uint8_t* out = run.u8(y) + first;
      kernels->add(run.u8(a) + first, run.u8(b) + first, out, count, zeros.data(), factors.data(), q);
      if (values) kernels->lookup(out, out, values->as<uint8_t>(), count);
    });
  });
}

std::unique_ptr<Operation> make_channel_scale_int8(const Program& program, int x, int gate, int y, float multiplier,
                                                   int32_t x_zero_point, int32_t y_zero_point, const uint8_t* table) {
  need_types(program, x, Type::u8, y, Type::u8);
  const Value value = program.value(x), g = program.value(gate);
  need(same_places(value, program.value(y)) && g.type == Type::f32 && g.rows() == value.n && g.stride == value.stride,
       "channel_scale: sizes differ");
  const RowsU8Kernels* kernels = &VISION_SELECT(rows_u8);
  return operation("channel_scale_u8", {x, gate}, y, [=, values = table_of(table)](const Run& run) {
    std::vector<float> multipliers(static_cast<size_t>(g.rows() * g.stride));
    for (size_t i = 0; i < multipliers.size(); ++i) multipliers[i] = run.f32(gate)[i] * multiplier;
    const int64_t lines = value.t * value.h;  // a line belongs to one sample
    vision::parallel_for(value.n * lines, elements_grain / (value.w * value.stride) + 1, run.threads,
                         [&](int64_t begin, int64_t end) {
      for (int64_t line = begin; line < end; ++line) {
        const int64_t at = line * value.w * value.stride;
        const Requantise q = bounds(multipliers.data() + line / lines * g.stride, y_zero_point, false);
        uint8_t* out = run.u8(y) + at;
        kernels->scale(run.u8(x) + at, value.stride, out, value.stride, value.w, value.stride, x_zero_point, q);
        if (values) kernels->lookup(out, out, values->as<uint8_t>(), value.w * value.stride);
      }
    });
  });
}

std::unique_ptr<Operation> make_global_average(const Program& program, int x_id, int y_id, int32_t zero_point,
                                               float scale) {
  const Value x = program.value(x_id), y = program.value(y_id);
  need(y.rows() == x.n && y.c == x.c && y.stride == x.stride && y.type == Type::f32, "global average: sizes differ");
  need(x.stride % 16 == 0, "global average: stride");
  const RowsF32Kernels* floats = &VISION_SELECT(rows_f32);
  const RowsU8Kernels* bytes = &VISION_SELECT(rows_u8);
  const bool is_float = x.type == Type::f32;
  return operation(is_float ? "global_average_f32" : "global_average_u8", {x_id}, y_id, [=](const Run& run) {
    const int64_t blocks = x.stride / 16, rows = x.rows_per_sample();
    vision::parallel_for(x.n * blocks, elements_grain / (rows * 16) + 1, run.threads, [&](int64_t begin, int64_t end) {
      while (begin < end) {  // neighbouring blocks of channels of one sample at a time
        const int64_t n = begin / blocks, some = std::min(end, (n + 1) * blocks) - begin;
        const int64_t c = begin % blocks * 16, count = some * 16;
        float* to = run.f32(y_id) + n * y.stride + c;
        if (is_float) {
          std::fill(to, to + count, 0.0f);
          floats->accumulate(run.f32(x_id) + n * rows * x.stride + c, x.stride, to, rows, count);
          floats->scale(to, 1.0f / static_cast<float>(rows), count);
        } else {
          std::vector<int32_t> sums(static_cast<size_t>(count), static_cast<int32_t>(-rows * zero_point));
          bytes->accumulate(run.u8(x_id) + n * rows * x.stride + c, x.stride, sums.data(), rows, count);
          for (int64_t i = 0; i < count; ++i) to[i] = static_cast<float>(sums[i]) * scale;
        }
        begin += some;
      }
    });
  });
}

}  // namespace accel_mobile
