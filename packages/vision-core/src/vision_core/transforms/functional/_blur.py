"""Gaussian blur."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as nnf
from torch import Tensor

from vision_core import _pixels
from vision_core.transforms.functional._dispatch import functional, video_kernel
from vision_core.transforms.functional._values import to_working

__all__ = [
    "gaussian_blur",
    "gaussian_blur_image",
    "gaussian_blur_video",
    "gaussian_weights",
]


def gaussian_blur_image(
    image: Tensor, kernel_size: int | Sequence[int], sigma: float | Sequence[float] | None = None
) -> Tensor:
    """Blur images with a Gaussian kernel, reflected at the borders.

    Args:
        image: `[..., C, H, W]`, any dtype.
        kernel_size: odd width of the kernel in pixels, or (width, height).
        sigma: standard deviation in pixels, or one for x and one for y; `0.15 * kernel_size + 0.35` when None.

    Returns:
        The same shape and dtype; integer values are rounded.

    Raises:
        TypeError: a `sigma` that is no number.
        ValueError: an even or negative `kernel_size`, a `sigma` of 0 or less, or too many of them.

    Examples:
        >>> import torch
        >>> gaussian_blur_image(torch.full((1, 8, 8), 7, dtype=torch.uint8), 3).unique().tolist()
        [7]
    """
    width, height = _kernel_sizes(kernel_size)
    sigma_x, sigma_y = _sigmas(sigma, width, height)
    if image.ndim < 3:
        raise ValueError(f"image: expected [..., C, H, W], got shape {tuple(image.shape)}")
    if image.numel() == 0:
        return image
    native = _pixels.gaussian_blur(image, (width, height), (sigma_x, sigma_y))
    if native is not None:
        return native
    values = to_working(image)
    planes = values.reshape(-1, 1, *image.shape[-2:])
    planes = nnf.pad(planes, (width // 2, width // 2, height // 2, height // 2), mode="reflect")
    along_x = gaussian_weights(width, sigma_x, planes.dtype, planes.device).view(1, 1, 1, width)
    along_y = gaussian_weights(height, sigma_y, planes.dtype, planes.device).view(1, 1, height, 1)
    blurred = nnf.conv2d(nnf.conv2d(planes, along_x), along_y).view(image.shape)
    if not image.is_floating_point():
        blurred = blurred.round_()
    return blurred.to(image.dtype)


def gaussian_weights(size: int, sigma: float, dtype: torch.dtype, device: torch.device) -> Tensor:
    """A Gaussian sampled at `size` pixels around its centre, sum 1."""
    steps = torch.arange(size, dtype=dtype, device=device) - (size - 1) / 2
    weights = torch.exp(-0.5 * (steps / sigma) ** 2)
    return weights / weights.sum()


def _kernel_sizes(kernel_size: int | Sequence[int]) -> tuple[int, int]:
    sizes = [kernel_size] * 2 if isinstance(kernel_size, int) else list(kernel_size)
    if len(sizes) != 2:
        raise ValueError(f"kernel_size: expected a size or (width, height), got {kernel_size}")
    for size in sizes:
        if size % 2 == 0 or size < 1:
            raise ValueError(f"kernel_size: expected odd sizes of 1 or more, got {kernel_size}")
    return sizes[0], sizes[1]


def _sigmas(sigma: float | Sequence[float] | None, width: int, height: int) -> tuple[float, float]:
    if sigma is None:
        return width * 0.15 + 0.35, height * 0.15 + 0.35
    if not isinstance(sigma, (int, float, list, tuple)):
        raise TypeError(f"sigma: expected a number or one for x and one for y, got {type(sigma).__name__}")
    both = [float(sigma)] * 2 if isinstance(sigma, (int, float)) else [float(value) for value in sigma]
    if len(both) == 1:
        both = both * 2
    if len(both) != 2:
        raise ValueError(f"sigma: expected a number or one for x and one for y, got {sigma}")
    for value in both:
        if not value > 0:
            raise ValueError(f"sigma: expected values above 0, got {sigma}")
    return both[0], both[1]


gaussian_blur_video = video_kernel(gaussian_blur_image)
gaussian_blur = functional(gaussian_blur_image)
