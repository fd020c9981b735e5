// Depthwise convolutions: rows of taps for float32, rings of quads of frames for uint8.
#include <vector>

#include "kernels/rows_u8.hpp"
#include "plan/convolution_base.hpp"
#include "vision/thread_pool.hpp"

namespace accel_mobile {
namespace {

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

std::unique_ptr<Operation> make_depthwise(int x, int y, std::shared_ptr<ConvWeights> weights, const Geometry& geometry,
                                          const Epilogue& epilogue) {
  if (weights->type == Type::f32)
    return std::make_unique<DepthwiseFloat>(x, y, std::move(weights), geometry, Gate{}, epilogue);
  return std::make_unique<DepthwiseInt8>(x, y, std::move(weights), geometry, Gate{}, epilogue);
}

}  // namespace accel_mobile
