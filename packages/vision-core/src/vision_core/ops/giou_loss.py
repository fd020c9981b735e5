"""The generalized IoU as a loss."""

from __future__ import annotations

from torch import Tensor

from vision_core.ops._box_loss import corners, enclosing_size, intersection_and_union, reduced

__all__ = ["generalized_box_iou_loss"]


def generalized_box_iou_loss(boxes1: Tensor, boxes2: Tensor, reduction: str = "none", eps: float = 1e-7) -> Tensor:
    """Return 1 - GIoU of every pair: Rezatofighi et al., "Generalized Intersection over Union", CVPR 2019.

    It has a gradient also where the boxes do not overlap.

    Args:
        boxes1: `[..., 4]`: x1, y1, x2, y2, with x1 <= x2 and y1 <= y2. Half precision and integers are computed in
            float32.
        boxes2: `[..., 4]`: the box that each of `boxes1` should be.
        reduction: "none": one loss a pair, "mean" or "sum" of all; the mean of no pairs is 0.
        eps: against division by 0.

    Returns:
        `[...]`, or a scalar; at least float32.

    Raises:
        ValueError: an unknown reduction or other shapes.

    Examples:
        >>> import torch
        >>> a, b = torch.tensor([[0.0, 0, 4, 4]]), torch.tensor([[0.0, 0, 4, 2]])
        >>> generalized_box_iou_loss(a, a).tolist()
        [0.0]
        >>> round(generalized_box_iou_loss(a, b, reduction="mean").item(), 4)
        0.5
    """
    first1, last1, first2, last2 = corners(boxes1, boxes2)
    inter, union = intersection_and_union(first1, last1, first2, last2)
    width, height = enclosing_size(first1, last1, first2, last2)
    around = width * height
    giou = inter / (union + eps) - (around - union) / (around + eps)
    return reduced(1 - giou, reduction)
