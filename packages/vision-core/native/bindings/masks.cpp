#include "masks.hpp"

#include "bindings/bindings.hpp"

namespace vision_core {

static void run_boxes(uintptr_t masks, int64_t count, int64_t height, int64_t width, int64_t size, bool floating,
                      int threads, uintptr_t boxes) {
  masks_to_boxes(in<uint8_t>(masks), count, height, width, size, floating, threads, out<float>(boxes));
}

static void run_iou(uintptr_t a, int64_t first_count, uintptr_t b, int64_t second_count, int64_t pixels, int threads,
                    uintptr_t iou) {
  mask_iou(in<uint8_t>(a), first_count, in<uint8_t>(b), second_count, pixels, threads, out<float>(iou));
}

static void run_paste(uintptr_t masks, uintptr_t boxes, int64_t count, int64_t mask_height, int64_t mask_width,
                      int64_t height, int64_t width, bool compare, float threshold, int threads, uintptr_t pasted) {
  const Paste paste{in<float>(masks), in<int64_t>(boxes), count, mask_height, mask_width, height, width};
  if (compare) paste_masks(paste, threshold, threads, out<uint8_t>(pasted));
  else paste_masks(paste, threads, out<float>(pasted));
}

void bind_masks(nb::module_& m) {
  m.def("mask_iou", &run_iou, "a"_a, "first_count"_a, "b"_a, "second_count"_a, "pixels"_a, "threads"_a, "iou"_a, NoGil());
  m.def("masks_to_boxes", &run_boxes, "masks"_a, "count"_a, "height"_a, "width"_a, "size"_a, "floating"_a, "threads"_a,
        "boxes"_a, NoGil());
  m.def("paste_masks", &run_paste, "masks"_a, "boxes"_a, "count"_a, "mask_height"_a, "mask_width"_a, "height"_a,
        "width"_a, "compare"_a, "threshold"_a, "threads"_a, "pasted"_a, NoGil());
}

}  // namespace vision_core
