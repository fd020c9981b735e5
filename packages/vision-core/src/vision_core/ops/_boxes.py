"""The size of boxes, and boxes in their image."""

from __future__ import annotations

import torch
from torch import Tensor

from vision_core import _native
from vision_core._direct import nothing_watches
from vision_core.ops._plain import contiguous_batch, contiguous_float

__all__ = ["box_area", "clip_boxes_to_image", "remove_small_boxes", "widened"]


def widened(values: Tensor) -> Tensor:
    """Return `values` in a dtype in which their products do not overflow: at least float32 or int32."""
    if values.is_floating_point():
        return values if values.dtype in (torch.float32, torch.float64) else values.to(torch.float32)
    return values if values.dtype in (torch.int32, torch.int64) else values.to(torch.int32)


def box_area(boxes: Tensor, fmt: str = "xyxy") -> Tensor:
    """Return the area of each box.

    Args:
        boxes: `[..., 4]`; `[..., 5]` for the formats with an angle, `[..., 8]` for "xyxyxyxy".
        fmt: format of `boxes`, see `box_convert`.

    Returns:
        `[...]`; at least float32 or int32. Negative where exactly one side of an "xyxy" box is.

    Raises:
        ValueError: an unknown format.

    Examples:
        >>> import torch
        >>> box_area(torch.tensor([[0.0, 0.0, 4.0, 3.0]])).tolist()
        [12.0]
    """
    if not torch.jit.is_scripting():  # pyright: ignore[reportPrivateImportUsage]
        areas = _native_areas(boxes, fmt)
        if areas is not None:
            return areas
    boxes = widened(boxes)
    if fmt == "xyxy":
        width, height = (boxes[..., 2:4] - boxes[..., :2]).unbind(-1)
        return width * height
    if fmt == "xywh" or fmt == "cxcywh" or fmt == "xywhr" or fmt == "cxcywhr":
        return boxes[..., 2] * boxes[..., 3]
    if fmt == "xyxyxyxy":  # half the cross product of the diagonals
        first_x, first_y = boxes[..., 4] - boxes[..., 0], boxes[..., 5] - boxes[..., 1]
        second_x, second_y = boxes[..., 6] - boxes[..., 2], boxes[..., 7] - boxes[..., 3]
        return (first_x * second_y - first_y * second_x).abs() / 2
    raise ValueError(f"fmt: expected xyxy, xywh, cxcywh, xywhr, cxcywhr or xyxyxyxy, got {fmt}")


def _native_areas(boxes: Tensor, fmt: str) -> Tensor | None:
    if not nothing_watches() or _native.module is None or fmt not in ("xyxy", "xywh", "cxcywh"):
        return None
    if boxes.dtype is torch.float16 or boxes.dtype is torch.bfloat16:
        boxes = boxes.to(torch.float32)
    given = contiguous_batch(boxes, 4)
    if given is None:
        return None
    areas = given.new_empty(given.shape[:-1])
    count = areas.numel()
    if count:
        double, threads = given.dtype is torch.float64, torch.get_num_threads()
        _native.module.box_areas(0 if fmt == "xyxy" else 1, given.data_ptr(), count, double, threads, areas.data_ptr())
    return areas


def clip_boxes_to_image(boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Move the corners of boxes that lie outside of the image onto its border.

    Args:
        boxes: `[..., 4]`: x1, y1, x2, y2 in pixels.
        size: (height, width) of the image.

    Returns:
        The same shape and dtype. NaN stays NaN.

    Examples:
        >>> import torch
        >>> clip_boxes_to_image(torch.tensor([[-5.0, 2.0, 50.0, 60.0]]), (20, 30)).tolist()
        [[0.0, 2.0, 30.0, 20.0]]
    """
    if not torch.jit.is_scripting():  # pyright: ignore[reportPrivateImportUsage]
        clipped = _native_clip(boxes, size)
        if clipped is not None:
            return clipped
    height, width = size
    x = boxes[..., 0::2].clamp(min=0, max=width)
    y = boxes[..., 1::2].clamp(min=0, max=height)
    return torch.stack((x, y), dim=boxes.dim()).flatten(-2)


def _native_clip(boxes: Tensor, size: tuple[int, int]) -> Tensor | None:
    if not nothing_watches() or _native.module is None:
        return None
    given = contiguous_batch(boxes, 4)
    if given is None:
        return None
    height, width = size
    if not isinstance(height, (int, float)) or not isinstance(width, (int, float)):
        return None
    clipped = torch.empty_like(given)
    count = given.numel() // 4
    if count:
        double, threads = given.dtype is torch.float64, torch.get_num_threads()
        _native.module.clip_boxes(given.data_ptr(), count, width, height, double, threads, clipped.data_ptr())
    return clipped


def remove_small_boxes(boxes: Tensor, min_size: float) -> Tensor:
    """Return the indices of the boxes whose sides are both at least `min_size`.

    Args:
        boxes: `[N, 4]`: x1, y1, x2, y2.
        min_size: least width and height.

    Returns:
        `[K]` int64, ascending. Boxes with NaN are small.

    Examples:
        >>> import torch
        >>> remove_small_boxes(torch.tensor([[0, 0, 5, 5], [0, 0, 1, 9]]), 2).tolist()
        [0]
    """
    if not torch.jit.is_scripting():  # pyright: ignore[reportPrivateImportUsage]
        large = _native_large(boxes, min_size)
        if large is not None:
            return large
    width, height = boxes[..., 2] - boxes[..., 0], boxes[..., 3] - boxes[..., 1]
    return torch.where((width >= min_size) & (height >= min_size))[0]


def _native_large(boxes: Tensor, min_size: float) -> Tensor | None:
    if not nothing_watches() or _native.module is None or not isinstance(min_size, (int, float)):
        return None
    dtype = boxes.dtype
    if dtype is not torch.float32 and dtype is not torch.float64:
        return None
    boxes_or_none = contiguous_float(boxes.detach() if boxes.requires_grad else boxes, 4)
    if boxes_or_none is None:
        return None
    boxes, count = boxes_or_none, boxes_or_none.shape[0]
    keep = torch.empty(count, dtype=torch.int64)
    if count == 0:
        return keep
    kept = _native.module.large_boxes(boxes.data_ptr(), count, min_size, dtype is torch.float64, keep.data_ptr())
    return first_of(keep, kept)


def first_of(values: Tensor, count: int) -> Tensor:
    """Return the first `count` values, without the memory of the others where that is worth a copy."""
    size = values.shape[0]
    if count == size:
        return values
    return values.resize_(count) if size <= 64 else values[:count].clone()
