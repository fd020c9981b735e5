"""The shortest way from a tensor of bytes to pixels: for small pictures the way costs more than the decoding."""

from __future__ import annotations

import torch
from torch import Tensor

from vision_io._pixels.store import empty_uint8

__all__ = ["plain_bytes", "uint8_with_address"]


def uint8_with_address(channels: int, height: int, width: int) -> tuple[Tensor, int]:
    """An uninitialised uint8 (C, H, W) and where it lies: what native decoders ask for after they read a header."""
    target = empty_uint8(channels, height, width)
    return target, target.data_ptr()


def plain_bytes(data: object) -> bool:
    """Whether ``data`` is a tensor whose memory is the file: a contiguous uint8 vector on the CPU, not empty."""
    return (
        type(data) is Tensor
        and data.dtype == torch.uint8
        and data.dim() == 1
        and data.is_cpu
        and data.is_contiguous()
        and data.numel() > 0
    )
