"""Colours, against float64 arithmetic by the textbook."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from vision_core import _pixels

Orders = Callable[[Tensor], list[Tensor]]
SHAPES = ((3, 1, 1), (3, 7, 5), (3, 33, 70), (2, 3, 20, 31), (3, 60, 150))


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def gray_of(image: Tensor) -> Tensor:
    return (image.long() * torch.tensor([2989, 5870, 1140]).view(3, 1, 1)).sum(-3, keepdim=True) // 10000


def turned(image: Tensor, factor: float) -> Tensor:
    """Convert to hue, saturation and value, turn the hue, and convert back."""
    r, g, b = (image.to(torch.float64) / 255).unbind(-3)
    value, least = torch.maximum(torch.maximum(r, g), b), torch.minimum(torch.minimum(r, g), b)
    span = value - least
    safe = torch.where(span > 0, span, 1.0)
    sector = torch.where(value == r, (g - b) / safe, torch.where(value == g, 2 + (b - r) / safe, 4 + (r - g) / safe))
    sector = torch.remainder(sector + 6 * factor, 6)
    saturation = torch.where(value > 0, span / torch.where(value > 0, value, 1.0), 0.0)
    channels = []
    for shift in (5, 3, 1):
        k = torch.remainder(shift + sector, 6)
        channels.append(value * (1 - saturation * torch.minimum(k, 4 - k).clamp(0, 1)))
    return (torch.stack(channels, -3) * 255.999).floor().clamp(0, 255)


def test_gray(isa: str, memory_orders: Orders) -> None:
    for shape in SHAPES:
        image = noise(*shape)
        expected = gray_of(image).to(torch.uint8)
        for view in memory_orders(image):
            assert torch.equal(_pixels.rgb_to_grayscale(view), expected)
            assert torch.equal(_pixels.rgb_to_grayscale(view, 3), expected.expand(shape))


def test_gray_is_exact_where_the_sum_is_a_whole_number(isa: str) -> None:
    red, green = torch.meshgrid(torch.arange(256), torch.arange(256), indexing="ij")
    for blue in range(0, 256, 50):
        image = torch.stack((red, green, torch.full_like(red, blue))).to(torch.uint8)
        assert torch.equal(_pixels.rgb_to_grayscale(image).long(), gray_of(image))


@pytest.mark.parametrize("factor", [0.0, 0.4, 1.0, 1.7])
def test_saturation(factor: float, isa: str, threads: int, memory_orders: Orders) -> None:
    for shape in SHAPES:
        image = noise(*shape)
        exact = (factor * image.to(torch.float64) + (1 - factor) * gray_of(image)).clamp(0, 255)
        for view in memory_orders(image):
            result = _pixels.adjust_saturation(view, factor)
            # Rounded down, but for the rounding of the float32 operations before.
            assert ((result <= exact + 1e-3) & (result > exact - 1 - 1e-3)).all()


@pytest.mark.parametrize("factor", [-0.5, -0.21, 0.0, 0.04, 0.3, 0.5])
def test_hue(factor: float, isa: str, memory_orders: Orders) -> None:
    for shape in SHAPES:
        image = noise(*shape)
        image[..., :1] = image[..., :1, :, :1]  # some gray ones
        expected = turned(image, factor)
        for view in memory_orders(image):
            difference = (_pixels.adjust_hue(view, factor) - expected).abs()
            assert difference.max() <= 1
            assert (difference > 0).double().mean() < 0.02 or image.numel() < 1000


STEPS = (("brightness", 1.2), ("contrast", 0.8), ("saturation", 1.4), ("hue", -0.1))


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[::3])
def test_a_chain_is_its_steps_one_after_the_other(order: tuple[int, ...], isa: str, memory_orders: Orders) -> None:
    steps = [STEPS[i] for i in order]
    for shape in ((3, 1, 1), (3, 33, 70), (2, 3, 20, 131)):
        image = noise(*shape)
        expected = image
        for name, factor in steps:
            expected = getattr(_pixels, f"adjust_{name}")(expected, factor)
        for view in memory_orders(image):
            assert torch.equal(_pixels.colour_chain(view, steps), expected)
            assert torch.equal(_pixels.colour_chain(view, []), image)
    assert _pixels.colour_chain(noise(1, 4, 4), steps) is None
