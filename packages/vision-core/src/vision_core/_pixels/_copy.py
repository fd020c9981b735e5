"""Copies of images with pixels at other places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from vision_core import _native
from vision_core._pixels._memory import allocate, allocate_as, applies, describe

__all__ = ["horizontal_flip", "pad", "vertical_flip"]

_FLIP_PAYS = 1 << 20  # bytes; for smaller images torch's own operator costs no more, but for pixels of three channels
_MODES = {"constant": 0, "edge": 1, "reflect": 2, "symmetric": 3}


def horizontal_flip(image: Tensor) -> Tensor | None:
    """Mirror uint8 `[..., C, H, W]` left to right; None also for small planes, where torch is as fast."""
    return _flip(image, True)


def vertical_flip(image: Tensor) -> Tensor | None:
    """Turn uint8 `[..., C, H, W]` upside down; None also for small images, where torch is as fast."""
    return _flip(image, False)


def _flip(image: Tensor, horizontal: bool) -> Tensor | None:
    if image.numel() < _FLIP_PAYS and (not horizontal or image.stride(-1) == 1):
        return None
    if not applies(image):
        return None
    source, layout = describe(image)
    result = allocate(image, layout)
    _native.module.flip_u8(source.data_ptr(), layout, horizontal, result.data_ptr(), torch.get_num_threads())
    return result


def pad(
    image: Tensor,
    padding: Sequence[int],
    fill: Sequence[float] | None = None,
    mode: Literal["constant", "edge", "reflect", "symmetric"] = "constant",
) -> Tensor | None:
    """Add pixels around images, or take them away: with negative padding this is a copying crop.

    Args:
        image: uint8 `[..., C, H, W]`.
        padding: pixels to add left, top, right and bottom; negative ones are cut off.
        fill: for "constant": a value for each channel, or a single one; None for 0. Cut to whole numbers in 0..255.
        mode: what the added pixels show: `fill`, the outermost pixels, or the image mirrored without ("reflect") or
            with ("symmetric") its outermost pixels repeated.

    Returns:
        uint8 `[..., C, H + top + bottom, W + left + right]`; None also if nothing would be left, and where the mirrored
        image is too small.

    Examples:
        >>> import torch
        >>> framed = pad(torch.zeros(3, 4, 4, dtype=torch.uint8), [1, 1, 1, 1], [255.0])
    """
    if not applies(image):
        return None
    left, top, right, bottom = padding
    old_height, old_width = image.shape[-2:]
    height, width = old_height + top + bottom, old_width + left + right
    if min(height, width) < 1 or not _mirrors(mode, padding, old_height, old_width):
        return None
    source, layout = describe(image)
    result = allocate_as(image, layout, image.shape[-3], height, width)
    _native.module.pad_u8(
        source.data_ptr(),
        layout,
        left,
        top,
        height,
        width,
        _MODES[mode],
        bytes(layout[1]) if fill is None else _fill_bytes(fill, layout[1]),
        result.data_ptr(),
        torch.get_num_threads(),
    )
    return result


def _fill_bytes(fill: Sequence[float], channels: int) -> bytes:
    values = bytes(int(min(max(float(value), 0.0), 255.0)) for value in fill)
    if len(values) == 1:
        return values * channels
    if len(values) != channels:
        raise ValueError(f"fill: expected one value or one for each of {channels} channels, got {len(values)}")
    return values


def _mirrors(mode: str, padding: Sequence[int], height: int, width: int) -> bool:
    """Whether the image is large enough to be mirrored so far."""
    if mode not in ("reflect", "symmetric"):
        return True
    spare = 1 if mode == "reflect" else 0
    left, top, right, bottom = padding
    return max(left, right) <= width - spare and max(top, bottom) <= height - spare
