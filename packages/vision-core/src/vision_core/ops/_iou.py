"""How much boxes overlap: the intersection over union and its relatives.

All of these take two sets of boxes and give a matrix, and are differentiable.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vision_core.ops._boxes import box_area, widened
from vision_core.ops._convert import box_convert

__all__ = ["box_iou", "complete_box_iou", "distance_box_iou", "generalized_box_iou"]


def box_iou(boxes1: Tensor, boxes2: Tensor, fmt: str = "xyxy") -> Tensor:
    """Return the intersection over union of every pair of boxes.

    Args:
        boxes1: `[N, 4]`; `[N, 5]` for the formats with an angle, `[N, 8]` for "xyxyxyxy".
        boxes2: `[M, ...]`, same format.
        fmt: format of both, see `box_convert`.

    Returns:
        `[N, M]`, 0..1 for proper boxes; NaN where both boxes of a pair have no area.

    Raises:
        ValueError: an unknown format.

    Examples:
        >>> import torch
        >>> box_iou(torch.tensor([[0.0, 0.0, 2.0, 1.0]]), torch.tensor([[0.0, 0.0, 1.0, 1.0]])).tolist()
        [[0.5]]
    """
    if fmt == "xywhr" or fmt == "cxcywhr" or fmt == "xyxyxyxy":
        inter = _rotated_intersection(box_convert(boxes1, fmt, "xyxyxyxy"), box_convert(boxes2, fmt, "xyxyxyxy"))
        return inter / (box_area(boxes1, fmt)[:, None] + box_area(boxes2, fmt) - inter)
    if fmt != "xyxy":
        boxes1, boxes2 = box_convert(boxes1, fmt, "xyxy"), box_convert(boxes2, fmt, "xyxy")
    inter, union = _intersection_and_union(boxes1, boxes2)
    return inter / union


def generalized_box_iou(boxes1: Tensor, boxes2: Tensor) -> Tensor:
    """Return the GIoU of every pair: Rezatofighi et al., "Generalized Intersection over Union", CVPR 2019.

    The IoU less the share of the smallest box around both that neither covers.

    Args:
        boxes1: `[N, 4]`: x1, y1, x2, y2.
        boxes2: `[M, 4]`: x1, y1, x2, y2.

    Returns:
        `[N, M]`, -1..1.

    Examples:
        >>> import torch
        >>> generalized_box_iou(torch.tensor([[0.0, 0, 1, 1]]), torch.tensor([[1.0, 0, 3, 1]])).tolist()
        [[0.0]]
    """
    inter, union = _intersection_and_union(boxes1, boxes2)
    size = _enclosing_size(boxes1, boxes2)
    around = size[..., 0] * size[..., 1]
    return inter / union - (around - union) / around


def distance_box_iou(boxes1: Tensor, boxes2: Tensor, eps: float = 1e-7) -> Tensor:
    """Return the DIoU of every pair: Zheng et al., "Distance-IoU Loss", AAAI 2020.

    The IoU less the squared distance of the centres, relative to the diagonal of the smallest box around both.

    Args:
        boxes1: `[N, 4]`: x1, y1, x2, y2.
        boxes2: `[M, 4]`: x1, y1, x2, y2.
        eps: added to the squared diagonal, against division by 0.

    Returns:
        `[N, M]`, -1..1.

    Examples:
        >>> import torch
        >>> boxes = torch.tensor([[0.0, 0.0, 4.0, 4.0]])
        >>> distance_box_iou(boxes, boxes).tolist()
        [[1.0]]
    """
    inter, union = _intersection_and_union(boxes1, boxes2)
    return inter / union - _centre_distance(boxes1, boxes2, eps)


def complete_box_iou(boxes1: Tensor, boxes2: Tensor, eps: float = 1e-7) -> Tensor:
    """Return the CIoU of every pair: Zheng et al., "Enhancing Geometric Factors", 2020 (arXiv:2005.03572).

    The DIoU less a term for different ratios of the sides, whose weight is held constant for the gradient.

    Args:
        boxes1: `[N, 4]`: x1, y1, x2, y2.
        boxes2: `[M, 4]`: x1, y1, x2, y2.
        eps: against division by 0.

    Returns:
        `[N, M]`.

    Examples:
        >>> import torch
        >>> boxes = torch.tensor([[0.0, 0.0, 4.0, 4.0]])
        >>> complete_box_iou(boxes, boxes).tolist()
        [[1.0]]
    """
    inter, union = _intersection_and_union(boxes1, boxes2)
    iou = inter / union
    difference = _aspect(boxes1)[:, None] - _aspect(boxes2)
    v = (4 / math.pi**2) * difference**2
    weight = (v / (1 - iou + v + eps)).detach()
    return iou - _centre_distance(boxes1, boxes2, eps) - weight * v


def _intersection_and_union(boxes1: Tensor, boxes2: Tensor) -> tuple[Tensor, Tensor]:
    first = torch.max(boxes1[:, None, :2], boxes2[:, :2])
    last = torch.min(boxes1[:, None, 2:], boxes2[:, 2:])
    size = widened(last - first).clamp(min=0)  # (N, M, 2)
    inter = size[..., 0] * size[..., 1]
    return inter, box_area(boxes1)[:, None] + box_area(boxes2) - inter


def _enclosing_size(boxes1: Tensor, boxes2: Tensor) -> Tensor:
    first = torch.min(boxes1[:, None, :2], boxes2[:, :2])
    last = torch.max(boxes1[:, None, 2:], boxes2[:, 2:])
    return widened(last - first).clamp(min=0)  # (N, M, 2)


def _centre_distance(boxes1: Tensor, boxes2: Tensor, eps: float) -> Tensor:
    """Squared distance of the centres over the squared diagonal of the enclosing box."""
    size = _enclosing_size(boxes1, boxes2)
    diagonal = size[..., 0] ** 2 + size[..., 1] ** 2 + eps
    centres1, centres2 = (boxes1[:, :2] + boxes1[:, 2:]) / 2, (boxes2[:, :2] + boxes2[:, 2:]) / 2
    apart = widened(centres1[:, None] - centres2)
    return (apart[..., 0] ** 2 + apart[..., 1] ** 2) / diagonal


def _aspect(boxes: Tensor) -> Tensor:
    boxes = widened(boxes)
    return torch.atan((boxes[:, 2] - boxes[:, 0]) / (boxes[:, 3] - boxes[:, 1]))


def _rotated_intersection(corners1: Tensor, corners2: Tensor) -> Tensor:
    """Area that each of N convex quadrilaterals `[N, 8]` shares with each of M, `[N, M]`.

    The shared polygon's corners are the corners of one inside the other and the crossings of their edges; sorted
    around their mean they give the area (shoelace formula).
    """
    n, m = corners1.shape[0], corners2.shape[0]
    a = widened(corners1).to(torch.float64).reshape(n, 1, 4, 2).expand(n, m, 4, 2)
    b = widened(corners2).to(torch.float64).reshape(1, m, 4, 2).expand(n, m, 4, 2)
    edges_a, edges_b = a.roll(-1, 2) - a, b.roll(-1, 2) - b

    start = b[:, :, None] - a[:, :, :, None]  # (N, M, 4, 4, 2), edge of a by edge of b
    parallel = _cross(edges_a[:, :, :, None], edges_b[:, :, None])
    safe = torch.where(parallel == 0, 1.0, parallel)
    along_a = _cross(start, edges_b[:, :, None]) / safe
    along_b = _cross(start, edges_a[:, :, :, None]) / safe
    crosses = (parallel != 0) & (along_a >= 0) & (along_a <= 1) & (along_b >= 0) & (along_b <= 1)
    crossings = a[:, :, :, None] + along_a[..., None] * edges_a[:, :, :, None]

    points = torch.cat((a, b, crossings.flatten(2, 3)), dim=2)  # (N, M, 24, 2)
    valid = torch.cat((_inside(a, b, edges_b), _inside(b, a, edges_a), crosses.flatten(2, 3)), dim=2)
    count = valid.sum(2, keepdim=True)
    middle = (points * valid[..., None]).sum(2, keepdim=True) / count.clamp(min=1)[..., None]
    around = torch.where(valid[..., None], points - middle, 0.0)
    angle = torch.atan2(around[..., 1], around[..., 0]).masked_fill(~valid, math.inf)
    order = angle.argsort(dim=2)
    ordered = around.gather(2, order[..., None].expand_as(around))
    # Points that are none take the place of the first corner, where they add nothing to the area.
    ordered = torch.where(valid.gather(2, order)[..., None], ordered, ordered[:, :, :1])
    area = _cross(ordered, ordered.roll(-1, 2)).sum(2) / 2
    return torch.where(count[..., 0] >= 3, area.clamp(min=0), 0.0).to(widened(corners1).dtype)


def _cross(a: Tensor, b: Tensor) -> Tensor:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]


def _inside(points: Tensor, corners: Tensor, edges: Tensor) -> Tensor:
    """Whether points `[N, M, 4, 2]` lie in convex quadrilaterals, on the same side of all edges. (N, M, 4)"""
    side = _cross(edges[:, :, None], points[:, :, :, None] - corners[:, :, None])  # (N, M, 4 points, 4 edges)
    slack = 1e-12 * edges.abs().amax((2, 3))[..., None, None] ** 2  # a corner on an edge counts in spite of rounding
    return (side >= -slack).all(-1) | (side <= slack).all(-1)
