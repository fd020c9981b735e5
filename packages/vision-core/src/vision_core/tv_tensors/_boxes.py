"""Boxes, upright and rotated."""

from __future__ import annotations

from enum import Enum
from typing import Any, Literal, Self, TypeAlias

import torch

from vision_core.tv_tensors._base import TVTensor

__all__ = ["BoundingBoxFormat", "BoundingBoxes", "ClampingMode", "is_rotated_bounding_format"]

ClampingMode: TypeAlias = Literal["hard", "soft"] | None


class BoundingBoxFormat(Enum):
    """What the numbers of a box say; all are pixels but the angle.

    - XYXY: left, top, right, bottom.
    - XYWH: left, top, width, height.
    - CXCYWH: centre, width, height.
    - XYWHR: the corner that is the upper left one before turning, width, height, angle in degrees, counter-clockwise.
    - CXCYWHR: centre, width, height, angle in degrees, counter-clockwise.
    - XYXYXYXY: the four corners of a rotated box: upper left, upper right, lower right, lower left before turning.
    """

    XYXY = "XYXY"
    XYWH = "XYWH"
    CXCYWH = "CXCYWH"
    XYWHR = "XYWHR"
    CXCYWHR = "CXCYWHR"
    XYXYXYXY = "XYXYXYXY"


_COLUMNS = {
    BoundingBoxFormat.XYXY: 4,
    BoundingBoxFormat.XYWH: 4,
    BoundingBoxFormat.CXCYWH: 4,
    BoundingBoxFormat.XYWHR: 5,
    BoundingBoxFormat.CXCYWHR: 5,
    BoundingBoxFormat.XYXYXYXY: 8,
}


def to_format(format: BoundingBoxFormat | str) -> BoundingBoxFormat:
    """Turn a name in any case into the format.

    Raises:
        ValueError: there is no such format.
    """
    if isinstance(format, BoundingBoxFormat):
        return format
    try:
        return BoundingBoxFormat[format.upper()]
    except (KeyError, AttributeError):
        known = [known.name for known in BoundingBoxFormat]
        raise ValueError(f"format: expected one of {known}, got {format!r}") from None


def is_rotated_bounding_format(format: BoundingBoxFormat | str) -> bool:
    """Say whether boxes of this format can be rotated.

    Raises:
        ValueError: there is no such format.

    Examples:
        >>> is_rotated_bounding_format("XYXY"), is_rotated_bounding_format("cxcywhr")
        (False, True)
    """
    return _COLUMNS[to_format(format)] != 4


def check_clamping_mode(mode: Any) -> Any:
    """Return `mode`.

    Raises:
        ValueError: neither None, "hard" nor "soft".
    """
    if mode not in (None, "hard", "soft"):
        raise ValueError(f"clamping_mode: expected None, 'hard' or 'soft', got {mode!r}")
    return mode


class BoundingBoxes(TVTensor):
    """Boxes `[N, K]` in an image; K is 4, for rotated formats 5 or 8.

    Args:
        data: a tensor or what `torch.as_tensor` takes; one box `[K]` becomes `[1, K]`, no box `[]` becomes `[0, K]`.
        format: what the K numbers say: a `BoundingBoxFormat` or its name.
        canvas_size: (height, width) of the image.
        clamping_mode: how geometric transforms treat boxes that reach beyond the image: "hard" cuts off what is
            outside; "soft" does so for upright boxes and keeps rotated ones wider, so that they do not lose their
            shape; None does nothing.
        dtype: of the result; that of `data` when None.
        device: of the result; that of `data` when None.
        requires_grad: whether gradients are recorded; as for `data` when None.

    Attributes:
        format: the `BoundingBoxFormat`.
        canvas_size: (height, width) of the image.
        clamping_mode: see above.

    Raises:
        ValueError: another shape, an unknown format or mode.

    Examples:
        >>> boxes = BoundingBoxes([[0, 0, 4, 2]], format="XYXY", canvas_size=(8, 8))
        >>> boxes.format.name, boxes.shape
        ('XYXY', torch.Size([1, 4]))
    """

    _metadata = ("format", "canvas_size", "clamping_mode")
    format: BoundingBoxFormat
    canvas_size: tuple[int, int]
    clamping_mode: ClampingMode

    def __new__(
        cls,
        data: Any,
        *,
        format: BoundingBoxFormat | str,
        canvas_size: tuple[int, int],
        clamping_mode: ClampingMode = "soft",
        dtype: torch.dtype | None = None,
        device: torch.device | str | int | None = None,
        requires_grad: bool | None = None,
    ) -> Self:
        tensor = cls._to_tensor(data, dtype, device, requires_grad)
        known = to_format(format)
        columns = _COLUMNS[known]
        if tensor.ndim == 1:
            tensor = tensor[None] if tensor.shape[0] else tensor.reshape(0, columns)
        if tensor.ndim != 2 or tensor.shape[1] != columns:
            raise ValueError(f"data: expected [N, {columns}] for format {known.name}, got shape {tuple(tensor.shape)}")
        boxes = tensor.as_subclass(cls)
        boxes.format = known
        boxes.canvas_size = canvas_size
        boxes.clamping_mode = check_clamping_mode(clamping_mode)
        return boxes

    @classmethod
    def wrap(cls, tensor: torch.Tensor, like: TVTensor, **kwargs: Any) -> Self:
        """Give `tensor` the metadata of `like`; `kwargs` (format, canvas_size, clamping_mode) replace them."""
        if "format" in kwargs:
            kwargs["format"] = to_format(kwargs["format"])
        if "clamping_mode" in kwargs:
            check_clamping_mode(kwargs["clamping_mode"])
        return super().wrap(tensor, like, **kwargs)
