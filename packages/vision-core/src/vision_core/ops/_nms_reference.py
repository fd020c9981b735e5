"""Greedy suppression in pure torch, and the checks that all kinds of suppression share."""

from __future__ import annotations

import torch
from torch import Tensor

from vision_contract import BOXES_CXCYWH, BOXES_CXCYWHR, BOXES_XYWH, BOXES_XYXY, SCORES_N, Layout
from vision_core.ops._box_3d import box_iou_3d
from vision_core.ops._convert import box_convert
from vision_core.ops._rotated_iou import rotated_iou_reference

__all__ = ["ROTATED", "SOLID", "UPRIGHT", "greedy_reference", "nms_reference", "overlaps", "prepared"]

UPRIGHT, ROTATED, SOLID = range(3)  # as BoxShape in native/nms.hpp

_BLOCK = (1024, 64, 512)  # boxes of each shape that the reference compares with each other at once

_LAYOUTS = {
    "xyxy": BOXES_XYXY,
    "xywh": BOXES_XYWH,
    "cxcywh": BOXES_CXCYWH,
    "cxcywhr": BOXES_CXCYWHR,
    "xywhr": Layout("BOXES_XYWHR", "N 5"),
    "xyxyxyxy": Layout("BOXES_XYXYXYXY", "N 8"),
    "xyzxyz": Layout("BOXES_XYZXYZ", "N 6"),
}


def nms_reference(boxes: Tensor, scores: Tensor, iou_threshold: float, fmt: str = "xyxy") -> Tensor:
    """Do what `nms` does in pure torch, on any device: the oracle of its tests, and the fallback without kernels.

    Args:
        boxes: `[N, 4]` floating point: x1, y1, x2, y2; `[N, 5]` or `[N, 8]` for rotated formats.
        scores: `[N]` floating point.
        iou_threshold: see `nms`.
        fmt: format of `boxes`, see `nms`.

    Returns:
        `[K]` int64: indices of the kept boxes, best score first.

    Examples:
        >>> import torch
        >>> nms_reference(torch.tensor([[0.0, 0, 4, 4], [0, 0, 4, 4]]), torch.tensor([0.1, 0.2]), 0.5).tolist()
        [1]
    """
    boxes, scores, _, shape = prepared(boxes, scores, None, fmt)
    return greedy_reference(boxes, scores, None, iou_threshold, shape)


def prepared(boxes: Tensor, scores: Tensor, idxs: Tensor | None, fmt: str) -> tuple[Tensor, Tensor, Tensor | None, int]:
    """Check the arguments, and give back what kernels read.

    Returns:
        Boxes as "xyxy", "cxcywhr" or "xyzxyz", and scores, both float32 or float64; categories in int64; the shape:
        `UPRIGHT`, `ROTATED` or `SOLID`.
    """
    if fmt not in _LAYOUTS:
        raise ValueError(f"fmt: expected xyxy, xywh, cxcywh, xywhr, cxcywhr or xyxyxyxy, got {fmt}")
    _LAYOUTS[fmt].check(boxes, "boxes")
    SCORES_N.check(scores, "scores", N=boxes.shape[0])
    if idxs is not None:
        SCORES_N.check(idxs, "idxs", N=boxes.shape[0])
        if idxs.device != boxes.device:
            raise ValueError(f"boxes, idxs: expected one device, got {boxes.device} and {idxs.device}; move one")
    if not (boxes.is_floating_point() and scores.is_floating_point()):
        raise TypeError(f"boxes, scores: expected floating point, got {boxes.dtype} and {scores.dtype}; convert them")
    if boxes.device != scores.device:
        raise ValueError(f"boxes, scores: expected one device, got {boxes.device} and {scores.device}; move one")
    if boxes.dtype not in (torch.float32, torch.float64):
        boxes = boxes.to(torch.float32)
    if scores.dtype != boxes.dtype:
        if scores.dtype == torch.float64:  # float32 scores could tie where these do not
            boxes = boxes.to(torch.float64)
        scores = scores.to(boxes.dtype)
    shape = SOLID if fmt == "xyzxyz" else UPRIGHT if fmt in ("xyxy", "xywh", "cxcywh") else ROTATED
    if shape == UPRIGHT and fmt != "xyxy":
        boxes = box_convert(boxes, fmt, "xyxy")
    elif shape == ROTATED and fmt != "cxcywhr":
        boxes = box_convert(boxes, fmt, "cxcywhr")
    return boxes, scores, None if idxs is None else _categories(idxs), shape


def _categories(idxs: Tensor) -> Tensor:
    """Turn categories of any dtype into int64; fractions stay apart."""
    return torch.unique(idxs, return_inverse=True)[1] if idxs.is_floating_point() else idxs.to(torch.int64)


def greedy_reference(boxes: Tensor, scores: Tensor, idxs: Tensor | None, iou_threshold: float, shape: int) -> Tensor:
    """Suppress `prepared` boxes, a block at a time."""
    order = scores.sort(descending=True, stable=True).indices
    boxes = boxes[order]
    groups = torch.zeros_like(order) if idxs is None else idxs[order]
    kept_boxes, kept_groups, kept = boxes[:0], groups[:0], order[:0]
    step = _BLOCK[shape]
    for start in range(0, boxes.shape[0], step):
        block, group = boxes[start : start + step], groups[start : start + step]
        free = torch.ones_like(group, dtype=torch.bool)
        for first in range(0, kept_boxes.shape[0], step):
            chunk = slice(first, first + step)
            same = kept_groups[chunk, None] == group
            free &= ~((overlaps(kept_boxes[chunk], block, shape) > iou_threshold) & same).any(0)
        suppresses = (overlaps(block, block, shape) > iou_threshold) & (group[:, None] == group)
        survivors = free & _greedy(suppresses, free)
        kept_boxes = torch.cat((kept_boxes, block[survivors]))
        kept_groups = torch.cat((kept_groups, group[survivors]))
        kept = torch.cat((kept, order[start : start + step][survivors]))
    return kept


def overlaps(a: Tensor, b: Tensor, shape: int) -> Tensor:
    """Return the IoU of `prepared` boxes as a matrix in double precision, rounded as the boxes' dtype rounds it.

    The threshold is a double: comparing in double keeps e.g. 0.3 apart from the float next to it.
    """
    if shape == ROTATED:
        return rotated_iou_reference(a.to(torch.float64), b.to(torch.float64))
    if shape == SOLID:
        return box_iou_3d(a, b).to(torch.float64)
    first = torch.maximum(a[:, None, :2], b[:, :2])
    last = torch.minimum(a[:, None, 2:], b[:, 2:])
    size = (last - first).clamp(min=0)
    inter = size[..., 0] * size[..., 1]
    area_a, area_b = ((x[:, 2] - x[:, 0]) * (x[:, 3] - x[:, 1]) for x in (a, b))
    return (inter / (area_a[:, None] + area_b - inter)).to(torch.float64)


def _greedy(suppresses: Tensor, free: Tensor) -> Tensor:
    """Solve one block, without a loop over boxes.

    Assume that all free boxes are kept, and correct the assumption until it holds: after k rounds at least the first k
    boxes are decided, and real boxes need few rounds.
    """
    before = suppresses.triu(1)
    kept = free
    while True:
        corrected = free & ~(before & kept[:, None]).any(0)
        if torch.equal(corrected, kept):
            return kept
        kept = corrected
