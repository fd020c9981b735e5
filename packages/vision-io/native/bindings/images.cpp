// Addresses, sizes and strides come from vision_io._image, which checks them.
#include "images.hpp"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "bindings/codecs.hpp"

namespace nb = nanobind;

namespace vision_io {

nb::object handed_over(uint8_t* bytes, size_t size, const nb::callable& allocate) {
  std::unique_ptr<uint8_t, decltype(&std::free)> owner(bytes, &std::free);
  nb::tuple target = nb::cast<nb::tuple>(allocate(size));
  std::memcpy(reinterpret_cast<void*>(nb::cast<uintptr_t>(target[1])), bytes, size);
  return target[0];
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
