"""Transforms of the size of images, and with them of boxes, masks and keypoints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vision_core.transforms import functional as F
from vision_core.transforms._interpolation import Interpolation, interpolation_name
from vision_core.transforms._query import query_size
from vision_core.transforms._random import Random
from vision_core.transforms._transform import Transform
from vision_core.transforms.functional._resize import target_size

__all__ = ["RandomResize", "RandomShortestSize", "Resize", "ScaleJitter"]


class Resize(Transform, operation=F.resize):
    """Resizes images; see `functional.resize`.

    Args:
        size: (height, width); or one value, which the shorter side becomes; or None, see `max_size`.
        interpolation: a mode or its name.
        max_size: limit of the longer side; with `size=None` the longer side becomes just that.
        antialias: let every pixel count when the image shrinks.

    Examples:
        >>> import torch
        >>> Resize(240)(torch.zeros(3, 480, 640)).shape
        torch.Size([3, 240, 320])
    """

    size: int | Sequence[int] | None
    interpolation: Interpolation = "bilinear"
    max_size: int | None = None
    antialias: bool | None = True

    def __post_init__(self) -> None:
        interpolation_name(self.interpolation)
        target_size(1, 1, self.size, self.max_size)  # complains now rather than at the first image

    def inverse_transform(self, inpt: Any, params: dict[str, Any], canvas_size: tuple[int, int]) -> Any:
        """Resize back."""
        return self.call(F.resize, inpt, list(canvas_size), self.interpolation, antialias=self.antialias)


class _RandomSize(Random, operation=F.resize):
    """Resizes to a size that is drawn."""

    def inverse_transform(self, inpt: Any, params: dict[str, Any], canvas_size: tuple[int, int]) -> Any:
        """Resize back."""
        own: Any = self
        return self.call(F.resize, inpt, list(canvas_size), own.interpolation, antialias=own.antialias)


class ScaleJitter(_RandomSize):
    """Resizes images to fit a target, times a random factor: "large scale jittering", Ghiasi et al. (2021).

    Args:
        target_size: (height, width) that the image would fit without the factor.
        scale_range: bounds of the factor.
        interpolation: a mode or its name.
        antialias: see `Resize`.
        generator: source of random numbers; torch's global one when None.
        per_sample: draw for each sample of a batch; the results then need one size.

    Examples:
        >>> import torch
        >>> ScaleJitter((32, 32), scale_range=(0.5, 0.5))(torch.zeros(3, 64, 128)).shape
        torch.Size([3, 8, 16])
    """

    target_size: tuple[int, int]
    scale_range: tuple[float, float] = (0.1, 2.0)
    interpolation: Interpolation = "bilinear"
    antialias: bool | None = True

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw the factor."""
        height, width = query_size(flat_inputs)
        low, high = self.scale_range
        factor = low + self.uniform() * (high - low)
        ratio = min(self.target_size[0] / height, self.target_size[1] / width) * factor
        return {"size": (int(height * ratio), int(width * ratio))}


class RandomShortestSize(_RandomSize):
    """Resizes images so that the shorter side gets a size drawn from a list.

    Args:
        min_size: sizes to draw from, or one.
        max_size: limit of the longer side.
        interpolation: a mode or its name.
        antialias: see `Resize`.
        generator: source of random numbers; torch's global one when None.
        per_sample: draw for each sample of a batch; the results then need one size.

    Examples:
        >>> import torch
        >>> RandomShortestSize(32, max_size=48)(torch.zeros(3, 64, 128)).shape
        torch.Size([3, 24, 48])
    """

    min_size: int | Sequence[int]
    max_size: int | None = None
    interpolation: Interpolation = "bilinear"
    antialias: bool | None = True

    def __post_init__(self) -> None:
        self.min_size = [self.min_size] if isinstance(self.min_size, int) else list(self.min_size)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw the size of the shorter side."""
        height, width = query_size(flat_inputs)
        sizes: Any = self.min_size
        ratio = sizes[self.integer(0, len(sizes) - 1)] / min(height, width)
        if self.max_size is not None:
            ratio = min(ratio, self.max_size / max(height, width))
        # `max_size` is the name of an argument of `resize` too, where it has nothing to limit any more.
        return {"size": (int(height * ratio), int(width * ratio)), "max_size": None}


class RandomResize(_RandomSize):
    """Resizes images so that the shorter side gets a random size.

    Args:
        min_size: smallest size of the shorter side.
        max_size: size that it stays below.
        interpolation: a mode or its name.
        antialias: see `Resize`.
        generator: source of random numbers; torch's global one when None.
        per_sample: draw for each sample of a batch; the results then need one size.

    Raises:
        ValueError: `max_size` is not larger than `min_size`.

    Examples:
        >>> import torch
        >>> RandomResize(8, 9)(torch.zeros(3, 16, 32)).shape
        torch.Size([3, 8, 16])
    """

    min_size: int
    max_size: int
    interpolation: Interpolation = "bilinear"
    antialias: bool | None = True

    def __post_init__(self) -> None:
        if self.max_size <= self.min_size:
            raise ValueError(f"max_size: expected more than min_size, {self.min_size}, got {self.max_size}")

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw the size of the shorter side."""
        return {"size": [self.integer(self.min_size, self.max_size - 1)], "max_size": None}
