// Depthwise convolutions, float32, of a value that lies there or is expanded line by line on the way.
#include <algorithm>
#include <vector>

#include "kernels/rows_f32.hpp"
#include "plan/convolution_base.hpp"
#include "plan/line_window.hpp"
#include "plan/stem.hpp"
#include "vision/thread_pool.hpp"

namespace accel_mobile {
namespace {

// The rows of weights and inputs that take part in each frame of one line of outputs.
class TapTable {
 public:
  // `place(frame, line)` is where a line of inputs begins.
  template <class Place>
  void fill(const ConvWeights& w, const Geometry& g, const Value& x, int64_t h, int64_t first_frame, int64_t frames,
            int64_t lanes, Place&& place) {
    taps_.clear(), first_.assign(1, 0);
    for (int64_t t = first_frame; t < first_frame + frames; ++t) {
      for (int64_t a = 0; a < w.kernel[0]; ++a) {
        const int64_t frame = t * g.stride[0] - g.padding[0] + a * g.dilation[0];
        if (frame < 0 || frame >= x.t) continue;
        for (int64_t b = 0; b < w.kernel[1]; ++b) {
          const int64_t line = h * g.stride[1] - g.padding[1] + b * g.dilation[1];
          if (line < 0 || line >= x.h) continue;
          taps_.push_back({place(frame, line), (a * w.kernel[1] + b) * w.kernel[2] * lanes});
        }
      }
      first_.push_back(static_cast<int64_t>(taps_.size()));
    }
  }
  const DepthwiseTap* taps() const { return taps_.data(); }
  const int64_t* first() const { return first_.data(); }

 private:
  std::vector<DepthwiseTap> taps_;
  std::vector<int64_t> first_;
};

class DepthwiseFloat : public Convolution {
 public:
  using Convolution::Convolution;
  const char* kernel() const override { return "depthwise_f32"; }

  void run(const Run& run) const override {
    const Value& y = run.value(writes);
    // Frames of one line lie together: the inputs that they share stay in the cache.
    const int64_t some = std::min<int64_t>(y.t, 16), parts = (y.t + some - 1) / some;
    const int64_t per_part = some * y.w * y.stride * w_->taps();
    vision::parallel_for(y.n * y.h * parts, enough_work / per_part + 1, run.threads, [&](int64_t begin, int64_t end) {
      TapTable table;
      for (int64_t i = begin; i < end; ++i) {
        const int64_t t = i % parts * some, h = i / parts % y.h, n = i / (parts * y.h);
        one_line(run, table, n, h, t, std::min(some, y.t - t));
      }
    });
  }

 private:
  void one_line(const Run& run, TapTable& table, int64_t n, int64_t h, int64_t t, int64_t frames) const {
    const Value &x = run.value(x_), &y = run.value(writes);
    const int64_t lanes = w_->depthwise_f32->lanes;
    table.fill(*w_, g_, x, h, t, frames, lanes,
               [&](int64_t frame, int64_t line) { return ((n * x.t + frame) * x.h + line) * x.w * x.stride; });
    w_->depthwise_f32->line({run.f32(x_), lanes, x.stride, table.taps(), table.first(), frames, y.stride / lanes, x.w, y.w,
                             w_->kernel[2], g_.stride[2], g_.padding[2], g_.dilation[2], w_->weight.as<float>(),
                             w_->taps() * lanes, w_->bias.as<float>(),
                             run.f32(writes) + ((n * y.t + t) * y.h + h) * y.w * y.stride, y.h * y.w * y.stride, y.stride,
                             e_.activation});
  }
};

// A convolution and the depthwise one that alone reads its result. Of that result only the lines that the next line of
// outputs needs exist, for some vectors of channels at a time: they stay in the second-level cache.
class ExpandedFloat : public Convolution {
 public:
  ExpandedFloat(int x, int y, const Expansion& expansion, std::shared_ptr<ConvWeights> weights, const Geometry& g,
                const Epilogue& e, const Value& middle)
      : Convolution(x, y, std::move(weights), g, Gate{}, e), expand_(expansion), middle_(middle), rows_f32_(&VISION_SELECT(rows_f32)) {
    if (expansion.weights->stem) reads.clear();  // the caller's memory, which lies not in the arena
  }
  const char* kernel() const override { return expand_.weights->stem ? "stem + depthwise_f32" : "expand + depthwise_f32"; }

  void run(const Run& run) const override {
    const Value& y = run.value(writes);
    const int64_t lanes = w_->depthwise_f32->lanes, vectors = y.stride / lanes;
    const LineWindow window(middle_, y, *w_, g_, lanes * static_cast<int64_t>(sizeof(float)), vectors);
    const Shares shares(run.threads, vectors, y.h, window.seamless());
    vision::parallel_for(y.n * shares.count(), 1, run.threads, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const Share share = shares.at(i % shares.count());
        const int64_t pieces = (share.vectors() + window.group - 1) / window.group;
        for (int64_t p = 0; p < pieces; ++p) {  // of equal size
          const int64_t first = share.first_vector + share.vectors() * p / pieces;
          const int64_t last = share.first_vector + share.vectors() * (p + 1) / pieces;
          Piece(*this, run, window, i / shares.count(), first, last - first).lines(share.first_line, share.last_line);
        }
      }
    });
  }

 private:
  class Piece {
   public:
    Piece(const ExpandedFloat& op, const Run& run, const LineWindow& window, int64_t n, int64_t first, int64_t count)
        : op_(op),
          run_(run),
          x_(op.middle_),
          y_(run.value(op.writes)),
          window_(window),
          stem_(run.value(op.x_), x_, *op.expand_.weights, op.expand_.geometry, op.expand_.activation),
          n_(n),
          first_(first),
          count_(count) {
      lanes_ = op.w_->depthwise_f32->lanes;
      int64_t in_width = 0, out_width = 0;
      for (int64_t part = 0; part < window.parts; ++part) {
        const Columns columns(x_, y_, *op.w_, op.g_, part, window.parts);
        in_width = std::max(in_width, columns.in_width), out_width = std::max(out_width, columns.out_width);
      }
      vector_ = x_.t * window.slots * in_width * lanes_;
      const int64_t padded = op.expand_.weights->stem ? round_up(stem_.padded_floats(in_width), 16) : 0;
      const int64_t line = y_.type == Type::u8 ? y_.t * out_width * count * lanes_ : 0;
      memory_ = thread_scratch<float>(static_cast<size_t>(count * vector_ + padded + line));
      padded_ = memory_ + count * vector_;
      line_ = padded_ + padded;
    }

    void lines(int64_t begin, int64_t end) {
      for (int64_t part = 0; part < window_.parts; ++part) {
        columns_ = Columns(x_, y_, *op_.w_, op_.g_, part, window_.parts);
        lines_of_part(begin, end);
      }
    }

   private:
    void lines_of_part(int64_t begin, int64_t end) {
      int64_t made = 0;
      if (window_.whole()) expand(window_.needed(begin).first, window_.needed(end - 1).second);
      for (int64_t h = begin; h < end; ++h) {
        const auto [low, high] = window_.needed(h);
        if (!window_.whole()) expand(std::max(low, made), high);
        made = std::max(made, high);
        depthwise(h);
      }
    }

    int64_t place(int64_t frame, int64_t line) const {
      return (frame * window_.slots + line % window_.slots) * columns_.in_width * lanes_;
    }

    void expand(int64_t low, int64_t high) {
      if (op_.expand_.weights->stem) return stem(low, high);
      if (low == 0 && high == x_.h && window_.whole()) return multiply(0, 0, x_.t * x_.h * x_.w);
      while (low < high) {  // lines whose places follow each other
        const int64_t some = window_.parts > 1 ? 1 : std::min(high - low, window_.slots - low % window_.slots);
        for (int64_t frame = 0; frame < x_.t; ++frame) {
          if (frame + 1 < x_.t) fetch(frame + 1, low, some * columns_.in_width);
          multiply(frame, low, some * columns_.in_width);
        }
        low += some;
      }
    }

    void stem(int64_t low, int64_t high) {
      const Value& planes = run_.value(op_.x_);
      const float* sample = static_cast<const float*>(run_.inputs[op_.expand_.input]) + n_ * planes.c * planes.rows_per_sample();
      for (int64_t line = low; line < high; ++line) {
        for (int64_t frame = 0; frame < x_.t; ++frame) {
          if (columns_.out == 0 && frame + 1 < x_.t) stem_.fetch(sample, frame + 1, line);
          stem_.make(sample, frame, line, columns_.in, columns_.in_width, padded_,
                     {first_, count_, memory_ + place(frame, line), lanes_, vector_});
        }
      }
    }

    const float* input(int64_t frame, int64_t line) const {
      const int64_t stride = run_.value(op_.x_).stride;
      return run_.f32(op_.x_) + (((n_ * x_.t + frame) * x_.h + line) * x_.w + columns_.in) * stride;
    }

    // Frames lie far apart: the processor does not foresee where the next one's line is.
    void fetch(int64_t frame, int64_t line, int64_t rows) const {
      const float* a = input(frame, line);
      for (int64_t i = 0; i < rows * run_.value(op_.x_).stride; i += 16) __builtin_prefetch(a + i, 0, 2);
    }

    void multiply(int64_t frame, int64_t line, int64_t rows) {
      const ConvWeights& w = *op_.expand_.weights;
      const int64_t stride = run_.value(op_.x_).stride;
      const float* a = input(frame, line);
      w.gemm_f32->multiply({a, stride, rows, w.depth, w.weight.as<float>() + first_ * w.depth * lanes_,
                            w.bias.as<float>() + first_ * lanes_, count_, w.half(first_, count_, lanes_), nullptr,
                            memory_ + place(frame, line), lanes_, vector_, op_.expand_.activation});
    }

    void depthwise(int64_t h) {
      const ConvWeights& w = *op_.w_;
      const Geometry& g = op_.g_;
      table_.fill(w, g, x_, h, 0, y_.t, lanes_, [&](int64_t t, int64_t line) { return place(t, line); });
      const int64_t at = ((n_ * y_.t * y_.h + h) * y_.w + columns_.out) * y_.stride + first_ * lanes_;
      if (y_.type == Type::f32)
        return outputs({0, columns_.out_width, 0, columns_.in_width, columns_.padding}, run_.f32(op_.writes) + at, frame(), y_.stride);
      // Quantised while they are in the nearest cache, where outputs read no others' inputs.
      const bool apart = w.kernel[2] == 1 && g.stride[2] == 1 && g.padding[2] == 0;
      const int64_t step = apart ? 16 : columns_.out_width, row = count_ * lanes_;
      for (int64_t out = 0; out < columns_.out_width; out += step) {
        const int64_t some = std::min(step, columns_.out_width - out);
        outputs(apart ? Columns{out, some, out, some, 0} : Columns{0, some, 0, columns_.in_width, columns_.padding}, line_, some * row, row);
        for (int64_t t = 0; t < y_.t; ++t)
          op_.rows_f32_->quantize(line_ + t * some * row, row, run_.u8(op_.writes) + at + t * frame() + out * y_.stride, y_.stride,
                                  some, row, op_.e_.inverse_scale, op_.e_.y_zero_point);
      }
    }

    int64_t frame() const { return y_.h * y_.w * y_.stride; }

    // Columns within this part of the width.
    void outputs(const Columns& c, float* y, int64_t y_frame, int64_t y_position) const {
      const ConvWeights& w = *op_.w_;
      const int64_t per_vector = w.taps() * lanes_;
      w.depthwise_f32->line({memory_ + c.in * lanes_, vector_, lanes_, table_.taps(), table_.first(), y_.t, count_, c.in_width,
                             c.out_width, w.kernel[2], op_.g_.stride[2], c.padding, op_.g_.dilation[2],
                             w.weight.as<float>() + first_ * per_vector, per_vector, w.bias.as<float>() + first_ * lanes_, y,
                             y_frame, y_position, op_.e_.activation});
    }

    const ExpandedFloat& op_;
    const Run& run_;
    const Value &x_, &y_;
    const LineWindow& window_;
    Columns columns_;
    StemLines stem_;
    int64_t n_, first_, count_, lanes_, vector_;
    float *memory_, *padded_, *line_;
    TapTable table_;
  };

  Expansion expand_;
  Value middle_;
  const RowsF32Kernels* rows_f32_;
};

}  // namespace

std::unique_ptr<Operation> make_depthwise_float(int x, int y, const Expansion& expansion, std::shared_ptr<ConvWeights> weights,
                                                const Geometry& geometry, const Epilogue& epilogue, const Value& middle) {
  if (!expansion.weights) return std::make_unique<DepthwiseFloat>(x, y, std::move(weights), geometry, Gate{}, epilogue);
  return std::make_unique<ExpandedFloat>(x, y, expansion, std::move(weights), geometry, epilogue, middle);
}

}  // namespace accel_mobile
