// Thin vectors of the ISA that this file is compiled for. Kernels only: include nothing from std beside it but <cstdint>.
//
//   f32 i32     `f32::lanes` values of 32 bits
//   i16         twice as many values of 16 bits
//   u8 s8       four times as many values of 8 bits
//   mask        one truth value per 32-bit lane, from lt le gt ge of f32 and gt eq of i32
//
// load/store take any alignment; load_first/store_first touch `n` values only (0 <= n <= lanes), and load_first fills
// with zeros. widen_* and narrow_* keep the order of the values. fma(a, b, c) is a * b + c, with one rounding where
// the ISA has it (avx2, avx512, neon), else two. dot4(acc, a, b) adds to each 32-bit lane the four products of its
// unsigned bytes of `a` and signed bytes of `b`, without saturation. mul_q15(a, b) is (a * b + 2^14) >> 15, for all but
// a = b = -32768.
#pragma once

#include <cstdint>
#include <cstring>

#if VISION_ISA_IS_SSE41
#include "vision/simd/sse41.hpp"
#elif VISION_ISA_IS_AVX2 || VISION_ISA_IS_AVXVNNI
#include "vision/simd/avx2.hpp"
#elif VISION_ISA_IS_AVX512
#include "vision/simd/avx512.hpp"
#elif VISION_ISA_IS_NEON || VISION_ISA_IS_DOTPROD || VISION_ISA_IS_I8MM
#include "vision/simd/neon.hpp"
#else
#include "vision/simd/scalar.hpp"
#endif
