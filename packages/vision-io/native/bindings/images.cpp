// Addresses, sizes and strides come from vision_io._image, which checks them.
#include "images.hpp"

#include <nanobind/ndarray.h>

#include <cstdint>
#include <cstdlib>

#include "bindings/codecs.hpp"

namespace nb = nanobind;

namespace vision_io {

nb::object owned_bytes(uint8_t* bytes, size_t size) {
  nb::capsule owner(bytes, [](void* p) noexcept { std::free(p); });
  return nb::cast(nb::ndarray<nb::numpy, uint8_t, nb::ndim<1>>(bytes, {size}, owner));
}

void bind_images(nb::module_& m) {
  bind_resize(m);
  m.attr("jpeg_library") = nb::none();
  m.attr("inflate_library") = nb::none();
#if VISION_IO_JPEG
  bind_jpeg(m);
#endif
#if VISION_IO_PNG
  bind_png(m);
#endif
}

}  // namespace vision_io
