// Dense convolutions: a matrix product over rows that lie there already or are gathered into a panel.
#include <algorithm>
#include <vector>

#include "kernels/rows_f32.hpp"
#include "kernels/rows_u8.hpp"
#include "plan/convolution_base.hpp"
#include "vision/thread_pool.hpp"

namespace accel_mobile {
namespace {

constexpr size_t panel_bytes = 32 << 10;

template <class T>
class Dense : public Convolution {
 public:
  Dense(const Program& program, int x, int y, std::shared_ptr<ConvWeights> weights, const Geometry& g, const Gate& gate,
        const Epilogue& e)
      : Convolution(x, y, std::move(weights), g, gate, e),
        rows_f32_(&VISION_SELECT(rows_f32)),
        rows_u8_(&VISION_SELECT(rows_u8)) {
    const Value& in = program.value(x);
    const bool in_place = w_->taps() == 1 && g.padding[0] + g.padding[1] + g.padding[2] == 0 && w_->depth <= in.stride;
    direct_ = in_place && g.stride[0] * g.stride[1] * g.stride[2] == 1 && gate.value < 0;
    strided_ = in_place && !direct_ && gate.value < 0;
  }

  const char* kernel() const override {
    if (w_->one_byte) return "gemm_f32 on one-byte weights";
    if (strided_) return sizeof(T) == 1 ? "gemm_u8 on rows apart" : "gemm_f32 on rows apart";
    return sizeof(T) == 1 ? (direct_ ? "gemm_u8" : "gemm_u8 on gathered rows")
                          : (direct_ ? "gemm_f32" : "gemm_f32 on gathered rows");
  }

  void run(const Run& run) const override {
    const Value& y = run.value(writes);
    const int64_t rows = y.rows(), per_row = w_->depth * w_->columns;
    const int64_t tile = tile_rows();
    std::vector<float> multipliers;
    if (sizeof(T) == 1 && gate_.value >= 0) scale_gates(run, multipliers);
    if (rows <= tile && per_row > enough_work && run.threads > 1 && direct_) return by_columns(run);
    const int64_t blocks = (rows + tile - 1) / tile, grain = enough_work / (per_row * tile) + 1;
    vision::parallel_for(blocks, grain, run.threads, [&](int64_t begin, int64_t end) {
      some_rows(run, begin * tile, std::min(end * tile, rows), multipliers.data());
    });
  }

 private:
  int64_t tile_rows() const { return sizeof(T) == 1 ? w_->gemm_u8->rows : w_->gemm_f32->rows; }
  int64_t lanes() const { return sizeof(T) == 1 ? w_->gemm_u8->lanes : w_->gemm_f32->lanes; }
  const T* input(const Run& run) const {
    return reinterpret_cast<const T*>(sizeof(T) == 1 ? static_cast<void*>(run.u8(x_)) : static_cast<void*>(run.f32(x_)));
  }

  void scale_gates(const Run& run, std::vector<float>& multipliers) const {
    const Value& gate = run.value(gate_.value);
    multipliers.resize(gate.rows() * gate.stride);
    for (size_t i = 0; i < multipliers.size(); ++i) multipliers[i] = run.f32(gate_.value)[i] * gate_.multiplier;
  }

  // Few rows: threads share the columns.
  void by_columns(const Run& run) const {
    const int64_t vectors = w_->columns / lanes(), step = 4, rows = run.value(writes).rows();
    vision::parallel_for((vectors + step - 1) / step, 1, run.threads, [&](int64_t begin, int64_t end) {
      multiply(run, input(run), run.value(x_).stride, 0, rows, begin * step, std::min(end * step, vectors));
    });
  }

  void some_rows(const Run& run, int64_t begin, int64_t end, const float* multipliers) const {
    const Value& x = run.value(x_);
    const int64_t vectors = w_->columns / lanes();
    if (direct_) return multiply(run, input(run) + begin * x.stride, x.stride, begin, end - begin, 0, vectors);
    if (strided_) return rows_apart(run, begin, end);
    const int64_t stride = gate_.value >= 0 ? round_up(w_->depth, 16) : w_->depth;
    const int64_t tile = tile_rows();
    const int64_t fits = static_cast<int64_t>(panel_bytes / sizeof(T)) / (stride * tile) * tile;
    const int64_t step = std::max(tile, std::min<int64_t>(fits, 64));
    T* panel = thread_scratch<T>(static_cast<size_t>(step * stride));
    for (int64_t row = begin; row < end; row += step) {
      const int64_t count = std::min(step, end - row);
      if (gate_.value >= 0) {
        gated_rows(run, panel, stride, row, count, multipliers);
      } else {
        gather_rows(run, panel, row, count);
      }
      multiply(run, panel, stride, row, count, 0, vectors);
    }
  }

  // A pointwise convolution with a stride: the rows of an output line lie in one input line, some distance apart.
  void rows_apart(const Run& run, int64_t row, int64_t end) const {
    const Value &x = run.value(x_), &y = run.value(writes);
    while (row < end) {
      const int64_t line = row / y.w, w = row % y.w, some = std::min(end - row, y.w - w);
      const int64_t n = line / (y.t * y.h), t = line / y.h % y.t * g_.stride[0], h = line % y.h * g_.stride[1];
      const T* a = input(run) + (((n * x.t + t) * x.h + h) * x.w + w * g_.stride[2]) * x.stride;
      multiply(run, a, x.stride * g_.stride[2], row, some, 0, w_->columns / lanes());
      row += some;
    }
  }

  void gated_rows(const Run& run, T* panel, int64_t stride, int64_t row, int64_t count, const float* multipliers) const {
    const Value& x = run.value(x_);
    const int64_t per_sample = x.rows_per_sample();
    while (count > 0) {  // one sample at a time: each has its own gate
      const int64_t sample = row / per_sample, some = std::min(count, (sample + 1) * per_sample - row);
      if constexpr (sizeof(T) == 4) {
        rows_f32_->affine(input(run) + row * x.stride, x.stride, run.f32(gate_.value) + sample * x.stride, nullptr, panel,
                          stride, some, x.stride, gate_.activation);
      } else {
        const float zero = static_cast<float>(gate_.zero_point);
        const Requantise q{multipliers + sample * x.stride, -zero, 255.0f - zero, gate_.zero_point};
        rows_u8_->scale(input(run) + row * x.stride, x.stride, panel, stride, some, x.stride, gate_.x_zero_point, q);
        if (gate_.table) rows_u8_->lookup(panel, panel, gate_.table->as<uint8_t>(), some * stride);
      }
      panel += some * stride, row += some, count -= some;
    }
  }

  // Writes the taps of each output position one after the other; taps outside hold the input's zero.
  void gather_rows(const Run& run, T* panel, int64_t row, int64_t count) const {
    const Value& y = run.value(writes);
    while (count > 0) {  // a piece of one output line at a time
      const int64_t line = row / y.w, w = row % y.w, some = std::min(count, y.w - w);
      gather_line(run, panel, line / (y.t * y.h), line / y.h % y.t, line % y.h, w, some);
      panel += some * w_->depth, row += some, count -= some;
    }
  }

  void gather_line(const Run& run, T* panel, int64_t n, int64_t t, int64_t h, int64_t w, int64_t count) const {
    const Value& x = run.value(x_);
    const int64_t used = w_->tap_channels, rest = w_->depth - w_->taps() * used;
    for (int64_t i = 0; i < count; ++i) std::memset(panel + (i + 1) * w_->depth - rest, 0, static_cast<size_t>(rest) * sizeof(T));
    T* out = panel;
    for (int64_t a = 0; a < w_->kernel[0]; ++a) {
      const int64_t frame = t * g_.stride[0] - g_.padding[0] + a * g_.dilation[0];
      for (int64_t b = 0; b < w_->kernel[1]; ++b) {
        const int64_t line = h * g_.stride[1] - g_.padding[1] + b * g_.dilation[1];
        const bool inside = frame >= 0 && frame < x.t && line >= 0 && line < x.h;
        const T* source = inside ? input(run) + ((n * x.t + frame) * x.h + line) * x.w * x.stride : nullptr;
        for (int64_t c = 0; c < w_->kernel[2]; ++c, out += used) {
          const int64_t column = w * g_.stride[2] - g_.padding[2] + c * g_.dilation[2];
          copy_taps(out, source, column, count, x, used);
        }
      }
    }
  }

  void copy_taps(T* out, const T* source, int64_t column, int64_t count, const Value& x, int64_t length) const {
    const size_t bytes = static_cast<size_t>(length) * sizeof(T);
    for (int64_t i = 0; i < count; ++i, out += w_->depth, column += g_.stride[2]) {
      if (source && column >= 0 && column < x.w) {
        std::memcpy(out, source + column * x.stride, bytes);
      } else {
        std::fill(out, out + length, static_cast<T>(w_->x_zero_point));
      }
    }
  }

  void multiply(const Run& run, const T* a, int64_t a_stride, int64_t row, int64_t rows, int64_t first,
                int64_t last) const {
    const Value& y = run.value(writes);
    const int64_t at = row * y.stride + first * lanes();
    if constexpr (sizeof(T) == 4) {
      if (w_->one_byte)
        return w_->gemm_f32->multiply_w8(
            {a, a_stride, rows, w_->depth, w_->weight.as<int8_t>() + first * w_->depth * lanes(),
             w_->multiplier.as<float>() + first * lanes(), w_->bias.as<float>() + first * lanes(), last - first,
             run.f32(writes) + at, y.stride, e_.activation});
      const float* residual = e_.residual >= 0 ? run.f32(e_.residual) + at : nullptr;
      w_->gemm_f32->multiply({a, a_stride, rows, w_->depth, w_->weight.as<float>() + first * w_->depth * lanes(),
                              w_->bias.as<float>() + first * lanes(), last - first, w_->half(first, last - first, lanes()),
                              residual, run.f32(writes) + at, y.stride, lanes(), e_.activation});
    } else {
      const bool to_float = y.type == Type::f32;
      Requantise q = requantise_of(*w_, e_.relu, e_.y_zero_point, to_float);
      q.multiplier += first * lanes();
      const uint8_t* residual = e_.residual >= 0 ? run.u8(e_.residual) + at : nullptr;
      uint8_t* out = to_float ? nullptr : run.u8(writes) + at;
      w_->gemm_u8->multiply({a, a_stride, rows, w_->depth / 4, w_->weight.as<int8_t>() + first * w_->depth * lanes(),
                             w_->bias.as<int32_t>() + first * lanes(), last - first, w_->half(first, last - first, lanes()),
                             residual, e_.residual_zero_point,
                             e_.residual_multiplier, out, to_float ? run.f32(writes) + at : nullptr, y.stride, 0, q});
      if (e_.table)
        rows_u8_->lookup_rows(out, y.stride, rows, (last - first) * lanes(), e_.table->as<uint8_t>());
    }
  }

  const RowsF32Kernels* rows_f32_;
  const RowsU8Kernels* rows_u8_;
  bool direct_ = false, strided_ = false;
};

}  // namespace

std::unique_ptr<Operation> make_dense(const Program& program, int x, int y, std::shared_ptr<ConvWeights> weights,
                                      const Geometry& geometry, const Gate& gate, const Epilogue& epilogue) {
  if (weights->type == Type::f32)
    return std::make_unique<Dense<float>>(program, x, y, std::move(weights), geometry, gate, epilogue);
  return std::make_unique<Dense<uint8_t>>(program, x, y, std::move(weights), geometry, gate, epilogue);
}

}  // namespace accel_mobile
