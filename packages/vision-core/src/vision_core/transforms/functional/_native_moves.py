"""Boxes and keypoints moved by the native kernels: the many small operators of torch cost 20 times as much for a few.

Every function returns None where the kernels do not apply: without the native module, for whole numbers and half
precision, on other devices, where a gradient is needed, while torch compiles, traces or maps. The results are those of
the torch operators bit for bit.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from vision_core import _native
from vision_core._direct import nothing_watches
from vision_core.ops._plain import contiguous_batch
from vision_core.tv_tensors import BoundingBoxFormat

__all__ = ["Axis", "Limits", "convert_boxes", "map_boxes", "map_points", "scale_boxes", "scale_points"]

Axis = tuple[float, float]  # position -> position * first + second
Limits = tuple[float, float] | None  # positions are cut to 0..height and 0..width

_F = BoundingBoxFormat
_UPRIGHT = {_F.XYXY: 0, _F.XYWH: 1, _F.CXCYWH: 2}
_STAY = (1.0, 0.0)


def _dense(values: Tensor, columns: int | None = None) -> Tensor | None:
    """Return `[..., columns]` as the kernels read it, or None."""
    if _native.module is None or not nothing_watches():
        return None
    return contiguous_batch(values, columns)


def scale_boxes(
    boxes: Tensor, source: BoundingBoxFormat, to: BoundingBoxFormat, x: Axis, y: Axis, limits: Limits
) -> Tensor | None:
    """Scale and shift boxes `[..., 4]` along each axis, cut them, and write them in the format `to`."""
    given = _dense(boxes, 4) if source in _UPRIGHT else None
    if given is None:
        return None
    moved = torch.empty_like(given)
    _native.module.scale_boxes(
        _UPRIGHT[source],
        _UPRIGHT[to],
        given.data_ptr(),
        given.numel() // 4,
        given.dtype is torch.float64,
        x,
        y,
        limits is not None,
        limits or _STAY,
        torch.get_num_threads(),
        moved.data_ptr(),
    )
    return moved


def convert_boxes(boxes: Tensor, source: BoundingBoxFormat, to: BoundingBoxFormat) -> Tensor | None:
    """Write upright boxes `[..., 4]` in another format."""
    return scale_boxes(boxes, source, to, _STAY, _STAY, None)


def map_boxes(boxes: Tensor, format: BoundingBoxFormat, mapping: Sequence[float], limits: Limits) -> Tensor | None:
    """Return the upright boxes around the corners that 6 (affine) or 8 (perspective) numbers map, cut to limits."""
    given = _dense(boxes, 4) if format in _UPRIGHT else None
    if given is None:
        return None
    moved = torch.empty_like(given)
    _native.module.map_boxes(
        _UPRIGHT[format],
        given.data_ptr(),
        given.numel() // 4,
        given.dtype is torch.float64,
        mapping,
        limits is not None,
        limits or _STAY,
        torch.get_num_threads(),
        moved.data_ptr(),
    )
    return moved


def scale_points(points: Tensor, x: Axis, y: Axis, limits: Limits = None) -> Tensor | None:
    """Scale and shift the first two of `[..., K]` values, and cut them to limits; the others stay."""
    given = _dense(points)
    if given is None:
        return None
    moved, columns = torch.empty_like(given), given.shape[-1]
    _native.module.scale_points(
        given.data_ptr(),
        given.numel() // columns,
        columns,
        given.dtype is torch.float64,
        x,
        y,
        limits is not None,
        limits or _STAY,
        torch.get_num_threads(),
        moved.data_ptr(),
    )
    return moved


def map_points(points: Tensor, mapping: Sequence[float]) -> Tensor | None:
    """Map the first two of `[..., K]` values by 6 (affine) or 8 (perspective) numbers; the others stay."""
    given = _dense(points)
    if given is None:
        return None
    moved, columns = torch.empty_like(given), given.shape[-1]
    _native.module.map_points(
        given.data_ptr(),
        given.numel() // columns,
        columns,
        given.dtype is torch.float64,
        mapping,
        torch.get_num_threads(),
        moved.data_ptr(),
    )
    return moved
