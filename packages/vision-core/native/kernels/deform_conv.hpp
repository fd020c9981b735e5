// Deformable convolution between matrix products: sampling images into columns, and what gradients need of that.
//
// Images are interleaved, [height, width, channels]: the four pixels around a sampling point are the same for all
// channels of an offset group, which lie side by side.
#pragma once

#include <cstdint>

#include "vision/dispatch.hpp"

namespace vision_core {

// Channels that share their offsets and their group of weights: `count` of them from `channel` on, which stand in the
// columns of a position and tap at `column`.
struct ChannelRun {
  int64_t channel, count, column;
  int64_t offset_group;
};

struct DeformGeometry {
  int64_t height, width, channels;
  int64_t kernel_height, kernel_width, stride_y, stride_x, padding_y, padding_x, dilation_y, dilation_x;
  int64_t out_height, out_width;
  int64_t offset_groups;
  const ChannelRun* runs;  // by channel
  int64_t run_count;
  int64_t group_channels;  // of a group of weights: how far the columns of two taps lie apart

  int64_t taps() const { return kernel_height * kernel_width; }
  int64_t positions() const { return out_height * out_width; }
};

// One image. offset: [offset_groups, taps, 2 (y, x), positions]; mask: null, or [offset_groups, taps, positions].
// zeros: as many as channels, for what lies outside of the image.
template <class T>
struct DeformImage {
  const T *pixels, *offset, *mask, *zeros;
};

template <class T>
struct DeformFunctions {
  // columns: of position `begin` and the first group of weights.
  void (*sample)(const DeformGeometry&, const DeformImage<T>&, int64_t begin, int64_t end, T* columns);
  // Gradients of offset and mask (which may be null), shaped like them, from those of the columns.
  void (*position_gradients)(const DeformGeometry&, const DeformImage<T>&, int64_t begin, int64_t end, const T* columns,
                             T* offset, T* mask);
  // Adds the gradients of columns to those of the pixels, for channels first <= c < last.
  void (*scatter)(const DeformGeometry&, const DeformImage<T>&, int64_t begin, int64_t end, int64_t first, int64_t last,
                  const T* columns, T* pixels);
  T (*dot)(const T* a, const T* b, int64_t count);
};

struct DeformKernels {
  DeformFunctions<float> f32;
  DeformFunctions<double> f64;
};

VISION_DECLARE_KERNELS(DeformKernels, deform_kernels)

}  // namespace vision_core
