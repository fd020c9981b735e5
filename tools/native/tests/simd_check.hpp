// The operations of vision/simd.hpp over whole arrays, so that each ISA can be held against plain C++.
#pragma once

#include <cstdint>

#include "vision/dispatch.hpp"

namespace vision_test {

struct Arrays {  // `count` is a multiple of 64
  int count;
  const float *a, *b, *c;
  const int32_t *i, *j;
  const int16_t *s, *t;
  const uint8_t* u;
  const int8_t* v;
};

struct SimdChecks {
  void (*f32_arithmetic)(const Arrays&, float* out);       // 8 results per element
  void (*f32_compare)(const Arrays&, float* out);          // 4 per element
  void (*f32_partial)(const Arrays&, int n, float* out);   // the first n of a, into a vector's worth of -1
  void (*convert)(const Arrays&, int32_t* out);            // 2 per element
  void (*i32_arithmetic)(const Arrays&, int32_t* out);     // 7 per element
  void (*i16_arithmetic)(const Arrays&, int16_t* out);     // 11 per element
  void (*widen)(const Arrays&, int16_t* from_u8, int32_t* from_i16);
  void (*narrow)(const Arrays&, int16_t* to_i16, uint8_t* to_u8, int8_t* to_s8);
  void (*dot4)(const Arrays&, int32_t* out);               // count / 4 results
  int lanes;
};

VISION_DECLARE_KERNELS(SimdChecks, simd_checks)

}  // namespace vision_test
