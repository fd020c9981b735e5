"""The distance IoU as a loss."""

from __future__ import annotations

from torch import Tensor

from vision_core.ops._box_loss import centre_distance, corners, intersection_and_union, reduced

__all__ = ["distance_box_iou_loss"]


def distance_box_iou_loss(boxes1: Tensor, boxes2: Tensor, reduction: str = "none", eps: float = 1e-7) -> Tensor:
    """Return 1 - DIoU of every pair: Zheng et al., "Distance-IoU Loss", AAAI 2020.

    It also counts how far apart the centres are.

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
        >>> distance_box_iou_loss(a, a).tolist()
        [0.0]
        >>> round(distance_box_iou_loss(a, b, reduction="mean").item(), 4)
        0.5312
    """
    first1, last1, first2, last2 = corners(boxes1, boxes2)
    inter, union = intersection_and_union(first1, last1, first2, last2)
    diou = inter / (union + eps) - centre_distance(first1, last1, first2, last2, eps)
    return reduced(1 - diou, reduction)
