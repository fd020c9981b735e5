"""Operators on boxes, under the import path of torchvision's module; `vision_core.ops` has them all, too."""

from vision_core.ops._boxes import box_area, clip_boxes_to_image, remove_small_boxes
from vision_core.ops._convert import box_convert
from vision_core.ops._iou import box_iou, complete_box_iou, distance_box_iou, generalized_box_iou
from vision_core.ops._nms import batched_nms, nms
from vision_core.ops.masks import masks_to_boxes

__all__ = [
    "batched_nms",
    "box_area",
    "box_convert",
    "box_iou",
    "clip_boxes_to_image",
    "complete_box_iou",
    "distance_box_iou",
    "generalized_box_iou",
    "masks_to_boxes",
    "nms",
    "remove_small_boxes",
]
