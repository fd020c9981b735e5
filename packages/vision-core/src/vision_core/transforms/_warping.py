"""Transforms that turn, shear and bend images, and with them boxes, masks and keypoints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from vision_core.transforms import functional as F
from vision_core.transforms._fill import FillByType, check_fill
from vision_core.transforms._interpolation import Interpolation, interpolation_name
from vision_core.transforms._query import query_size
from vision_core.transforms._random import Random, RandomTransform
from vision_core.transforms.functional._affine import forward_affine
from vision_core.transforms.functional._matrix import homography, invert_homography

__all__ = ["ElasticTransform", "RandomAffine", "RandomPerspective", "RandomRotation"]

_GLOBAL = Random()  # draws for the static methods


def _bounds(name: str, value: float | Sequence[float], lengths: tuple[int, ...] = (2,)) -> list[float]:
    """Turn one positive number `x` into `[-x, x]`, and leave bounds as they are."""
    if isinstance(value, (int, float)):
        if value < 0:
            raise ValueError(f"{name}: expected a positive number, or (low, high); got {value}")
        return [-float(value), float(value)]
    bounds = [float(each) for each in value]
    if len(bounds) not in lengths:
        raise ValueError(f"{name}: expected a number or {' or '.join(map(str, lengths))} of them, got {value!r}")
    return bounds


def _check_center(center: Sequence[float] | None) -> None:
    if center is not None and (isinstance(center, str) or len(center) != 2):
        raise ValueError(f"center: expected (x, y), got {center!r}")


class RandomRotation(Random, operation=F.rotate):
    """Turns images by a random angle.

    Args:
        degrees: bounds of the angle, counter-clockwise; one number `x`: from -x to x.
        interpolation: nearest, bilinear or bicubic, or its name.
        expand: make the result large enough for the whole turned image; else it keeps its size.
        center: x and y that stay; the middle of the image when None.
        fill: of what was not in the image: one value, one per channel, or a dict of these by type of input.
        generator: source of random numbers; torch's global one when None.
        per_sample: draw for each sample of a batch instead of once for all.

    Examples:
        >>> import torch
        >>> RandomRotation((90, 90), expand=True)(torch.tensor([[[1, 2]]])).tolist()
        [[[2], [1]]]
    """

    degrees: float | Sequence[float]
    interpolation: Interpolation = "nearest"
    expand: bool = False
    center: Sequence[float] | None = None
    fill: FillByType = 0

    def __post_init__(self) -> None:
        self.degrees = _bounds("degrees", self.degrees)
        interpolation_name(self.interpolation)
        _check_center(self.center)
        check_fill(self.fill)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw the angle."""
        degrees: Any = self.degrees
        return {"angle": self.uniform(degrees[0], degrees[1])}

    def inverse_transform(self, inpt: Any, params: dict[str, Any], canvas_size: tuple[int, int]) -> Any:
        """Turn back, and cut the middle out of an image that had been expanded."""
        if self.expand and self.center is not None:
            raise TypeError("RandomRotation: with expand and a center of its own it cannot be undone")
        fill = self.fill_for(inpt)
        turned = self.call(F.rotate, inpt, -params["angle"], self.interpolation, False, self.center, fill)
        return self.call(F.center_crop, turned, list(canvas_size)) if self.expand else turned

    @staticmethod
    def get_params(degrees: Sequence[float]) -> float:
        """Draw an angle within bounds."""
        return _GLOBAL.uniform(degrees[0], degrees[1])


class RandomAffine(Random, operation=F.affine):
    """Shears, scales, turns and shifts images at random.

    Args:
        degrees: bounds of the angle, clockwise; one number `x`: from -x to x.
        translate: bounds of the shifts, both ways, relative to width and height; no shift when None.
        scale: bounds of the factor; 1 when None.
        shear: bounds of the angle along x, in degrees, or of those along x and along y (four numbers); one number `x`:
            from -x to x, along x; none when None.
        interpolation: nearest, bilinear or bicubic, or its name.
        fill: of what was not in the image: one value, one per channel, or a dict of these by type of input.
        center: x and y that only shifts move; the middle of the image when None.
        generator: source of random numbers; torch's global one when None.
        per_sample: draw for each sample of a batch instead of once for all.

    Examples:
        >>> import torch
        >>> RandomAffine(10, translate=(0.1, 0.1), scale=(0.9, 1.1))(torch.zeros(3, 16, 16)).shape
        torch.Size([3, 16, 16])
    """

    degrees: float | Sequence[float]
    translate: Sequence[float] | None = None
    scale: Sequence[float] | None = None
    shear: float | Sequence[float] | None = None
    interpolation: Interpolation = "nearest"
    fill: FillByType = 0
    center: Sequence[float] | None = None

    def __post_init__(self) -> None:
        self.degrees = _bounds("degrees", self.degrees)
        if self.translate is not None and (len(self.translate) != 2 or not all(0 <= t <= 1 for t in self.translate)):
            raise ValueError(f"translate: expected (x, y), both in 0..1, got {self.translate!r}")
        if self.scale is not None and (len(self.scale) != 2 or min(self.scale) <= 0):
            raise ValueError(f"scale: expected (low, high), both more than 0, got {self.scale!r}")
        self.shear = None if self.shear is None else _bounds("shear", self.shear, (2, 4))
        interpolation_name(self.interpolation)
        _check_center(self.center)
        check_fill(self.fill)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw angle, shift, factor and shear."""
        height, width = query_size(flat_inputs)
        own: Any = self
        drawn = _affine_params(self, own.degrees, own.translate, own.scale, own.shear, (width, height))
        return dict(zip(("angle", "translate", "scale", "shear"), drawn, strict=True))

    def inverse_transform(self, inpt: Any, params: dict[str, Any], canvas_size: tuple[int, int]) -> Any:
        """Move everything back by the inverse matrix."""
        matrix = forward_affine(canvas_size, **params, center=self.center)
        return self.call(F.perspective, inpt, None, None, self.interpolation, self.fill_for(inpt), [*matrix, 0.0, 0.0])

    @staticmethod
    def get_params(
        degrees: Sequence[float],
        translate: Sequence[float] | None,
        scale_ranges: Sequence[float] | None,
        shears: Sequence[float] | None,
        img_size: Sequence[int],
    ) -> tuple[float, tuple[int, int], float, tuple[float, float]]:
        """Draw (angle, shift, factor, shear) for an image of `img_size` (width, height)."""
        return _affine_params(_GLOBAL, degrees, translate, scale_ranges, shears, img_size)


def _affine_params(
    random: Random,
    degrees: Sequence[float],
    translate: Sequence[float] | None,
    scale: Sequence[float] | None,
    shear: Sequence[float] | None,
    size: Sequence[int],
) -> tuple[float, tuple[int, int], float, tuple[float, float]]:
    angle = random.uniform(degrees[0], degrees[1])
    shift = (0, 0)
    if translate is not None:
        limits = [float(share * side) for share, side in zip(translate, size, strict=True)]
        shift = (round(random.uniform(-limits[0], limits[0])), round(random.uniform(-limits[1], limits[1])))
    factor = 1.0 if scale is None else random.uniform(scale[0], scale[1])
    along_x = along_y = 0.0
    if shear is not None:
        along_x = random.uniform(shear[0], shear[1])
        along_y = random.uniform(shear[2], shear[3]) if len(shear) == 4 else 0.0
    return angle, shift, factor, (along_x, along_y)


class RandomPerspective(RandomTransform, operation=F.perspective):
    """Shows images from another point of view, with probability `p`: their corners move inwards at random.

    Args:
        distortion_scale: how far, 0..1; with 1 corners may reach the middle.
        p: probability, 0..1.
        interpolation: nearest, bilinear or bicubic, or its name.
        fill: of what was not in the image: one value, one per channel, or a dict of these by type of input.
        generator: source of random numbers; torch's global one when None.
        per_sample: draw for each sample of a batch instead of once for all.

    Examples:
        >>> import torch
        >>> RandomPerspective(p=1.0)(torch.zeros(3, 16, 16)).shape
        torch.Size([3, 16, 16])
    """

    def __init__(
        self,
        distortion_scale: float = 0.5,
        p: float = 0.5,
        interpolation: Interpolation = "bilinear",
        fill: FillByType = 0,
        *,
        generator: torch.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(p, generator=generator, per_sample=per_sample)
        if not 0 <= distortion_scale <= 1:
            raise ValueError(f"distortion_scale: expected a number in 0..1, got {distortion_scale}")
        interpolation_name(interpolation)
        check_fill(fill)
        self.distortion_scale = distortion_scale
        self.interpolation = interpolation
        self.fill = fill

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw where the corners go."""
        height, width = query_size(flat_inputs)
        while True:
            start, end = _corners(self, width, height, self.distortion_scale)
            try:
                return {"coefficients": homography(end, start)}
            except ValueError:  # in tiny images three corners may get onto a line
                continue

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self.call(F.perspective, inpt, None, None, self.interpolation, self.fill_for(inpt), **params)

    def inverse_transform(self, inpt: Any, params: dict[str, Any], canvas_size: tuple[int, int]) -> Any:
        """Move the corners back."""
        back = invert_homography(params["coefficients"])
        return self.call(F.perspective, inpt, None, None, self.interpolation, self.fill_for(inpt), back)

    @staticmethod
    def get_params(width: int, height: int, distortion_scale: float) -> tuple[list[list[int]], list[list[int]]]:
        """Draw (startpoints, endpoints): upper left, upper right, lower right and lower left corner, (x, y) each."""
        return _corners(_GLOBAL, width, height, distortion_scale)


def _corners(
    random: Random, width: int, height: int, distortion_scale: float
) -> tuple[list[list[int]], list[list[int]]]:
    x, y = int(distortion_scale * (width // 2)), int(distortion_scale * (height // 2))
    right, bottom = width - 1, height - 1
    end = [
        [random.integer(0, x), random.integer(0, y)],
        [random.integer(right - x, right), random.integer(0, y)],
        [random.integer(right - x, right), random.integer(bottom - y, bottom)],
        [random.integer(0, x), random.integer(bottom - y, bottom)],
    ]
    return [[0, 0], [right, 0], [right, bottom], [0, bottom]], end


class ElasticTransform(Random, operation=F.elastic):
    """Moves every pixel of images at random, smoothly: Simard et al. (2003).

    Args:
        alpha: how far, in half pixels, along x and along y, or one number for both.
        sigma: how smoothly: standard deviation in pixels, along x and along y, or one number for both.
        interpolation: nearest, bilinear or bicubic, or its name.
        fill: of what was not in the image: one value, one per channel, or a dict of these by type of input.
        generator: source of random numbers; torch's global one when None.
        per_sample: draw for each sample of a batch instead of once for all.

    Examples:
        >>> import torch
        >>> ElasticTransform()(torch.zeros(3, 48, 48)).shape
        torch.Size([3, 48, 48])
    """

    alpha: float | Sequence[float] = 50.0
    sigma: float | Sequence[float] = 5.0
    interpolation: Interpolation = "bilinear"
    fill: FillByType = 0

    def __post_init__(self) -> None:
        self.alpha, self.sigma = _pair("alpha", self.alpha), _pair("sigma", self.sigma)
        interpolation_name(self.interpolation)
        check_fill(self.fill)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw the displacements."""
        own: Any = self
        return {"displacement": _displacement(self.generator, own.alpha, own.sigma, query_size(flat_inputs))}

    def inverse_transform(self, inpt: Any, params: dict[str, Any], canvas_size: tuple[int, int]) -> Any:
        """Refuse."""
        raise TypeError("ElasticTransform: has no inverse, as several pixels may come from one place")

    @staticmethod
    def get_params(alpha: Sequence[float], sigma: Sequence[float], size: Sequence[int]) -> Tensor:
        """Draw displacements `[1, H, W, 2]` for an image of `size` (height, width)."""
        return _displacement(None, alpha, sigma, (size[0], size[1]))


def _pair(name: str, value: float | Sequence[float]) -> list[float]:
    values = [float(value)] if isinstance(value, (int, float)) else [float(each) for each in value]
    values = values * 2 if len(values) == 1 else values
    if len(values) != 2:
        raise ValueError(f"{name}: expected one number or two, got {value!r}")
    return values


def _displacement(
    generator: torch.Generator | None, alpha: Sequence[float], sigma: Sequence[float], size: tuple[int, int]
) -> Tensor:
    fields = []
    for axis, side in ((0, size[1]), (1, size[0])):
        device = None if generator is None else generator.device
        noise = torch.rand((1, 1, *size), generator=generator, device=device) * 2 - 1
        if sigma[axis] > 0:
            kernel = min(int(8 * sigma[axis] + 1) | 1, 2 * min(size) - 1)  # what the border can reflect
            noise = F.gaussian_blur(noise, [kernel, kernel], [sigma[axis], sigma[axis]])
        fields.append(noise * (alpha[axis] / side))
    return torch.cat(fields, 1).permute(0, 2, 3, 1)
