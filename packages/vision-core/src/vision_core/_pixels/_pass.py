"""Mirroring, changes of colour and normalising of 8-bit images in one pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from vision_core import _native
from vision_core._pixels._memory import applies, describe
from vision_core._pixels._normalize import DTYPES, per_channel

__all__ = ["PassStep", "pixel_pass", "run_pass"]

# ("brightness" | "contrast" | "saturation" | "hue", factor), ("table", 256 bytes), ("gray",), ("order", channels)
PassStep = tuple[Any, ...]
_KINDS = {"brightness": 0, "contrast": 1, "saturation": 2, "hue": 3, "table": 4, "gray": 5, "order": 6}
_ANY_CHANNELS = frozenset({"brightness", "table"})


def pixel_pass(
    image: Tensor,
    steps: Sequence[PassStep] = (),
    *,
    mirrored: bool = False,
    upside_down: bool = False,
    dtype: torch.dtype = torch.uint8,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    planar: bool = False,
) -> Tensor | None:
    """Mirror images, change their colours step by step, and scale and normalise the pixels.

    Args:
        image: uint8 `[..., C, H, W]`.
        steps: changes of colour in their order, rounded to 8 bits one by one. Images with other than three channels
            take brightness and tables only, those with one channel contrast too.
        mirrored: left to right.
        upside_down: top to bottom.
        dtype: uint8, or float32, float16 or bfloat16 for values in 0..1.
        mean: what to subtract from these, for each channel.
        std: what to divide them by, for each channel.
        planar: lay the result out in planes, whatever the memory order of `image`.

    Returns:
        `[..., C, H, W]` in `dtype`, in the memory order of `image` unless `planar`; None also for interleaved pixels of
        more than four channels.

    Examples:
        >>> import torch
        >>> batch = pixel_pass(torch.zeros(8, 3, 4, 4, dtype=torch.uint8), [("hue", 0.1)], mirrored=True)
    """
    if not applies(image):
        return None
    whole = (0, 0, image.shape[-2], image.shape[-1])
    return run_pass(image, whole, steps, mirrored, upside_down, dtype, mean, std, planar=planar)


def run_pass(
    image: Tensor,
    region: tuple[int, int, int, int],
    steps: Sequence[PassStep],
    mirrored: bool,
    upside_down: bool,
    dtype: torch.dtype,
    mean: Sequence[float] | None,
    std: Sequence[float] | None,
    *,
    planar: bool,
) -> Tensor | None:
    """Do the work of `pixel_pass` on a region (top, left, height, width) of an image to which the kernels apply."""
    channels = image.shape[-3]
    if channels != 3 and not all(
        step[0] in _ANY_CHANNELS or (step[0] == "contrast" and channels == 1) for step in steps
    ):
        return None
    source, layout = describe(image)
    interleaved = layout[7] != 1
    if interleaved and channels != 3:
        if channels > 4:
            return None
        if planar:
            source, layout = describe(image.contiguous())
            interleaved = False
    top, left, height, width = region
    layout = (*layout[:2], height, width, *layout[4:])
    size = (*image.shape[:-2], height, width)
    result = _allocate(size, dtype, interleaved and not planar)
    kinds, factors, tables = [], [], b""
    for step in steps:
        kinds.append(_KINDS[step[0]])
        if step[0] == "table":
            tables += step[1]
            factors.append(0.0)
        elif step[0] == "order":
            first, second, third = step[1]
            factors.append(float(first + 4 * second + 16 * third))
        else:
            factors.append(float(step[1]) if len(step) > 1 else 0.0)
    _native.module.pixel_pass_u8(
        source.data_ptr() + top * layout[6] + left * layout[7],
        layout,
        mirrored,
        upside_down,
        kinds,
        factors,
        tables,
        per_channel(mean, channels, "mean"),
        per_channel(std, channels, "std"),
        -1 if dtype is torch.uint8 else DTYPES[dtype],
        planar,
        result.data_ptr(),
        torch.get_num_threads(),
    )
    return result


def _allocate(size: tuple[int, ...], dtype: torch.dtype, interleaved: bool) -> Tensor:
    if not interleaved:
        return torch.empty(size, dtype=dtype)
    *batch, channels, height, width = size
    return torch.empty((*batch, height, width, channels), dtype=dtype).movedim(-1, -3)
