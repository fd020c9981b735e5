"""The shortest way from a tensor of bytes to pixels: for small pictures the way costs more than the decoding."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from vision_io._pixels.store import empty_uint8

__all__ = ["bytes_with_address", "plain_bytes", "uint8_with_address"]

_SMALL = 1 << 20


def uint8_with_address(channels: int, height: int, width: int) -> tuple[Tensor, int]:
    """An uninitialised uint8 (C, H, W) and where it lies: what native decoders ask for after they read a header."""
    if height * width < _SMALL:
        target = torch.from_numpy(np.empty((channels, height, width), np.uint8))
    else:
        target = empty_uint8(channels, height, width)
    return target, target.data_ptr()


def bytes_with_address(size: int) -> tuple[Tensor, int]:
    """An uninitialised uint8 vector and where it lies: what native encoders ask for when they know the size."""
    target = torch.from_numpy(np.empty(size, np.uint8))
    return target, target.data_ptr()


def plain_bytes(data: object) -> bool:
    """Whether ``data`` is a tensor whose memory is the file: a contiguous uint8 vector on the CPU, not empty."""
    if type(data) is not Tensor or data.dtype is not torch.uint8 or data.stride() != (1,):
        return False
    return data.is_cpu and data.numel() > 0
