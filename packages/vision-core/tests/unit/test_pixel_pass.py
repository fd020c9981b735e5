"""The joined pass over pixels against its steps one by one, and parts of resized images against the whole."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from vision_core import _pixels, resampling
from vision_core._pixels._frames import fill_outside
from vision_core._resize_window import resize_window
from vision_core.transforms import functional as F

NAMES = {
    1: ["brightness", "contrast", "table"],
    2: ["table"],
    3: ["brightness", "contrast", "gray", "hue", "order", "saturation", "table"],
    4: ["table"],
}


def random_step(name: str, rng: random.Random) -> tuple[Any, ...]:
    """A step with numbers that change much."""
    if name == "table":
        return name, bytes(rng.randrange(256) for _ in range(256))
    if name == "order":
        return name, rng.sample(range(3), 3)
    if name == "gray":
        return (name,)
    return name, rng.uniform(-0.5, 0.5) if name == "hue" else rng.uniform(0.4, 1.7)


def in_turn(image: Tensor, steps: list[tuple[Any, ...]]) -> Tensor:
    """What the functionals give one after the other, in torch alone where they have a kernel of their own."""
    for name, *numbers in steps:
        if name == "table":
            image = torch.tensor(list(numbers[0]), dtype=torch.uint8)[image.long()]
        elif name == "gray":
            image = F.rgb_to_grayscale(image, 3)
        elif name == "order":
            image = image[..., numbers[0], :, :]
        else:
            image = getattr(F, f"adjust_{name}")(image, numbers[0])
    return image


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("shape", [(5, 7), (1, 2100), (33, 70), (60, 129)])
def test_steps_together_are_steps_one_by_one(
    channels: int,
    shape: tuple[int, int],
    isa: str,
    threads: int,
    memory_orders: Callable[[Tensor], list[Tensor]],
) -> None:
    rng = random.Random(f"{channels} {shape}")
    generator = torch.Generator().manual_seed(shape[1])
    batch = torch.randint(0, 256, (2, channels, *shape), dtype=torch.uint8, generator=generator)
    for image in [*memory_orders(batch), *memory_orders(batch[0])]:
        steps = [random_step(rng.choice(NAMES[channels]), rng) for _ in range(rng.randrange(6))]
        mirrored, upside_down, planar = (rng.random() < 0.5 for _ in range(3))
        expected = image.flip(-1) if mirrored else image
        expected = in_turn(expected.flip(-2) if upside_down else expected, steps)
        changed = _pixels.pixel_pass(image, steps, mirrored=mirrored, upside_down=upside_down, planar=planar)
        assert changed is not None
        assert torch.equal(changed, expected)
        assert changed.is_contiguous() or not planar
        mean, std = [0.1 * (c + 1) for c in range(channels)], [0.2 + 0.1 * c for c in range(channels)]
        for dtype, numbers in ((torch.float32, {"mean": mean, "std": std}), (torch.bfloat16, {})):
            floats = F.to_dtype(expected, dtype, scale=True)
            floats = F.normalize(floats, mean, std) if numbers else floats
            result = _pixels.pixel_pass(
                image, steps, mirrored=mirrored, upside_down=upside_down, dtype=dtype, planar=planar, **numbers
            )
            assert result is not None
            assert torch.equal(result, floats)


def test_what_the_pass_leaves_to_others() -> None:
    assert _pixels.pixel_pass(torch.zeros(3, 4, 4)) is None
    gray = torch.zeros(1, 4, 4, dtype=torch.uint8)
    assert _pixels.pixel_pass(gray, [("hue", 0.1)]) is None
    many = torch.zeros(4, 4, 5, dtype=torch.uint8).movedim(-1, 0)
    assert _pixels.pixel_pass(many) is None


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic", "lanczos", "box"])
@pytest.mark.parametrize(
    ("source", "size"), [((50, 64), (24, 100)), ((90, 70), (41, 30)), ((40, 30), (40, 30)), ((9, 8), (64, 8))]
)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_part_of_a_resized_image(
    interpolation: str,
    source: tuple[int, int],
    size: tuple[int, int],
    channels: int,
    isa: str,
    memory_orders: Callable[[Tensor], list[Tensor]],
) -> None:
    rng = random.Random(f"{interpolation} {source} {size} {channels}")
    generator = torch.Generator().manual_seed(source[0])
    image = torch.randint(0, 256, (2, channels, *source), dtype=torch.uint8, generator=generator)
    for own in [*memory_orders(image), *memory_orders(image[1])]:
        height, width = rng.randint(1, source[0]), rng.randint(1, source[1])
        top, left = rng.randint(0, source[0] - height), rng.randint(0, source[1] - width)
        rows, columns = rng.randint(1, size[0]), rng.randint(1, size[1])
        window = (rng.randint(0, size[0] - rows), rng.randint(0, size[1] - columns), rows, columns)
        whole = resampling.resize(own[..., top : top + height, left : left + width], list(size), interpolation)
        part = whole[..., window[0] : window[0] + rows, window[1] : window[1] + columns]
        region = (top, left, height, width)
        assert torch.equal(resize_window(own, region, size, window, False, interpolation, True), part)
        assert torch.equal(resize_window(own, region, size, window, True, interpolation, True), part.flip(-1))


@pytest.mark.parametrize("channels", [1, 3])
def test_outside_of_half_planes(channels: int, isa: str, memory_orders: Callable[[Tensor], list[Tensor]]) -> None:
    rng = random.Random(channels)
    x, y = torch.arange(41.0).double() + 0.5, torch.arange(30.0).double()[:, None] + 0.5
    generator = torch.Generator().manual_seed(0)
    batch = torch.randint(0, 256, (2, channels, 30, 41), dtype=torch.uint8, generator=generator)
    edges = [[0.0, 0.0, -1.0], [0.0, 0.0, 1.0], [1.0, 0.0, -3.0], [-1.0, 0.0, 38.0], [0.0, 1.0, -4.0]]
    edges += [[1e-300, 0.0, -1.0], [-1e-300, 0.0, 1.0]]
    edges += [[rng.uniform(-1, 1), rng.uniform(-1, 1), rng.uniform(-20, 20)] for _ in range(20)]
    edges += [[float("nan"), 0.0, 0.0], [float("inf"), 1.0, 0.0]]
    for a, b, c in edges:
        inside = (a * x + (b * y + c) >= 0) & (-0.3 * x + y + 9 >= 0)
        fill = [rng.randrange(256) for _ in range(channels)]
        expected = torch.where(inside, batch, torch.tensor(fill, dtype=torch.uint8).view(-1, 1, 1))
        for image in memory_orders(batch.clone()):
            filled = fill_outside(image.clone(), [a, b, c, -0.3, 1.0, 9.0], fill)
            if a == a and abs(a) != float("inf"):
                assert torch.equal(filled, expected), (a, b, c)
            else:
                assert filled.shape == expected.shape
