#include "kernels/rows_f32.hpp"

#include "kernels/activation.hpp"
#include "kernels/requantise.hpp"

namespace accel_mobile {
namespace VISION_ISA_NAMESPACE {

static void activate_copy(const float* x, float* y, int64_t count, int32_t activation) {
  with_activation(static_cast<Activation>(activation), [&](auto kind) {
    for (int64_t i = 0; i < count; i += f32::lanes) store(y + i, activated<decltype(kind)::value>(load(x + i)));
  });
}

static void add_rows(const float* a, const float* b, float* y, int64_t count, int32_t activation) {
  with_activation(static_cast<Activation>(activation), [&](auto kind) {
    for (int64_t i = 0; i < count; i += f32::lanes)
      store(y + i, activated<decltype(kind)::value>(add(load(a + i), load(b + i))));
  });
}

static void multiply_rows(const float* a, const float* b, float* y, int64_t count) {
  for (int64_t i = 0; i < count; i += f32::lanes) store(y + i, mul(load(a + i), load(b + i)));
}

static void affine(const float* x, int64_t x_stride, const float* scale, const float* shift, float* y, int64_t y_stride,
                   int64_t rows, int64_t channels, int32_t activation) {
  with_activation(static_cast<Activation>(activation), [&](auto kind) {
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t c = 0; c < channels; c += f32::lanes) {
        f32 value = mul(load(x + r * x_stride + c), load(scale + c));
        if (shift) value = add(value, load(shift + c));
        store(y + r * y_stride + c, activated<decltype(kind)::value>(value));
      }
    }
  });
}

static void accumulate(const float* x, int64_t x_stride, float* y, int64_t rows, int64_t channels) {
  int64_t r = 0;
  for (; r + 4 <= rows; r += 4) {
    const float* p = x + r * x_stride;
    for (int64_t c = 0; c < channels; c += f32::lanes) {
      const f32 two = add(load(p + c), load(p + x_stride + c));
      const f32 more = add(load(p + 2 * x_stride + c), load(p + 3 * x_stride + c));
      store(y + c, add(load(y + c), add(two, more)));
    }
  }
  for (; r < rows; ++r)
    for (int64_t c = 0; c < channels; c += f32::lanes) store(y + c, add(load(y + c), load(x + r * x_stride + c)));
}

static void scale_by(float* y, float factor, int64_t count) {
  for (int64_t i = 0; i < count; i += f32::lanes) store(y + i, mul(load(y + i), set(factor)));
}

static void maximum(const float* x, float* y, int64_t count) {
  for (int64_t i = 0; i < count; i += f32::lanes) store(y + i, max(load(y + i), load(x + i)));
}

static void quantize(const float* x, int64_t x_stride, uint8_t* y, int64_t y_stride, int64_t rows, int64_t channels,
                     float inverse_scale, int32_t zero_point) {
  const Rounding rounding({nullptr, static_cast<float>(-zero_point), static_cast<float>(255 - zero_point), zero_point});
  const f32 inverse = set(inverse_scale);
  if (x_stride == channels && y_stride == channels) channels *= rows, rows = 1;
  for (int64_t r = 0; r < rows; ++r, x += x_stride, y += y_stride) {
    int64_t i = 0;
    for (; i + 4 * f32::lanes <= channels; i += 4 * f32::lanes) {
      f32 real[4];
#pragma GCC unroll 4
      for (int v = 0; v < 4; ++v) real[v] = mul(load(x + i + v * f32::lanes), inverse);
      store_together<4>(rounding, real, y + i);
    }
    for (; i < channels; i += f32::lanes) store_bytes(y + i, rounding(mul(load(x + i), inverse)));
  }
}

}  // namespace VISION_ISA_NAMESPACE

VISION_DEFINE_KERNELS(RowsF32Kernels, rows_f32) = {
    &VISION_ISA_NAMESPACE::activate_copy, &VISION_ISA_NAMESPACE::add_rows,   &VISION_ISA_NAMESPACE::multiply_rows,
    &VISION_ISA_NAMESPACE::affine,        &VISION_ISA_NAMESPACE::accumulate, &VISION_ISA_NAMESPACE::scale_by,
    &VISION_ISA_NAMESPACE::maximum,       &VISION_ISA_NAMESPACE::quantize};

}  // namespace accel_mobile
