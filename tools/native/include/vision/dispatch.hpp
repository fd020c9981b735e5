// One kernel source, one table of functions per ISA, and the choice among them at run time.
//
//   header      namespace p { struct NmsKernels { void (*suppress)(...); };  VISION_DECLARE_KERNELS(NmsKernels, nms_kernels) }
//   kernel.cpp  VISION_DEFINE_KERNELS(NmsKernels, nms_kernels) = {&VISION_ISA_NAMESPACE::suppress};
//   caller      const NmsKernels& kernels = VISION_SELECT(nms_kernels);
//
// Choose outside of loops and before work is spread over threads: the override of force_isa() is per thread.
#pragma once

#include "vision/isa.hpp"

#define VISION_JOIN_(a, b) a##_##b
#define VISION_JOIN(a, b) VISION_JOIN_(a, b)

#define VISION_DECLARE_KERNELS(Table, name)                                                              \
  extern const Table name##_scalar, name##_sse41, name##_avx2, name##_avxvnni, name##_avx512, name##_neon, \
      name##_dotprod, name##_i8mm;

#define VISION_DEFINE_KERNELS(Table, name) const Table VISION_JOIN(name, VISION_ISA_NAMESPACE)

#define VISION_CASE_(isa, name) \
  if (::vision::isa_implies(active, ::vision::Isa::isa)) return name##_##isa;
#if VISION_HAS_SSE41
#define VISION_CASE_SSE41(name) VISION_CASE_(sse41, name)
#else
#define VISION_CASE_SSE41(name)
#endif
#if VISION_HAS_AVX2
#define VISION_CASE_AVX2(name) VISION_CASE_(avx2, name)
#else
#define VISION_CASE_AVX2(name)
#endif
#if VISION_HAS_AVXVNNI
#define VISION_CASE_AVXVNNI(name) VISION_CASE_(avxvnni, name)
#else
#define VISION_CASE_AVXVNNI(name)
#endif
#if VISION_HAS_AVX512
#define VISION_CASE_AVX512(name) VISION_CASE_(avx512, name)
#else
#define VISION_CASE_AVX512(name)
#endif
#if VISION_HAS_NEON
#define VISION_CASE_NEON(name) VISION_CASE_(neon, name)
#else
#define VISION_CASE_NEON(name)
#endif
#if VISION_HAS_DOTPROD
#define VISION_CASE_DOTPROD(name) VISION_CASE_(dotprod, name)
#else
#define VISION_CASE_DOTPROD(name)
#endif
#if VISION_HAS_I8MM
#define VISION_CASE_I8MM(name) VISION_CASE_(i8mm, name)
#else
#define VISION_CASE_I8MM(name)
#endif

// The best table of `name` that active_isa() runs.
#define VISION_SELECT(name)                                                            \
  ([]() -> decltype((name##_scalar)) {                                                 \
    [[maybe_unused]] const ::vision::Isa active = ::vision::active_isa();              \
    VISION_CASE_AVX512(name) VISION_CASE_AVXVNNI(name) VISION_CASE_AVX2(name)          \
    VISION_CASE_SSE41(name) VISION_CASE_I8MM(name) VISION_CASE_DOTPROD(name)           \
    VISION_CASE_NEON(name) return name##_scalar;                                       \
  }())
