#include "vision/isa.hpp"

#include <cstdlib>
#include <cstring>

#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#elif defined(__aarch64__) && defined(__APPLE__)
#include <sys/sysctl.h>
#endif

namespace vision {
namespace {

constexpr const char* names[isa_count] = {"scalar", "sse41", "avx2", "avxvnni", "avx512", "neon", "dotprod", "i8mm"};

#if defined(__x86_64__)

bool detect(Isa isa) {
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");  // every such processor has F16C
  switch (isa) {
    case Isa::scalar: return true;
    case Isa::sse41: return __builtin_cpu_supports("sse4.1");
    case Isa::avx2: return avx2;
#if defined(__clang__) ? __clang_major__ >= 19 : __GNUC__ >= 12  // older ones do not know the name
    case Isa::avxvnni: return avx2 && __builtin_cpu_supports("avxvnni");
#endif
    case Isa::avx512:
      return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
             __builtin_cpu_supports("avx512vnni");
    default: return false;
  }
}

#elif defined(__aarch64__)

#if defined(__linux__)
constexpr unsigned long hwcap_asimddp = 1ul << 20, hwcap2_i8mm = 1ul << 13;  // Linux, arch/arm64 hwcap bits
bool has_dotprod() { return getauxval(AT_HWCAP) & hwcap_asimddp; }
bool has_i8mm() { return getauxval(AT_HWCAP2) & hwcap2_i8mm; }
#elif defined(__APPLE__)
bool has_feature(const char* key) {
  int value = 0;
  size_t size = sizeof(value);
  return sysctlbyname(key, &value, &size, nullptr, 0) == 0 && value;
}
bool has_dotprod() { return has_feature("hw.optional.arm.FEAT_DotProd"); }
bool has_i8mm() { return has_feature("hw.optional.arm.FEAT_I8MM"); }
#else
bool has_dotprod() { return false; }
bool has_i8mm() { return false; }
#endif

bool detect(Isa isa) {
  switch (isa) {
    case Isa::scalar: return true;
    case Isa::neon: return true;
    case Isa::dotprod: return has_dotprod();
    case Isa::i8mm: return has_dotprod() && has_i8mm();
    default: return false;
  }
}

#else

bool detect(Isa isa) { return isa == Isa::scalar; }

#endif

int find(const char* name) {
  for (int i = 0; i < isa_count; ++i)
    if (!std::strcmp(names[i], name)) return i;
  return -1;
}

struct Choice {
  Isa isa = Isa::scalar;
  const char* error = nullptr;

  Choice() {
    for (int i = 0; i < isa_count; ++i)
      if (detect(static_cast<Isa>(i))) isa = static_cast<Isa>(i);
    const char* wanted = std::getenv("VISION_ISA");
    if (!wanted || !*wanted) return;
    const int index = find(wanted);
    if (index < 0) {
      error = "VISION_ISA names no instruction set; expected scalar, sse41, avx2, avxvnni, avx512, neon, dotprod or i8mm";
    } else if (!detect(static_cast<Isa>(index))) {
      error = "VISION_ISA names an instruction set that this machine does not have";
    } else {
      isa = static_cast<Isa>(index);
    }
  }
};

const Choice& process_choice() {
  static const Choice choice;
  return choice;
}

thread_local int forced = -1;

}  // namespace

const char* isa_name(Isa isa) { return names[static_cast<int>(isa)]; }

bool isa_present(Isa isa) { return detect(isa); }

bool isa_implies(Isa active, Isa wanted) {
  if (wanted == Isa::scalar || wanted == active) return true;
  if (active == Isa::avx512 && wanted == Isa::avxvnni) return false;
  const bool arm_active = active >= Isa::neon, arm_wanted = wanted >= Isa::neon;
  return arm_active == arm_wanted && static_cast<int>(wanted) <= static_cast<int>(active);
}

Isa active_isa() { return forced >= 0 ? static_cast<Isa>(forced) : process_choice().isa; }

bool force_isa(const char* name) {
  if (!name) {
    forced = -1;
    return true;
  }
  const int index = find(name);
  if (index < 0 || !detect(static_cast<Isa>(index))) return false;
  forced = index;
  return true;
}

const char* isa_environment_error() { return process_choice().error; }

}  // namespace vision
