#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/rows_f32.hpp"
#include "plan/operation.hpp"
#include "plan/simple_operations.hpp"
#include "vision/thread_pool.hpp"

namespace accel_mobile {
namespace {

// Calls body(first, count) over all elements of a value, in steps of whole vectors.
template <class Body>
void over_elements(const Value& value, int threads, Body&& body) {
  const int64_t blocks = value.rows() * value.stride / 16;
  vision::parallel_for(blocks, elements_grain / 16, threads,
                       [&](int64_t begin, int64_t end) { body(begin * 16, (end - begin) * 16); });
}

void need_vectors(const Value& value) { need(value.stride % 16 == 0, "this operation needs a stride of whole vectors"); }

Buffer channels_of(const float* values, const Value& x) {
  Buffer buffer(static_cast<size_t>(x.stride) * sizeof(float));
  std::memcpy(buffer.as<float>(), values, static_cast<size_t>(x.c) * sizeof(float));
  return buffer;
}

}  // namespace

namespace {

template <class T>
T* data(const Run& run, int id) {
  return reinterpret_cast<T*>(run.arena + run.value(id).offset);
}

// Planar (n, c, t, h, w) to channels last; padding channels become zero.
template <class T>
void interleave(const Run& run, int index, int y_id) {
  const Value& y = run.value(y_id);
  const T* x = static_cast<const T*>(run.inputs[index]);
  const int64_t lines = y.t * y.h, area = lines * y.w;
  vision::parallel_for(y.n * lines, elements_grain / (y.w * y.stride) + 1, run.threads, [&](int64_t begin, int64_t end) {
    for (int64_t line = begin; line < end; ++line) {
      const T* from = x + line / lines * y.c * area + line % lines * y.w;
      T* to = data<T>(run, y_id) + line * y.w * y.stride;
      for (int64_t w = 0; w < y.w; ++w, to += y.stride) {
        for (int64_t c = 0; c < y.c; ++c) to[c] = from[c * area + w];
        for (int64_t c = y.c; c < y.stride; ++c) to[c] = 0;
      }
    }
  });
}

template <class T>
void separate(const Run& run, int x_id, int index) {
  const Value& x = run.value(x_id);
  T* y = static_cast<T*>(run.outputs[index]);
  const int64_t lines = x.t * x.h, area = lines * x.w;
  vision::parallel_for(x.n * lines, elements_grain / (x.w * x.stride) + 1, run.threads, [&](int64_t begin, int64_t end) {
    for (int64_t line = begin; line < end; ++line) {
      T* to = y + line / lines * x.c * area + line % lines * x.w;
      const T* from = data<T>(run, x_id) + line * x.w * x.stride;
      for (int64_t c = 0; c < x.c; ++c)
        for (int64_t w = 0; w < x.w; ++w) to[c * area + w] = from[w * x.stride + c];
    }
  });
}

}  // namespace

std::unique_ptr<Operation> make_input(const Program& program, int index, int y) {
  need(index >= 0, "input: index");
  if (program.value(y).type == Type::f32)
    return operation("planar to channels last", {}, y, [=](const Run& run) { interleave<float>(run, index, y); });
  return operation("planar to channels last", {}, y, [=](const Run& run) { interleave<uint8_t>(run, index, y); });
}

std::unique_ptr<Operation> make_output(const Program& program, int x, int index) {
  need(index >= 0, "output: index");
  if (program.value(x).type == Type::f32)
    return operation("channels last to planar", {x}, -1, [=](const Run& run) { separate<float>(run, x, index); });
  return operation("channels last to planar", {x}, -1, [=](const Run& run) { separate<uint8_t>(run, x, index); });
}

std::unique_ptr<Operation> make_activation(const Program& program, int x_id, int y_id, int32_t activation) {
  const Value x = program.value(x_id);
  need(same_places(x, program.value(y_id)), "activation: sizes differ");
  need_vectors(x);
  const RowsF32Kernels* kernels = &VISION_SELECT(rows_f32);
  return operation("activation_f32", {x_id}, y_id, [=](const Run& run) {
    over_elements(x, run.threads, [&](int64_t first, int64_t count) {
      kernels->activate(run.f32(x_id) + first, run.f32(y_id) + first, count, activation);
    });
  });
}

std::unique_ptr<Operation> make_add(const Program& program, int a, int b, int y, int32_t activation) {
  const Value value = program.value(y);
  need(same_places(program.value(a), value) && same_places(program.value(b), value), "add: sizes differ");
  need_vectors(value);
  const RowsF32Kernels* kernels = &VISION_SELECT(rows_f32);
  return operation("add_f32", {a, b}, y, [=](const Run& run) {
    over_elements(value, run.threads, [&](int64_t first, int64_t count) {
      kernels->add(run.f32(a) + first, run.f32(b) + first, run.f32(y) + first, count, activation);
    });
  });
}

std::unique_ptr<Operation> make_multiply(const Program& program, int a, int b, int y) {
  const Value value = program.value(y);
  need(same_places(program.value(a), value) && same_places(program.value(b), value), "multiply: sizes differ");
  need_vectors(value);
  const RowsF32Kernels* kernels = &VISION_SELECT(rows_f32);
  return operation("multiply_f32", {a, b}, y, [=](const Run& run) {
    over_elements(value, run.threads, [&](int64_t first, int64_t count) {
      kernels->multiply(run.f32(a) + first, run.f32(b) + first, run.f32(y) + first, count);
    });
  });
}

std::unique_ptr<Operation> make_affine(const Program& program, int x_id, int y_id, const float* scale,
                                       const float* shift, int32_t activation) {
  const Value x = program.value(x_id);
  need(same_places(x, program.value(y_id)), "affine: sizes differ");
  need_vectors(x);
  const RowsF32Kernels* kernels = &VISION_SELECT(rows_f32);
  auto scales = std::make_shared<Buffer>(channels_of(scale, x)), shifts = std::make_shared<Buffer>(channels_of(shift, x));
  return operation("affine_f32", {x_id}, y_id, [=](const Run& run) {
    vision::parallel_for(x.rows(), elements_grain / x.stride + 1, run.threads, [&](int64_t begin, int64_t end) {
      kernels->affine(run.f32(x_id) + begin * x.stride, x.stride, scales->as<float>(), shifts->as<float>(),
                      run.f32(y_id) + begin * x.stride, x.stride, end - begin, x.stride, activation);
    });
  });
}

std::unique_ptr<Operation> make_channel_scale(const Program& program, int x_id, int gate, int y_id, int32_t activation) {
  const Value x = program.value(x_id), g = program.value(gate);
  need(same_places(x, program.value(y_id)) && g.rows() == x.n && g.stride == x.stride, "channel_scale: sizes differ");
  need_vectors(x);
  const RowsF32Kernels* kernels = &VISION_SELECT(rows_f32);
  return operation("channel_scale_f32", {x_id, gate}, y_id, [=](const Run& run) {
    const int64_t lines = x.t * x.h;  // a line belongs to one sample
    vision::parallel_for(x.n * lines, elements_grain / (x.w * x.stride) + 1, run.threads, [&](int64_t begin, int64_t end) {
      for (int64_t line = begin; line < end; ++line) {
        const int64_t at = line * x.w * x.stride;
        kernels->affine(run.f32(x_id) + at, x.stride, run.f32(gate) + line / lines * x.stride, nullptr,
                        run.f32(y_id) + at, x.stride, x.w, x.stride, activation);
      }
    });
  });
}

std::unique_ptr<Operation> make_pool(const Program& program, int x_id, int y_id, bool maximum, const int64_t* kernel,
                                     const int64_t* stride, const int64_t* padding, bool count_padding) {
  const Value x = program.value(x_id), y = program.value(y_id);
  const int64_t in[3] = {x.t, x.h, x.w}, out[3] = {y.t, y.h, y.w};
  for (int i = 0; i < 3; ++i) {
    need(kernel[i] >= 1 && stride[i] >= 1 && padding[i] >= 0 && padding[i] * 2 <= kernel[i], "pool: kernel, stride, padding");
    const int64_t span = in[i] + 2 * padding[i] - kernel[i];
    need(span >= 0 && out[i] == span / stride[i] + 1, "pool: the output's size does not follow from the input's");
  }
  need(x.n == y.n && x.c == y.c && x.stride == y.stride && x.type == Type::f32, "pool: batch, channels or type");
  need_vectors(x);
  struct Window {
    int64_t kernel[3], stride[3], padding[3];
  } p;
  std::copy(kernel, kernel + 3, p.kernel), std::copy(stride, stride + 3, p.stride), std::copy(padding, padding + 3, p.padding);
  const RowsF32Kernels* kernels = &VISION_SELECT(rows_f32);
  return operation(maximum ? "max_pool_f32" : "avg_pool_f32", {x_id}, y_id, [=](const Run& run) {
    vision::parallel_for(y.rows(), elements_grain / (y.stride * p.kernel[0] * p.kernel[1] * p.kernel[2]) + 1, run.threads,
                         [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) {
        const int64_t place[3] = {r / (y.w * y.h) % y.t, r / y.w % y.h, r % y.w}, n = r / (y.t * y.h * y.w);
        int64_t low[3], high[3];
        for (int i = 0; i < 3; ++i) {
          const int64_t first = place[i] * p.stride[i] - p.padding[i];
          low[i] = std::max<int64_t>(first, 0), high[i] = std::min(first + p.kernel[i], in[i]);
        }
        float* to = run.f32(y_id) + r * y.stride;
        std::fill(to, to + y.stride, maximum ? -std::numeric_limits<float>::infinity() : 0.0f);
        for (int64_t t = low[0]; t < high[0]; ++t) {
          for (int64_t h = low[1]; h < high[1]; ++h) {
            const float* from = run.f32(x_id) + (((n * x.t + t) * x.h + h) * x.w + low[2]) * x.stride;
            const int64_t count = high[2] - low[2];
            if (!maximum) kernels->accumulate(from, x.stride, to, count, x.stride);
            for (int64_t w = 0; maximum && w < count; ++w) kernels->maximum(from + w * x.stride, to, x.stride);
          }
        }
        const int64_t inside = (high[0] - low[0]) * (high[1] - low[1]) * (high[2] - low[2]);
        const int64_t whole = p.kernel[0] * p.kernel[1] * p.kernel[2];
        if (!maximum) kernels->scale(to, 1.0f / static_cast<float>(count_padding ? whole : inside), y.stride);
      }
    });
  });
}

std::unique_ptr<Operation> make_softmax(const Program& program, int x_id, int y_id) {
  const Value x = program.value(x_id);
  need(same_places(x, program.value(y_id)), "softmax: sizes differ");
  return operation("softmax_f32", {x_id}, y_id, [=](const Run& run) {
    for (int64_t r = 0; r < x.rows(); ++r) {
      const float* from = run.f32(x_id) + r * x.stride;
      float* to = run.f32(y_id) + r * x.stride;
      const float largest = *std::max_element(from, from + x.c);
      float total = 0.0f;
      for (int64_t c = 0; c < x.c; ++c) total += to[c] = std::exp(from[c] - largest);
      for (int64_t c = 0; c < x.c; ++c) to[c] /= total;
      std::fill(to + x.c, to + x.stride, 0.0f);
    }
  });
}

}  // namespace accel_mobile
