"""The native module, or the reason why it is absent.

Every operator has a reference in pure torch, so the package works without its native module, only slower;
`vision_core.build_info()` tells which of the two is in use.
"""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["module", "reason"]

_FUNCTIONS = (  # what this version calls; a module that lacks one was built from older sources
    "add_noise_u8",
    "blur_f32",
    "blur_u8",
    "box_areas",
    "box_iou",
    "clip_boxes",
    "colour_chain_u8",
    "convert_boxes",
    "deform_conv_gradients",
    "deform_conv_sample",
    "deform_conv_small",
    "evaluate_detections",
    "fill_outside_u8",
    "flip_u8",
    "gray_u8",
    "histogram_u8",
    "jpeg_loss_u8",
    "large_boxes",
    "lut_u8",
    "map_boxes",
    "map_points",
    "mask_iou",
    "masks_to_boxes",
    "matrix_nms",
    "max_regions",
    "nms",
    "nms_mask",
    "normalize_f32",
    "normalize_u8",
    "pad_u8",
    "paste_masks",
    "pixel_pass_u8",
    "point_u8",
    "pool_regions",
    "resize_u8",
    "resize_window_u8",
    "rle_area",
    "rle_boxes",
    "rle_compress",
    "rle_counts",
    "rle_decode",
    "rle_encode",
    "rle_iou",
    "rle_merge",
    "rle_polygons",
    "rotated_box_iou",
    "scale_boxes",
    "scale_points",
    "segment_pairs",
    "sharpness_u8",
    "soft_nms",
    "spread_max_regions",
    "spread_regions",
    "warp_u8",
)


def _load() -> tuple[Any, str | None]:
    try:
        native = importlib.import_module("vision_core._native_ext")
    except ImportError as error:
        return None, f"{type(error).__name__}: {error}"
    missing = [name for name in ("environment_error", *_FUNCTIONS) if not hasattr(native, name)]
    if missing:
        return None, f"the native module was built from older sources, it lacks {', '.join(missing)}: build it again"
    if native.environment_error is not None:
        raise ValueError(f"{native.environment_error}; this machine has: {', '.join(native.isas())}")
    return native, None


module, reason = _load()
