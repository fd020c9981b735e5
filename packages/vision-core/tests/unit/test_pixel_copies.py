"""Flips, padding and normalisation, against torch's operators, bit for bit."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from vision_core import _pixels
from vision_core._pixels import _copy
from vision_core.transforms import functional as F

Orders = Callable[[Tensor], list[Tensor]]
SHAPES = ((3, 1, 1), (3, 7, 5), (1, 20, 31), (4, 21, 30), (5, 8, 70), (2, 3, 33, 41), (3, 40, 170), (2, 2, 1, 6, 9))


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def test_flips(isa: str, threads: int, memory_orders: Orders, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_copy, "_FLIP_PAYS", 0)
    for shape in SHAPES:
        image = noise(*shape)
        for view in memory_orders(image):
            assert torch.equal(_pixels.horizontal_flip(view), image.flip(-1))
            assert torch.equal(_pixels.vertical_flip(view), image.flip(-2))


def test_small_flips_are_left_to_torch() -> None:
    assert _pixels.horizontal_flip(noise(3, 64, 64)) is None
    assert _pixels.vertical_flip(noise(3, 64, 64)) is None


@pytest.mark.parametrize("mode", ["constant", "edge", "reflect", "symmetric"])
@pytest.mark.parametrize("padding", [(1, 2, 3, 4), (0, 5, 0, 0), (-1, 2, 0, -2), (-9, 0, 12, 0), (40, 0, -60, 0)])
def test_pad(mode, padding: tuple[int, int, int, int], threads: int, memory_orders: Orders) -> None:
    left, top, right, bottom = padding
    for shape in SHAPES:
        image = noise(*shape)
        height, width = shape[-2:]
        spare = {"reflect": 1, "symmetric": 0}.get(mode)
        too_far = spare is not None and (max(left, right) > width - spare or max(top, bottom) > height - spare)
        for view in memory_orders(image):
            fill = [9.0 * c + 4 for c in range(shape[-3])]
            result = _pixels.pad(view, padding, fill, mode)
            if too_far or width + left + right < 1 or height + top + bottom < 1:
                assert result is None
                continue
            around = [(0, 0)] * (len(shape) - 2) + [(max(top, 0), max(bottom, 0)), (max(left, 0), max(right, 0))]
            padded = np.pad(image.numpy(), around, "constant" if mode == "constant" else mode)
            if mode == "constant":
                colour = np.array(fill, dtype=np.uint8).reshape(-1, 1, 1)
                inside = np.pad(np.ones(shape, dtype=bool), around)
                padded = np.where(inside, padded, colour)
            y, x = max(-top, 0), max(-left, 0)
            expected = padded[..., y : y + height + top + bottom, x : x + width + left + right]
            np.testing.assert_array_equal(result.numpy(), expected)


def test_pad_with_one_value_and_bad_fill() -> None:
    padded = _pixels.pad(noise(3, 2, 2), [1, 0, 0, 0], [300.0])
    assert padded is None or (padded[..., 0] == 255).all()
    if padded is not None:
        with pytest.raises(ValueError, match="fill: expected one value or one for each of 3 channels, got 2"):
            _pixels.pad(noise(3, 2, 2), [1, 0, 0, 0], [1.0, 2.0])


def test_normalize(isa: str, threads: int, memory_orders: Orders) -> None:
    for shape in SHAPES:
        image = noise(*shape)
        mean = [0.1 * c + 0.2 for c in range(shape[-3])]
        std = [0.07 * c + 0.1 for c in range(shape[-3])]
        scaled = image.float().mul_(1.0 / 255)
        columns = (torch.tensor(values).view(-1, 1, 1) for values in (mean, std))
        expected = scaled.sub(next(columns)).div(next(columns))
        for view in memory_orders(image):
            assert torch.equal(_pixels.normalize_to_float(view), scaled)
            assert torch.equal(_pixels.normalize_to_float(view, mean, std), expected)
            for dtype in (torch.float16, torch.bfloat16):
                assert torch.equal(_pixels.normalize_to_float(view, mean, std, dtype), expected.to(dtype))


def test_normalize_floats(isa: str, threads: int, memory_orders: Orders) -> None:
    for shape in SHAPES:
        image = torch.randn(shape, generator=torch.Generator().manual_seed(0))
        image.view(-1)[0], image.view(-1)[-1] = math.inf, math.nan
        mean = [0.1 * c + 0.2 for c in range(shape[-3])]
        std = [0.07 * c + 0.1 for c in range(shape[-3])]
        expected = (image - torch.tensor(mean).view(-1, 1, 1)) / torch.tensor(std).view(-1, 1, 1)
        for view in memory_orders(image):
            result = _pixels.normalize(view, mean, std)
            assert torch.equal(result.nan_to_num(9), expected.nan_to_num(9))
            copy = view.clone()
            assert _pixels.normalize(copy, mean, std, inplace=True) is copy
            assert torch.equal(copy.nan_to_num(9), expected.nan_to_num(9))
            assert torch.equal(F.normalize(view, mean, std).nan_to_num(9), expected.nan_to_num(9))
    part = torch.zeros(3, 8, 8)[..., 1:-1]
    assert _pixels.normalize(part, [0.5], [0.5], inplace=True) is None
    assert F.normalize(part, [0.5] * 3, [0.5] * 3, inplace=True) is part
    assert (part == -1).all()
    with pytest.raises(ValueError, match="mean: expected one value or one for each of 3 channels, got 2"):
        _pixels.normalize(part, [0.5, 0.5], [0.5])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_formats_round_as_torch_does(dtype: torch.dtype, isa: str) -> None:
    image = torch.arange(256, dtype=torch.uint8).view(1, 16, 16)
    for std in (1e-9, 1e-5, 3e-3, 1.0, 7.0, 3e4, 1e6, 1e9, 1e40):
        expected = (image.float().mul_(1.0 / 255) - 0.5) / torch.tensor(std)
        assert torch.equal(_pixels.normalize_to_float(image, [0.5], [std], dtype), expected.to(dtype))
    nothing = _pixels.normalize_to_float(image, [float("nan")], [1.0], dtype)
    assert nothing.isnan().all()


def test_normalize_with_wrong_numbers() -> None:
    with pytest.raises(ValueError, match="std: expected one value or one for each of 3 channels, got 2"):
        _pixels.normalize_to_float(noise(3, 2, 2), [0.5], [0.5, 0.5])
    assert _pixels.normalize_to_float(noise(3, 2, 2), [0.5], [0.5], torch.float64) is None
