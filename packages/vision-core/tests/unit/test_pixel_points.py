"""Tables of 256 values, against NumPy's arithmetic in float32."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from vision_core import _native, _pixels

Orders = Callable[[Tensor], list[Tensor]]
SHAPES = ((3, 1, 1), (1, 7, 5), (3, 33, 70), (4, 9, 40), (2, 3, 20, 31), (2, 2, 1, 6, 9))
RAMP = np.arange(256, dtype=np.float32)


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def to_bytes(values: np.ndarray) -> np.ndarray:
    return np.clip(values, 0, 255).astype(np.uint8)


def gamma_table(gamma: float, gain: float) -> np.ndarray:
    scaled = np.power(RAMP * np.float32(1 / 255), np.float32(gamma)) * np.float32(gain)
    return (np.clip(scaled, 0, 1) * np.float32(255.999)).astype(np.uint8)


TABLES = {
    "darker": (lambda x: _pixels.adjust_brightness(x, 0.3), to_bytes(RAMP * np.float32(0.3))),
    "brighter": (lambda x: _pixels.adjust_brightness(x, 2.7), to_bytes(RAMP * np.float32(2.7))),
    "gamma": (lambda x: _pixels.adjust_gamma(x, 2.2, 0.9), gamma_table(2.2, 0.9)),
    "gamma 0": (lambda x: _pixels.adjust_gamma(x, 0.0), gamma_table(0.0, 1.0)),
    "invert": (_pixels.invert, 255 - np.arange(256, dtype=np.uint8)),
    "solarize": (lambda x: _pixels.solarize(x, 99.5), to_bytes(np.where(RAMP >= 99.5, 255 - RAMP, RAMP))),
    "posterize": (lambda x: _pixels.posterize(x, 3), np.arange(256, dtype=np.uint8) & 0xE0),
    "posterize 0": (lambda x: _pixels.posterize(x, 0), np.zeros(256, dtype=np.uint8)),
    "posterize 8": (lambda x: _pixels.posterize(x, 8), np.arange(256, dtype=np.uint8)),
}


@pytest.mark.parametrize("name", TABLES)
def test_one_table_for_all(name: str, isa: str, memory_orders: Orders) -> None:
    operation, table = TABLES[name]
    for shape in SHAPES:
        image = noise(*shape)
        expected = torch.from_numpy(table[image.numpy()])
        for view in memory_orders(image):
            result = operation(view)
            assert torch.equal(result, expected)
            if name != "invert" and min(shape[-3:]) > 1:
                assert (result.stride(-3) == 1) == (view.stride(-3) == 1)


def stretched(plane: np.ndarray) -> np.ndarray:
    least, most = plane.min(), plane.max()
    if least == most:
        return plane
    scale = np.float32(most - least) * np.float32(1 / 255)
    return to_bytes((plane.astype(np.float32) - np.float32(least)) / scale)


def equalized(plane: np.ndarray) -> np.ndarray:
    counts = np.bincount(plane.ravel(), minlength=256)
    step = (counts.sum() - counts[counts > 0][-1]) // 255
    if step == 0:
        return plane
    darker = np.concatenate(([0], np.cumsum(counts)[:-1]))
    table = np.clip((darker + step // 2) // step, 0, 255)
    table[0] = 0
    return table[plane].astype(np.uint8)


@pytest.mark.parametrize(("operation", "oracle"), [(_pixels.autocontrast, stretched), (_pixels.equalize, equalized)])
def test_a_table_for_each_plane(operation, oracle, isa: str, threads: int, memory_orders: Orders) -> None:
    images = [noise(*shape) for shape in SHAPES] + [noise(3, 300, 301) // 3 + 40, torch.full((3, 5, 7), 9).byte()]
    for image in images:
        planes = image.numpy().reshape(-1, *image.shape[-2:])
        expected = np.stack([oracle(plane) for plane in planes]).reshape(image.shape)
        for view in memory_orders(image):
            np.testing.assert_array_equal(operation(view).numpy(), expected)


@pytest.mark.parametrize("factor", [0.0, 0.3, 1.0, 1.7])
def test_contrast_about_the_mean_of_gray(factor: float, isa: str, memory_orders: Orders) -> None:
    for shape in ((3, 1, 1), (1, 7, 5), (3, 33, 70), (2, 3, 120, 310)):
        image = noise(*shape)
        exact = image.to(torch.float64)
        gray = exact
        if shape[-3] == 3:
            weights = torch.tensor([2989, 5870, 1140]).view(3, 1, 1)
            gray = ((image.long() * weights).sum(-3, keepdim=True) // 10000).to(torch.float64)
        expected = (factor * exact + (1 - factor) * gray.mean((-3, -2, -1), keepdim=True)).clamp(0, 255).floor()
        for view in memory_orders(image):
            assert (_pixels.adjust_contrast(view, factor) - expected).abs().max() <= 1
    assert _pixels.adjust_contrast(noise(2, 4, 4), 1.5) is None


def test_lut_and_histogram(isa: str, memory_orders: Orders) -> None:
    for shape in SHAPES:
        image = noise(*shape)
        channels = shape[-3]
        table, tables = noise(256, seed=1), noise(channels, 256, seed=2)
        planes = image.reshape(-1, channels, *shape[-2:])
        by_channel = torch.stack([torch.stack([t[p.long()] for t, p in zip(tables, i, strict=True)]) for i in planes])
        counts = torch.stack([torch.bincount(p.flatten(), minlength=256) for p in planes.flatten(0, 1)])
        for view in memory_orders(image):
            assert torch.equal(_pixels.apply_lut(view, table), table[image.long()])
            assert torch.equal(_pixels.apply_lut(view, tables), by_channel.view(shape))
            assert torch.equal(_pixels.histogram(view), counts.view(*shape[:-2], 256))
    with pytest.raises(ValueError, match=r"table: expected \[256\] or \[3, 256\], got \[2, 256\]"):
        _pixels.apply_lut(noise(3, 4, 4), noise(2, 256))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(shape=st.tuples(*[st.integers(1, 5)] + [st.integers(1, 40)] * 2), seed=st.integers(0, 99))
def test_any_size(shape: tuple[int, int, int], seed: int, memory_orders: Orders) -> None:
    image = noise(*shape, seed=seed)
    table = noise(shape[0], 256, seed=seed + 1)
    expected = torch.stack([t[p.long()] for t, p in zip(table, image, strict=True)])
    for name in _native.module.isas() if _native.module else []:
        _native.module.force_isa(name)
        try:
            for view in memory_orders(image):
                assert torch.equal(_pixels.apply_lut(view, table), expected)
        finally:
            _native.module.force_isa(None)


def test_where_it_does_not_apply(monkeypatch: pytest.MonkeyPatch) -> None:
    image = noise(3, 4, 4)
    assert _pixels.adjust_brightness(image.float(), 1.2) is None
    assert _pixels.adjust_brightness(image[0], 1.2) is None
    assert _pixels.adjust_brightness(image[:, :0], 1.2) is None
    assert _pixels.adjust_brightness(image.to("meta"), 1.2) is None

    seen: list[Tensor | None] = []
    torch.func.vmap(lambda x: seen.append(_pixels.adjust_brightness(x, 1.2)) or x)(image[None])
    torch.jit.trace(lambda x: seen.append(_pixels.adjust_brightness(x, 1.2)) or x + 1, image, check_trace=False)
    compiled = torch.compile(lambda x: x + (_pixels.adjust_brightness(x, 1.2) is None), fullgraph=True, backend="eager")
    assert torch.equal(compiled(image), image + 1)
    monkeypatch.setattr(_native, "module", None)
    seen.append(_pixels.adjust_brightness(image, 1.2))
    assert seen == [None] * 3


@pytest.mark.skipif(_native.module is None, reason="the native module is absent")
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("clip", [True, False])
def test_noise_is_cut_to_whole_steps(shape: tuple[int, ...], clip: bool) -> None:
    image = noise(*shape)
    drawn = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    drawn.view(-1)[0] = 1e30
    for scale, shift in ((30.0, 0.0), (100.0, -12.5), (0.0, 3.9), (1e30, 0.0)):
        result = _pixels.add_noise(image, drawn, scale, shift, clip)
        with np.errstate(over="ignore"):
            change = drawn.numpy() * np.float32(scale) + np.float32(shift)
        steps = image.numpy() + np.trunc(np.clip(change, -(2.0**24), 2.0**24)).astype(np.int64)
        expected = np.clip(steps, 0, 255) if clip else steps % 256
        assert result is not None
        assert np.array_equal(result.numpy(), expected.astype(np.uint8))
    assert _pixels.add_noise(image.float(), drawn, 1.0, 0.0, clip) is None
    assert _pixels.add_noise(image, drawn.double(), 1.0, 0.0, clip) is None
    assert _pixels.add_noise(image, drawn[..., :-1], 1.0, 0.0, clip) is None
