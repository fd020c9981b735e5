"""Smoothing over neighbours, and its opposite."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from vision_core import _native
from vision_core._pixels._memory import allocate, applies, describe

__all__ = ["adjust_sharpness", "gaussian_blur"]

_WIDEST = 12  # pixels from the centre: rounding to 16 bits at each of more pairs would add up; float32 has room


def gaussian_blur(image: Tensor, kernel_size: Sequence[int], sigma: Sequence[float]) -> Tensor | None:
    """Blur with a Gaussian window, the image mirrored at its border (which is not repeated).

    Args:
        image: uint8 or float32 `[..., C, H, W]`.
        kernel_size: width and height of the window, odd.
        sigma: standard deviations along x and y, in pixels.

    Returns:
        The blurred image, uint8 rounded to nearest and within 1 of the exact result; None also where the window
        reaches farther than the image, which cannot be mirrored then.

    Examples:
        >>> import torch
        >>> blurred = gaussian_blur(torch.zeros(3, 8, 8, dtype=torch.uint8), [3, 5], [1.0, 2.0])
    """
    if not applies(image) and not applies(image, torch.float32):
        return None
    height, width = image.shape[-2:]
    if kernel_size[0] // 2 >= width or kernel_size[1] // 2 >= height:
        return None
    across, down = _window(kernel_size[0], sigma[0]), _window(kernel_size[1], sigma[1])
    threads = torch.get_num_threads()
    if image.dtype == torch.float32:
        source, result = image.contiguous(), torch.empty(image.shape)
        planes = image.numel() // (height * width)
        _native.module.blur_f32(source.data_ptr(), planes, height, width, across, down, result.data_ptr(), threads)
        return result
    if max(_reach(across), _reach(down)) > _WIDEST:
        blurred = gaussian_blur(image.to(torch.float32), kernel_size, sigma)
        return None if blurred is None else torch.empty_like(image).copy_(blurred.round_())
    source, layout = describe(image)
    result = allocate(image, layout)
    _native.module.blur_u8(source.data_ptr(), layout, across, down, result.data_ptr(), threads)
    return result


def _reach(window: list[float]) -> int:
    """Return how far the weights are felt that 16 bits can tell from 0."""
    return sum(weight >= 2**-16 for weight in window) - 1


def _window(size: int, sigma: float) -> list[float]:
    """Return the weights from the centre of a Gaussian window outwards; the whole window's sum is 1."""
    half = [math.exp(-0.5 * (i / sigma) ** 2) for i in range(size // 2 + 1)]
    total = 2 * sum(half) - half[0]
    return [weight / total for weight in half]


def adjust_sharpness(image: Tensor, factor: float) -> Tensor | None:
    """Move values away from (above 1) or towards (below 1) a smoothed image; the outermost pixels stay as they are.

    Args:
        image: uint8 `[..., C, H, W]`.
        factor: at least 0; 0 gives the smoothed image, 1 changes nothing.
    """
    if not applies(image):
        return None
    source, layout = describe(image)
    result = allocate(image, layout)
    _native.module.sharpness_u8(source.data_ptr(), layout, factor, result.data_ptr(), torch.get_num_threads())
    return result
