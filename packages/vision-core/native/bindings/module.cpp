#include "bindings/bindings.hpp"
#include "vision/bindings.hpp"

NB_MODULE(_native_ext, m) {
  vision::bind_common(m);
  vision_core::bind_boxes(m);
  vision_core::bind_colour(m);
  vision_core::bind_copies(m);
  vision_core::bind_deform_conv(m);
  vision_core::bind_detection_metrics(m);
  vision_core::bind_frames(m);
  vision_core::bind_jpeg_loss(m);
  vision_core::bind_masks(m);
  vision_core::bind_moves(m);
  vision_core::bind_nms(m);
  vision_core::bind_normalize(m);
  vision_core::bind_pixel_pass(m);
  vision_core::bind_points(m);
  vision_core::bind_regions(m);
  vision_core::bind_resize(m);
  vision_core::bind_rle(m);
  vision_core::bind_segment_pairs(m);
  vision_core::bind_smooth(m);
  vision_core::bind_warp(m);
}
