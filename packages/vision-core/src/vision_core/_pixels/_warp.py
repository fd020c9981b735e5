"""Resampling at positions that a mapping gives: affine, perspective, or one displacement for each pixel.

Positions are computed as torchvision and `torch.nn.functional.grid_sample(align_corners=False)` compute them, in
float32 operations of the same order. Outside of the image lies `fill`; without one zeros, into which bilinear
interpolation blends at the border.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from vision_core import _native
from vision_core._pixels._memory import Layout, allocate_as, applies, describe

__all__ = ["warp_affine", "warp_displacement", "warp_perspective"]

Interpolation = Literal["nearest", "bilinear"]
_AFFINE, _PERSPECTIVE, _DISPLACEMENT = range(3)
_LARGEST_SIDE = 1 << 23  # pixel positions beyond are not exact in float32
_MOST_PIXELS = 1 << 29  # of 4 bytes, with those around the image: offsets have 32 bits


def warp_affine(
    image: Tensor,
    matrix: Sequence[float],
    size: Sequence[int],
    interpolation: Interpolation = "nearest",
    fill: Sequence[float] | None = None,
) -> Tensor | None:
    """Warp images by an affine mapping.

    Args:
        image: uint8 `[..., C, H, W]`.
        matrix: six numbers, row by row: where a pixel of the result comes from. Both sides are measured in pixels from
            the middle of their image to the middle of the pixel, as torchvision's inverse affine matrices are.
        size: `[height, width]` of the result.
        interpolation: "nearest" or "bilinear".
        fill: a value for each channel, or a single one.

    Returns:
        uint8 `[..., C, height, width]`; within 1 of the exact result for "bilinear".

    Examples:
        >>> import torch
        >>> turned = warp_affine(torch.zeros(3, 4, 6, dtype=torch.uint8), [0, 1, 0, -1, 0, 0], [6, 4])
    """
    return _warp(image, _AFFINE, [float(value) for value in matrix], size, interpolation, fill)


def warp_perspective(
    image: Tensor,
    coefficients: Sequence[float],
    size: Sequence[int],
    interpolation: Interpolation = "bilinear",
    fill: Sequence[float] | None = None,
) -> Tensor | None:
    """Warp images by a perspective mapping.

    Args:
        image: uint8 `[..., C, H, W]`.
        coefficients: `a, b, c, d, e, f, g, h`: the pixel with its middle at `(x, y)` of the result comes from
            `((a x + b y + c) / (g x + h y + 1), (d x + e y + f) / (g x + h y + 1))`.
        size: `[height, width]` of the result; torchvision takes that of the image.
        interpolation: "nearest" or "bilinear".
        fill: a value for each channel, or a single one.

    Returns:
        uint8 `[..., C, height, width]`.
    """
    return _warp(image, _PERSPECTIVE, [float(value) for value in coefficients], size, interpolation, fill)


def warp_displacement(
    image: Tensor,
    displacement: Tensor,
    interpolation: Interpolation = "bilinear",
    fill: Sequence[float] | None = None,
) -> Tensor | None:
    """Move every pixel of images by a displacement of its own.

    Args:
        image: uint8 `[..., C, H, W]`.
        displacement: float32 `[1, H, W, 2]`, x and y: where a pixel comes from, relative to it; 2 is the width or the
            height of the image.
        interpolation: "nearest" or "bilinear".
        fill: a value for each channel, or a single one.

    Returns:
        uint8 `[..., C, H, W]`.
    """
    if type(displacement) is not Tensor or displacement.dtype != torch.float32 or not displacement.is_cpu:
        return None
    height, width = image.shape[-2:]
    if displacement.requires_grad or tuple(displacement.shape) != (1, height, width, 2):
        return None
    field = displacement.contiguous()
    columns = torch.linspace((1 - width) / width, (width - 1) / width, width)
    rows = torch.linspace((1 - height) / height, (height - 1) / height, height)
    return _warp(image, _DISPLACEMENT, (), (height, width), interpolation, fill, (field, columns, rows))


def _warp(
    image: Tensor,
    kind: int,
    numbers: Sequence[float],
    size: Sequence[int],
    interpolation: str,
    fill: Sequence[float] | None,
    arrays: tuple[Tensor, ...] = (),
) -> Tensor | None:
    if not applies(image) or interpolation not in ("nearest", "bilinear"):
        return None
    height, width = size
    if min(height, width) < 1 or max(height, width, *image.shape[-2:]) > _LARGEST_SIDE:
        return None
    if (image.shape[-2] + 3) * (image.shape[-1] + 3) > _MOST_PIXELS:
        return None
    source, layout = describe(image)
    result = allocate_as(image, layout, image.shape[-3], height, width)
    addresses = [array.data_ptr() for array in arrays] if arrays else (0, 0, 0)
    _native.module.warp_u8(
        source.data_ptr(),
        layout,
        kind,
        numbers,
        *addresses,
        height,
        width,
        interpolation == "bilinear",
        _fill_values(fill, layout),
        result.data_ptr(),
        torch.get_num_threads(),
    )
    return result


def _fill_values(fill: Sequence[float] | None, layout: Layout) -> list[float]:
    """Return a value for each channel, or none."""
    if fill is None:
        return []
    values = [float(value) for value in fill]
    if len(values) == 1:
        values *= layout[1]
    if len(values) != layout[1]:
        raise ValueError(f"fill: expected one value or one for each of {layout[1]} channels, got {len(values)}")
    return values
