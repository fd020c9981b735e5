// Where the pixels of a warp's result come from, a run of a row at a time.
#pragma once

#include <cstring>

#include "kernels/warp.hpp"
#include "warp.hpp"

namespace vision_core {

constexpr int warp_slack = 16;  // vectors may write so many values beyond the last

inline uint8_t byte_of(float x) {  // rounded to nearest, ties to even; NaN to 0
  x = __builtin_nearbyintf(x);
  return static_cast<uint8_t>(x > 0 ? (x < 255 ? x : 255.0f) : 0.0f);
}

class Positions {
 public:
  Positions(const WarpKernels& kernels, const Mapping& mapping, const Pixels& source, int64_t height, int64_t width)
      : kernels_(kernels), mapping_(mapping), width_(width) {
    // Affine matrices are about the middle of the result, perspective coefficients about its corner.
    const bool centred = mapping.kind == Mapping::affine;
    left_ = (centred ? static_cast<float>(-width) * 0.5f : 0.0f) + 0.5f;
    top_ = (centred ? static_cast<float>(-height) * 0.5f : 0.0f) + 0.5f;
    const float half_width = static_cast<float>(source.width) * 0.5f;
    const float half_height = static_cast<float>(source.height) * 0.5f;
    projection_.divide = mapping.kind == Mapping::perspective;
    for (int i = 0; i < 3; ++i) {
      projection_.x[i] = static_cast<float>(mapping.numbers[i]) / half_width;
      projection_.y[i] = static_cast<float>(mapping.numbers[3 + i]) / half_height;
    }
    projection_.below[0] = static_cast<float>(mapping.numbers[6]);
    projection_.below[1] = static_cast<float>(mapping.numbers[7]);
    projection_.below[2] = 1;
  }

  // Normalised positions of `count` pixels of row y from column x on; xs and ys have room for warp_slack more, and some
  // numbers there.
  void at(int64_t x, int64_t y, int count, float* xs, float* ys) const {
    if (mapping_.kind == Mapping::displacement) {
      kernels_.displace(mapping_.xs + x, mapping_.ys[y], mapping_.field + 2 * (y * width_ + x), count, xs, ys);
      std::memset(xs + count, 0, warp_slack * sizeof(float));
      std::memset(ys + count, 0, warp_slack * sizeof(float));
    } else {
      kernels_.project(projection_, left_ + static_cast<float>(x), top_ + static_cast<float>(y), count, xs, ys);
    }
  }

 private:
  const WarpKernels& kernels_;
  const Mapping mapping_;
  const int64_t width_;
  float left_, top_;
  Projection projection_{};
};

// Takes the nearest pixels from where they lie, as warp_u8 does; their offsets must fit 32 bits.
void warp_nearest_u8(const Pixels& source, const Mapping& mapping, const Pixels& target, const float* fill, int threads);

}  // namespace vision_core
