// What each part adds to the native module.
#pragma once

#include <nanobind/nanobind.h>

#include <cstddef>
#include <cstdint>

namespace vision_io {

void bind_frames(nanobind::module_& module);
void bind_jpeg(nanobind::module_& module);
void bind_png(nanobind::module_& module);
void bind_resize(nanobind::module_& module);

// A NumPy array of bytes that owns memory of malloc.
nanobind::object owned_bytes(uint8_t* bytes, size_t size);

}  // namespace vision_io
