"""The range of values that a dtype stands for, and the dtype to compute in."""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = ["check_channels", "from_working", "max_value", "to_working", "value_bits"]


def max_value(dtype: torch.dtype) -> int:
    """White in an image of `dtype`: 1 for floating point and bool, the largest value of an integer dtype."""
    if dtype == torch.uint8:
        return 255
    return 1 if dtype.is_floating_point or dtype == torch.bool else torch.iinfo(dtype).max


def value_bits(dtype: torch.dtype) -> int:
    """Bits of an integer dtype that hold the value: 8 for uint8, 15 for int16."""
    return max_value(dtype).bit_length()


def to_working(image: Tensor) -> Tensor:
    """Values in a dtype to compute in: float64 for what float32 cannot hold exactly, else float32."""
    if image.dtype in (torch.float32, torch.float64):
        return image
    exact = image.dtype not in (torch.int32, torch.int64, torch.uint32, torch.uint64)
    return image.to(torch.float32 if exact else torch.float64)


def from_working(values: Tensor, dtype: torch.dtype) -> Tensor:
    """Cut computed values, which may be overwritten, off at black and white, and cut integers down to `dtype`."""
    if dtype.is_floating_point:
        values = values.clamp_(0.0, 1.0)
        return values if values.dtype == dtype else values.to(dtype)
    white = max_value(dtype)
    limit = float(white)
    # 2**63 - 1 is no float
    return values.clamp_(0.0, limit if limit <= white else math.nextafter(limit, 0.0)).to(dtype)


def check_channels(image: Tensor, error: type[Exception] = TypeError) -> int:
    """Number of channels of `[..., C, H, W]`, 1 or 3; `[H, W]` counts as one channel.

    Raises:
        TypeError: another number of channels; `error` where the caller names another one.
    """
    channels = image.shape[-3] if image.ndim >= 3 else 1
    if channels not in (1, 3):
        raise error(
            f"image: expected [..., C, H, W] with 1 or 3 channels, got {tuple(image.shape)}; permute [..., H, W, C]"
        )
    return channels
