"""Non-maximum suppression: of boxes that overlap, keep the best.

The order is that of the scores, descending; equal scores keep their order, NaN counts as the highest score. A box goes
if its intersection over union with a kept box before it is strictly greater than the threshold. The quotient is
computed in the boxes' precision (float32 for half precision), operation by operation as torch does, so that the
kernels and the reference agree on every bit. It is NaN, and suppresses nothing, for boxes with NaN and for two boxes
without area. The overlap of rotated boxes is computed in double precision, and is 0 where one has no area or is not
finite.
"""

from __future__ import annotations

from typing import Any, NoReturn

import torch
from torch import Tensor

from vision_core import _native
from vision_core._direct import nothing_watches
from vision_core._library import library
from vision_core.ops._boxes import first_of
from vision_core.ops._nms_reference import UPRIGHT, greedy_reference, prepared

__all__ = ["batched_nms", "nms", "nms_3d"]


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float, fmt: str = "xyxy") -> Tensor:
    """Keep the boxes that no better box overlaps by more than `iou_threshold`.

    Greedy non-maximum suppression: Girshick et al., "Rich feature hierarchies", CVPR 2014. This is the operator `nms`
    of `vision_contract`; it can be scripted, compiled and exported. The number of kept boxes depends on the data:
    under `torch.func.vmap`, and where sizes must be static, use `nms_mask`.

    Args:
        boxes: `[N, 4]` floating point: x1, y1, x2, y2; `[N, 5]` or `[N, 8]` for rotated formats.
        scores: `[N]` floating point.
        iou_threshold: a box goes if its IoU with a kept, better box is strictly greater.
        fmt: format of `boxes`: "xyxy", "xywh", "cxcywh", or rotated: "xywhr", "cxcywhr", "xyxyxyxy", see `box_convert`.

    Returns:
        `[K]` int64: indices of the kept boxes, best score first; among equal scores the lower index is first.

    Raises:
        ContractError: other shapes, or different numbers of boxes and scores (a ValueError).
        ValueError: an unknown format, or arguments on different devices.
        TypeError: integer boxes or scores.
        RuntimeError: under `torch.func.vmap`.

    Examples:
        >>> import torch
        >>> boxes = torch.tensor([[0.0, 0, 10, 10], [1, 0, 11, 10], [20, 20, 30, 30]])
        >>> nms(boxes, torch.tensor([0.8, 0.9, 0.7]), 0.5).tolist()
        [1, 2]
        >>> turned = torch.tensor([[5.0, 5, 9, 2, 30], [5, 5, 9, 2, 35], [5, 5, 9, 2, 120]])  # 90 degrees apart
        >>> nms(turned, torch.tensor([0.8, 0.9, 0.7]), 0.5, fmt="cxcywhr").tolist()
        [1, 2]
    """
    if not torch.jit.is_scripting():  # pyright: ignore[reportPrivateImportUsage]
        kept = _plain_nms(boxes, scores, None, iou_threshold, fmt)
        if kept is not None:
            return kept
    return torch.ops.vision_core.nms(boxes, scores, iou_threshold, fmt)


def batched_nms(boxes: Tensor, scores: Tensor, idxs: Tensor, iou_threshold: float, fmt: str = "xyxy") -> Tensor:
    """Keep the boxes that no better box of the same category overlaps by more than `iou_threshold`.

    Args:
        boxes: `[N, 4]` floating point: x1, y1, x2, y2; `[N, 5]` or `[N, 8]` for rotated formats.
        scores: `[N]` floating point.
        idxs: `[N]`: the category of each box; boxes of different categories do not affect each other.
        iou_threshold: see `nms`.
        fmt: format of `boxes`, see `nms`.

    Returns:
        `[K]` int64: indices of the kept boxes, best score first.

    Raises:
        ContractError: other shapes, or different numbers of boxes, scores and categories (a ValueError).
        ValueError: an unknown format, or arguments on different devices.
        TypeError: integer boxes or scores.
        RuntimeError: under `torch.func.vmap`.

    Examples:
        >>> import torch
        >>> boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 10], [0, 0, 10, 10]])
        >>> batched_nms(boxes, torch.tensor([0.9, 0.8, 0.7]), torch.tensor([0, 1, 0]), 0.5).tolist()
        [0, 1]
    """
    if not torch.jit.is_scripting():  # pyright: ignore[reportPrivateImportUsage]
        kept = _plain_nms(boxes, scores, idxs, iou_threshold, fmt)
        if kept is not None:
            return kept
    return torch.ops.vision_core.batched_nms(boxes, scores, idxs, iou_threshold, fmt)


def nms_3d(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """Keep the boxes in three dimensions that no better box overlaps by more than `iou_threshold`.

    Args:
        boxes: `[N, 6]` floating point: x1, y1, z1, x2, y2, z2.
        scores: `[N]` floating point.
        iou_threshold: a box goes if its IoU of volumes with a kept, better box is strictly greater.

    Returns:
        `[K]` int64: indices of the kept boxes, best score first.

    Raises:
        ContractError: other shapes, or different numbers of boxes and scores (a ValueError).
        TypeError: integer boxes or scores.
        RuntimeError: under `torch.func.vmap`.

    Examples:
        >>> import torch
        >>> boxes = torch.tensor([[0.0, 0, 0, 4, 4, 4], [0, 0, 1, 4, 4, 5], [0, 0, 9, 4, 4, 13]])
        >>> nms_3d(boxes, torch.tensor([0.8, 0.9, 0.7]), 0.5).tolist()
        [1, 2]
    """
    return torch.ops.vision_core.nms(boxes, scores, iou_threshold, "xyzxyz")


def _plain_nms(boxes: Tensor, scores: Tensor, idxs: Tensor | None, iou_threshold: float, fmt: str) -> Tensor | None:
    """Do the common case at once; None for all others, wrong arguments among them."""
    if not nothing_watches() or type(boxes) is not Tensor or type(scores) is not Tensor or fmt != "xyxy":
        return None
    native, shape, dtype = _native.module, boxes.shape, boxes.dtype
    if (
        native is None
        or (dtype is not torch.float32 and dtype is not torch.float64)
        or scores.dtype is not dtype
        or len(shape) != 2
        or shape[1] != 4
        or scores.shape != (shape[0],)
        or not boxes.is_cpu
        or not scores.is_cpu
    ):
        return None
    if idxs is not None and (
        type(idxs) is not Tensor or idxs.shape != scores.shape or idxs.dtype is not torch.int64 or not idxs.is_cpu
    ):
        return None
    return _run(boxes, scores, idxs, iou_threshold, UPRIGHT)


def _run(boxes: Tensor, scores: Tensor, idxs: Tensor | None, iou_threshold: float, shape: int) -> Tensor:
    """Call the kernel with `prepared` arguments."""
    count = boxes.shape[0]
    keep = torch.empty(count, dtype=torch.int64)
    if count == 0:
        return keep
    if not boxes.is_contiguous():
        boxes = boxes.contiguous()
    if not scores.is_contiguous():
        scores = scores.contiguous()
    if idxs is not None:
        idxs = idxs.contiguous()
    try:
        kept = _native.module.nms(
            boxes.data_ptr(),
            scores.data_ptr(),
            0 if idxs is None else idxs.data_ptr(),
            count,
            iou_threshold,
            shape,
            boxes.dtype is torch.float64,
            torch.get_num_threads(),
            keep.data_ptr(),
        )
    except TypeError:  # all other arguments are made here
        raise TypeError(f"iou_threshold: expected a number, got {iou_threshold!r}") from None
    return first_of(keep, kept)


def _suppress(boxes: Tensor, scores: Tensor, idxs: Tensor | None, iou_threshold: float, fmt: str) -> Tensor:
    boxes, scores, idxs, shape = prepared(boxes, scores, idxs, fmt)
    if _native.module is None or not boxes.is_cpu:
        return greedy_reference(boxes, scores, idxs, iou_threshold, shape)
    return _run(boxes, scores, idxs, iou_threshold, shape)


library.define('nms(Tensor boxes, Tensor scores, float iou_threshold, str fmt="xyxy") -> Tensor')
library.define('batched_nms(Tensor boxes, Tensor scores, Tensor idxs, float iou_threshold, str fmt="xyxy") -> Tensor')


@torch.library.impl(library, "nms", "CompositeExplicitAutograd")
def _nms_any(boxes: Tensor, scores: Tensor, iou_threshold: float, fmt: str = "xyxy") -> Tensor:
    return _suppress(boxes, scores, None, iou_threshold, fmt)


@torch.library.impl(library, "batched_nms", "CompositeExplicitAutograd")
def _batched_nms_any(boxes: Tensor, scores: Tensor, idxs: Tensor, iou_threshold: float, fmt: str = "xyxy") -> Tensor:
    return _suppress(boxes, scores, idxs, iou_threshold, fmt)


@torch.library.register_fake("vision_core::nms", lib=library)
def _nms_fake(boxes: Tensor, scores: Tensor, iou_threshold: float, fmt: str = "xyxy") -> Tensor:
    return _fake(boxes, scores, None, fmt)


@torch.library.register_fake("vision_core::batched_nms", lib=library)
def _batched_nms_fake(boxes: Tensor, scores: Tensor, idxs: Tensor, iou_threshold: float, fmt: str = "xyxy") -> Tensor:
    return _fake(boxes, scores, idxs, fmt)


def _fake(boxes: Tensor, scores: Tensor, idxs: Tensor | None, fmt: str) -> Tensor:
    # Only whether there are categories and how many: what they are turned into does not matter here.
    prepared(boxes, scores, None if idxs is None else idxs.to(torch.int64), fmt)
    return boxes.new_empty(torch.library.get_ctx().new_dynamic_size(), dtype=torch.int64)


def _nms_vmap(info: Any, in_dims: Any, *arguments: Any) -> NoReturn:
    _refuse_vmap("nms")


torch.library.register_vmap("vision_core::nms", _nms_vmap, lib=library)


def _batched_nms_vmap(info: Any, in_dims: Any, *arguments: Any) -> NoReturn:
    _refuse_vmap("batched_nms")


torch.library.register_vmap("vision_core::batched_nms", _batched_nms_vmap, lib=library)


def _refuse_vmap(name: str) -> NoReturn:
    raise RuntimeError(
        f"{name}: the number of kept boxes differs from sample to sample, which torch.func.vmap cannot hold; use "
        "vision_core.ops.nms_mask, which says of each box whether it is kept"
    )
