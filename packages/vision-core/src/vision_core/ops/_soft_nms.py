"""Soft-NMS: boxes that overlap a better one get a lower score."""

from __future__ import annotations

from typing import Any, NoReturn

import torch
from torch import Tensor

from vision_core import _native
from vision_core._library import library
from vision_core.ops._nms_reference import overlaps, prepared

__all__ = ["soft_nms"]

METHODS = ("linear", "gaussian")  # as Decay in native/nms.hpp


def soft_nms(
    boxes: Tensor,
    scores: Tensor,
    iou_threshold: float = 0.3,
    method: str = "gaussian",
    sigma: float = 0.5,
    score_threshold: float = 0.001,
    fmt: str = "xyxy",
) -> tuple[Tensor, Tensor]:
    """Lower the scores of boxes that overlap better ones, instead of dropping them.

    Bodla et al., "Soft-NMS: Improving Object Detection With One Line of Code", ICCV 2017. Again and again the box with
    the best score is taken, and the scores of all others are multiplied by a factor that falls with their IoU with it.

    Args:
        boxes: `[N, 4]` floating point: x1, y1, x2, y2; `[N, 5]` or `[N, 8]` for rotated formats, `[N, 6]` for "xyzxyz".
        scores: `[N]` floating point; NaN, and what is not above `score_threshold`, is dropped.
        iou_threshold: linear only: boxes that overlap by more are lowered (`N_t` in the paper).
        method: "gaussian": the factor is exp(-IoU^2 / sigma); "linear": 1 - IoU above `iou_threshold`, else 1.
        sigma: gaussian only: a smaller one lowers more; greater than 0.
        score_threshold: boxes whose score falls to it or below are dropped; at least 0.
        fmt: format of `boxes`, see `nms`; also "xyzxyz".

    Returns:
        Indices `[K]` int64 of the boxes that are left, best lowered score first, and these scores `[K]` in the dtype
        of `scores`; among equal scores the lower index is first.

    Raises:
        ContractError: other shapes, or different numbers of boxes and scores (a ValueError).
        ValueError: an unknown method or format, `sigma` of 0 or less, or a negative `score_threshold`.
        TypeError: integer boxes or scores.

    Examples:
        >>> import torch
        >>> boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 5], [20, 20, 30, 30]])
        >>> soft_nms(boxes, torch.tensor([0.9, 0.8, 0.7]), method="linear")
        (tensor([0, 2, 1]), tensor([0.9000, 0.7000, 0.4000]))
    """
    return torch.ops.vision_core.soft_nms(boxes, scores, iou_threshold, method, sigma, score_threshold, fmt)


def _checked(
    boxes: Tensor, scores: Tensor, method: str, sigma: float, score_threshold: float, fmt: str
) -> tuple[Tensor, Tensor, int]:
    if method not in METHODS:
        raise ValueError(f"method: expected linear or gaussian, got {method}")
    if not sigma > 0:
        raise ValueError(f"sigma: expected a number above 0, got {sigma}")
    if not score_threshold >= 0:
        raise ValueError(f"score_threshold: expected 0 or more, got {score_threshold}")
    boxes, scores, _, shape = prepared(boxes, scores, None, fmt)
    return boxes, scores, shape


def soft_nms_reference(
    boxes: Tensor, scores: Tensor, iou_threshold: float, method: str, sigma: float, score_threshold: float, fmt: str
) -> tuple[Tensor, Tensor]:
    """Do what `soft_nms` does in pure torch, box by box: the oracle, and the fallback."""
    dtype = scores.dtype
    boxes, scores, shape = _checked(boxes, scores, method, sigma, score_threshold, fmt)
    indices = torch.arange(boxes.shape[0], device=boxes.device)
    taken, lowered = [indices[:0]], [scores[:0]]
    alive = scores > score_threshold
    boxes, scores, indices = boxes[alive], scores[alive], indices[alive]
    while boxes.shape[0]:
        best = int((scores == scores.max()).nonzero()[0])  # the first of equal ones
        taken.append(indices[best : best + 1])
        lowered.append(scores[best : best + 1])
        iou = overlaps(boxes[best : best + 1], boxes, shape)[0].to(scores.dtype)
        if method == "gaussian":
            factor = torch.exp(-(iou * iou) / sigma)
        else:
            factor = torch.where(iou.to(torch.float64) > iou_threshold, 1 - iou, 1.0)
        scores = scores * torch.where(iou > 0, factor, 1.0)
        alive = scores > score_threshold
        alive[best] = False
        boxes, scores, indices = boxes[alive], scores[alive], indices[alive]
    return torch.cat(taken), torch.cat(lowered).to(dtype)


library.define(
    "soft_nms(Tensor boxes, Tensor scores, float iou_threshold, str method, float sigma, float score_threshold, "
    "str fmt) -> (Tensor, Tensor)"
)


@torch.library.impl(library, "soft_nms", "CompositeExplicitAutograd")
def _soft_nms_any(
    boxes: Tensor, scores: Tensor, iou_threshold: float, method: str, sigma: float, score_threshold: float, fmt: str
) -> tuple[Tensor, Tensor]:
    native = _native.module
    if native is None or not boxes.is_cpu:
        return soft_nms_reference(boxes, scores, iou_threshold, method, sigma, score_threshold, fmt)
    dtype = scores.dtype
    boxes, scores, shape = _checked(boxes, scores, method, sigma, score_threshold, fmt)
    boxes, scores = boxes.contiguous(), scores.contiguous()
    count = boxes.shape[0]
    indices, lowered = torch.empty(count, dtype=torch.int64), torch.empty_like(scores)
    left = native.soft_nms(
        boxes.data_ptr(),
        scores.data_ptr(),
        count,
        METHODS.index(method),
        iou_threshold,
        sigma,
        score_threshold,
        shape,
        boxes.dtype is torch.float64,
        indices.data_ptr(),
        lowered.data_ptr(),
    )
    return indices[:left].clone(), lowered[:left].to(dtype, copy=True)


@torch.library.register_fake("vision_core::soft_nms", lib=library)
def _soft_nms_fake(
    boxes: Tensor, scores: Tensor, iou_threshold: float, method: str, sigma: float, score_threshold: float, fmt: str
) -> tuple[Tensor, Tensor]:
    _checked(boxes, scores, method, sigma, score_threshold, fmt)
    left = torch.library.get_ctx().new_dynamic_size()
    return scores.new_empty(left, dtype=torch.int64), scores.new_empty(left)


def _soft_nms_vmap(info: Any, in_dims: Any, *arguments: Any) -> NoReturn:
    raise RuntimeError(
        "soft_nms: the number of boxes left differs from sample to sample, which torch.func.vmap cannot hold; use "
        "vision_core.ops.matrix_nms, which lowers the scores of all boxes at once"
    )


torch.library.register_vmap("vision_core::soft_nms", _soft_nms_vmap, lib=library)
