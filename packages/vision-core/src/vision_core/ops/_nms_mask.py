"""Suppression with a result of static size."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from vision_contract import ContractError
from vision_core import _native
from vision_core._library import library
from vision_core.ops._nms_reference import greedy_reference, prepared

__all__ = ["nms_mask"]


def nms_mask(
    boxes: Tensor, scores: Tensor, iou_threshold: float, idxs: Tensor | None = None, fmt: str = "xyxy"
) -> Tensor:
    """Say of each box whether `nms` keeps it.

    The size of the result does not depend on the data, so this form works under `torch.func.vmap`, in a batch, and in
    exported programs without data-dependent sizes.

    Args:
        boxes: `[..., N, 4]` floating point: x1, y1, x2, y2; `[..., N, 5]` or `[..., N, 8]` for rotated formats,
            `[..., N, 6]` for "xyzxyz".
        scores: `[..., N]` floating point. To leave out padding, give it the lowest score, and combine the mask.
        iou_threshold: see `nms`.
        idxs: `[..., N]`: the category of each box, see `batched_nms`; one category if None.
        fmt: format of `boxes`, see `nms`; also "xyzxyz", see `nms_3d`.

    Returns:
        `[..., N]` bool.

    Raises:
        ContractError: other shapes (a ValueError).
        ValueError: an unknown format, or arguments on different devices.
        TypeError: integer boxes or scores.

    Examples:
        >>> import torch
        >>> boxes = torch.tensor([[0.0, 0, 10, 10], [1, 0, 11, 10], [20, 20, 30, 30]])
        >>> scores = torch.tensor([[0.8, 0.9, 0.7], [0.9, 0.8, 0.7]])
        >>> torch.func.vmap(nms_mask, in_dims=(None, 0, None))(boxes, scores, 0.5).tolist()
        [[False, True, True], [True, False, True]]
    """
    return torch.ops.vision_core.nms_mask(boxes, scores, iou_threshold, idxs, fmt)


library.define(
    'nms_mask(Tensor boxes, Tensor scores, float iou_threshold, Tensor? idxs=None, str fmt="xyxy") -> Tensor'
)


@torch.library.impl(library, "nms_mask", "CompositeExplicitAutograd")
def _nms_mask_any(
    boxes: Tensor, scores: Tensor, iou_threshold: float, idxs: Tensor | None = None, fmt: str = "xyxy"
) -> Tensor:
    _check_batch(boxes, scores, idxs)
    kept = torch.zeros(scores.shape, dtype=torch.bool, device=scores.device)
    if boxes.dim() == 2:
        _fill(boxes, scores, iou_threshold, idxs, fmt, kept)
        return kept
    groups = None if idxs is None else idxs.flatten(0, -2)
    rows = kept.view(-1, kept.shape[-1]) if kept.numel() else kept[:0].flatten(0, -2)
    for i, (sample, score, row) in enumerate(zip(boxes.flatten(0, -3), scores.flatten(0, -2), rows, strict=False)):
        _fill(sample, score, iou_threshold, None if groups is None else groups[i], fmt, row)
    return kept


def _fill(boxes: Tensor, scores: Tensor, iou_threshold: float, idxs: Tensor | None, fmt: str, kept: Tensor) -> None:
    boxes, scores, idxs, shape = prepared(boxes, scores, idxs, fmt)
    if _native.module is None or not boxes.is_cpu:
        kept[greedy_reference(boxes, scores, idxs, iou_threshold, shape)] = True
        return
    boxes, scores = boxes.contiguous(), scores.contiguous()
    groups = None if idxs is None else idxs.contiguous()
    _native.module.nms_mask(
        boxes.data_ptr(),
        scores.data_ptr(),
        0 if groups is None else groups.data_ptr(),
        boxes.shape[0],
        iou_threshold,
        shape,
        boxes.dtype is torch.float64,
        torch.get_num_threads(),
        kept.data_ptr(),
    )


def _check_batch(boxes: Tensor, scores: Tensor, idxs: Tensor | None) -> None:
    if boxes.dim() < 2 or boxes.shape[:-1] != scores.shape:
        raise ContractError(
            f"boxes, scores: expected [..., N, 4] and [..., N], got {list(boxes.shape)} and {list(scores.shape)}"
        )
    if idxs is not None and idxs.shape != scores.shape:
        raise ContractError(f"idxs: expected one category for each score, {list(scores.shape)}, got {list(idxs.shape)}")


@torch.library.register_fake("vision_core::nms_mask", lib=library)
def _nms_mask_fake(
    boxes: Tensor, scores: Tensor, iou_threshold: float, idxs: Tensor | None = None, fmt: str = "xyxy"
) -> Tensor:
    _check_batch(boxes, scores, idxs)
    if boxes.dim() == 2:
        prepared(boxes, scores, None, fmt)
    return scores.new_empty(scores.shape, dtype=torch.bool)


def _nms_mask_vmap(
    info: Any,
    in_dims: Any,
    boxes: Tensor,
    scores: Tensor,
    iou_threshold: float,
    idxs: Tensor | None = None,
    fmt: str = "xyxy",
) -> tuple[Tensor, int]:
    dims = [*in_dims, None, None, None][:5]

    def batched(tensor: Tensor, dim: int | None) -> Tensor:
        if dim is None:
            return tensor.expand(info.batch_size, *tensor.shape)
        return tensor.movedim(dim, 0)

    groups = None if idxs is None else batched(idxs, dims[3])
    boxes, scores = batched(boxes, dims[0]), batched(scores, dims[1])
    return torch.ops.vision_core.nms_mask(boxes, scores, iou_threshold, groups, fmt), 0


torch.library.register_vmap("vision_core::nms_mask", _nms_mask_vmap, lib=library)
