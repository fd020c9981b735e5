// Which lines of an expanded value exist at a time, for how many channels, and how threads share the work.
#pragma once

#include <algorithm>
#include <utility>

#include "plan/convolution.hpp"

namespace accel_mobile {

// Bytes of the second-level cache that one thread may fill.
int64_t cache_budget();

// A window of lines that wanders over the height of x, for a depthwise convolution. All of x if that fits the cache.
struct LineWindow {
  int64_t slots;  // lines that exist at a time: line l lies in slot l % slots
  int64_t group;  // vectors of channels that fit the cache together
  int64_t parts;  // of the width, one after the other

  // `bytes`: of one position of one vector of channels. `vectors`: all there are.
  LineWindow(const Value& x, const Value& y, const ConvWeights& w, const Geometry& g, int64_t bytes, int64_t vectors)
      : stride_(g.stride[1]), padding_(g.padding[1]), reach_((w.kernel[1] - 1) * g.dilation[1] + 1), height_(x.h) {
    constexpr int64_t few = 3;      // vectors that are worth reading x anew for
    constexpr int64_t narrow = 14;  // outputs: in narrower parts too much is expanded twice
    const int64_t line = x.t * x.w * bytes, budget = cache_budget();
    slots = line * x.h * few <= budget ? x.h : std::min(reach_, x.h);
    group = std::max<int64_t>(budget / (line * slots), 1);
    parts = 1;
    const int64_t wanted = (line * slots * vectors + budget - 1) / budget;
    if (!whole() && group < vectors && y.w / wanted >= narrow) parts = wanted, group = vectors;
  }

  // Whether successive lines of outputs read different lines of x.
  bool seamless() const { return reach_ <= stride_; }
  bool whole() const { return slots == height_; }

  // The lines of x that a line of outputs reads: first, and one past the last.
  std::pair<int64_t, int64_t> needed(int64_t h) const {
    const int64_t low = h * stride_ - padding_;
    return {std::clamp<int64_t>(low, 0, height_), std::clamp<int64_t>(low + reach_, 0, height_)};
  }

 private:
  int64_t stride_, padding_, reach_, height_;
};

// A part of the width: outputs, the inputs that they read, and the padding left of the first input.
struct Columns {
  int64_t out = 0, out_width = 0, in = 0, in_width = 0, padding = 0;

  Columns() = default;
  Columns(int64_t first_out, int64_t outs, int64_t first_in, int64_t ins, int64_t left)
      : out(first_out), out_width(outs), in(first_in), in_width(ins), padding(left) {}
  Columns(const Value& x, const Value& y, const ConvWeights& w, const Geometry& g, int64_t part, int64_t parts) {
    out = y.w * part / parts, out_width = y.w * (part + 1) / parts - out;
    const int64_t low = out * g.stride[2] - g.padding[2];
    const int64_t high = low + (out_width - 1) * g.stride[2] + (w.kernel[2] - 1) * g.dilation[2] + 1;
    in = parts == 1 ? 0 : std::clamp<int64_t>(low, 0, x.w);
    in_width = (parts == 1 ? x.w : std::clamp<int64_t>(high, in, x.w)) - in;
    padding = in - low;
  }
};

struct Share {
  int64_t first_vector, last_vector, first_line, last_line;
  int64_t vectors() const { return last_vector - first_vector; }
};

// Parts for threads: of the channels, which costs nothing, or where there are too few, of the lines, where those at the
// seam are expanded twice.
class Shares {
 public:
  Shares(int threads, int64_t vectors, int64_t lines, bool seamless) : vectors_(vectors), lines_(lines) {
    const bool even = vectors % threads == 0 || vectors >= 8 * threads;
    const bool by_vector = lines < 4 * threads || (even && !seamless);
    vector_parts_ = by_vector ? std::min<int64_t>(threads, vectors) : 1;
    line_parts_ = by_vector ? 1 : threads;
  }
  int64_t count() const { return vector_parts_ * line_parts_; }
  Share at(int64_t index) const {
    const int64_t v = index / line_parts_, l = index % line_parts_;
    return {vectors_ * v / vector_parts_, vectors_ * (v + 1) / vector_parts_, lines_ * l / line_parts_,
            lines_ * (l + 1) / line_parts_};
  }

 private:
  int64_t vectors_, lines_, vector_parts_, line_parts_;
};

}  // namespace accel_mobile
