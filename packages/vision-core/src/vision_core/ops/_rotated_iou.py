"""How much rotated boxes overlap."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vision_core import _native
from vision_core._direct import nothing_watches
from vision_core.ops._convert import box_convert
from vision_core.ops._plain import contiguous_float

__all__ = ["rotated_box_iou", "rotated_iou_reference"]


def rotated_box_iou(boxes1: Tensor, boxes2: Tensor, fmt: str) -> Tensor:
    """Do what `box_iou` does for rotated boxes.

    The kernel cuts one box by the sides of the other (Sutherland and Hodgman, "Reentrant polygon clipping", 1974), in
    double precision and in the frame of the second box, where coincident edges are no special case. It is taken on the
    CPU where no gradient is needed.

    Args:
        boxes1: `[N, 5]`; `[N, 8]` for "xyxyxyxy", which must be corners of rectangles.
        boxes2: `[M, 5]` or `[M, 8]`.
        fmt: "xywhr", "cxcywhr" or "xyxyxyxy".

    Returns:
        `[N, M]`, 0..1; 0 where a box has no area or is not finite.
    """
    if not torch.jit.is_scripting():  # pyright: ignore[reportPrivateImportUsage]
        result = _native_rotated(boxes1, boxes2, fmt)
        if result is not None:
            return result
    if boxes1.dim() != 2 or boxes2.dim() != 2:
        raise ValueError(
            f"boxes1, boxes2: rotated boxes come as [N, 5] or [N, 8], got {list(boxes1.shape)} and {list(boxes2.shape)}"
        )
    boxes1, boxes2 = _floating(boxes1), _floating(boxes2)
    if boxes1.dtype != boxes2.dtype:
        dtype = torch.promote_types(boxes1.dtype, boxes2.dtype)
        boxes1, boxes2 = boxes1.to(dtype), boxes2.to(dtype)
    return rotated_iou_reference(boxes1, boxes2, fmt)


def _floating(boxes: Tensor) -> Tensor:
    return boxes if boxes.dtype == torch.float64 or boxes.dtype == torch.float32 else boxes.to(torch.float32)


def _native_rotated(boxes1: Tensor, boxes2: Tensor, fmt: str) -> Tensor | None:
    if not nothing_watches() or _native.module is None:
        return None
    kind, columns = (5, 8) if fmt == "xyxyxyxy" else (3 if fmt == "xywhr" else 4, 5)  # native/rotated_format.hpp
    first, second = contiguous_float(boxes1, columns), contiguous_float(boxes2, columns)
    if first is None or second is None or first.dtype is not second.dtype:
        return None
    count1, count2, double = first.shape[0], second.shape[0], first.dtype is torch.float64
    result = first.new_empty(count1, count2)
    if count1 == 0 or count2 == 0:
        return result
    _native.module.rotated_box_iou(
        kind, first.data_ptr(), count1, second.data_ptr(), count2, double, torch.get_num_threads(), result.data_ptr()
    )
    return result


def rotated_iou_reference(boxes1: Tensor, boxes2: Tensor, fmt: str = "cxcywhr") -> Tensor:
    """Compute the matrix in torch: any device, differentiable, and not as the kernel does it.

    The shared polygon's corners are the corners of one inside the other and the crossings of their edges; sorted
    around their mean they give the area (shoelace formula). All is computed in double precision.

    Args:
        boxes1: `[N, 5]` or `[N, 8]`, floating point.
        boxes2: `[M, 5]` or `[M, 8]`, same dtype.
        fmt: format of both.

    Returns:
        `[N, M]`, same dtype.
    """
    a, b = boxes1.to(torch.float64), boxes2.to(torch.float64)
    if fmt != "cxcywhr":
        a, b = box_convert(a, fmt, "cxcywhr"), box_convert(b, fmt, "cxcywhr")
    elif a.shape[-1] != 5 or b.shape[-1] != 5:
        raise ValueError(f"boxes1, boxes2: cxcywhr needs [N, 5], got {list(a.shape)} and {list(b.shape)}")
    proper_a, proper_b = _proper(a), _proper(b)
    # What has no area is computed as a unit square, and left out at the end: no NaN comes into the gradient.
    unit = torch.tensor([0.0, 0.0, 1.0, 1.0, 0.0], dtype=torch.float64, device=a.device)
    a, b = torch.where(proper_a.unsqueeze(1), a, unit), torch.where(proper_b.unsqueeze(1), b, unit)
    corners_a, corners_b = box_convert(a, "cxcywhr", "xyxyxyxy"), box_convert(b, "cxcywhr", "xyxyxyxy")
    area_a, area_b = (a[:, 2] * a[:, 3]).unsqueeze(1), (b[:, 2] * b[:, 3]).unsqueeze(0)
    inter = torch.minimum(_shared_area(corners_a, corners_b), torch.minimum(area_a, area_b))
    iou = inter / (area_a + area_b - inter)
    both = proper_a.unsqueeze(1) & proper_b.unsqueeze(0)
    return torch.where(both, iou, torch.zeros_like(iou)).to(boxes1.dtype)


def _proper(boxes: Tensor) -> Tensor:
    area = boxes[:, 2] * boxes[:, 3]
    return torch.isfinite(boxes).all(1) & torch.isfinite(area) & (boxes[:, 2] > 0) & (boxes[:, 3] > 0)


def _shared_area(corners1: Tensor, corners2: Tensor) -> Tensor:
    """Area that each of N convex quadrilaterals `[N, 8]` shares with each of M, `[N, M]`."""
    n, m = corners1.shape[0], corners2.shape[0]
    a = corners1.reshape(n, 1, 4, 2).expand(n, m, 4, 2)
    b = corners2.reshape(1, m, 4, 2).expand(n, m, 4, 2)
    edges_a, edges_b = a.roll(-1, 2) - a, b.roll(-1, 2) - b

    start = b[:, :, None] - a[:, :, :, None]  # (N, M, 4, 4, 2), edge of a by edge of b
    parallel = _cross(edges_a[:, :, :, None], edges_b[:, :, None])
    safe = torch.where(parallel == 0, torch.ones_like(parallel), parallel)
    along_a = _cross(start, edges_b[:, :, None]) / safe
    along_b = _cross(start, edges_a[:, :, :, None]) / safe
    crosses = (parallel != 0) & (along_a >= 0) & (along_a <= 1) & (along_b >= 0) & (along_b <= 1)
    crossings = a[:, :, :, None] + along_a.unsqueeze(-1) * edges_a[:, :, :, None]

    points = torch.cat((a, b, crossings.flatten(2, 3)), dim=2)  # (N, M, 24, 2)
    valid = torch.cat((_inside(a, b, edges_b), _inside(b, a, edges_a), crosses.flatten(2, 3)), dim=2)
    weight = valid.unsqueeze(-1)
    points = torch.where(weight, points, torch.zeros_like(points))
    count = valid.sum(2, keepdim=True)
    middle = points.sum(2, keepdim=True) / count.clamp(min=1).unsqueeze(-1)
    around = torch.where(weight, points - middle, torch.zeros_like(points))
    angle = torch.atan2(around[..., 1], around[..., 0]).detach().masked_fill(~valid, math.inf)
    order = angle.argsort(dim=2).unsqueeze(-1)
    ordered = around.gather(2, order.expand(n, m, 24, 2))
    # Points that are none take the place of the first corner, where they add nothing to the area.
    ordered = torch.where(weight.gather(2, order), ordered, ordered[:, :, :1])
    area = _cross(ordered, ordered.roll(-1, 2)).sum(2) / 2
    return torch.where(count[..., 0] >= 3, area.clamp(min=0), torch.zeros_like(area))


def _cross(a: Tensor, b: Tensor) -> Tensor:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]


def _inside(points: Tensor, corners: Tensor, edges: Tensor) -> Tensor:
    """Whether points `[N, M, 4, 2]` lie in convex quadrilaterals, on the same side of all edges. (N, M, 4)"""
    side = _cross(edges[:, :, None], points[:, :, :, None] - corners[:, :, None])  # (N, M, 4 points, 4 edges)
    slack = 1e-12 * edges.abs().amax((2, 3))[..., None, None] ** 2  # a corner on an edge counts in spite of rounding
    return (side >= -slack).all(-1) | (side <= slack).all(-1)
