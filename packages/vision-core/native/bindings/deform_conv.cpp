#include "deform_conv.hpp"

#include <array>

#include "bindings/bindings.hpp"

namespace vision_core {

// height, width, channels, kernel_height, kernel_width, stride_y, stride_x, padding_y, padding_x, dilation_y, dilation_x,
// out_height, out_width, offset_groups, groups
using Sizes = std::array<int64_t, 15>;

static Sizes sizes_of(const nb::tuple& values) {
  Sizes sizes;
  for (size_t i = 0; i < sizes.size(); ++i) sizes[i] = nb::cast<int64_t>(values[i]);
  return sizes;
}

static DeformGeometry geometry_of(const Sizes& s) {
  return {s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[8], s[9], s[10], s[11], s[12], s[13], nullptr, 0, 0};
}

template <class T>
static DeformConv<T> make(const Sizes& s, int64_t image, int64_t images, int64_t begin, int64_t end, uintptr_t pixels,
                          uintptr_t offset, uintptr_t mask, int threads) {
  return DeformConv<T>(geometry_of(s), s[14], in<T>(pixels), in<T>(offset), in<T>(mask), {image, images, begin, end}, threads);
}

static void run_sample(const nb::tuple& sizes, int64_t image, int64_t images, int64_t begin, int64_t end,
                       uintptr_t pixels, uintptr_t offset, uintptr_t mask, bool is_double, int threads,
                       uintptr_t columns) {
  const Sizes s = sizes_of(sizes);
  nb::gil_scoped_release release;
  if (is_double) make<double>(s, image, images, begin, end, pixels, offset, mask, threads).sample(out<double>(columns));
  else make<float>(s, image, images, begin, end, pixels, offset, mask, threads).sample(out<float>(columns));
}

template <class T>
static void gradients(const Sizes& s, int64_t image, int64_t images, int64_t begin, int64_t end, uintptr_t pixels,
                      uintptr_t offset, uintptr_t mask, int threads, uintptr_t columns, uintptr_t pixel_gradient,
                      uintptr_t offset_gradient, uintptr_t mask_gradient) {
  const DeformConv<T> convolution = make<T>(s, image, images, begin, end, pixels, offset, mask, threads);
  if (offset_gradient || mask_gradient)
    convolution.position_gradients(in<T>(columns), out<T>(offset_gradient), out<T>(mask_gradient));
  if (pixel_gradient) convolution.scatter(in<T>(columns), out<T>(pixel_gradient));
}

static void run_gradients(const nb::tuple& sizes, int64_t image, int64_t images, int64_t begin, int64_t end,
                          uintptr_t pixels, uintptr_t offset, uintptr_t mask, bool is_double, int threads,
                          uintptr_t columns, uintptr_t pixel_gradient, uintptr_t offset_gradient,
                          uintptr_t mask_gradient) {
  const Sizes s = sizes_of(sizes);
  nb::gil_scoped_release release;
  (is_double ? gradients<double> : gradients<float>)(s, image, images, begin, end, pixels, offset, mask, threads,
                                                     columns, pixel_gradient, offset_gradient, mask_gradient);
}

static void run_small(const nb::tuple& sizes, int64_t batch, int64_t out_channels, uintptr_t input, uintptr_t offset,
                      uintptr_t weight, uintptr_t bias, uintptr_t mask, bool is_double, uintptr_t out_address) {
  const Sizes s = sizes_of(sizes);
  nb::gil_scoped_release release;
  if (is_double) {
    deform_conv_small(geometry_of(s), s[14], batch, out_channels, in<double>(input), in<double>(offset),
                      in<double>(weight), in<double>(bias), in<double>(mask), out<double>(out_address));
  } else {
    deform_conv_small(geometry_of(s), s[14], batch, out_channels, in<float>(input), in<float>(offset),
                      in<float>(weight), in<float>(bias), in<float>(mask), out<float>(out_address));
  }
}

void bind_deform_conv(nb::module_& m) {
  m.def("deform_conv_sample", &run_sample, "sizes"_a, "image"_a, "images"_a, "begin"_a, "end"_a, "pixels"_a, "offset"_a,
        "mask"_a, "double"_a, "threads"_a, "columns"_a);
  m.def("deform_conv_gradients", &run_gradients, "sizes"_a, "image"_a, "images"_a, "begin"_a, "end"_a, "pixels"_a,
        "offset"_a, "mask"_a, "double"_a, "threads"_a, "columns"_a, "pixel_gradient"_a, "offset_gradient"_a,
        "mask_gradient"_a);
  m.def("deform_conv_small", &run_small, "sizes"_a, "batch"_a, "out_channels"_a, "input"_a, "offset"_a, "weight"_a,
        "bias"_a, "mask"_a, "double"_a, "out"_a);
}

}  // namespace vision_core
