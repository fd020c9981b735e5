"""Boxes in three dimensions: of volumes, and of clips with time as the third axis."""

from __future__ import annotations

import torch
from torch import Tensor

from vision_core._library import library
from vision_core.ops._boxes import widened
from vision_core.ops._iou import SOLID, overlap_of_plain

__all__ = ["box_iou_3d"]


def box_iou_3d(boxes1: Tensor, boxes2: Tensor) -> Tensor:
    """Return the intersection over union of every pair of boxes in three dimensions.

    Args:
        boxes1: `[..., N, 6]`: x1, y1, z1, x2, y2, z2.
        boxes2: `[..., M, 6]`; batch axes broadcast.

    Returns:
        `[..., N, M]`, 0..1 for proper boxes; at least float32. NaN where both boxes of a pair have no volume, and for
        boxes with NaN. Differentiable.

    Raises:
        ValueError: other shapes.

    Examples:
        >>> import torch
        >>> a, b = torch.tensor([[0.0, 0, 0, 2, 2, 2]]), torch.tensor([[0.0, 0, 0, 2, 2, 1]])
        >>> box_iou_3d(a, b).tolist()
        [[0.5]]
    """
    if not torch.jit.is_scripting():  # pyright: ignore[reportPrivateImportUsage]
        result = overlap_of_plain(SOLID, boxes1, boxes2, 0.0, 6)
        if result is not None:
            return result
    if boxes1.dim() < 2 or boxes2.dim() < 2 or boxes1.shape[-1] != 6 or boxes2.shape[-1] != 6:
        raise ValueError(
            f"boxes1, boxes2: expected [..., N, 6] and [..., M, 6], got {list(boxes1.shape)} and {list(boxes2.shape)}"
        )
    boxes1, boxes2 = widened(boxes1), widened(boxes2)
    first = torch.max(boxes1[..., :, None, :3], boxes2[..., None, :, :3])
    last = torch.min(boxes1[..., :, None, 3:], boxes2[..., None, :, 3:])
    size = (last - first).clamp(min=0)  # (..., N, M, 3)
    inter = size[..., 0] * size[..., 1] * size[..., 2]
    return inter / (_volume(boxes1).unsqueeze(-1) + _volume(boxes2).unsqueeze(-2) - inter)


def _volume(boxes: Tensor) -> Tensor:
    size = boxes[..., 3:] - boxes[..., :3]
    return size[..., 0] * size[..., 1] * size[..., 2]


library.define("box_iou_3d(Tensor boxes1, Tensor boxes2) -> Tensor")
library.impl("box_iou_3d", box_iou_3d, "CompositeImplicitAutograd")
