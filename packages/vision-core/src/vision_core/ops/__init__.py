"""Operators on boxes and regions, with torchvision's names, arguments and results."""

from vision_core.ops._boxes import box_area, clip_boxes_to_image, masks_to_boxes, remove_small_boxes
from vision_core.ops._convert import box_convert
from vision_core.ops._iou import box_iou, complete_box_iou, distance_box_iou, generalized_box_iou
from vision_core.ops._nms import batched_nms, nms, nms_reference
from vision_core.ops.poolers import MultiScaleRoIAlign
from vision_core.ops.ps_roi_align import PSRoIAlign, ps_roi_align
from vision_core.ops.ps_roi_pool import PSRoIPool, ps_roi_pool
from vision_core.ops.rle import (
    rle_area,
    rle_counts,
    rle_decode,
    rle_encode,
    rle_from_counts,
    rle_from_polygons,
    rle_iou,
    rle_merge,
    rle_to_boxes,
)
from vision_core.ops.roi_align import RoIAlign, roi_align
from vision_core.ops.roi_align_3d import roi_align_3d
from vision_core.ops.roi_pool import RoIPool, roi_pool

__all__ = [
    "MultiScaleRoIAlign",
    "PSRoIAlign",
    "PSRoIPool",
    "RoIAlign",
    "RoIPool",
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
    "nms_reference",
    "ps_roi_align",
    "ps_roi_pool",
    "remove_small_boxes",
    "rle_area",
    "rle_counts",
    "rle_decode",
    "rle_encode",
    "rle_from_counts",
    "rle_from_polygons",
    "rle_iou",
    "rle_merge",
    "rle_to_boxes",
    "roi_align",
    "roi_align_3d",
    "roi_pool",
]
