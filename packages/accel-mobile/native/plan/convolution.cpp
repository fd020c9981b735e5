#include "plan/convolution.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "kernels/rows_f32.hpp"
#include "kernels/rows_u8.hpp"
#include "vision/thread_pool.hpp"

namespace accel_mobile {
namespace {

constexpr int64_t enough_work = 200000;  // multiply-adds that are worth handing to another thread
constexpr size_t panel_bytes = 32 << 10;

void need(bool condition, const char* text) {
  if (!condition) throw std::invalid_argument(text);
}

void check(const Program& program, int x_id, int y_id, const ConvWeights& w, const Geometry& g, const Gate& gate,
           const Epilogue& e) {
  const Value &x = program.value(x_id), &y = program.value(y_id);
  const int64_t in[3] = {x.t, x.h, x.w}, out[3] = {y.t, y.h, y.w};
  for (int i = 0; i < 3; ++i) {
    need(g.stride[i] >= 1 && g.padding[i] >= 0 && g.dilation[i] >= 1, "convolution: stride, padding or dilation");
    const int64_t span = in[i] + 2 * g.padding[i] - g.dilation[i] * (w.kernel[i] - 1) - 1;
    need(span >= 0 && out[i] == span / g.stride[i] + 1, "convolution: the output's size does not follow from the input's");
  }
  need(x.n == y.n && x.c == w.in_channels && y.c == w.out_channels, "convolution: batch or channels differ");
  need(x.type == w.type, "convolution: weights of another type");
  need(y.stride == w.columns, "convolution: the output's stride is not that of the weights");
  need(w.type == Type::u8 || y.type == Type::f32, "convolution: a float32 convolution has a float32 result");
  if (w.depthwise) {
    need(x.stride == w.columns && y.type == x.type, "depthwise convolution: stride or type");
    need(w.type == Type::f32 || (g.stride[0] == 1 && g.dilation[0] == 1), "depthwise int8: stride or dilation in time");
  }
  if (e.residual >= 0) {
    const Value& r = program.value(e.residual);
    need(!w.depthwise && r.type == y.type && r.rows() == y.rows() && r.stride == y.stride, "convolution: residual");
  }
  if (gate.value >= 0) {
    const Value& s = program.value(gate.value);
    need(!w.depthwise && w.taps() == 1 && s.type == Type::f32, "convolution: a gate needs a pointwise convolution");
    need(s.rows() == x.n && s.stride == x.stride, "convolution: the gate's sizes");
  }
}

Requantise requantise_of(const ConvWeights& w, const Epilogue& e, bool to_float) {
  if (to_float) return {w.multiplier.as<float>(), e.relu ? 0.0f : -INFINITY, INFINITY, 0};
  const float zero = static_cast<float>(e.y_zero_point);
  return {w.multiplier.as<float>(), e.relu ? 0.0f : -zero, 255.0f - zero, e.y_zero_point};
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

// ---- matrix products ----

template <class T>
class Dense : public Convolution {
 public:
  Dense(const Program& program, int x, int y, std::shared_ptr<ConvWeights> weights, const Geometry& g, const Gate& gate,
        const Epilogue& e)
      : Convolution(x, y, std::move(weights), g, gate, e),
        rows_f32_(&VISION_SELECT(rows_f32)),
        rows_u8_(&VISION_SELECT(rows_u8)) {
    const Value& in = program.value(x);
    direct_ = w_->taps() == 1 && g.stride[0] * g.stride[1] * g.stride[2] == 1 &&
              g.padding[0] + g.padding[1] + g.padding[2] == 0 && w_->depth <= in.stride && gate.value < 0;
  }

  const char* kernel() const override {
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
          if (x.stride == 4) {
            // Four values are copied even where fewer count: the next tap, or a place with weight zero, covers the rest.
            copy_taps<4>(out, source, column, count, x, 4);
          } else {
            copy_taps<0>(out, source, column, count, x, used);
          }
        }
      }
    }
  }

  template <int fixed>
  void copy_taps(T* out, const T* source, int64_t column, int64_t count, const Value& x, int64_t length) const {
    const size_t bytes = (fixed ? fixed : length) * sizeof(T);
    for (int64_t i = 0; i < count; ++i, out += w_->depth, column += g_.stride[2]) {
      if (source && column >= 0 && column < x.w) {
        std::memcpy(out, source + column * x.stride, bytes);
      } else {
        std::fill(out, out + (fixed ? fixed : length), static_cast<T>(w_->x_zero_point));
      }
    }
  }

  void multiply(const Run& run, const T* a, int64_t a_stride, int64_t row, int64_t rows, int64_t first,
                int64_t last) const {
    const Value& y = run.value(writes);
    const int64_t at = row * y.stride + first * lanes();
    if constexpr (sizeof(T) == 4) {
      const float* residual = e_.residual >= 0 ? run.f32(e_.residual) + at : nullptr;
      w_->gemm_f32->multiply({a, a_stride, rows, w_->depth, w_->weight.as<float>() + first * w_->depth * lanes(),
                              w_->bias.as<float>() + first * lanes(), last - first, residual, run.f32(writes) + at,
                              y.stride, e_.activation});
    } else {
      const bool to_float = y.type == Type::f32;
      Requantise q = requantise_of(*w_, e_, to_float);
      q.multiplier += first * lanes();
      const uint8_t* residual = e_.residual >= 0 ? run.u8(e_.residual) + at : nullptr;
      uint8_t* out = to_float ? nullptr : run.u8(writes) + at;
      w_->gemm_u8->multiply({a, a_stride, rows, w_->depth / 4, w_->weight.as<int8_t>() + first * w_->depth * lanes(),
                             w_->bias.as<int32_t>() + first * lanes(), last - first, residual, e_.residual_zero_point,
                             e_.residual_multiplier, out, to_float ? run.f32(writes) + at : nullptr, y.stride, q});
      if (e_.table)
        for (int64_t r = 0; r < rows; ++r)
          rows_u8_->lookup(out + r * y.stride, out + r * y.stride, e_.table->as<uint8_t>(), (last - first) * lanes());
    }
  }

  const RowsF32Kernels* rows_f32_;
  const RowsU8Kernels* rows_u8_;
  bool direct_ = false;

};

// ---- depthwise ----

class DepthwiseFloat : public Convolution {
 public:
  using Convolution::Convolution;
  const char* kernel() const override { return "depthwise_f32"; }

  void run(const Run& run) const override {
    const Value& y = run.value(writes);
    const int64_t per_row = y.w * y.stride * w_->taps();
    // Frames of one line lie together: the lines that they share stay in the cache.
    vision::parallel_for(y.n * y.h * y.t, enough_work / per_row + 1, run.threads, [&](int64_t begin, int64_t end) {
      std::vector<const float*> rows(static_cast<size_t>(w_->kernel[0] * w_->kernel[1])), weights(rows.size());
      for (int64_t i = begin; i < end; ++i) {
        const int64_t t = i % y.t, h = i / y.t % y.h, n = i / (y.t * y.h);
        one_row(run, n, t, h, rows.data(), weights.data());
      }
    });
  }

 private:
  void one_row(const Run& run, int64_t n, int64_t t, int64_t h, const float** rows, const float** weights) const {
    const Value &x = run.value(x_), &y = run.value(writes);
    int64_t count = 0;
    for (int64_t a = 0; a < w_->kernel[0]; ++a) {
      const int64_t frame = t * g_.stride[0] - g_.padding[0] + a * g_.dilation[0];
      if (frame < 0 || frame >= x.t) continue;
      for (int64_t b = 0; b < w_->kernel[1]; ++b) {
        const int64_t line = h * g_.stride[1] - g_.padding[1] + b * g_.dilation[1];
        if (line < 0 || line >= x.h) continue;
        rows[count] = run.f32(x_) + ((n * x.t + frame) * x.h + line) * x.w * x.stride;
        weights[count++] = w_->weight.as<float>() + (a * w_->kernel[1] + b) * w_->kernel[2] * x.stride;
      }
    }
    w_->depthwise_f32->row({rows, weights, count, x.stride, x.w, y.w, w_->kernel[2], g_.stride[2], g_.padding[2],
                            g_.dilation[2], w_->bias.as<float>(),
                            run.f32(writes) + ((n * y.t + t) * y.h + h) * y.w * y.stride, e_.activation});
  }
};

class DepthwiseInt8 : public Convolution {
 public:
  DepthwiseInt8(int x, int y, std::shared_ptr<ConvWeights> weights, const Geometry& g, const Gate& gate,
                const Epilogue& e)
      : Convolution(x, y, std::move(weights), g, gate, e), rows_u8_(&VISION_SELECT(rows_u8)) {}
  const char* kernel() const override { return "depthwise_u8 over quads of frames"; }

  void run(const Run& run) const override {
    const Value& y = run.value(writes);
    const int64_t per_line = y.w * y.stride * y.t * w_->taps() / 2;
    vision::parallel_for(y.n * y.h, enough_work / per_line + 4, run.threads, [&](int64_t begin, int64_t end) {
      Lines lines(*this, run);
      for (int64_t i = begin; i < end; ++i) lines.compute(i / y.h, i % y.h);
    });
  }

 private:
  // Output lines one after the other; the quads of the input lines that successive ones share are made once.
  class Lines {
   public:
    Lines(const DepthwiseInt8& op, const Run& run)
        : op_(op), run_(run), x_(run.value(op.x_)), y_(run.value(op.writes)) {
      pairs_ = (y_.t + 1) / 2;
      line_ = x_.w * x_.stride;
      slots_ = (op.w_->kernel[1] - 1) * op.g_.dilation[1] + 1;
      const size_t ring = static_cast<size_t>(slots_ * pairs_ * line_ * 4);
      uint8_t* memory = thread_scratch<uint8_t>(ring + static_cast<size_t>(line_) * 5);
      ring_ = memory;
      outside_quads_ = memory + ring;
      outside_ = outside_quads_ + line_ * 4;
      std::memset(outside_quads_, op.w_->x_zero_point, static_cast<size_t>(line_) * 5);
      held_.assign(static_cast<size_t>(slots_), -1);
    }

    void compute(int64_t n, int64_t h) {
      const ConvWeights& w = *op_.w_;
      std::vector<const uint8_t*> rows(static_cast<size_t>(w.kernel[1]));
      for (int64_t b = 0; b < w.kernel[1]; ++b) {
        const int64_t line = h * op_.g_.stride[1] - op_.g_.padding[1] + b * op_.g_.dilation[1];
        rows[b] = line < 0 || line >= x_.h ? nullptr : quads(n, line);
      }
      std::vector<const uint8_t*> pair_rows(rows.size());
      for (int64_t pair = 0; pair < pairs_; ++pair) {
        for (size_t b = 0; b < rows.size(); ++b)
          pair_rows[b] = rows[b] ? rows[b] + pair * line_ * 4 : outside_quads_;
        one_pair(n, h, pair * 2, pair_rows.data());
      }
    }

   private:
    // The quads of an input line, all pairs of output frames; made on first use.
    const uint8_t* quads(int64_t n, int64_t line) {
      const int64_t slot = line % slots_, key = n * x_.h + line;
      uint8_t* at = ring_ + slot * pairs_ * line_ * 4;
      if (held_[slot] == key) return at;
      held_[slot] = key;
      for (int64_t pair = 0; pair < pairs_; ++pair) {
        const uint8_t* frames[4];
        for (int64_t i = 0; i < 4; ++i) {
          const int64_t t = pair * 2 - op_.g_.padding[0] + i;
          frames[i] = t < 0 || t >= x_.t ? outside_ : run_.u8(op_.x_) + ((n * x_.t + t) * x_.h + line) * line_;
        }
        op_.w_->depthwise_u8->make_quads(frames, at + pair * line_ * 4, line_);
      }
      return at;
    }

    void one_pair(int64_t n, int64_t h, int64_t t, const uint8_t* const* rows) {
      const ConvWeights& w = *op_.w_;
      uint8_t* first = run_.u8(op_.writes) + ((n * y_.t + t) * y_.h + h) * y_.w * y_.stride;
      uint8_t* second = t + 1 < y_.t ? first + y_.h * y_.w * y_.stride : nullptr;
      w.depthwise_u8->row({rows, w.kernel[1], x_.stride, x_.w, y_.w, w.kernel[2], op_.g_.stride[2], op_.g_.padding[2],
                           op_.g_.dilation[2], w.weight.as<int8_t>(), w.bias.as<int32_t>(), w.x_zero_point,
                           {first, second}, requantise_of(w, op_.e_, false)});
      if (!op_.e_.table) return;
      for (uint8_t* y : {first, second})
        if (y) op_.rows_u8_->lookup(y, y, op_.e_.table->as<uint8_t>(), y_.w * y_.stride);
    }

    const DepthwiseInt8& op_;
    const Run& run_;
    const Value &x_, &y_;
    int64_t pairs_, line_, slots_;
    uint8_t *ring_, *outside_quads_, *outside_;
    std::vector<int64_t> held_;
  };

  const RowsU8Kernels* rows_u8_;
};

}  // namespace

std::unique_ptr<Operation> make_convolution(const Program& program, int x, int y, std::shared_ptr<ConvWeights> weights,
                                            const Geometry& geometry, const Gate& gate, const Epilogue& epilogue) {
  check(program, x, y, *weights, geometry, gate, epilogue);
  if (weights->type == Type::f32 && weights->depthwise)
    return std::make_unique<DepthwiseFloat>(x, y, std::move(weights), geometry, gate, epilogue);
  if (weights->depthwise) return std::make_unique<DepthwiseInt8>(x, y, std::move(weights), geometry, gate, epilogue);
  if (weights->type == Type::f32)
    return std::make_unique<Dense<float>>(program, x, y, std::move(weights), geometry, gate, epilogue);
  return std::make_unique<Dense<uint8_t>>(program, x, y, std::move(weights), geometry, gate, epilogue);
}

}  // namespace accel_mobile
