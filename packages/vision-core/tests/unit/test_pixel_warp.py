"""Warps, against `grid_sample` in float64, and in float32 where pixels are picked."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vision_core import _native, _pixels

Orders = Callable[[Tensor], list[Tensor]]
SHAPES = ((3, 1, 1), (3, 7, 5), (1, 20, 31), (4, 21, 30), (2, 3, 33, 41), (3, 70, 290))


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def rotation(degrees: float, x: float = 0.0, y: float = 0.0, scale: float = 1.0) -> list[float]:
    c, s = math.cos(math.radians(degrees)) / scale, math.sin(math.radians(degrees)) / scale
    return [c, s, -x, -s, c, -y]


def affine_grid(matrix: list[float], shape: torch.Size, size: tuple[int, int], dtype: torch.dtype) -> Tensor:
    """Give the normalised positions that the pixels of the result come from."""
    height, width = size
    x = torch.linspace(-width * 0.5 + 0.5, width * 0.5 - 0.5, width, dtype=dtype)
    y = torch.linspace(-height * 0.5 + 0.5, height * 0.5 - 0.5, height, dtype=dtype)
    base = torch.stack((x.expand(height, width), y[:, None].expand(height, width), torch.ones(size, dtype=dtype)), -1)
    theta = torch.tensor(matrix, dtype=dtype).view(2, 3).t() / torch.tensor([shape[-1] * 0.5, shape[-2] * 0.5])
    return (base.view(1, -1, 3) @ theta.to(dtype)).view(1, height, width, 2)


def perspective_grid(numbers: list[float], shape: torch.Size, size: tuple[int, int]) -> Tensor:
    height, width = size
    y, x = torch.meshgrid(
        torch.arange(height, dtype=torch.float64) + 0.5, torch.arange(width, dtype=torch.float64) + 0.5, indexing="ij"
    )
    a, b, c, d, e, f, g, h = numbers
    below = g * x + h * y + 1
    u, v = (a * x + b * y + c) / below, (d * x + e * y + f) / below
    return torch.stack((u / (shape[-1] * 0.5) - 1, v / (shape[-2] * 0.5) - 1), -1)[None]


def sampled(image: Tensor, grid: Tensor, mode: str, fill: list[float] | None) -> Tensor:
    batch = image.reshape(-1, *image.shape[-3:]).to(grid.dtype)
    batch = torch.cat((batch, torch.ones_like(batch[:, :1])), 1)
    sample = torch.nn.functional.grid_sample(
        batch, grid.expand(len(batch), -1, -1, -1), mode=mode, padding_mode="zeros", align_corners=False
    )
    values, inside = sample[:, :-1], sample[:, -1:]
    if fill is not None:
        colour = torch.tensor(fill, dtype=grid.dtype).view(1, -1, 1, 1)
        values = (values - colour) * inside + colour
    return values.reshape(*image.shape[:-2], *grid.shape[1:3])


def near(result: Tensor, exact: Tensor) -> bool:
    """Whether a result is the exact one rounded, but for what float32 positions and weights of 14 bits leave open."""
    return bool((result - exact).abs().max() <= 0.5 + 0.2)


MATRICES = (rotation(30, 1.3, -2), rotation(-117, 0, 0.4, 0.7), rotation(90))


@pytest.mark.parametrize("matrix", MATRICES)
@pytest.mark.parametrize("filled", [False, True])
def test_affine(matrix: list[float], filled: bool, isa: str, memory_orders: Orders) -> None:
    for shape in SHAPES:
        image = noise(*shape)
        fill = [50.0 * c + 3 for c in range(shape[-3])] if filled else None
        for size in (shape[-2:], (9, 300)):
            exact = sampled(image, affine_grid(matrix, image.shape, size, torch.float64), "bilinear", fill)
            picked = sampled(image, affine_grid(matrix, image.shape, size, torch.float32), "nearest", fill)
            for view in memory_orders(image):
                assert near(_pixels.warp_affine(view, matrix, size, "bilinear", fill), exact)
                assert torch.equal(_pixels.warp_affine(view, matrix, size, "nearest", fill), picked.to(torch.uint8))


@pytest.mark.parametrize("fill", [None, [200.0]])
def test_perspective(fill: list[float] | None, isa: str, memory_orders: Orders) -> None:
    numbers = [1.1, 0.05, -2.0, -0.04, 0.93, 1.5, 1e-3, 2e-3]
    for shape in SHAPES:
        image = noise(*shape)
        exact = sampled(image, perspective_grid(numbers, image.shape, shape[-2:]), "bilinear", fill)
        for view in memory_orders(image):
            assert near(_pixels.warp_perspective(view, numbers, shape[-2:], "bilinear", fill), exact)


@pytest.mark.parametrize("fill", [None, [7.0]])
def test_displacement(fill: list[float] | None, isa: str, memory_orders: Orders) -> None:
    for shape in SHAPES:
        image = noise(*shape)
        height, width = shape[-2:]
        field = torch.rand(1, height, width, 2, generator=torch.Generator().manual_seed(1)) * 0.4 - 0.2
        y = torch.linspace((1 - height) / height, (height - 1) / height, height)
        x = torch.linspace((1 - width) / width, (width - 1) / width, width)
        grid = torch.stack(torch.meshgrid(y, x, indexing="ij")[::-1], -1)[None] + field
        exact = sampled(image, grid.to(torch.float64), "bilinear", fill)
        picked = sampled(image, grid, "nearest", fill)
        for view in memory_orders(image):
            assert near(_pixels.warp_displacement(view, field, "bilinear", fill), exact)
            assert torch.equal(_pixels.warp_displacement(view, field, "nearest", fill), picked.to(torch.uint8))
    assert _pixels.warp_displacement(noise(3, 4, 4), torch.zeros(1, 4, 5, 2)) is None
    assert _pixels.warp_displacement(noise(3, 4, 4), torch.zeros(1, 4, 4, 2, dtype=torch.float64)) is None


wild = st.sampled_from([0.0, 1.0, -1.0, 1e-30, 1e9, -1e9, 1e38, math.inf, -math.inf, math.nan])


@settings(max_examples=60, deadline=None)
@given(
    shape=st.tuples(st.sampled_from((1, 3, 4)), st.integers(1, 40), st.integers(1, 40)),
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    numbers=st.lists(wild, min_size=8, max_size=8),
    mode=st.sampled_from(("nearest", "bilinear")),
)
def test_any_numbers_stay_inside(shape, size, numbers: list[float], mode: str) -> None:
    image = torch.full(shape, 255, dtype=torch.uint8)
    field = torch.tensor(numbers, dtype=torch.float32).repeat(shape[1] * shape[2] * 2)[: shape[1] * shape[2] * 2]
    for name in _native.module.isas() if _native.module else []:
        _native.module.force_isa(name)
        try:
            for result in (
                _pixels.warp_affine(image, numbers[:6], size, mode, [255.0]),
                _pixels.warp_perspective(image, numbers, size, mode, [255.0]),
                _pixels.warp_displacement(image, field.view(1, shape[1], shape[2], 2), mode, [255.0]),
            ):
                # White inside as outside. At the border the share s of the inside counts twice: 1 - s + s * s >= 3 / 4.
                assert result.min() >= (255 if mode == "nearest" else 191)
        finally:
            _native.module.force_isa(None)


def test_bad_fill() -> None:
    with pytest.raises(ValueError, match="fill: expected one value or one for each of 3 channels, got 2"):
        _pixels.warp_affine(noise(3, 4, 4), rotation(0), [4, 4], fill=[1.0, 2.0])
