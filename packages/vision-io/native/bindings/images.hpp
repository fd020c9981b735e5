// The image codecs of the native module; bindings.cpp calls this.
#pragma once

#include <nanobind/nanobind.h>

namespace vision_io {

// Adds jpeg_* and png_* functions, as far as this build has the libraries, and the texts `jpeg_library` and
// `inflate_library` (None without).
void bind_images(nanobind::module_& module);

}  // namespace vision_io
