"""A part of a region of an image, resized, and mirrored or not: without a copy, without the rest."""

from __future__ import annotations

import torch
from torch import Tensor

from vision_core import _native, resampling

__all__ = ["Box", "resize_window"]

Box = tuple[int, int, int, int]  # top, left, height, width


def resize_window(
    image: Tensor, region: Box, size: tuple[int, int], window: Box, mirrored: bool, interpolation: str, antialias: bool
) -> Tensor:
    """Resize a region of images and keep a part of the result: the same values as a crop, `resize`, a crop and a flip.

    Args:
        image: uint8 `[..., C, H, W]`, to which `_pixels.applies`.
        region: the part of it that is resized, inside of it.
        size: (height, width) of the whole result.
        window: the part that is kept, inside of this.
        mirrored: left to right, after the part has been cut out.
        interpolation: a mode that `resampling.resize` knows.
        antialias: see `resampling.resize`.

    Returns:
        uint8 `[..., C, height, width]`, of the window.

    Examples:
        >>> import torch
        >>> image = torch.zeros(3, 64, 64, dtype=torch.uint8)
        >>> part = resize_window(image, (0, 0, 64, 64), (48, 48), (8, 8, 32, 32), True, "bilinear", True)
    """
    top, left, height, width = region
    channels = image.shape[-3]
    interleaved = resampling.is_interleaved(image)
    if (
        _native.module is None
        or interpolation not in resampling.FILTERS
        or resampling.torch_is_better(
            torch.Size((channels, height, width)), list(size), interpolation, antialias, interleaved
        )
    ):
        return _in_steps(image, region, size, window, mirrored, interpolation, antialias)
    source = image
    count = 1
    if image.dim() == 3:
        strides = (0, *image.stride())
    else:
        source = image if image.dim() == 4 else image.reshape(-1, *image.shape[-3:])
        strides, count = source.stride(), source.shape[0]
    if not interleaved and (strides[3] != 1 or (count > 1 and strides[0] != channels * strides[1])):
        source = source[..., top : top + height, left : left + width].contiguous()
        top = left = 0
        strides = (channels * height * width, height * width, width, 1)
    planes, lanes, step = (count, channels, strides[0]) if interleaved else (count * channels, 1, strides[1])
    result = _empty(image.shape[:-3], channels, window, interleaved)
    _native.module.resize_window_u8(
        source.data_ptr() + top * strides[2] + left * strides[3],
        result.data_ptr(),
        (planes, lanes, height, width, strides[2], step),
        size,
        window,
        mirrored,
        resampling.FILTERS[interpolation][1],
        torch.get_num_threads(),
    )
    return result


def _in_steps(
    image: Tensor, region: Box, size: tuple[int, int], window: Box, mirrored: bool, interpolation: str, antialias: bool
) -> Tensor:
    resized = resampling.resize(_cut(image, region), list(size), interpolation, antialias)
    kept = _cut(resized, window)
    return kept.flip(-1) if mirrored else kept


def _cut(image: Tensor, box: Box) -> Tensor:
    top, left, height, width = box
    if (height, width) == image.shape[-2:]:
        return image
    return image[..., top : top + height, left : left + width]


def _empty(batch: torch.Size, channels: int, window: Box, interleaved: bool) -> Tensor:
    if interleaved:
        return torch.empty((*batch, window[2], window[3], channels), dtype=torch.uint8).movedim(-1, -3)
    return torch.empty((*batch, channels, window[2], window[3]), dtype=torch.uint8)
