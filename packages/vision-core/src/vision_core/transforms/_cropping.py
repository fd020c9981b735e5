"""Transforms that cut a part out of images, and of boxes, masks and keypoints."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

from vision_core.transforms import functional as F
from vision_core.transforms._fill import FillByType, check_fill
from vision_core.transforms._interpolation import Interpolation, interpolation_name
from vision_core.transforms._padding import PaddingMode
from vision_core.transforms._query import query_size
from vision_core.transforms._random import Random
from vision_core.transforms._transform import Transform
from vision_core.transforms.functional._crop import center_of, two_sizes
from vision_core.transforms.functional._pad import parse_padding

__all__ = ["CenterCrop", "RandomCrop", "RandomResizedCrop"]

_GLOBAL = Random()  # draws for the static methods


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
        self.size = tuple(two_sizes(self.size))

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self.call(F.center_crop, inpt, self.size)

    def inverse_transform(self, inpt: Any, params: dict[str, Any], canvas_size: tuple[int, int]) -> Any:
        """Put the part back to its place, surrounded with 0."""
        top, left, _, _ = center_of(*canvas_size, self.size)
        return self.call(F.crop, inpt, -top, -left, *canvas_size)


class RandomCrop(Random):
    """Cuts out a region of fixed size at a random place.

    Args:
        size: side of a square, or (height, width).
        padding: border to add first.
        pad_if_needed: add a border as wide as what is missing, on both sides, to images that are too small.
        fill: value of a constant border: one, one per channel, or a dict of these by type of input.
        padding_mode: what the border shows.
        generator: source of random numbers; torch's global one when None.
        per_sample: draw for each sample of a batch instead of once for all.

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
    fill: FillByType = 0
    padding_mode: PaddingMode = "constant"

    def __post_init__(self) -> None:
        self.size = tuple(two_sizes(self.size))
        check_fill(self.fill)
        if self.padding is not None:
            parse_padding(self.padding)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw the region's upper left corner."""
        height, width = two_sizes(self.size)
        full_height, full_width = query_size(flat_inputs)
        left, top, right, bottom = (0, 0, 0, 0) if self.padding is None else parse_padding(self.padding)
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
            "padding": [left, top, right, bottom] if left or top or right or bottom else None,
            "top": self.integer(0, spare_rows) if spare_rows else 0,
            "left": self.integer(0, spare_columns) if spare_columns else 0,
            "height": height,
            "width": width,
        }

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        if params["padding"] is not None:
            inpt = self.call(F.pad, inpt, params["padding"], self.fill_for(inpt), self.padding_mode)
        return self.call(F.crop, inpt, params["top"], params["left"], params["height"], params["width"])

    def inverse_transform(self, inpt: Any, params: dict[str, Any], canvas_size: tuple[int, int]) -> Any:
        """Put the region back to its place, surrounded with 0."""
        left, top, _, _ = params["padding"] or (0, 0, 0, 0)
        return self.call(F.crop, inpt, top - params["top"], left - params["left"], *canvas_size)

    @staticmethod
    def get_params(img: Any, output_size: tuple[int, int]) -> tuple[int, int, int, int]:
        """Draw a region of `output_size` (height, width); return (top, left, height, width)."""
        params = RandomCrop(output_size).make_params([img])
        return params["top"], params["left"], params["height"], params["width"]


class RandomResizedCrop(Random, operation=F.resized_crop):
    """Cuts out a region of random size, shape and place, and resizes it: Szegedy et al. (2014), section 6.

    Args:
        size: of the result: side of a square, or (height, width).
        scale: bounds of the region's share of the image's area.
        ratio: bounds of the region's width / height.
        interpolation: a mode or its name.
        antialias: see `Resize`.
        generator: source of random numbers; torch's global one when None.
        per_sample: draw for each sample of a batch instead of once for all.

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
        self.size = tuple(two_sizes(self.size))
        interpolation_name(self.interpolation)
        for name, bounds in (("scale", self.scale), ("ratio", self.ratio)):
            if len(bounds) != 2:
                raise ValueError(f"{name}: expected (low, high), got {bounds!r}")
            if bounds[0] > bounds[1]:
                warnings.warn(f"{name}: expected (low, high), got {bounds!r}", stacklevel=3)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw the region; after ten that do not fit, take the largest one in the middle of allowed shape."""
        top, left, height, width = _resized_region(self, query_size(flat_inputs), self.scale, self.ratio)
        return {"top": top, "left": left, "height": height, "width": width}

    def inverse_transform(self, inpt: Any, params: dict[str, Any], canvas_size: tuple[int, int]) -> Any:
        """Resize the region back and put it to its place, surrounded with 0."""
        size = [params["height"], params["width"]]
        region = self.call(F.resize, inpt, size, self.interpolation, antialias=self.antialias)
        return self.call(F.crop, region, -params["top"], -params["left"], *canvas_size)

    @staticmethod
    def get_params(img: Any, scale: Sequence[float], ratio: Sequence[float]) -> tuple[int, int, int, int]:
        """Draw a region; return (top, left, height, width)."""
        return _resized_region(_GLOBAL, query_size([img]), scale, ratio)


def _resized_region(
    random: Random, size: tuple[int, int], scale: Sequence[float], ratio: Sequence[float]
) -> tuple[int, int, int, int]:
    height, width = size
    low, high = math.log(ratio[0]), math.log(ratio[1])
    for _ in range(10):
        area = height * width * random.uniform(scale[0], scale[1])
        shape = math.exp(random.uniform(low, high))
        w, h = round(math.sqrt(area * shape)), round(math.sqrt(area / shape))
        if 0 < w <= width and 0 < h <= height:
            return random.integer(0, height - h), random.integer(0, width - w), h, w
    h, w = height, width
    if width < height * min(ratio):
        h = round(width / min(ratio))
    elif width > height * max(ratio):
        w = round(height * max(ratio))
    return (height - h) // 2, (width - w) // 2, h, w
