// Which instruction sets the machine has, and which one the kernels use.
#pragma once

namespace vision {

// In each family every level runs the code of the levels before it, but for avxvnni and avx512, which are siblings.
enum class Isa : int { scalar, sse41, avx2, avxvnni, avx512, neon, dotprod, i8mm };
constexpr int isa_count = 8;

const char* isa_name(Isa isa);

// Whether this machine runs code that was compiled for `isa`.
bool isa_present(Isa isa);

// Whether a machine state of level `active` runs code of level `wanted`.
bool isa_implies(Isa active, Isa wanted);

// What the kernels use now: this thread's override, else VISION_ISA, else the best that the machine has.
Isa active_isa();

// Overrides active_isa() for the calling thread; a null name takes the override back. False: unknown or not present.
bool force_isa(const char* name);

// Null, or what is wrong with the environment variable VISION_ISA (a static text).
const char* isa_environment_error();

}  // namespace vision
