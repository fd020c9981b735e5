"""The complete IoU as a loss."""

from __future__ import annotations

import math

from torch import Tensor

from vision_core.ops._box_loss import aspect, centre_distance, corners, intersection_and_union, reduced

__all__ = ["complete_box_iou_loss"]


def complete_box_iou_loss(boxes1: Tensor, boxes2: Tensor, reduction: str = "none", eps: float = 1e-7) -> Tensor:
    """Return 1 - CIoU of every pair: Zheng et al., "Enhancing Geometric Factors", 2020 (arXiv:2005.03572).

    It also counts how far apart the centres are, and by how much the ratios of the sides differ.

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
        >>> complete_box_iou_loss(a, a).tolist()
        [0.0]
        >>> round(complete_box_iou_loss(a, b, reduction="mean").item(), 4)
        0.5345
    """
    first1, last1, first2, last2 = corners(boxes1, boxes2)
    inter, union = intersection_and_union(first1, last1, first2, last2)
    iou = inter / (union + eps)
    difference = aspect(first2, last2) - aspect(first1, last1)
    v = (4 / math.pi**2) * difference * difference
    weight = (v / (1 - iou + v + eps)).detach()  # held constant for the gradient
    ciou = iou - centre_distance(first1, last1, first2, last2, eps) - weight * v
    return reduced(1 - ciou, reduction)
