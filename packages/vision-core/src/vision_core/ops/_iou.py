"""How much upright boxes overlap: the intersection over union and its relatives.

All of these take two sets of boxes and give a matrix, and are differentiable. What is written in torch below is the
definition; a kernel does the same on the CPU where no gradient is needed. Half precision is computed in float32,
integers exactly. A pair with NaN gives NaN, and so does one of two boxes without area, whose union is 0; infinite boxes
give what IEEE arithmetic makes of them. Boxes that are inside out (x2 < x1) overlap nothing, and their area counts with
its sign.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vision_core import _native
from vision_core._direct import nothing_watches
from vision_core._library import library
from vision_core.ops._boxes import widened
from vision_core.ops._convert import box_convert
from vision_core.ops._plain import contiguous_float
from vision_core.ops._rotated_iou import rotated_box_iou

__all__ = ["box_iou", "complete_box_iou", "distance_box_iou", "generalized_box_iou"]

_IOU, _GENERALIZED, _DISTANCE, _COMPLETE, SOLID = range(5)  # as in native/kernels/box_iou.hpp
_WHOLE_DTYPES = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)


def box_iou(boxes1: Tensor, boxes2: Tensor, fmt: str = "xyxy") -> Tensor:
    """Return the intersection over union of every pair of boxes.

    Args:
        boxes1: `[..., N, 4]`; of rotated boxes `[N, 5]`, or `[N, 8]` for "xyxyxyxy".
        boxes2: `[..., M, 4]`, `[M, 5]` or `[M, 8]`, same format; batch axes broadcast.
        fmt: format of both, see `box_convert`.

    Returns:
        `[..., N, M]`, 0..1 for proper boxes; at least float32. NaN where both upright boxes of a pair have no area, 0
        where a rotated box has none or is not finite.

    Raises:
        ValueError: an unknown format or other shapes.

    Examples:
        >>> import torch
        >>> box_iou(torch.tensor([[0.0, 0.0, 2.0, 1.0]]), torch.tensor([[0.0, 0.0, 1.0, 1.0]])).tolist()
        [[0.5]]
        >>> square, turned = torch.tensor([[0.0, 0, 2, 2, 0]]), torch.tensor([[0.0, 0, 2, 2, 45]])
        >>> box_iou(square, turned, fmt="cxcywhr")
        tensor([[0.7071]])
    """
    if not torch.jit.is_scripting() and fmt == "xyxy":  # pyright: ignore[reportPrivateImportUsage]
        result = overlap_of_plain(_IOU, boxes1, boxes2, 0.0, 4)
        if result is not None:
            return result
    if fmt == "xywhr" or fmt == "cxcywhr" or fmt == "xyxyxyxy":
        return rotated_box_iou(boxes1, boxes2, fmt)
    if fmt != "xyxy":
        if fmt != "xywh" and fmt != "cxcywh":
            raise ValueError(f"fmt: expected xyxy, xywh, cxcywh, xywhr, cxcywhr or xyxyxyxy, got {fmt}")
        boxes1, boxes2 = box_convert(boxes1, fmt, "xyxy"), box_convert(boxes2, fmt, "xyxy")
        if not torch.jit.is_scripting():  # pyright: ignore[reportPrivateImportUsage]
            result = overlap_of_plain(_IOU, boxes1, boxes2, 0.0, 4)
            if result is not None:
                return result
    first, second = _columns(boxes1, boxes2)
    inter, union = _intersection_and_union(first, second)
    return inter / union


def generalized_box_iou(boxes1: Tensor, boxes2: Tensor) -> Tensor:
    """Return the GIoU of every pair: Rezatofighi et al., "Generalized Intersection over Union", CVPR 2019.

    The IoU less the share of the smallest box around both that neither covers.

    Args:
        boxes1: `[..., N, 4]`: x1, y1, x2, y2.
        boxes2: `[..., M, 4]`: x1, y1, x2, y2.

    Returns:
        `[..., N, M]`, -1..1; at least float32.

    Raises:
        ValueError: other shapes.

    Examples:
        >>> import torch
        >>> generalized_box_iou(torch.tensor([[0.0, 0, 1, 1]]), torch.tensor([[1.0, 0, 3, 1]])).tolist()
        [[0.0]]
    """
    if not torch.jit.is_scripting():  # pyright: ignore[reportPrivateImportUsage]
        result = overlap_of_plain(_GENERALIZED, boxes1, boxes2, 0.0, 4)
        if result is not None:
            return result
    first, second = _columns(boxes1, boxes2)
    inter, union = _intersection_and_union(first, second)
    width, height = _enclosing_size(first, second)
    around = width * height
    return inter / union - (around - union) / around


def distance_box_iou(boxes1: Tensor, boxes2: Tensor, eps: float = 1e-7) -> Tensor:
    """Return the DIoU of every pair: Zheng et al., "Distance-IoU Loss", AAAI 2020.

    The IoU less the squared distance of the centres, relative to the diagonal of the smallest box around both.

    Args:
        boxes1: `[..., N, 4]`: x1, y1, x2, y2.
        boxes2: `[..., M, 4]`: x1, y1, x2, y2.
        eps: added to the squared diagonal, against division by 0.

    Returns:
        `[..., N, M]`, -1..1; at least float32.

    Raises:
        ValueError: other shapes.

    Examples:
        >>> import torch
        >>> boxes = torch.tensor([[0.0, 0.0, 4.0, 4.0]])
        >>> distance_box_iou(boxes, boxes).tolist()
        [[1.0]]
    """
    if not torch.jit.is_scripting():  # pyright: ignore[reportPrivateImportUsage]
        result = overlap_of_plain(_DISTANCE, boxes1, boxes2, eps, 4)
        if result is not None:
            return result
    first, second = _columns(boxes1, boxes2)
    inter, union = _intersection_and_union(first, second)
    return inter / union - _centre_distance(first, second, eps)


def complete_box_iou(boxes1: Tensor, boxes2: Tensor, eps: float = 1e-7) -> Tensor:
    """Return the CIoU of every pair: Zheng et al., "Enhancing Geometric Factors", 2020 (arXiv:2005.03572).

    The DIoU less a term for different ratios of the sides, whose weight is held constant for the gradient.

    Args:
        boxes1: `[..., N, 4]`: x1, y1, x2, y2.
        boxes2: `[..., M, 4]`: x1, y1, x2, y2.
        eps: against division by 0.

    Returns:
        `[..., N, M]`; at least float32.

    Raises:
        ValueError: other shapes.

    Examples:
        >>> import torch
        >>> boxes = torch.tensor([[0.0, 0.0, 4.0, 4.0]])
        >>> complete_box_iou(boxes, boxes).tolist()
        [[1.0]]
    """
    if not torch.jit.is_scripting():  # pyright: ignore[reportPrivateImportUsage]
        result = overlap_of_plain(_COMPLETE, boxes1, boxes2, eps, 4)
        if result is not None:
            return result
    first, second = _columns(boxes1, boxes2)
    inter, union = _intersection_and_union(first, second)
    iou = inter / union
    difference = _aspect(first) - _aspect(second)
    v = (4 / math.pi**2) * difference**2
    weight = (v / (1 - iou + v + eps)).detach()
    return iou - _centre_distance(first, second, eps) - weight * v


def overlap_of_plain(kind: int, boxes1: Tensor, boxes2: Tensor, eps: float, columns: int) -> Tensor | None:
    """Let the kernel compute the matrix, if it can: two sets of plain floating-point boxes without gradients."""
    if not nothing_watches() or _native.module is None:
        return None
    first, second = contiguous_float(boxes1, columns), contiguous_float(boxes2, columns)
    if first is None or second is None:
        if _whole(boxes1) and _whole(boxes2):  # exact in double precision
            exact = overlap_of_plain(kind, boxes1.to(torch.float64), boxes2.to(torch.float64), eps, columns)
            return None if exact is None else exact.to(torch.get_default_dtype())
        return None
    if first.dtype is not second.dtype:
        return None
    dtype, count1, count2 = first.dtype, first.shape[0], second.shape[0]
    result = torch.empty(count1, count2, dtype=dtype)
    if count1 == 0 or count2 == 0:
        return result
    _native.module.box_iou(
        kind,
        first.data_ptr(),
        count1,
        second.data_ptr(),
        count2,
        eps,
        dtype is torch.float64,
        torch.get_num_threads(),
        result.data_ptr(),
    )
    return result


def _whole(boxes: Tensor) -> bool:
    return type(boxes) is Tensor and boxes.is_cpu and boxes.dtype in _WHOLE_DTYPES


def _columns(boxes1: Tensor, boxes2: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """Check both sets, and take x1, y1, x2, y2 apart: `[..., N, 1]` and `[..., 1, M]`, which broadcast to pairs."""
    if boxes1.dim() < 2 or boxes2.dim() < 2 or boxes1.shape[-1] != 4 or boxes2.shape[-1] != 4:
        raise ValueError(
            f"boxes1, boxes2: expected [..., N, 4] and [..., M, 4], got {list(boxes1.shape)} and {list(boxes2.shape)}"
        )
    return list(widened(boxes1).unsqueeze(-2).unbind(-1)), list(widened(boxes2).unsqueeze(-3).unbind(-1))


def _intersection_and_union(a: list[Tensor], b: list[Tensor]) -> tuple[Tensor, Tensor]:
    width = (torch.min(a[2], b[2]) - torch.max(a[0], b[0])).clamp(min=0)
    height = (torch.min(a[3], b[3]) - torch.max(a[1], b[1])).clamp(min=0)
    inter = width * height
    return inter, (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inter


def _enclosing_size(a: list[Tensor], b: list[Tensor]) -> tuple[Tensor, Tensor]:
    width = (torch.max(a[2], b[2]) - torch.min(a[0], b[0])).clamp(min=0)
    return width, (torch.max(a[3], b[3]) - torch.min(a[1], b[1])).clamp(min=0)


def _centre_distance(a: list[Tensor], b: list[Tensor], eps: float) -> Tensor:
    """Squared distance of the centres over the squared diagonal of the enclosing box."""
    width, height = _enclosing_size(a, b)
    x, y = (a[0] + a[2]) / 2 - (b[0] + b[2]) / 2, (a[1] + a[3]) / 2 - (b[1] + b[3]) / 2
    return (x * x + y * y) / (width * width + height * height + eps)


def _aspect(box: list[Tensor]) -> Tensor:
    return torch.atan((box[2] - box[0]) / (box[3] - box[1]))


# Implicit composites: torch takes them apart where it traces, and differentiates what they are made of.
library.define('box_iou(Tensor boxes1, Tensor boxes2, str fmt="xyxy") -> Tensor')
library.define("generalized_box_iou(Tensor boxes1, Tensor boxes2) -> Tensor")
library.define("distance_box_iou(Tensor boxes1, Tensor boxes2, float eps=1e-7) -> Tensor")
library.define("complete_box_iou(Tensor boxes1, Tensor boxes2, float eps=1e-7) -> Tensor")
for _function in (box_iou, generalized_box_iou, distance_box_iou, complete_box_iou):
    library.impl(_function.__name__, _function, "CompositeImplicitAutograd")
