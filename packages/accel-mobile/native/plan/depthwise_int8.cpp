// Depthwise convolutions, uint8, on quads of frames, of a value that lies there or is expanded line by line on the way.
#include <algorithm>
#include <vector>

#include "kernels/rows_u8.hpp"
#include "plan/convolution_base.hpp"
#include "plan/line_window.hpp"
#include "vision/thread_pool.hpp"

namespace accel_mobile {
namespace {

// The quads of some lines exist at a time, for some vectors of channels; lines that successive ones share are made once.
class DepthwiseInt8 : public Convolution {
 public:
  DepthwiseInt8(int x, int y, const Expansion& expansion, std::shared_ptr<ConvWeights> weights, const Geometry& g,
                const Epilogue& e)
      : Convolution(x, y, std::move(weights), g, Gate{}, e), expand_(expansion), rows_u8_(&VISION_SELECT(rows_u8)) {}
  const char* kernel() const override {
    return expand_.weights ? "expand + depthwise_u8 over quads of frames" : "depthwise_u8 over quads of frames";
  }

  void run(const Run& run) const override {
    const Value &x = run.value(x_), &y = run.value(writes);
    const int64_t lanes = w_->depthwise_u8->lanes, vectors = y.stride / lanes;
    LineWindow window(x, y, *w_, g_, lanes * 3, vectors);
    if (!expand_.weights) window.group = vectors, window.parts = 1;  // quads of all channels are made together
    const Shares shares(run.threads, expand_.weights ? vectors : 1, y.h, window.seamless());
    vision::parallel_for(x.n * shares.count(), 1, run.threads, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        Share share = shares.at(i % shares.count());
        if (!expand_.weights) share.last_vector = vectors;
        const int64_t pieces = (share.vectors() + window.group - 1) / window.group;
        for (int64_t p = 0; p < pieces; ++p) {  // of equal size
          const int64_t first = share.first_vector + share.vectors() * p / pieces;
          const int64_t last = share.first_vector + share.vectors() * (p + 1) / pieces;
          for (int64_t part = 0; part < window.parts; ++part)
            Piece(*this, run, window, part, i / shares.count(), first, last - first).lines(share.first_line, share.last_line);
        }
      }
    });
  }

 private:
  class Piece {
   public:
    Piece(const DepthwiseInt8& op, const Run& run, const LineWindow& window, int64_t part, int64_t n, int64_t first, int64_t count)
        : op_(op),
          run_(run),
          x_(run.value(op.x_)),
          y_(run.value(op.writes)),
          window_(window),
          columns_(x_, y_, *op.w_, op.g_, part, window.parts),
          n_(n),
          first_(first),
          count_(count) {
      lanes_ = op.w_->depthwise_u8->lanes;
      pairs_ = (y_.t + 1) / 2;
      quads_vector_ = pairs_ * window.slots * columns_.in_width * lanes_ * 4;
      frame_ = round_up(window.slots * columns_.in_width, 4) * lanes_;
      const int64_t frames = op.expand_.weights ? count * x_.t * frame_ : 0;
      const int64_t outside = std::max({frame_, x_.w * lanes_ * 4, x_.w * x_.stride});
      quads_ = thread_scratch<uint8_t>(static_cast<size_t>(count * quads_vector_ + frames + outside));
      frames_ = quads_ + count * quads_vector_;
      outside_ = frames_ + frames;
      std::memset(outside_, op.w_->x_zero_point, static_cast<size_t>(outside));
    }

    void lines(int64_t begin, int64_t end) {
      if (window_.whole()) make(window_.needed(begin).first, window_.needed(end - 1).second);
      for (int64_t h = begin; h < end; ++h) {
        const auto [low, high] = window_.needed(h);
        if (!window_.whole()) make(std::max(low, made_), high);
        made_ = std::max(made_, high);
        depthwise(h);
      }
    }

   private:
    uint8_t* place(int64_t pair, int64_t line) const {
      return quads_ + (pair * window_.slots + line % window_.slots) * columns_.in_width * lanes_ * 4;
    }

    // The quads of lines `low` to `high` - 1.
    void make(int64_t low, int64_t high) {
      while (low < high) {  // lines whose places follow each other
        const bool single = !op_.expand_.weights || window_.parts > 1;
        const int64_t some = single ? 1 : std::min(high - low, window_.slots - low % window_.slots);
        if (op_.expand_.weights) {
          for (int64_t frame = 0; frame < x_.t; ++frame) {
            if (!window_.whole() && frame + 1 < x_.t) fetch(frame + 1, low, some * columns_.in_width);
            expand(frame, low, some * columns_.in_width);
          }
        }
        for (int64_t pair = 0; pair < pairs_; ++pair) make_pair(pair, low, some * columns_.in_width);
        low += some;
      }
    }

    const uint8_t* input(int64_t frame, int64_t line) const {
      return run_.u8(op_.x_) + (((n_ * x_.t + frame) * x_.h + line) * x_.w + columns_.in) * x_.stride;
    }

    // Frames lie far apart: the processor does not foresee where the next one's line is.
    void fetch(int64_t frame, int64_t line, int64_t rows) const {
      const uint8_t* a = input(frame, line);
      for (int64_t i = 0; i < rows * x_.stride; i += 64) __builtin_prefetch(a + i, 0, 2);
    }

    void expand(int64_t frame, int64_t line, int64_t rows) {
      const ConvWeights& w = *op_.expand_.weights;
      Requantise q = requantise_of(w, op_.expand_.relu, op_.expand_.y_zero_point, false);
      q.multiplier += first_ * lanes_;
      const uint8_t* a = input(frame, line);
      const int64_t vector = x_.t * frame_;
      uint8_t* y = frames_ + frame * frame_;
      w.gemm_u8->multiply({a, x_.stride, rows, w.depth / 4, w.weight.as<int8_t>() + first_ * w.depth * lanes_,
                           w.bias.as<int32_t>() + first_ * lanes_, count_, w.half(first_, count_, lanes_), nullptr, 0, 0.0f, y, nullptr, 0, vector, q});
      if (op_.expand_.table) op_.rows_u8_->lookup_rows(y, vector, count_, frame_, op_.expand_.table->as<uint8_t>());
    }

    void make_pair(int64_t pair, int64_t line, int64_t count) {
      const uint8_t* frames[4];
      const DepthwiseU8Kernels& kernels = *op_.w_->depthwise_u8;
      const bool expanded = op_.expand_.weights != nullptr;
      for (int64_t v = 0; v < (expanded ? count_ : 1); ++v) {
        for (int64_t i = 0; i < 4; ++i) {
          const int64_t t = pair * 2 - op_.g_.padding[0] + i;
          if (t < 0 || t >= x_.t) {
            frames[i] = outside_;
          } else {
            frames[i] = expanded ? frames_ + (v * x_.t + t) * frame_
                                 : run_.u8(op_.x_) + ((n_ * x_.t + t) * x_.h + line) * x_.w * x_.stride;
          }
        }
        if (!expanded) return kernels.quads_of_rows(frames, x_.stride, count, place(pair, line), quads_vector_);
        kernels.quads_of_blocks(frames, count, place(pair, line) + v * quads_vector_);
      }
    }

    void depthwise(int64_t h) {
      const ConvWeights& w = *op_.w_;
      const Geometry& g = op_.g_;
      rows_.clear();
      for (int64_t pair = 0; pair < pairs_; ++pair) {
        for (int64_t b = 0; b < w.kernel[1]; ++b) {
          const int64_t line = h * g.stride[1] - g.padding[1] + b * g.dilation[1];
          const bool inside = line >= 0 && line < x_.h;
          rows_.push_back({inside ? place(pair, line) : outside_, inside ? quads_vector_ : 0});
        }
      }
      Requantise q = requantise_of(w, op_.e_.relu, op_.e_.y_zero_point, false);
      q.multiplier += first_ * lanes_;
      uint8_t* y = run_.u8(op_.writes) + ((n_ * y_.t * y_.h + h) * y_.w + columns_.out) * y_.stride + first_ * lanes_;
      const int64_t frame = y_.h * y_.w * y_.stride;
      w.depthwise_u8->line({rows_.data(), w.kernel[1], y_.t, count_, columns_.in_width, columns_.out_width, w.kernel[2],
                            g.stride[2], columns_.padding, g.dilation[2], w.weight.as<int8_t>() + first_ * lanes_ * 8 * w.kernel[1] * w.kernel[2],
                            w.bias.as<int32_t>() + first_ * lanes_, w.x_zero_point, y, frame, y_.stride, q});
      if (!op_.e_.table) return;
      for (int64_t t = 0; t < y_.t; ++t)
        op_.rows_u8_->lookup_rows(y + t * frame, y_.stride, columns_.out_width, count_ * lanes_, op_.e_.table->as<uint8_t>());
    }

    const DepthwiseInt8& op_;
    const Run& run_;
    const Value &x_, &y_;
    const LineWindow& window_;
    const Columns columns_;
    int64_t n_, first_, count_, lanes_, pairs_, quads_vector_, frame_, made_ = 0;
    uint8_t *quads_, *frames_, *outside_;
    std::vector<DepthwiseRow> rows_;
  };

  Expansion expand_;
  const RowsU8Kernels* rows_u8_;
};

}  // namespace

std::unique_ptr<Operation> make_depthwise_int8(int x, int y, const Expansion& expansion, std::shared_ptr<ConvWeights> weights,
                                               const Geometry& geometry, const Epilogue& epilogue) {
  return std::make_unique<DepthwiseInt8>(x, y, expansion, std::move(weights), geometry, epilogue);
}

}  // namespace accel_mobile
