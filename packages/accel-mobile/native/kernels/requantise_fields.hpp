// How int32 sums become uint8; the arithmetic is in requantise.hpp.
#pragma once

#include <cstdint>

namespace accel_mobile {

struct Requantise {
  const float* multiplier;  // one per channel
  float low, high;          // bounds before rounding, relative to the zero point
  int32_t zero_point;
};

}  // namespace accel_mobile
