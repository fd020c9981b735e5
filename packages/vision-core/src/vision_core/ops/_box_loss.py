"""What the losses on pairs of boxes share."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["aspect", "centre_distance", "enclosing_size", "floating", "intersection_and_union", "reduced"]


def floating(boxes1: Tensor, boxes2: Tensor) -> tuple[Tensor, Tensor]:
    """Return both sets in float32 or float64, after a look at their last axis."""
    if boxes1.dim() == 0 or boxes2.dim() == 0 or boxes1.shape[-1] != 4 or boxes2.shape[-1] != 4:
        raise ValueError(
            f"boxes1, boxes2: expected [..., 4] and [..., 4], got {list(boxes1.shape)} and {list(boxes2.shape)}"
        )
    if boxes1.dtype != torch.float32 and boxes1.dtype != torch.float64:
        boxes1 = boxes1.to(torch.float32)
    if boxes2.dtype != torch.float32 and boxes2.dtype != torch.float64:
        boxes2 = boxes2.to(torch.float32)
    return boxes1, boxes2


def intersection_and_union(boxes1: Tensor, boxes2: Tensor) -> tuple[Tensor, Tensor]:
    """Areas of pairs `[..., 4]`: `[...]` each. Boxes that are inside out share nothing."""
    size = torch.min(boxes1[..., 2:], boxes2[..., 2:]) - torch.max(boxes1[..., :2], boxes2[..., :2])
    width, height = size.unbind(-1)
    inter = torch.where((width > 0) & (height > 0), width * height, torch.zeros_like(width))
    (width1, height1), (width2, height2) = _size(boxes1), _size(boxes2)
    return inter, width1 * height1 + width2 * height2 - inter


def enclosing_size(boxes1: Tensor, boxes2: Tensor) -> tuple[Tensor, Tensor]:
    """Width and height of the smallest boxes around both of each pair."""
    size = torch.max(boxes1[..., 2:], boxes2[..., 2:]) - torch.min(boxes1[..., :2], boxes2[..., :2])
    width, height = size.unbind(-1)
    return width, height


def centre_distance(boxes1: Tensor, boxes2: Tensor, eps: float) -> Tensor:
    """Squared distance of the centres over the squared diagonal of the box around both."""
    width, height = enclosing_size(boxes1, boxes2)
    x, y = (boxes1[..., :2] + boxes1[..., 2:] - boxes2[..., :2] - boxes2[..., 2:]).unbind(-1)
    return (x * x + y * y) / 4 / (width * width + height * height + eps)


def _size(boxes: Tensor) -> tuple[Tensor, Tensor]:
    width, height = (boxes[..., 2:] - boxes[..., :2]).unbind(-1)
    return width, height


def aspect(boxes: Tensor) -> Tensor:
    """Angle of the diagonal of each box."""
    width, height = _size(boxes)
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
