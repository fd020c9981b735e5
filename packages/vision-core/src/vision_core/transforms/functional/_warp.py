"""Resampling images at positions that a mapping gives, with a fill for what lies outside.

Pixel positions are those of torchvision: for an affine mapping and a perspective one, the middle of the pixel in
column `j` lies at `j + 0.5`. 8-bit images go to the native kernels where these apply, all else through
`torch.nn.functional.grid_sample`.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from vision_core import _pixels
from vision_core._direct import nothing_watches
from vision_core.transforms._interpolation import Interpolation, interpolation_name
from vision_core.transforms.functional._matrix import Affine
from vision_core.transforms.functional._pad import Fill

__all__ = ["fill_values", "warp_affine", "warp_displacement", "warp_mode", "warp_perspective"]


def warp_mode(interpolation: Interpolation) -> str:
    """Return the name of a way to interpolate that warps know.

    Raises:
        ValueError: another one.
    """
    name = interpolation_name(interpolation)
    if name not in ("nearest", "bilinear", "bicubic"):
        raise ValueError(f"interpolation: expected nearest, bilinear or bicubic for a warp, got {name}")
    return name


def fill_values(fill: Fill, channels: int) -> list[float] | None:
    """Return one value or one for each channel, None for zeros.

    Raises:
        ValueError: another number of values.
    """
    if fill is None:
        return None
    values = [float(fill)] if isinstance(fill, (int, float)) else [float(value) for value in fill]
    if len(values) not in (1, channels):
        raise ValueError(f"fill: expected one value or one for each of {channels} channels, got {len(values)}")
    return values if any(values) else None


def warp_affine(image: Tensor, matrix: Affine, size: Sequence[int], interpolation: str, fill: Fill) -> Tensor:
    """Warp images by an affine mapping.

    Args:
        image: `[..., C, H, W]`, any dtype.
        matrix: where points of the result come from, both measured from the middle of their image.
        size: `[height, width]` of the result.
        interpolation: "nearest", "bilinear" or "bicubic".
        fill: of what lies outside of `image`.
    """
    values = fill_values(fill, image.shape[-3])
    if _native_agrees(interpolation, values):
        warped = _pixels.warp_affine(image, matrix, size, interpolation, values)  # type: ignore[arg-type]
        if warped is not None:
            return warped
    pixels = _homogeneous(image, size, -0.5)
    grid = _project(pixels, matrix, (image.shape[-1] * 0.5, image.shape[-2] * 0.5))
    return _sample(image, grid, interpolation, values)


def warp_perspective(image: Tensor, coefficients: Sequence[float], interpolation: str, fill: Fill) -> Tensor:
    """Warp images by a perspective mapping; `coefficients` say where points of the result come from."""
    values = fill_values(fill, image.shape[-3])
    height, width = image.shape[-2:]
    if _native_agrees(interpolation, values):
        warped = _pixels.warp_perspective(image, coefficients, (height, width), interpolation, values)  # type: ignore[arg-type]
        if warped is not None:
            return warped
    pixels = _homogeneous(image, (height, width), 0.0)
    depth = _project(pixels, (*coefficients[6:], 1.0), (1.0,))
    grid = _project(pixels, coefficients[:6], (width * 0.5, height * 0.5)).div_(depth).sub_(1.0)
    return _sample(image, grid, interpolation, values)


def warp_displacement(image: Tensor, displacement: Tensor, interpolation: str, fill: Fill) -> Tensor:
    """Warp images by a displacement `[1, H, W, 2]` of each pixel, in units of half the width and half the height."""
    values = fill_values(fill, image.shape[-3])
    if _native_agrees(interpolation, values):
        warped = _pixels.warp_displacement(image, displacement, interpolation, values)  # type: ignore[arg-type]
        if warped is not None:
            return warped
    height, width = image.shape[-2:]
    dtype, device = _exact_dtype(image), image.device
    x = torch.linspace((1 - width) / width, (width - 1) / width, width, dtype=dtype, device=device)
    y = torch.linspace((1 - height) / height, (height - 1) / height, height, dtype=dtype, device=device)
    identity = torch.stack((x.expand(height, width), y[:, None].expand(height, width)), dim=-1)
    return _sample(image, identity + displacement[0].to(identity), interpolation, values)


def _native_agrees(interpolation: str, fill: list[float] | None) -> bool:
    """Whether the native kernels interpolate so, and hold what lies outside: a fill that 8 bits can show."""
    if interpolation not in ("nearest", "bilinear"):
        return False
    return fill is None or (min(fill) >= 0 and max(fill) <= 255)


def _exact_dtype(image: Tensor) -> torch.dtype:
    """Return the floating-point dtype in which the values of `image` are exact and torch can sample."""
    if image.dtype in (torch.float64, torch.int32, torch.int64):
        return torch.float64
    return torch.float32


def _homogeneous(image: Tensor, size: Sequence[int], origin: float) -> Tensor:
    """Return (x, y, 1) of the middles of all pixels: `[height, width, 3]`; `origin` is in parts of the sides."""
    height, width = size
    x, y = _positions(image, width, width * origin), _positions(image, height, height * origin)[:, None]
    pixels = x.new_ones((height, width, 3))
    columns, rows, _ = pixels.unbind(-1)
    columns.copy_(x)
    rows.copy_(y)
    return pixels


def _project(pixels: Tensor, rows: Sequence[float], divisors: Sequence[float]) -> Tensor:
    """Multiply by a matrix whose rows are divided first, in the order of operations that torchvision has.

    Where a position lies between two pixels, its last bit tells which one is nearest.
    """
    matrix = pixels.new_tensor([rows[i : i + 3] for i in range(0, len(rows), 3)])
    if divisors != (1.0,):
        matrix = matrix / pixels.new_tensor(divisors)[:, None]
    projected = torch.mm(pixels.view(-1, 3), matrix.t())
    return projected.view(*pixels.shape[:2], -1)


def _positions(image: Tensor, count: int, start: float) -> Tensor:
    dtype = _exact_dtype(image)
    if image.is_cpu and nothing_watches():
        return _known_positions(count, start, dtype)
    return torch.arange(count, dtype=dtype, device=image.device) + (start + 0.5)


@functools.lru_cache(maxsize=64)
def _known_positions(count: int, start: float, dtype: torch.dtype) -> Tensor:
    """Keep the positions of usual sizes: for a small image, making them takes a fifth of the time."""
    with torch.inference_mode(False):  # what is made within could not be saved for a gradient outside
        return torch.arange(count, dtype=dtype, device="cpu") + (start + 0.5)


def _sample(image: Tensor, grid: Tensor, interpolation: str, fill: list[float] | None) -> Tensor:
    """Sample `[..., C, H, W]` at `[height, width, 2]`, where -1 and 1 are the borders."""
    shape = (*image.shape[:-2], grid.shape[0], grid.shape[1])
    if image.numel() == 0:
        return image.new_zeros(shape)
    # One grid serves all images when these are channels of one.
    planes = image.reshape(1, -1, image.shape[-2], image.shape[-1]).to(grid.dtype)
    if fill is not None:
        planes = torch.cat((planes, torch.ones_like(planes[:, :1])), dim=1)
    sampled = grid_sample(planes, grid[None], mode=interpolation, padding_mode="zeros", align_corners=False)
    if fill is not None:
        sampled, covered = sampled[:, :-1].reshape(shape), sampled[:, -1]
        outside = torch.tensor(fill, dtype=grid.dtype, device=image.device).view(-1, 1, 1)
        if interpolation == "nearest":
            sampled = torch.where(covered < 0.5, outside, sampled)
        else:
            # Zeros have been blended in at the border already; torchvision weighs what is left once more.
            sampled = sampled * covered + (1 - covered) * outside
    sampled = sampled.reshape(shape)
    if image.is_floating_point():
        return sampled.to(image.dtype)
    if interpolation != "nearest":
        sampled = sampled.round()
        if interpolation == "bicubic" and image.dtype != torch.bool:
            limits = torch.iinfo(image.dtype)
            sampled = sampled.clamp(limits.min, limits.max)
    return sampled.to(image.dtype)
