#include <nanobind/nanobind.h>

#include "vision/bindings.hpp"

NB_MODULE(_native_ext, m) { vision::bind_common(m); }
