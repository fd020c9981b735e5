"""Bytes to resized, normalised floats."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from vision_io._native import kernels

__all__ = ["Four", "normalisation", "resize_floats", "resize_normalised"]

Four = tuple[float, float, float, float]


def normalisation(channels: int, mean: Sequence[float] | None, std: Sequence[float] | None) -> tuple[Four, Four]:
    """``factor`` and ``bias`` that do ``(byte / 255 - mean) / std`` per channel, for four channels.

    Raises:
        ValueError: Not one number for each channel, or a ``std`` of zero.
    """
    mean, std = mean or [0.0] * channels, std or [1.0] * channels
    if len(mean) != channels or len(std) != channels:
        raise ValueError(
            f"mean, std: got {len(mean)} and {len(std)} values, expected one for each of {channels} channels"
        )
    if not all(std):
        raise ValueError(f"std: got {list(std)}, expected no zeros")
    pad = [0.0] * (4 - channels)
    factor = [1 / (255 * s) for s in std] + pad
    bias = [-m / s for m, s in zip(mean, std, strict=True)] + pad
    return tuple(factor), tuple(bias)  # pyright: ignore[reportReturnType]


def resize_normalised(
    picture: Tensor, height: int, width: int, flip: bool, factor: Four, bias: Four, out: Tensor
) -> None:
    """Resize ``picture`` by the antialiased triangle filter, mirror it, and write ``factor * value + bias``.

    Args:
        picture: (C, H, W) uint8 of any strides, or uint16 (taken as 257 times a byte).
        height: Of the result.
        width: Of the result.
        flip: Mirror left to right.
        factor: Per channel.
        bias: Per channel.
        out: float32 (C, height, width), contiguous.
    """
    channels = picture.shape[0]
    if kernels is not None and picture.dtype == torch.uint8:
        picture = picture if picture.stride(2) == 1 else picture.contiguous()
        done = kernels.resize_normalised(
            picture.data_ptr(), tuple(picture.shape), picture.stride(0), picture.stride(1), (height, width), flip,
            factor, bias, out.data_ptr(),
        )  # fmt: skip
        if not done:
            raise MemoryError(f"no memory to resize a picture of {picture.shape[2]}x{picture.shape[1]} pixels")
        return
    values = picture.float() / 257 if picture.dtype == torch.uint16 else picture.float()
    values = _resize_exactly(values, height, width)
    values = values.flip(-1) if flip else values
    scale, offset = torch.tensor(factor[:channels]), torch.tensor(bias[:channels])
    out.copy_(values * scale[:, None, None] + offset[:, None, None])


def resize_floats(picture: Tensor, height: int, width: int) -> Tensor:
    """Resize a float32 picture (C, H, W) by the antialiased triangle filter."""
    if width == 1:  # torch 2.13 leaves out rows then
        return _resize_exactly(picture, height, width)
    return interpolate(picture[None], (height, width), mode="bilinear", antialias=True)[0]


def _resize_exactly(values: Tensor, height: int, width: int) -> Tensor:
    return _triangle(values.shape[1], height) @ values @ _triangle(values.shape[2], width).T


def _triangle(old: int, new: int) -> Tensor:
    """Weights (new, old) of a triangle filter as wide as the scale, at least one pixel to each side, of sum one."""
    scale = old / new
    centres = (torch.arange(new, dtype=torch.float64)[:, None] + 0.5) * scale - 0.5
    weights = (1 - (torch.arange(old) - centres).abs() / max(scale, 1)).clamp_(min=0)
    return (weights / weights.sum(1, keepdim=True)).to(torch.float32)
