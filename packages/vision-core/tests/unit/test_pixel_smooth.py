"""Blur and sharpness, against sums in float64."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from vision_core import _native, _pixels

Orders = Callable[[Tensor], list[Tensor]]
SHAPES = ((3, 7, 9), (1, 20, 31), (4, 21, 30), (2, 3, 33, 41), (3, 40, 170), (2, 2, 1, 6, 9))


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def window(size: int, sigma: float) -> Tensor:
    at = torch.arange(size, dtype=torch.float64) - size // 2
    weights = torch.exp(-0.5 * (at / sigma) ** 2)
    return weights / weights.sum()


def blurred(image: Tensor, size: list[int], sigma: list[float]) -> Tensor:
    """Sum over the whole window at once."""
    planes = image.reshape(-1, 1, *image.shape[-2:]).to(torch.float64)
    x, y = size[0] // 2, size[1] // 2
    padded = torch.nn.functional.pad(planes, (x, x, y, y), mode="reflect")
    kernel = window(size[1], sigma[1])[:, None] * window(size[0], sigma[0])
    return torch.nn.functional.conv2d(padded, kernel[None, None]).view(image.shape)


BLURS = (([3, 3], [0.8, 0.8]), ([5, 5], [1.1, 1.1]), ([1, 7], [2.0, 30.0]), ([13, 3], [0.3, 9.0]), ([1, 1], [1.0, 1.0]))


@pytest.mark.parametrize(("size", "sigma"), BLURS)
def test_blur(size: list[int], sigma: list[float], isa: str, memory_orders: Orders) -> None:
    for shape in SHAPES:
        image = noise(*shape)
        if size[0] // 2 >= shape[-1] or size[1] // 2 >= shape[-2]:
            assert _pixels.gaussian_blur(image, size, sigma) is None
            continue
        exact = blurred(image, size, sigma)
        for view in memory_orders(image):
            assert (_pixels.gaussian_blur(view, size, sigma) - exact).abs().max() <= 0.5 + 0.15
            real = view / 255
            assert (_pixels.gaussian_blur(real, size, sigma) - exact / 255).abs().max() <= 2e-6


def test_wide_window(isa: str) -> None:
    image = noise(1, 60, 70)
    exact = blurred(image, [41, 61], [15.0, 20.0])
    assert (_pixels.gaussian_blur(image, [41, 61], [15.0, 20.0]) - exact).abs().max() <= 0.51
    white = torch.full((3, 110, 70), 255, dtype=torch.uint8)
    for size in ([101, 201], [25, 25], [23, 5]):
        assert torch.equal(_pixels.gaussian_blur(white, size, [1e3, 1e3]), white)
        interleaved = white.permute(1, 2, 0).contiguous().permute(2, 0, 1)
        assert _pixels.gaussian_blur(interleaved, size, [1e3, 1e3]).stride() == interleaved.stride()


def test_blur_of_what_needs_a_gradient_is_left_to_torch() -> None:
    image = torch.rand(3, 8, 8, requires_grad=True)
    assert _pixels.gaussian_blur(image, [3, 3], [1.0, 1.0]) is None
    with torch.no_grad():
        assert _pixels.gaussian_blur(image, [3, 3], [1.0, 1.0]) is not None or _native.module is None


def sharpened(image: Tensor, factor: float) -> Tensor:
    planes = image.reshape(-1, 1, *image.shape[-2:]).to(torch.float64)
    result = planes.clone()
    if min(image.shape[-2:]) > 2:
        kernel = torch.ones(1, 1, 3, 3, dtype=torch.float64)
        kernel[0, 0, 1, 1] = 5
        inside = planes[..., 1:-1, 1:-1]
        smooth = (torch.nn.functional.conv2d(planes, kernel) / 13).round()
        result[..., 1:-1, 1:-1] = (smooth + factor * (inside - smooth)).clamp(0, 255)
    return result.view(image.shape)


@pytest.mark.parametrize("factor", [0.0, 0.5, 1.0, 2.0, 3.3])
def test_sharpness(factor: float, isa: str, threads: int, memory_orders: Orders) -> None:
    for shape in (*SHAPES, (3, 2, 9), (3, 9, 2), (3, 1, 1)):
        image = noise(*shape)
        exact = sharpened(image, factor)
        for view in memory_orders(image):
            result = _pixels.adjust_sharpness(view, factor)
            assert ((result <= exact + 1e-3) & (result > exact - 1 - 1e-3)).all()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    shape=st.tuples(st.integers(1, 4), st.integers(1, 40), st.integers(1, 40)),
    radii=st.tuples(st.integers(0, 6), st.integers(0, 6)),
    sigma=st.floats(0.1, 8),
)
def test_any_size(shape, radii, sigma: float, memory_orders: Orders) -> None:
    image = noise(*shape)
    size = [2 * radii[0] + 1, 2 * radii[1] + 1]
    if radii[0] >= shape[2] or radii[1] >= shape[1]:
        return
    exact, sharp = blurred(image, size, [sigma, sigma]), sharpened(image, 1.5)
    for name in _native.module.isas() if _native.module else []:
        _native.module.force_isa(name)
        try:
            for view in memory_orders(image):
                assert (_pixels.gaussian_blur(view, size, [sigma, sigma]) - exact).abs().max() <= 0.65
                assert (_pixels.adjust_sharpness(view, 1.5) - sharp).abs().max() <= 1.001
        finally:
            _native.module.force_isa(None)
