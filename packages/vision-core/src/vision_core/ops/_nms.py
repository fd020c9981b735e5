"""Non-maximum suppression: of boxes that overlap, keep the best.

The order is that of the scores, descending; equal scores keep their order, NaN counts as the highest score. A box goes
if its intersection over union with a kept box before it is strictly greater than the threshold. The quotient is
computed in the boxes' precision (float32 for half precision), operation by operation as torch does, so that the
kernels and the reference agree on every bit. It is NaN, and suppresses nothing, for boxes with NaN and for two boxes
without area.
"""

from __future__ import annotations

import torch
from torch import Tensor

from vision_contract import BOXES_XYXY, SCORES_N
from vision_core import _native
from vision_core._library import library

__all__ = ["batched_nms", "nms", "nms_reference"]

_BLOCK = 1024  # boxes that the reference compares with each other at once


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """Keep the boxes that no better box overlaps by more than `iou_threshold`.

    Greedy non-maximum suppression: Girshick et al., "Rich feature hierarchies", CVPR 2014. This is the operator `nms`
    of `vision_contract`; it can be scripted, compiled and exported.

    Args:
        boxes: `[N, 4]` floating point: x1, y1, x2, y2.
        scores: `[N]` floating point.
        iou_threshold: a box goes if its IoU with a kept, better box is strictly greater.

    Returns:
        `[K]` int64: indices of the kept boxes, best score first; among equal scores the lower index is first.

    Raises:
        ContractError: other shapes, or different numbers of boxes and scores (a ValueError).
        TypeError: integer boxes or scores.

    Examples:
        >>> import torch
        >>> boxes = torch.tensor([[0.0, 0, 10, 10], [1, 0, 11, 10], [20, 20, 30, 30]])
        >>> nms(boxes, torch.tensor([0.8, 0.9, 0.7]), 0.5).tolist()
        [1, 2]
    """
    return torch.ops.vision_core.nms(boxes, scores, iou_threshold)


def batched_nms(boxes: Tensor, scores: Tensor, idxs: Tensor, iou_threshold: float) -> Tensor:
    """Keep the boxes that no better box of the same category overlaps by more than `iou_threshold`.

    Args:
        boxes: `[N, 4]` floating point: x1, y1, x2, y2.
        scores: `[N]` floating point.
        idxs: `[N]`: the category of each box; boxes of different categories do not affect each other.
        iou_threshold: see `nms`.

    Returns:
        `[K]` int64: indices of the kept boxes, best score first.

    Raises:
        ContractError: other shapes, or different numbers of boxes, scores and categories (a ValueError).
        TypeError: integer boxes or scores.

    Examples:
        >>> import torch
        >>> boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 10], [0, 0, 10, 10]])
        >>> batched_nms(boxes, torch.tensor([0.9, 0.8, 0.7]), torch.tensor([0, 1, 0]), 0.5).tolist()
        [0, 1]
    """
    return torch.ops.vision_core.batched_nms(boxes, scores, idxs, iou_threshold)


def nms_reference(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """Do what `nms` does in pure torch, on any device: the oracle of its tests, and the fallback without kernels.

    Args:
        boxes: `[N, 4]` floating point: x1, y1, x2, y2.
        scores: `[N]` floating point.
        iou_threshold: see `nms`.

    Returns:
        `[K]` int64: indices of the kept boxes, best score first.

    Examples:
        >>> import torch
        >>> nms_reference(torch.tensor([[0.0, 0, 4, 4], [0, 0, 4, 4]]), torch.tensor([0.1, 0.2]), 0.5).tolist()
        [1]
    """
    return batched_nms_reference(boxes, scores, None, iou_threshold)


def batched_nms_reference(boxes: Tensor, scores: Tensor, idxs: Tensor | None, iou_threshold: float) -> Tensor:
    """Do what `batched_nms` does in pure torch; without categories, what `nms` does."""
    boxes, scores = _checked(boxes, scores, idxs)
    order = scores.sort(descending=True, stable=True).indices
    boxes = boxes[order]
    groups = torch.zeros_like(order) if idxs is None else idxs[order]
    kept_boxes, kept_groups, kept = boxes[:0], groups[:0], order[:0]
    for start in range(0, boxes.shape[0], _BLOCK):
        block, group = boxes[start : start + _BLOCK], groups[start : start + _BLOCK]
        free = torch.ones_like(group, dtype=torch.bool)
        for first in range(0, kept_boxes.shape[0], _BLOCK):
            chunk = slice(first, first + _BLOCK)
            free &= ~_suppresses(kept_boxes[chunk], block, kept_groups[chunk], group, iou_threshold).any(0)
        survivors = free & _greedy(_suppresses(block, block, group, group, iou_threshold), free)
        kept_boxes = torch.cat((kept_boxes, block[survivors]))
        kept_groups = torch.cat((kept_groups, group[survivors]))
        kept = torch.cat((kept, order[start : start + _BLOCK][survivors]))
    return kept


def _suppresses(a: Tensor, b: Tensor, group_a: Tensor, group_b: Tensor, iou_threshold: float) -> Tensor:
    """Whether each box of `a` suppresses each of `b`."""
    first = torch.maximum(a[:, None, :2], b[:, :2])
    last = torch.minimum(a[:, None, 2:], b[:, 2:])
    size = (last - first).clamp(min=0)
    inter = size[..., 0] * size[..., 1]
    area_a, area_b = ((x[:, 2] - x[:, 0]) * (x[:, 3] - x[:, 1]) for x in (a, b))
    iou = inter / (area_a[:, None] + area_b - inter)
    # The threshold is a double: comparing in double keeps e.g. 0.3 apart from the float next to it.
    return (iou.to(torch.float64) > iou_threshold) & (group_a[:, None] == group_b)


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


def _checked(boxes: Tensor, scores: Tensor, idxs: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Check the shapes, and give back boxes and scores in a precision that kernels have."""
    BOXES_XYXY.check(boxes, "boxes")
    SCORES_N.check(scores, "scores", N=boxes.shape[0])
    if idxs is not None:
        SCORES_N.check(idxs, "idxs", N=boxes.shape[0])
    if not (boxes.is_floating_point() and scores.is_floating_point()):
        raise TypeError(f"boxes, scores: expected floating point, got {boxes.dtype} and {scores.dtype}; convert them")
    if boxes.dtype not in (torch.float32, torch.float64):
        boxes = boxes.to(torch.float32)
    if scores.dtype != boxes.dtype:
        if scores.dtype == torch.float64:  # float32 scores could tie where these do not
            boxes = boxes.to(torch.float64)
        scores = scores.to(boxes.dtype)
    return boxes, scores


library.define("nms(Tensor boxes, Tensor scores, float iou_threshold) -> Tensor")
library.define("batched_nms(Tensor boxes, Tensor scores, Tensor idxs, float iou_threshold) -> Tensor")
torch.library.impl(library, "nms", "CompositeExplicitAutograd")(nms_reference)
torch.library.impl(library, "batched_nms", "CompositeExplicitAutograd")(batched_nms_reference)


@torch.library.impl(library, "nms", "CPU")
def _nms_cpu(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    return _run(boxes, scores, None, iou_threshold)


@torch.library.impl(library, "batched_nms", "CPU")
def _batched_nms_cpu(boxes: Tensor, scores: Tensor, idxs: Tensor, iou_threshold: float) -> Tensor:
    return _run(boxes, scores, idxs, iou_threshold)


def _run(boxes: Tensor, scores: Tensor, idxs: Tensor | None, iou_threshold: float) -> Tensor:
    native = _native.module
    if native is None:
        return batched_nms_reference(boxes, scores, idxs, iou_threshold)
    boxes, scores = _checked(boxes, scores, idxs)
    boxes, scores = boxes.contiguous(), scores.contiguous()
    groups = None if idxs is None else idxs.to(torch.int64).contiguous()
    count = boxes.shape[0]
    keep = torch.empty(count, dtype=torch.int64)
    kept = native.nms(
        boxes.data_ptr(),
        scores.data_ptr(),
        0 if groups is None else groups.data_ptr(),
        count,
        iou_threshold,
        boxes.dtype == torch.float64,
        torch.get_num_threads(),
        keep.data_ptr(),
    )
    return keep if kept == count else keep[:kept].clone()  # not a view: the memory of the others is given back


@torch.library.register_fake("vision_core::nms", lib=library)
def _nms_fake(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    return _fake(boxes, scores, None)


@torch.library.register_fake("vision_core::batched_nms", lib=library)
def _batched_nms_fake(boxes: Tensor, scores: Tensor, idxs: Tensor, iou_threshold: float) -> Tensor:
    return _fake(boxes, scores, idxs)


def _fake(boxes: Tensor, scores: Tensor, idxs: Tensor | None) -> Tensor:
    _checked(boxes, scores, idxs)
    return boxes.new_empty(torch.library.get_ctx().new_dynamic_size(), dtype=torch.int64)
