"""Formats of boxes, and keeping boxes and keypoints within their image."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor

from vision_core.ops._convert import _from_centre, _to_centre
from vision_core.transforms.functional import _native_moves
from vision_core.transforms.functional._clamp_rotated import clamp_rotated
from vision_core.tv_tensors import BoundingBoxes, BoundingBoxFormat, KeyPoints, TVTensor, is_rotated_bounding_format
from vision_core.tv_tensors._base import plain, take_type
from vision_core.tv_tensors._boxes import ClampingMode, check_clamping_mode, to_format

__all__ = [
    "clamp_bounding_boxes",
    "clamp_keypoints",
    "convert_bounding_box_format",
    "sanitize_bounding_boxes",
    "sanitize_keypoints",
    "valid_boxes",
    "valid_keypoints",
]

_F = BoundingBoxFormat


def convert_bounding_box_format(
    inpt: Tensor,
    old_format: BoundingBoxFormat | str | None = None,
    new_format: BoundingBoxFormat | str | None = None,
    inplace: bool = False,
) -> Tensor:
    """Convert boxes to another format, within the upright ones or within the rotated ones.

    Args:
        inpt: `BoundingBoxes`, or a plain tensor `[..., K]`.
        old_format: the format of a plain tensor; None for `BoundingBoxes`, which know theirs.
        new_format: the format of the result.
        inplace: write into `inpt`, where both formats have the same number of values.

    Returns:
        The boxes, of the type and dtype of `inpt`; integers are rounded down where they must be.

    Raises:
        ValueError: `old_format` is missing or must not be given, or upright boxes are to become rotated ones.
        TypeError: `inpt` is no tensor, or `new_format` is missing.

    Examples:
        >>> import torch
        >>> convert_bounding_box_format(torch.tensor([[1, 2, 4, 8]]), "xyxy", "xywh").tolist()
        [[1, 2, 3, 6]]
    """
    if new_format is None:
        raise TypeError("new_format: expected a format of boxes")
    new = to_format(new_format)
    if isinstance(inpt, BoundingBoxes):
        if old_format is not None:
            raise ValueError("old_format: BoundingBoxes know their format, pass new_format only")
        converted = take_type(convert(plain(inpt), inpt.format, new, inplace), BoundingBoxes, inpt)
        converted.format = new
        return converted
    _refuse_other_types("inpt", inpt)
    if old_format is None:
        raise ValueError("old_format: expected the format of these boxes, as a plain tensor does not know it")
    return convert(inpt, to_format(old_format), new, inplace)


def convert(boxes: Tensor, old: BoundingBoxFormat, new: BoundingBoxFormat, inplace: bool = False) -> Tensor:
    """Convert boxes in a plain tensor."""
    if old is new:
        return boxes if inplace else boxes.clone()
    if is_rotated_bounding_format(old) != is_rotated_bounding_format(new):
        raise ValueError(
            f"new_format: {old.name} boxes cannot become {new.name}, as upright and rotated boxes are not the same; "
            "take their corners with ops.box_convert"
        )
    if not is_rotated_bounding_format(old) and not inplace:
        native = _native_moves.convert_boxes(boxes, old, new)
        if native is not None:
            return native
    if is_rotated_bounding_format(old):
        exact = to_float(boxes)
        converted = _from_centre(_to_centre(exact, old.value.lower()), new.value.lower()).to(boxes.dtype)
    else:
        converted = from_corners(corners_of(boxes, old), new)
    return boxes.copy_(converted) if inplace and boxes.shape == converted.shape else converted


def corners_of(boxes: Tensor, format: BoundingBoxFormat) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return left, top, right and bottom of upright boxes, in their dtype."""
    a, b, c, d = boxes.unbind(-1)
    if format is _F.XYXY:
        return a, b, c, d
    if format is _F.CXCYWH:
        a, b = a - _half(c, up=True), b - _half(d, up=True)
    return a, b, a + c, b + d


def from_corners(corners: tuple[Tensor, Tensor, Tensor, Tensor], format: BoundingBoxFormat) -> Tensor:
    """Make upright boxes of left, top, right and bottom."""
    left, top, right, bottom = corners
    if format is _F.XYXY:
        return torch.stack(corners, dim=-1)
    if format is _F.XYWH:
        return torch.stack((left, top, right - left, bottom - top), dim=-1)
    return torch.stack((_half(left + right), _half(top + bottom), right - left, bottom - top), dim=-1)


def _half(values: Tensor, up: bool = False) -> Tensor:
    if values.is_floating_point():
        return values * 0.5
    return (values + 1 if up else values).div(2, rounding_mode="floor")


def to_float(values: Tensor) -> Tensor:
    """Convert what is not to be computed with as it is: integers to float64, halves to float32."""
    if values.dtype in (torch.float32, torch.float64):
        return values
    return values.to(torch.float32 if values.is_floating_point() else torch.float64)


def clamp_bounding_boxes(
    inpt: Tensor,
    format: BoundingBoxFormat | str | None = None,
    canvas_size: tuple[int, int] | None = None,
    clamping_mode: ClampingMode | str = "auto",
) -> Tensor:
    """Cut off what of boxes lies outside of their image.

    Args:
        inpt: `BoundingBoxes`, or a plain tensor `[..., K]`.
        format: the format of a plain tensor; None for `BoundingBoxes`.
        canvas_size: (height, width) of the image of a plain tensor; None for `BoundingBoxes`.
        clamping_mode: "hard": nothing of a box stays outside. "soft": the same for upright boxes; rotated ones keep
            what they need to cover all of their visible part. None: nothing happens. "auto": as the boxes say.

    Returns:
        The boxes, of the type and dtype of `inpt`.

    Raises:
        ValueError: for a plain tensor not all of the three are given, or for `BoundingBoxes` one of the first two is.
        TypeError: `inpt` is no tensor.

    Examples:
        >>> import torch
        >>> boxes = torch.tensor([[-2, 1, 5, 9]])
        >>> clamp_bounding_boxes(boxes, format="xyxy", canvas_size=(8, 4), clamping_mode="hard").tolist()
        [[0, 1, 4, 8]]
    """
    if clamping_mode != "auto":
        check_clamping_mode(clamping_mode)
    if isinstance(inpt, BoundingBoxes):
        if format is not None or canvas_size is not None:
            raise ValueError("format, canvas_size: BoundingBoxes know theirs, do not pass them")
        mode = inpt.clamping_mode if clamping_mode == "auto" else clamping_mode
        return take_type(clamp(plain(inpt), inpt.format, inpt.canvas_size, cast("Any", mode)), BoundingBoxes, inpt)
    _refuse_other_types("inpt", inpt)
    if format is None or canvas_size is None or clamping_mode == "auto":
        raise ValueError("format, canvas_size, clamping_mode: expected all of them, as a plain tensor knows none")
    return clamp(inpt, to_format(format), canvas_size, cast("Any", clamping_mode))


def clamp(boxes: Tensor, format: BoundingBoxFormat, canvas_size: tuple[int, int], mode: ClampingMode) -> Tensor:
    """Clamp boxes in a plain tensor."""
    if mode is None:
        return boxes.clone()
    native = _native_moves.scale_boxes(boxes, format, format, (1.0, 0.0), (1.0, 0.0), canvas_size)
    if native is not None:
        return native
    height, width = canvas_size
    if is_rotated_bounding_format(format):
        centred = _to_centre(to_float(boxes), format.value.lower())
        clamped = clamp_rotated(centred, height, width, hard=mode == "hard")
        return _from_centre(clamped, format.value.lower()).to(boxes.dtype)
    left, top, right, bottom = corners_of(boxes, format)
    corners = left.clamp(0, width), top.clamp(0, height), right.clamp(0, width), bottom.clamp(0, height)
    return from_corners(corners, format)


def clamp_keypoints(inpt: Tensor, canvas_size: tuple[int, int] | None = None) -> Tensor:
    """Move keypoints that lie outside of their image to its nearest pixel.

    Args:
        inpt: `KeyPoints`, or a plain tensor `[..., 2]` or `[..., 3]`.
        canvas_size: (height, width) of the image of a plain tensor; None for `KeyPoints`.

    Returns:
        The keypoints, of the type and dtype of `inpt`.

    Raises:
        ValueError: `canvas_size` is missing or must not be given.
        TypeError: `inpt` is no tensor.

    Examples:
        >>> import torch
        >>> clamp_keypoints(torch.tensor([[-3, 9]]), canvas_size=(8, 8)).tolist()
        [[0, 7]]
    """
    if isinstance(inpt, KeyPoints):
        if canvas_size is not None:
            raise ValueError("canvas_size: KeyPoints know theirs, do not pass it")
        return take_type(clamp_keypoints(plain(inpt), inpt.canvas_size), KeyPoints, inpt)
    _refuse_other_types("inpt", inpt)
    if canvas_size is None:
        raise ValueError("canvas_size: expected (height, width), as a plain tensor does not know it")
    height, width = canvas_size
    native = _native_moves.scale_points(inpt, (1.0, 0.0), (1.0, 0.0), (height - 1, width - 1))
    if native is not None:
        return native
    x, y, *rest = inpt.unbind(-1)
    return torch.stack((x.clamp(0, width - 1), y.clamp(0, height - 1), *rest), dim=-1)


def sanitize_bounding_boxes(
    bounding_boxes: Tensor,
    format: BoundingBoxFormat | str | None = None,
    canvas_size: tuple[int, int] | None = None,
    min_size: float = 1.0,
    min_area: float = 1.0,
) -> tuple[Tensor, Tensor]:
    """Drop boxes that are too small or reach out of their image.

    Args:
        bounding_boxes: `BoundingBoxes`, or a plain tensor `[N, K]`.
        format: the format of a plain tensor; None for `BoundingBoxes`.
        canvas_size: (height, width) of the image of a plain tensor; None for `BoundingBoxes`.
        min_size: smallest width and height to keep, in pixels.
        min_area: smallest area to keep, in square pixels.

    Returns:
        The boxes that stay, of the type of `bounding_boxes`, and a bool `[N]` that says which these are.

    Raises:
        ValueError: `format` and `canvas_size` are missing or must not be given.

    Examples:
        >>> import torch
        >>> boxes = torch.tensor([[0, 0, 4, 4], [1, 1, 1, 3]])
        >>> sanitize_bounding_boxes(boxes, format="xyxy", canvas_size=(8, 8))[1].tolist()
        [True, False]
    """
    if isinstance(bounding_boxes, BoundingBoxes):
        if format is not None or canvas_size is not None:
            raise ValueError("format, canvas_size: BoundingBoxes know theirs, do not pass them")
        boxes = plain(bounding_boxes)
        valid = valid_boxes(bounding_boxes, min_size, min_area)
        return take_type(boxes[valid], BoundingBoxes, bounding_boxes), valid
    _refuse_other_types("bounding_boxes", bounding_boxes)
    if format is None or canvas_size is None:
        raise ValueError("format, canvas_size: expected both, as a plain tensor does not know them")
    valid = _valid_boxes(bounding_boxes, to_format(format), canvas_size, min_size, min_area)
    return bounding_boxes[valid], valid


def valid_boxes(boxes: BoundingBoxes, min_size: float, min_area: float) -> Tensor:
    """Say which boxes `sanitize_bounding_boxes` keeps."""
    return _valid_boxes(plain(boxes), boxes.format, boxes.canvas_size, min_size, min_area)


def valid_keypoints(points: Tensor, canvas_size: tuple[int, int]) -> Tensor:
    """Say which entries `sanitize_keypoints` keeps."""
    height, width = canvas_size
    places = points if points.shape[-1] == 2 else points[..., :2]
    inside = (places >= 0) & (places < points.new_tensor([width, height]))
    return inside.all(-1) if inside.ndim == 2 else inside.flatten(1).all(1)


def _valid_boxes(
    boxes: Tensor, format: BoundingBoxFormat, canvas_size: tuple[int, int], min_size: float, min_area: float
) -> Tensor:
    height, width = canvas_size
    if is_rotated_bounding_format(format):
        centred = _to_centre(to_float(boxes), format.value.lower())
        w, h = centred[..., 2], centred[..., 3]
        corners = _from_centre(centred, "xyxyxyxy")
        x, y = corners[..., 0::2], corners[..., 1::2]
        inside = ((x >= 0) & (x <= width) & (y >= 0) & (y <= height)).all(-1)
    else:
        left, top, right, bottom = corners_of(boxes, format)
        w, h = right - left, bottom - top
        inside = (left >= 0) & (top >= 0) & (right <= width) & (bottom <= height)
    return inside & (w >= min_size) & (h >= min_size) & (w * h >= min_area)


def sanitize_keypoints(key_points: Tensor, canvas_size: tuple[int, int] | None = None) -> tuple[Tensor, Tensor]:
    """Drop keypoints that lie outside of their image.

    Args:
        key_points: `KeyPoints`, or a plain tensor, `[N, 2]` or `[N, K, 2]` (`3` with visibility).
        canvas_size: (height, width) of the image of a plain tensor; None for `KeyPoints`.

    Returns:
        The entries of the first axis all of whose points lie inside, of the type of `key_points`, and a bool `[N]` that
        says which these are.

    Raises:
        ValueError: `canvas_size` is missing or must not be given.

    Examples:
        >>> import torch
        >>> sanitize_keypoints(torch.tensor([[1, 1], [9, 1]]), canvas_size=(8, 8))[0].tolist()
        [[1, 1]]
    """
    if isinstance(key_points, KeyPoints):
        if canvas_size is not None:
            raise ValueError("canvas_size: KeyPoints know theirs, do not pass it")
        points = plain(key_points)
        valid = valid_keypoints(points, key_points.canvas_size)
        return take_type(points[valid], KeyPoints, key_points), valid
    _refuse_other_types("key_points", key_points)
    if canvas_size is None:
        raise ValueError("canvas_size: expected (height, width), as a plain tensor does not know it")
    valid = valid_keypoints(key_points, canvas_size)
    return key_points[valid], valid


def _refuse_other_types(argument: str, value: Any) -> None:
    if not isinstance(value, Tensor) or isinstance(value, TVTensor):
        raise TypeError(f"{argument}: expected a plain tensor or the typed one, got {type(value).__name__}")
