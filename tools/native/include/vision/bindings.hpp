// What every native module tells about itself. Include it in bindings.cpp after <nanobind/nanobind.h>.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <optional>
#include <string>

#include "vision/isa.hpp"
#include "vision/thread_pool.hpp"

namespace vision {

// Adds isas(), active_isa(), force_isa(name | None), pool_workers(), the text `compiler`, and `environment_error`: None,
// or what is wrong with VISION_ISA (the package raises it as ValueError: an exception here would become ImportError).
inline void bind_common(nanobind::module_& m) {
  namespace nb = nanobind;
  m.attr("environment_error") = isa_environment_error();
  m.def(
      "isas",
      [] {
        nb::list present;
        for (int i = 0; i < isa_count; ++i)
          if (isa_present(static_cast<Isa>(i))) present.append(isa_name(static_cast<Isa>(i)));
        return present;
      },
      nb::sig("def isas() -> list[str]"), "Instruction sets that this machine has, in ascending order.");
  m.def(
      "active_isa", [] { return std::string(isa_name(active_isa())); }, "The instruction set that the kernels use now.");
  m.def(
      "force_isa",
      [](std::optional<std::string> name) {
        if (force_isa(name ? name->c_str() : nullptr)) return;
        std::string text = "force_isa: got '" + *name + "', expected one of this machine's: ";
        for (int i = 0; i < isa_count; ++i)
          if (isa_present(static_cast<Isa>(i))) text += std::string(isa_name(static_cast<Isa>(i))) + " ";
        throw nb::value_error(text.c_str());
      },
      nb::arg("name").none(), "Makes the calling thread's kernels use this instruction set; None takes it back.");
  m.def("pool_workers", &pool_workers, "Worker threads that this module has started in this process.");
#if defined(__VERSION__)
  m.attr("compiler") = __VERSION__;
#endif
}

}  // namespace vision
