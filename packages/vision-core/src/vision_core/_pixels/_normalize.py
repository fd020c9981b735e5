"""To normalised floating point in one pass."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from vision_core import _native
from vision_core._pixels._memory import allocate_as, applies, describe, is_dense

__all__ = ["DTYPES", "normalize", "normalize_to_float", "per_channel"]

DTYPES = {torch.float32: 0, torch.float16: 1, torch.bfloat16: 2}  # numbers of the native kernel


def normalize_to_float(
    image: Tensor,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    dtype: torch.dtype = torch.float32,
) -> Tensor | None:
    """Scale pixels to 0..1, subtract `mean` and divide by `std`.

    Args:
        image: uint8 `[..., C, H, W]`.
        mean: a value for each channel, or a single one; None for 0, and then the pixels are only scaled.
        std: as `mean`; None for 1.
        dtype: float32, float16 or bfloat16; the latter are rounded once, from the float32 result.

    Returns:
        `[..., C, H, W]` in `dtype`, in the memory order of `image`. float32 equals torch's steps bit for bit.

    Examples:
        >>> import torch
        >>> batch = normalize_to_float(torch.zeros(8, 3, 4, 4, dtype=torch.uint8), [0.5] * 3, [0.25] * 3)
    """
    if dtype not in DTYPES or not applies(image):
        return None
    source, layout = describe(image)
    if layout[7] == 1:
        result = torch.empty(image.shape, dtype=dtype)
    else:
        result = allocate_as(image, layout, *image.shape[-3:], dtype=dtype)
    _native.module.normalize_u8(
        source.data_ptr(),
        layout,
        per_channel(mean, layout[1], "mean"),
        per_channel(std, layout[1], "std"),
        DTYPES[dtype],
        result.data_ptr(),
        torch.get_num_threads(),
    )
    return result


def normalize(image: Tensor, mean: Sequence[float], std: Sequence[float], inplace: bool = False) -> Tensor | None:
    """Subtract `mean` from the values of each channel and divide them by `std`, bit for bit as torch does.

    Args:
        image: float32 `[..., C, H, W]`.
        mean: a value for each channel, or a single one.
        std: as `mean`.
        inplace: write into `image`.

    Returns:
        `[..., C, H, W]`, `image` itself with `inplace`; None also in place where the image has gaps.

    Examples:
        >>> import torch
        >>> normalised = normalize(torch.zeros(3, 4, 4), [0.5] * 3, [0.25] * 3)
    """
    if not applies(image, torch.float32):
        return None
    source, layout = describe(image)
    if inplace and (source.data_ptr() != image.data_ptr() or not is_dense(layout)):
        return None
    result = image if inplace else allocate_as(image, layout, *image.shape[-3:], dtype=torch.float32)
    _native.module.normalize_f32(
        source.data_ptr(),
        layout,
        per_channel(mean, layout[1], "mean"),
        per_channel(std, layout[1], "std"),
        result.data_ptr(),
        torch.get_num_threads(),
    )
    return result


def per_channel(values: Sequence[float] | None, channels: int, argument: str) -> list[float]:
    """Return a value for each channel, or none."""
    if values is None:
        return []
    numbers = [float(value) for value in values]
    if len(numbers) == 1:
        numbers *= channels
    if len(numbers) != channels:
        raise ValueError(f"{argument}: expected one value or one for each of {channels} channels, got {len(numbers)}")
    return numbers
