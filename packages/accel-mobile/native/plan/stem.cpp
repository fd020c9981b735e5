#include "plan/stem.hpp"

#include <algorithm>

#include "plan/convolution_base.hpp"
#include "vision/thread_pool.hpp"

namespace accel_mobile {

// Columns `low` to `low + length - 1` of a row: where they lie, or a copy with zeros for those outside.
const float* StemLines::row(const float* from, int64_t low, int64_t length, float* padded) const {
  if (low >= 0 && low + length <= x_.w) return from + low;
  const int64_t left = std::clamp<int64_t>(-low, 0, length), first = std::max<int64_t>(low, 0);
  const int64_t inside = std::clamp<int64_t>(x_.w - first, 0, length - left);
  std::fill(padded, padded + left, 0.0f);
  if (inside > 0) std::memcpy(padded + left, from + first, static_cast<size_t>(inside) * sizeof(float));
  std::fill(padded + left + inside, padded + length, 0.0f);
  return padded;
}

void StemLines::fetch(const float* sample, int64_t frame, int64_t line) const {
  const int64_t plane = x_.t * x_.h * x_.w, t = frame * g_.stride[0] - g_.padding[0] + (w_.kernel[0] - 1) * g_.dilation[0];
  if (t < 0 || t >= x_.t) return;
  for (int64_t c = 0; c < w_.in_channels; ++c) {
    for (int64_t b = 0; b < w_.kernel[1]; ++b) {
      const int64_t h = line * g_.stride[1] - g_.padding[1] + b * g_.dilation[1];
      if (h < 0 || h >= x_.h) continue;
      const float* from = sample + c * plane + (t * x_.h + h) * x_.w;
      for (int64_t i = 0; i < x_.w; i += 16) __builtin_prefetch(from + i);
    }
  }
}

void StemLines::make(const float* sample, int64_t frame, int64_t line, int64_t first, int64_t count, float* padded,
                     const StemTarget& target) {
  rows_.clear();
  const int64_t length = row_floats(count), low = first * g_.stride[2] - g_.padding[2], plane = x_.t * x_.h * x_.w;
  for (int64_t c = 0; c < w_.in_channels; ++c) {
    for (int64_t a = 0; a < w_.kernel[0]; ++a) {
      const int64_t t = frame * g_.stride[0] - g_.padding[0] + a * g_.dilation[0];
      if (t < 0 || t >= x_.t) continue;
      for (int64_t b = 0; b < w_.kernel[1]; ++b) {
        const int64_t h = line * g_.stride[1] - g_.padding[1] + b * g_.dilation[1];
        if (h < 0 || h >= x_.h) continue;
        const float* from = sample + c * plane + (t * x_.h + h) * x_.w;
        const int64_t number = (c * w_.kernel[0] + a) * w_.kernel[1] + b;
        rows_.push_back({row(from, low, length, padded), number * w_.kernel[2] * w_.stem_f32->lanes});
        padded += length;
      }
    }
  }
  const int64_t lanes = w_.stem_f32->lanes, per_vector = w_.depth * lanes;
  w_.stem_f32->line({rows_.data(), static_cast<int64_t>(rows_.size()), count, w_.kernel[2], g_.stride[2], g_.dilation[2],
                     w_.weight.as<float>() + target.first_vector * per_vector, per_vector,
                     w_.bias.as<float>() + target.first_vector * lanes, target.vectors,
                     w_.half(target.first_vector, target.vectors, lanes), target.y, target.y_position,
                     target.y_vector, activation_});
}

namespace {

class Stem : public Convolution {
 public:
  Stem(int input, int x, int y, std::shared_ptr<ConvWeights> weights, const Geometry& g, const Epilogue& e)
      : Convolution(x, y, std::move(weights), g, Gate{}, e), input_(input) {
    reads.clear();  // the caller's memory, which lies not in the arena
  }
  const char* kernel() const override { return "stem_f32 on planes"; }

  void run(const Run& run) const override {
    const Value &x = run.value(x_), &y = run.value(writes);
    const float* planes = static_cast<const float*>(run.inputs[input_]);
    const int64_t per_line = y.w * y.stride * w_->depth, lanes = w_->stem_f32->lanes;
    vision::parallel_for(y.n * y.t * y.h, enough_work / per_line + 1, run.threads, [&](int64_t begin, int64_t end) {
      StemLines lines(x, y, *w_, g_, e_.activation);
      float* padded = thread_scratch<float>(static_cast<size_t>(lines.padded_floats(y.w)));
      for (int64_t i = begin; i < end; ++i) {
        const int64_t n = i / (y.t * y.h), t = i / y.h % y.t, h = i % y.h;
        lines.make(planes + n * x.c * x.rows_per_sample(), t, h, 0, y.w, padded,
                   {0, y.stride / lanes, run.f32(writes) + i * y.w * y.stride, y.stride, lanes});
      }
    });
  }

 private:
  int input_;
};

}  // namespace

std::unique_ptr<Operation> make_stem_operation(int input, int x, int y, std::shared_ptr<ConvWeights> weights,
                                               const Geometry& geometry, const Epilogue& epilogue) {
  return std::make_unique<Stem>(input, x, y, std::move(weights), geometry, epilogue);
}

}  // namespace accel_mobile
