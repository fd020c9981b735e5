"""Transforms of the geometry of images: their size, what part is seen, which way round."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any, Literal

from vision_core.transforms import functional as F
from vision_core.transforms._interpolation import Interpolation, interpolation_name
from vision_core.transforms._random import Random, RandomTransform
from vision_core.transforms._transform import Transform
from vision_core.transforms.functional._crop import two_sizes
from vision_core.transforms.functional._pad import Fill, parse_padding
from vision_core.transforms.functional._resize import target_size

__all__ = [
    "CenterCrop",
    "Pad",
    "RandomCrop",
    "RandomHorizontalFlip",
    "RandomResizedCrop",
    "RandomVerticalFlip",
    "Resize",
]

PaddingMode = Literal["constant", "edge", "reflect", "symmetric"]


class Resize(Transform):
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

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.resize(inpt, self.size, self.interpolation, self.max_size, self.antialias)


class CenterCrop(Transform):
    """Cuts the middle out of images; smaller ones are surrounded with 0.

    Args:
        size: side of a square, or (height, width).

    Examples:
        >>> import torch
        >>> CenterCrop(2)(torch.arange(16).view(1, 4, 4)).tolist()
        [[[5, 6], [9, 10]]]
    """

    size: int | Sequence[int]

    def __post_init__(self) -> None:
        self.size = two_sizes(self.size)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.center_crop(inpt, self.size)


class Pad(Transform):
    """Adds a border to images; see `functional.pad`.

    Args:
        padding: on all sides, (left and right, top and bottom) or (left, top, right, bottom).
        fill: value of a constant border, one or one per channel.
        padding_mode: what the border shows.
    """

    padding: int | Sequence[int]
    fill: Fill = 0
    padding_mode: PaddingMode = "constant"

    def __post_init__(self) -> None:
        parse_padding(self.padding)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.pad(inpt, self.padding, self.fill, self.padding_mode)


class RandomCrop(Random):
    """Cuts out a region of fixed size at a random place.

    Args:
        size: side of a square, or (height, width).
        padding: border to add first.
        pad_if_needed: add a border as wide as what is missing, on both sides, to images that are too small.
        fill: value of a constant border, one or one per channel.
        padding_mode: what the border shows.
        generator: source of random numbers; torch's global one when None.

    Raises:
        ValueError: an image that is too small, without `pad_if_needed`.

    Examples:
        >>> import torch
        >>> RandomCrop(24)(torch.zeros(3, 32, 32)).shape
        torch.Size([3, 24, 24])
    """

    size: int | Sequence[int]
    padding: int | Sequence[int] | None = None
    pad_if_needed: bool = False
    fill: Fill = 0
    padding_mode: PaddingMode = "constant"

    def __post_init__(self) -> None:
        self.size = two_sizes(self.size)
        if self.padding is not None:
            parse_padding(self.padding)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw the region's upper left corner."""
        height, width = two_sizes(self.size)
        full_height, full_width = F.get_size(flat_inputs[0])
        left, top, right, bottom = parse_padding(0 if self.padding is None else self.padding)
        if self.pad_if_needed:
            missing = max(height - (full_height + top + bottom), 0)
            top, bottom = top + missing, bottom + missing
            missing = max(width - (full_width + left + right), 0)
            left, right = left + missing, right + missing
        spare_rows = full_height + top + bottom - height
        spare_columns = full_width + left + right - width
        if spare_rows < 0 or spare_columns < 0:
            raise ValueError(
                f"RandomCrop: the image of {full_height} x {full_width} with its padding is smaller than {height} x "
                f"{width}; pass pad_if_needed=True, or resize first"
            )
        return {
            "padding": [left, top, right, bottom] if any((left, top, right, bottom)) else None,
            "top": self._draw(spare_rows),
            "left": self._draw(spare_columns),
            "height": height,
            "width": width,
        }

    def _draw(self, spare: int) -> int:
        return self.integer(0, spare) if spare else 0

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        if params["padding"] is not None:
            inpt = F.pad(inpt, params["padding"], self.fill, self.padding_mode)
        return F.crop(inpt, params["top"], params["left"], params["height"], params["width"])


class RandomResizedCrop(Random):
    """Cuts out a region of random size, shape and place, and resizes it: Szegedy et al. (2014), section 6.

    Args:
        size: of the result: side of a square, or (height, width).
        scale: bounds of the region's share of the image's area.
        ratio: bounds of the region's width / height.
        interpolation: a mode or its name.
        antialias: see `Resize`.
        generator: source of random numbers; torch's global one when None.

    Examples:
        >>> import torch
        >>> RandomResizedCrop(16)(torch.zeros(3, 32, 48)).shape
        torch.Size([3, 16, 16])
    """

    size: int | Sequence[int]
    scale: tuple[float, float] = (0.08, 1.0)
    ratio: tuple[float, float] = (3.0 / 4.0, 4.0 / 3.0)
    interpolation: Interpolation = "bilinear"
    antialias: bool | None = True

    def __post_init__(self) -> None:
        self.size = two_sizes(self.size)
        interpolation_name(self.interpolation)
        for name, bounds in (("scale", self.scale), ("ratio", self.ratio)):
            if len(bounds) != 2:
                raise ValueError(f"{name}: expected (low, high), got {bounds!r}")
            if bounds[0] > bounds[1]:
                warnings.warn(f"{name}: expected (low, high), got {bounds!r}", stacklevel=3)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw the region; after ten that do not fit, take the largest one in the middle of allowed shape."""
        height, width = F.get_size(flat_inputs[0])
        low, high = math.log(self.ratio[0]), math.log(self.ratio[1])
        for _ in range(10):
            area = height * width * self._uniform(*self.scale)
            shape = math.exp(self._uniform(low, high))
            w, h = round(math.sqrt(area * shape)), round(math.sqrt(area / shape))
            if 0 < w <= width and 0 < h <= height:
                return {"top": self._place(height - h), "left": self._place(width - w), "height": h, "width": w}
        h, w = height, width
        if width < height * min(self.ratio):
            h = round(width / min(self.ratio))
        elif width > height * max(self.ratio):
            w = round(height * max(self.ratio))
        return {"top": (height - h) // 2, "left": (width - w) // 2, "height": h, "width": w}

    def _uniform(self, low: float, high: float) -> float:
        return self.uniform(low, high)

    def _place(self, spare: int) -> int:
        return self.integer(0, spare)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.resized_crop(
            inpt, **params, size=self.size, interpolation=self.interpolation, antialias=self.antialias
        )


class RandomHorizontalFlip(RandomTransform):
    """Mirrors images left to right with probability `p`.

    Args:
        p: probability, 0..1.
        generator: source of random numbers; torch's global one when None.
    """

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.horizontal_flip(inpt)


class RandomVerticalFlip(RandomTransform):
    """Turns images upside down with probability `p`.

    Args:
        p: probability, 0..1.
        generator: source of random numbers; torch's global one when None.
    """

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.vertical_flip(inpt)
