// What Python calls: addresses and sizes in, checked by the caller; the GIL is free while a kernel runs.
#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>

namespace vision_core {

namespace nb = nanobind;
using namespace nanobind::literals;

using NoGil = nb::call_guard<nb::gil_scoped_release>;

template <class T>
const T* in(uintptr_t address) {
  return reinterpret_cast<const T*>(address);
}

template <class T>
T* out(uintptr_t address) {
  return reinterpret_cast<T*>(address);
}

// One function a family of operators, each in a file of its own.
void bind_boxes(nb::module_& m);
void bind_colour(nb::module_& m);
void bind_copies(nb::module_& m);
void bind_deform_conv(nb::module_& m);
void bind_detection_metrics(nb::module_& m);
void bind_frames(nb::module_& m);
void bind_jpeg_loss(nb::module_& m);
void bind_masks(nb::module_& m);
void bind_moves(nb::module_& m);
void bind_nms(nb::module_& m);
void bind_normalize(nb::module_& m);
void bind_pixel_pass(nb::module_& m);
void bind_points(nb::module_& m);
void bind_regions(nb::module_& m);
void bind_resize(nb::module_& m);
void bind_rle(nb::module_& m);
void bind_segment_pairs(nb::module_& m);
void bind_smooth(nb::module_& m);
void bind_warp(nb::module_& m);

}  // namespace vision_core
