// The parts of deformable convolution that are not matrix products, for a range of positions of a range of images.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/deform_conv.hpp"

namespace vision_core {

// A batch of images and what of it a call works on: positions begin ... end - 1 of `images` images from `image` on.
// Columns are [images, groups, end - begin, taps, channels of a group].
template <class T>
class DeformConv {
 public:
  struct Part {
    int64_t image, images, begin, end;
  };

  // geometry: without runs. pixels: [N, H, W, C]; offset, mask: as in DeformImage, for N images.
  DeformConv(const DeformGeometry& geometry, int64_t groups, const T* pixels, const T* offset, const T* mask, Part part,
             int threads);

  void sample(T* columns) const;
  // offset, mask: null, or the gradients of all images.
  void position_gradients(const T* columns, T* offset, T* mask) const;
  // pixels: gradients of all images.
  void scatter(const T* columns, T* pixels) const;

 private:
  DeformImage<T> image(int64_t index) const;
  int64_t column_values() const;  // of an image
  template <class Body>
  void each_range(Body&& body) const;

  std::vector<ChannelRun> runs_;
  std::vector<T> zeros_;
  DeformGeometry geometry_;
  const T *pixels_, *offset_, *mask_;
  Part part_;
  int threads_;
};

// The whole of a small convolution, where a call of a matrix product would take longer than the product.
// input: [N, C, H, W]; weight: [C', C / groups, kh, kw]; bias: null, or [C']; out: [N, C', H', W'].
template <class T>
void deform_conv_small(const DeformGeometry& geometry, int64_t groups, int64_t batch, int64_t out_channels,
                       const T* input, const T* offset, const T* weight, const T* bias, const T* mask, T* out);

}  // namespace vision_core
