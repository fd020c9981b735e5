"""How an image lies in memory, and whether the kernels reach it."""

from __future__ import annotations

import torch
from torch import Tensor

from vision_core import _native
from vision_core._direct import nothing_watches

__all__ = [
    "Layout",
    "allocate",
    "allocate_as",
    "applies",
    "describe",
    "holds_bytes",
    "is_dense",
    "is_interleaved",
]

# images, channels, height, width, and the distance in values from one image, channel, row and pixel to the next
Layout = tuple[int, int, int, int, int, int, int, int]


def applies(image: Tensor, dtype: torch.dtype = torch.uint8) -> bool:
    """Whether the kernels may read `image` now: a plain tensor of `dtype` on the CPU, seen by nothing but eager torch.

    Examples:
        >>> import torch
        >>> applies(torch.zeros(3, 4, 4))
        False
    """
    return (
        type(image) is Tensor
        and image.dtype == dtype
        and image.is_cpu
        and _native.module is not None
        and nothing_watches()
        and image.dim() >= 3
        and image.numel() > 0
        and not (image.requires_grad and torch.is_grad_enabled())
    )


def holds_bytes(image: Tensor) -> bool:
    """Whether the kernels may read a plain tensor as an 8-bit image, where nothing is known to watch.

    Examples:
        >>> import torch
        >>> holds_bytes(torch.zeros(3, 4, 4))
        False
    """
    return (
        image.dtype is torch.uint8
        and image.is_cpu
        and _native.module is not None
        and image.dim() >= 3
        and image.numel() > 0
    )


def describe(image: Tensor) -> tuple[Tensor, Layout]:
    """Tell how `[..., C, H, W]` lies in memory.

    Args:
        image: what :func:`applies` to.

    Returns:
        A tensor with the same values, `image` itself wherever possible, and its layout: either planes (pixels next to
        each other) or interleaved pixels (channels next to each other), rows in either at any distance.
    """
    if image.dim() > 4:
        image = image.flatten(0, -4)
    channels, height, width = image.shape[-3:]
    images = image.shape[0] if image.dim() == 4 else 1
    if image.is_contiguous():
        plane = height * width
        return image, (images, channels, height, width, channels * plane, plane, width, 1)
    strides = image.stride()
    if not (strides[-1] == 1 or is_interleaved(image)) or (width > 1 and strides[-2] < width * strides[-1]):
        image = image.contiguous()
        strides = image.stride()
    image_stride = strides[0] if image.dim() == 4 else 0
    return image, (images, channels, height, width, image_stride, strides[-3], strides[-2], strides[-1])


def is_interleaved(image: Tensor) -> bool:
    """Whether the channels of a pixel lie next to each other, as decoders and `channels_last` lay them."""
    channels = image.shape[-3]
    return channels > 1 and image.stride(-3) == 1 and image.stride(-1) == channels


def allocate(image: Tensor, layout: Layout) -> Tensor:
    """Make room for a result of the shape and memory order of `image`."""
    if is_dense(layout):
        return torch.empty_like(image)  # without gaps, so it has the same strides; the cheapest way
    return allocate_as(image, layout, *layout[1:4])


def is_dense(layout: Layout) -> bool:
    """Whether an image lies without gaps."""
    images, channels, height, width, image_stride, channel_stride, row_stride, pixel_stride = layout
    return (
        row_stride == width * pixel_stride
        and (pixel_stride != 1 or channel_stride == height * width)
        and (images == 1 or image_stride == channels * height * width)
    )


def allocate_as(
    image: Tensor, layout: Layout, channels: int, height: int, width: int, dtype: torch.dtype = torch.uint8
) -> Tensor:
    """Make room for a result of other sizes or another dtype, in the memory order of `image`."""
    plane = height * width
    # Strides given at once cost a third of a transposed view.
    strides = (plane, width, 1) if layout[7] == 1 or channels == 1 else (1, width * channels, channels)
    if image.dim() == 3:
        return torch.empty_strided((channels, height, width), strides, dtype=dtype)
    *batch, step = *image.shape[:-3], channels * plane
    outer: list[int] = []
    for size in reversed(batch):
        outer.append(step)
        step *= size
    return torch.empty_strided((*batch, channels, height, width), (*reversed(outer), *strides), dtype=dtype)
