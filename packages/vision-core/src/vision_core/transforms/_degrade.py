"""What cameras and files do to images: blur, noise, compression."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from vision_core.transforms import functional as F
from vision_core.transforms._draws import seeded
from vision_core.transforms._random import Random
from vision_core.transforms.functional._dispatch import find_kernel

__all__ = ["JPEG", "GaussianBlur", "GaussianNoise"]


class GaussianBlur(Random, operation=F.gaussian_blur):
    """Blurs images with a Gaussian of random width; see `functional.gaussian_blur`.

    Args:
        kernel_size: odd size of the window in pixels, or (width, height).
        sigma: standard deviation in pixels, or (smallest, largest).
        generator: source of random numbers; torch's global one when None.
        per_sample: draw for each sample of a batch instead of once for all.

    Raises:
        ValueError: an even size, or standard deviations that are not positive and in order.

    Examples:
        >>> import torch
        >>> GaussianBlur(3)(torch.rand(3, 8, 8)).shape
        torch.Size([3, 8, 8])
    """

    def __init__(
        self,
        kernel_size: int | Sequence[int],
        sigma: float | Sequence[float] = (0.1, 2.0),
        *,
        generator: torch.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(generator=generator, per_sample=per_sample)
        sizes = (kernel_size, kernel_size) if isinstance(kernel_size, int) else tuple(kernel_size)
        sizes = sizes * 2 if len(sizes) == 1 else sizes
        if len(sizes) != 2 or any(size < 1 or size % 2 == 0 for size in sizes):
            raise ValueError(f"kernel_size: expected one odd size of 1 or more, or (width, height), got {kernel_size}")
        if isinstance(sigma, (int, float)):
            limits = (float(sigma), float(sigma))
        elif isinstance(sigma, Sequence) and not isinstance(sigma, str) and len(sigma) in (1, 2):
            limits = (float(sigma[0]), float(sigma[-1]))
        else:
            raise ValueError(f"sigma: expected a number or (smallest, largest), got {sigma!r}")
        if not 0.0 < limits[0] <= limits[1]:
            raise ValueError(f"sigma: expected 0 < smallest <= largest, got {limits}")
        self.kernel_size = sizes
        self.sigma = limits

    @staticmethod
    def get_params(sigma_min: float, sigma_max: float) -> float:
        """Draw a standard deviation."""
        return torch.empty(1).uniform_(sigma_min, sigma_max).item()

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw the standard deviation, the same for x and y."""
        sigma = self.uniform(*self.sigma)
        return {"kernel_size": self.kernel_size, "sigma": (sigma, sigma)}


class GaussianNoise(Random, operation=F.gaussian_noise):
    """Adds Gaussian noise; see `functional.gaussian_noise`.

    The images of one call that have the same shape get the same noise.

    Args:
        mean: of the noise, as part of the range from black to white.
        sigma: standard deviation of the noise, likewise.
        clip: cut off at black and white.
        generator: source of random numbers; torch's global one when None.
        per_sample: draw for each sample of a batch by itself.

    Raises:
        ValueError: a negative `sigma`.

    Examples:
        >>> import torch
        >>> noise, image = GaussianNoise(sigma=0.2), torch.zeros(1, 4, 4)
        >>> params = noise.sample(image)
        >>> torch.equal(noise.apply(params, image), noise.apply(params, image))
        True
    """

    mean: float = 0.0
    sigma: float = 0.1
    clip: bool = True

    def __post_init__(self) -> None:
        if self.sigma < 0:
            raise ValueError(f"sigma: expected 0 or more, got {self.sigma}")

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw the seed of the noise, so that `apply` can repeat it."""
        return {"seed": self.integer(0, 2**62)}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Add the noise to one input."""
        kernel = find_kernel(F.gaussian_noise, inpt)
        if kernel is None:
            return inpt
        return kernel(inpt, self.mean, self.sigma, self.clip, generator=seeded(params["seed"], inpt))


class JPEG(Random, operation=F.jpeg):
    """Compresses images as JPEG with a random quality, and decompresses them; see `functional.jpeg`.

    Args:
        quality: 1 (worst) to 100, or (smallest, largest).
        generator: source of random numbers; torch's global one when None.
        per_sample: draw for each sample of a batch instead of once for all.

    Raises:
        TypeError: a quality that is no integer.
        ValueError: values outside 1..100, or in the wrong order.

    Examples:
        >>> import torch
        >>> JPEG((10, 50))(torch.zeros(3, 8, 8, dtype=torch.uint8)).dtype
        torch.uint8
    """

    def __init__(
        self, quality: int | Sequence[int], *, generator: torch.Generator | None = None, per_sample: bool = False
    ) -> None:
        super().__init__(generator=generator, per_sample=per_sample)
        if isinstance(quality, float):
            raise TypeError(f"quality: expected an integer or (smallest, largest), got {quality}")
        limits = (quality, quality) if isinstance(quality, int) else tuple(quality)
        if len(limits) != 2 or not all(isinstance(q, int) for q in limits) or not 1 <= limits[0] <= limits[1] <= 100:
            raise ValueError(f"quality: expected 1..100 or (smallest, largest) of these, got {quality!r}")
        self.quality = limits

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw the quality."""
        return {"quality": self.integer(*self.quality)}
