"""Operators on boxes and regions, with torchvision's names, arguments and results."""

from vision_core.ops._box_3d import box_iou_3d
from vision_core.ops._matrix_nms import matrix_nms
from vision_core.ops._nms import nms_3d
from vision_core.ops._nms_mask import nms_mask
from vision_core.ops._nms_reference import nms_reference
from vision_core.ops._soft_nms import soft_nms
from vision_core.ops.boxes import (
    batched_nms,
    box_area,
    box_convert,
    box_iou,
    clip_boxes_to_image,
    complete_box_iou,
    distance_box_iou,
    generalized_box_iou,
    masks_to_boxes,
    nms,
    remove_small_boxes,
)
from vision_core.ops.ciou_loss import complete_box_iou_loss
from vision_core.ops.deform_conv import DeformConv2d, deform_conv2d
from vision_core.ops.diou_loss import distance_box_iou_loss
from vision_core.ops.drop_block import DropBlock2d, DropBlock3d, drop_block2d, drop_block3d
from vision_core.ops.feature_pyramid_network import FeaturePyramidNetwork
from vision_core.ops.focal_loss import sigmoid_focal_loss
from vision_core.ops.giou_loss import generalized_box_iou_loss
from vision_core.ops.masks import mask_iou, paste_masks
from vision_core.ops.misc import (
    MLP,
    Conv2dNormActivation,
    Conv3dNormActivation,
    FrozenBatchNorm2d,
    Permute,
    SqueezeExcitation,
)
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
from vision_core.ops.stochastic_depth import StochasticDepth, stochastic_depth

__all__ = [
    "MLP",
    "Conv2dNormActivation",
    "Conv3dNormActivation",
    "DeformConv2d",
    "DropBlock2d",
    "DropBlock3d",
    "FeaturePyramidNetwork",
    "FrozenBatchNorm2d",
    "MultiScaleRoIAlign",
    "PSRoIAlign",
    "PSRoIPool",
    "Permute",
    "RoIAlign",
    "RoIPool",
    "SqueezeExcitation",
    "StochasticDepth",
    "batched_nms",
    "box_area",
    "box_convert",
    "box_iou",
    "box_iou_3d",
    "clip_boxes_to_image",
    "complete_box_iou",
    "complete_box_iou_loss",
    "deform_conv2d",
    "distance_box_iou",
    "distance_box_iou_loss",
    "drop_block2d",
    "drop_block3d",
    "generalized_box_iou",
    "generalized_box_iou_loss",
    "mask_iou",
    "masks_to_boxes",
    "matrix_nms",
    "nms",
    "nms_3d",
    "nms_mask",
    "nms_reference",
    "paste_masks",
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
    "sigmoid_focal_loss",
    "soft_nms",
    "stochastic_depth",
]
