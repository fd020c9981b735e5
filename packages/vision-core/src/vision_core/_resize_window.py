"""A part of a resized image, mirrored or not, without the rest of it."""

from __future__ import annotations

import torch
from torch import Tensor

from vision_core import _native, resampling
from vision_core._pixels import applies

__all__ = ["resize_window"]


def resize_window(
    image: Tensor,
    size: tuple[int, int],
    window: tuple[int, int, int, int],
    mirrored: bool,
    interpolation: str,
    antialias: bool,
) -> Tensor:
    """Resize images and keep a part of the result: the same values as `resize`, a crop and a flip.

    Args:
        image: uint8 `[..., C, H, W]`.
        size: (height, width) of the whole result.
        window: (top, left, height, width) of the part that is kept, inside of it.
        mirrored: left to right, after the part has been cut out.
        interpolation: a mode that `resampling.resize` knows.
        antialias: see `resampling.resize`.

    Returns:
        uint8 `[..., C, height, width]`.

    Examples:
        >>> import torch
        >>> part = resize_window(torch.zeros(3, 64, 64, dtype=torch.uint8), (48, 48), (8, 8, 32, 32), True, "box", True)
    """
    channels, full_height, full_width = image.shape[-3:]
    interleaved = resampling.is_interleaved(image)
    if (
        interpolation not in resampling.FILTERS
        or not applies(image)
        or (resampling.torch_is_better(image.shape, list(size), interpolation, antialias, interleaved))
    ):
        top, left, height, width = window
        resized = resampling.resize(image, list(size), interpolation, antialias)
        if window != (0, 0, *size):
            resized = resized[..., top : top + height, left : left + width]
        return resized.flip(-1) if mirrored else resized
    if image.dim() == 3:  # no copy, no view: addresses and distances say all
        strides = (0, *image.stride())
        count, source = 1, image
    else:
        source = image if image.dim() == 4 else image.reshape(-1, channels, full_height, full_width)
        strides, count = source.stride(), source.shape[0]
    if not interleaved and (strides[3] != 1 or (count > 1 and strides[0] != channels * strides[1])):
        source = source.contiguous()
        strides = (channels * full_height * full_width, *source.stride()[-3:])
    planes, lanes, step = (count, channels, strides[0]) if interleaved else (count * channels, 1, strides[1])
    batch = image.shape[:-3]
    if interleaved:
        result = torch.empty((*batch, window[2], window[3], channels), dtype=torch.uint8).movedim(-1, -3)
    else:
        result = torch.empty((*batch, channels, window[2], window[3]), dtype=torch.uint8)
    _native.module.resize_window_u8(
        source.data_ptr(),
        result.data_ptr(),
        (planes, lanes, full_height, full_width, strides[2], step),
        size,
        window,
        mirrored,
        resampling.FILTERS[interpolation][1],
        torch.get_num_threads(),
    )
    return result
