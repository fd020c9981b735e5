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

// Copies a file to what allocate(size) gives, a uint8 tensor and the address of its memory, frees it, and returns the
// tensor. `bytes` are of malloc.
nanobind::object handed_over(uint8_t* bytes, size_t size, const nanobind::callable& allocate);

}  // namespace vision_io
