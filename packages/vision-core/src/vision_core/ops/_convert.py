"""Between the formats of boxes."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vision_core import _native
from vision_core._direct import nothing_watches
from vision_core.ops._plain import contiguous_batch

__all__ = ["box_convert"]

_FORMATS = {"xyxy": 0, "xywh": 1, "cxcywh": 2, "xywhr": 3, "cxcywhr": 4, "xyxyxyxy": 5}  # native/rotated_format.hpp
_VALUES = (4, 4, 4, 5, 5, 8)
_MANY = 4096  # values, from which on torch is faster on columns than on pairs of them


def box_convert(boxes: Tensor, in_fmt: str, out_fmt: str) -> Tensor:
    """Convert boxes from one format to another.

    Formats: "xyxy" (two corners), "xywh" (upper left corner and size), "cxcywh" (centre and size), and of rotated
    boxes "xywhr", "cxcywhr" (the same with an angle in degrees, counter-clockwise) and "xyxyxyxy" (four corners).
    Upright boxes become rotated ones with angle 0; rotated boxes do not become upright ones, that would change them.

    Args:
        boxes: `[..., 4]`, `[..., 5]` or `[..., 8]`, as `in_fmt` needs.
        in_fmt: format of `boxes`.
        out_fmt: format of the result.

    Returns:
        `[..., 4]`, `[..., 5]` or `[..., 8]`, always a new tensor. Integer boxes give float32 where halves or angles
        are involved, but for "xyxyxyxy" and formats with an angle, which keep their dtype and cut off.

    Raises:
        ValueError: unknown formats, rotated to upright, or another number of values in the last axis.

    Examples:
        >>> import torch
        >>> box_convert(torch.tensor([[10.0, 20.0, 30.0, 60.0]]), "xyxy", "cxcywh").tolist()
        [[20.0, 40.0, 20.0, 40.0]]
    """
    if not torch.jit.is_scripting():  # pyright: ignore[reportPrivateImportUsage]
        converted = _native_convert(boxes, in_fmt, out_fmt)
        if converted is not None:
            return converted
        if nothing_watches() and boxes.numel() > _MANY and boxes.shape[-1] == 4:
            converted = _by_columns(boxes, in_fmt, out_fmt)
            if converted is not None:
                return converted
    known = ("xyxy", "xywh", "cxcywh", "xywhr", "cxcywhr", "xyxyxyxy")
    if in_fmt not in known or out_fmt not in known:
        raise ValueError(f"in_fmt, out_fmt: expected two of {known}, got {in_fmt} and {out_fmt}")
    values = 8 if in_fmt == "xyxyxyxy" else 5 if in_fmt == "xywhr" or in_fmt == "cxcywhr" else 4
    if boxes.dim() == 0 or boxes.shape[-1] != values:
        raise ValueError(f"boxes: {in_fmt} has {values} values in the last axis, got shape {list(boxes.shape)}")
    if in_fmt == out_fmt:
        return boxes.clone()
    rotated_in = in_fmt == "xywhr" or in_fmt == "cxcywhr" or in_fmt == "xyxyxyxy"
    rotated_out = out_fmt == "xywhr" or out_fmt == "cxcywhr" or out_fmt == "xyxyxyxy"
    if rotated_in and not rotated_out:
        raise ValueError(
            f"out_fmt: {in_fmt} boxes are rotated and cannot become {out_fmt}; for the box around them take the "
            "smallest and largest x and y of their xyxyxyxy corners"
        )
    if not rotated_in:
        corners = _to_corners(boxes, in_fmt)
        if not rotated_out:
            return corners if out_fmt == "xyxy" else _from_corners(corners, out_fmt)
        upright = _from_corners(corners, "cxcywh")
        return _from_centre(torch.cat((upright, torch.zeros_like(upright[..., :1])), dim=-1), out_fmt)
    dtype = boxes.dtype
    exact = boxes if dtype == torch.float32 or dtype == torch.float64 else boxes.to(torch.float32)
    return _from_centre(_to_centre(exact, in_fmt), out_fmt).to(dtype)


def _native_convert(boxes: Tensor, in_fmt: str, out_fmt: str) -> Tensor | None:
    if not nothing_watches() or _native.module is None:
        return None
    source, target = _FORMATS.get(in_fmt), _FORMATS.get(out_fmt)
    if source is None or target is None or source == target or (source > 2) != (target > 2):
        return None
    given = contiguous_batch(boxes, _VALUES[source])
    if given is None:
        return None
    read, written = _VALUES[source], _VALUES[target]
    converted = torch.empty_like(given) if read == written else given.new_empty((*given.shape[:-1], written))
    count = given.numel() // read
    if count:
        double, threads = given.dtype is torch.float64, torch.get_num_threads()
        _native.module.convert_boxes(source, target, given.data_ptr(), count, double, threads, converted.data_ptr())
    return converted


def _by_columns(boxes: Tensor, in_fmt: str, out_fmt: str) -> Tensor | None:
    """Convert many upright boxes as what follows here does, with longer loops inside torch."""
    if in_fmt == out_fmt or _FORMATS.get(in_fmt, 3) > 2 or _FORMATS.get(out_fmt, 3) > 2:
        return None
    a, b, c, d = boxes.unbind(-1)
    if in_fmt == "xywh":
        c, d = a + c, b + d
    elif in_fmt == "cxcywh":
        half_width, half_height = 0.5 * c, 0.5 * d
        a, b, c, d = a - half_width, b - half_height, a + half_width, b + half_height
    if out_fmt == "xyxy":
        return torch.stack((a, b, c, d), dim=-1)
    if out_fmt == "xywh":
        return torch.stack((a, b, c - a, d - b), dim=-1)
    return torch.stack(((a + c) / 2, (b + d) / 2, c - a, d - b), dim=-1)


def _to_corners(boxes: Tensor, fmt: str) -> Tensor:
    if fmt == "xyxy":
        return boxes
    place, size = boxes[..., :2], boxes[..., 2:]
    if fmt == "xywh":
        return torch.cat((place, place + size), dim=-1)
    half = 0.5 * size
    return torch.cat((place - half, place + half), dim=-1)


def _from_corners(corners: Tensor, fmt: str) -> Tensor:
    if fmt == "xyxy":
        return corners.clone()
    first, last = corners[..., :2], corners[..., 2:]
    return torch.cat((first if fmt == "xywh" else (first + last) / 2, last - first), dim=-1)


def _to_centre(boxes: Tensor, fmt: str) -> Tensor:
    """Turn any rotated format into "cxcywhr"."""
    if fmt == "cxcywhr":
        return boxes
    if fmt == "xywhr":
        x, y, w, h, r = boxes.unbind(-1)
        angle = r * (math.pi / 180)
        cos, sin = torch.cos(angle), torch.sin(angle)
        return torch.stack((x + (w * cos + h * sin) / 2, y + (h * cos - w * sin) / 2, w, h, r), dim=-1)
    x1, y1, x2, y2, x3, y3, x4, y4 = boxes.unbind(-1)
    w = torch.hypot(x2 - x1, y2 - y1)
    h = torch.hypot(x4 - x1, y4 - y1)
    r = torch.atan2(y1 - y2, x2 - x1) * (180 / math.pi)
    return torch.stack(((x1 + x3) / 2, (y1 + y3) / 2, w, h, r), dim=-1)


def _from_centre(boxes: Tensor, fmt: str) -> Tensor:
    """Turn "cxcywhr" into any rotated format."""
    if fmt == "cxcywhr":
        return boxes
    cx, cy, w, h, r = boxes.unbind(-1)
    angle = r * (math.pi / 180)
    cos, sin = torch.cos(angle), torch.sin(angle)
    x1, y1 = cx - (w * cos + h * sin) / 2, cy - (h * cos - w * sin) / 2
    if fmt == "xywhr":
        return torch.stack((x1, y1, w, h, r), dim=-1)
    x2, y2 = x1 + w * cos, y1 - w * sin
    x4, y4 = x1 + h * sin, y1 + h * cos
    return torch.stack((x1, y1, x2, y2, x2 + x4 - x1, y2 + y4 - y1, x4, y4), dim=-1)
