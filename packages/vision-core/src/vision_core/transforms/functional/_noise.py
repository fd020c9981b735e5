"""Gaussian noise."""

from __future__ import annotations

import torch
from torch import Tensor

from vision_core import _pixels
from vision_core.transforms.functional._dispatch import functional, video_kernel
from vision_core.transforms.functional._values import max_value

__all__ = [
    "gaussian_noise",
    "gaussian_noise_image",
    "gaussian_noise_video",
]


def gaussian_noise_image(
    image: Tensor,
    mean: float = 0.0,
    sigma: float = 0.1,
    clip: bool = True,
    *,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Add a normally distributed random number to each value.

    Args:
        image: any shape, floating point in 0..1, or uint8.
        mean: of the noise, as part of the range from black to white.
        sigma: standard deviation of the noise, likewise.
        clip: cut off at black and white; uint8 images that are not clipped wrap around.
        generator: source of random numbers; torch's global one when None.

    Returns:
        The same shape and dtype.

    Raises:
        ValueError: a negative `sigma`, or another dtype.

    Examples:
        >>> import torch
        >>> noisy = gaussian_noise_image(torch.full((3, 64, 64), 0.5), sigma=0.05)
        >>> round(noisy.std().item(), 2)
        0.05
    """
    if not (image.is_floating_point() or image.dtype == torch.uint8):
        raise ValueError(f"image: expected floating point or uint8, got {image.dtype}")
    if sigma < 0:
        raise ValueError(f"sigma: expected 0 or more, got {sigma}")
    dtype = torch.float64 if image.dtype == torch.float64 else torch.float32
    # As `torch.randn`, but what is to be like a tensor is made in half of the time.
    noise = torch.empty_like(image, dtype=dtype, memory_format=torch.contiguous_format).normal_(generator=generator)
    white = max_value(image.dtype)
    if image.dtype == torch.uint8:
        native = _pixels.add_noise(image, noise, sigma * white, mean * white, clip)
        if native is not None:
            return native
    noise.mul_(sigma * white)
    if mean:
        noise.add_(mean * white)
    if image.is_floating_point():
        noisy = noise.add_(image)
        return (noisy.clamp_(0, 1) if clip else noisy).to(image.dtype)
    steps = noise.to(torch.int32).add_(image)  # whole steps of noise, cut towards none
    return (steps.clamp_(0, white) if clip else steps).to(image.dtype)


gaussian_noise_video = video_kernel(gaussian_noise_image)
gaussian_noise = functional(gaussian_noise_image)
