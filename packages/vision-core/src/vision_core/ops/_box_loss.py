"""What the losses on pairs of boxes share."""

from __future__ import annotations

import torch
from torch import Tensor

from vision_core._direct import nothing_watches

__all__ = ["aspect", "centre_distance", "corners", "enclosing_size", "intersection_and_union", "reduced"]

_MANY = 4096  # values


def corners(boxes1: Tensor, boxes2: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the first and last corners `[..., 2]` of both sets, at least in float32."""
    if boxes1.dim() == 0 or boxes2.dim() == 0 or boxes1.shape[-1] != 4 or boxes2.shape[-1] != 4:
        raise ValueError(
            f"boxes1, boxes2: expected [..., 4] and [..., 4], got {list(boxes1.shape)} and {list(boxes2.shape)}"
        )
    if boxes1.dtype != torch.float32 and boxes1.dtype != torch.float64:
        boxes1 = boxes1.to(torch.float32)
    if boxes2.dtype != torch.float32 and boxes2.dtype != torch.float64:
        boxes2 = boxes2.to(torch.float32)
    if not torch.jit.is_scripting():  # pyright: ignore[reportPrivateImportUsage]
        boxes1, boxes2 = _in_columns(boxes1), _in_columns(boxes2)
    first1, last1 = boxes1.split(2, -1)
    first2, last2 = boxes2.split(2, -1)
    return first1, last1, first2, last2


def _in_columns(boxes: Tensor) -> Tensor:
    """Lay many boxes out column by column: torch's loops over two of four neighbours are short and slow."""
    if not nothing_watches() or boxes.numel() <= _MANY:
        return boxes
    return boxes.movedim(-1, 0).contiguous().movedim(0, -1)


def intersection_and_union(first1: Tensor, last1: Tensor, first2: Tensor, last2: Tensor) -> tuple[Tensor, Tensor]:
    """Areas of pairs: `[...]` each. Boxes that are inside out share nothing."""
    width, height = (torch.min(last1, last2) - torch.max(first1, first2)).unbind(-1)
    inter = torch.where((width > 0) & (height > 0), width * height, torch.zeros_like(width))
    width1, height1 = (last1 - first1).unbind(-1)
    width2, height2 = (last2 - first2).unbind(-1)
    return inter, width1 * height1 + width2 * height2 - inter


def enclosing_size(first1: Tensor, last1: Tensor, first2: Tensor, last2: Tensor) -> tuple[Tensor, Tensor]:
    """Width and height of the smallest boxes around both of each pair."""
    width, height = (torch.max(last1, last2) - torch.min(first1, first2)).unbind(-1)
    return width, height


def centre_distance(first1: Tensor, last1: Tensor, first2: Tensor, last2: Tensor, eps: float) -> Tensor:
    """Squared distance of the centres over the squared diagonal of the box around both."""
    width, height = enclosing_size(first1, last1, first2, last2)
    x, y = (first1 + last1 - first2 - last2).unbind(-1)
    return (x * x + y * y) / 4 / (width * width + height * height + eps)


def aspect(first: Tensor, last: Tensor) -> Tensor:
    """Angle of the diagonal of each box."""
    width, height = (last - first).unbind(-1)
    return torch.atan(width / height)


def reduced(loss: Tensor, reduction: str) -> Tensor:
    """Apply the reduction; the mean of no pairs is 0."""
    if reduction == "mean":
        return loss.mean() if loss.numel() > 0 else 0.0 * loss.sum()
    if reduction == "sum":
        return loss.sum()
    if reduction != "none":
        raise ValueError(f"reduction: expected none, mean or sum, got {reduction}")
    return loss
