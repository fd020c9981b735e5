"""JPEG's losses without the file against Pillow, which writes and reads one: equal to the last bit."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as PILImage
from PIL import features
from torch import Tensor

from vision_core import _native, _pixels
from vision_core.transforms import functional as F

# Other encoders have other tables, other transforms or other chroma.
turbo = pytest.mark.skipif(not features.check_feature("libjpeg_turbo"), reason="this Pillow has another JPEG library")
any_isa = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def by_pillow(image: Tensor, quality: int) -> Tensor:
    file = io.BytesIO()
    pixels = image[0] if len(image) == 1 else image.permute(1, 2, 0)
    PILImage.fromarray(pixels.contiguous().numpy()).save(file, "JPEG", quality=quality)
    decoded = torch.from_numpy(np.array(PILImage.open(file)))
    return decoded[None] if decoded.ndim == 2 else decoded.permute(2, 0, 1)


def picture(kind: str, channels: int, height: int, width: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    if kind == "noise":
        return torch.randint(0, 256, (channels, height, width), dtype=torch.uint8, generator=generator)
    if kind == "extremes":  # the largest coefficients, and overshoots far outside 0..255 at low qualities
        return torch.randint(0, 2, (channels, height, width), dtype=torch.uint8, generator=generator) * 255
    slope, phase = torch.rand(2, channels, 2, 1, 1, generator=generator)
    waves = torch.arange(height)[:, None] * slope[:, 0] + torch.arange(width) * slope[:, 1] + 6 * phase[:, 0]
    return ((waves.sin() + 1) * 127.5).to(torch.uint8)


def by_kernel(image: Tensor, quality: int) -> Tensor:
    result = _pixels.jpeg_loss(image, quality)
    assert result is not None
    return result


kinds = st.sampled_from(["noise", "extremes", "waves"])
sides = st.integers(1, 70)


@turbo
@any_isa
@given(kind=kinds, channels=st.sampled_from([1, 3]), height=sides, width=sides, quality=st.integers(1, 100))
def test_equals_pillow(isa: str, kind: str, channels: int, height: int, width: int, quality: int) -> None:
    image = picture(kind, channels, height, width, seed=quality)
    assert torch.equal(by_kernel(image, quality), by_pillow(image, quality))


@turbo
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("kind", ["noise", "extremes", "waves"])
def test_every_quality(isa: str, kind: str, channels: int) -> None:
    image = picture(kind, channels, 37, 53)
    for quality in range(1, 101):
        assert torch.equal(by_kernel(image, quality), by_pillow(image, quality)), quality


@turbo
@pytest.mark.parametrize("channels", [1, 3])
def test_every_small_size(isa: str, channels: int) -> None:
    for height in range(1, 20):
        for width in range(1, 20):
            image = picture("noise", channels, height, width, seed=height * width)
            assert torch.equal(by_kernel(image, 60), by_pillow(image, 60)), (height, width)


@turbo
@pytest.mark.parametrize("shape", [(3, 1, 65500), (3, 65500, 1), (1, 2, 65500), (3, 480, 640)])
def test_strips_and_threads(isa: str, threads: int, shape: tuple[int, int, int]) -> None:
    image = picture("waves", *shape)
    assert torch.equal(by_kernel(image, 35), by_pillow(image, 35))


def test_a_side_that_no_file_holds_is_left_to_the_encoder() -> None:
    assert _pixels.jpeg_loss(torch.zeros(3, 1, 65501, dtype=torch.uint8), 50) is None


@turbo
@pytest.mark.parametrize("channels", [1, 3])
def test_memory_orders(isa: str, memory_orders: Callable[[Tensor], list[Tensor]], channels: int) -> None:
    image = picture("noise", channels, 21, 35)
    expected = by_pillow(image, 45)
    for same in memory_orders(image):
        before = same.clone()
        assert torch.equal(by_kernel(same, 45), expected)
        assert torch.equal(same, before)
    assert torch.equal(by_kernel(image.flip(-1).mT.mT[..., ::2], 45), by_pillow(image.flip(-1)[..., ::2], 45))


@turbo
@pytest.mark.parametrize("height", [31, 700])  # one group of images, several
def test_batches(isa: str, threads: int, height: int) -> None:
    batch = torch.stack([picture("waves", 3, height, 450, seed=i) for i in range(22)])
    expected = torch.stack([by_pillow(image, 30) for image in batch])
    assert torch.equal(by_kernel(batch, 30), expected)
    assert torch.equal(by_kernel(batch.view(2, 11, 3, height, 450), 30).view_as(batch), expected)
    interleaved = batch.contiguous(memory_format=torch.channels_last)
    result = by_kernel(interleaved, 30)
    assert torch.equal(result, expected)
    assert result.stride() == interleaved.stride()


@turbo
def test_the_function_is_the_same_without_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = torch.stack([picture("noise", 3, 19, 30, seed=i) for i in range(3)])
    with_kernel = F.jpeg(batch, 77)
    monkeypatch.setattr(_native, "module", None)
    assert torch.equal(F.jpeg(batch, 77), with_kernel)


def test_flat_images_stay_flat_and_noise_loses_less_with_quality(isa: str) -> None:
    for value in (0, 100, 255):
        flat = torch.full((1, 9, 9), value, dtype=torch.uint8)
        assert (by_kernel(flat, 95).int() - value).abs().max() <= 1
    image = picture("noise", 1, 64, 64)
    losses = [(by_kernel(image, q).int() - image.int()).abs().double().mean().item() for q in (1, 20, 60, 90, 100)]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 1


def test_other_images_are_left_to_the_caller() -> None:
    assert _pixels.jpeg_loss(torch.zeros(3, 8, 8), 50) is None
    assert _pixels.jpeg_loss(torch.zeros(2, 8, 8, dtype=torch.uint8), 50) is None
    assert _pixels.jpeg_loss(torch.zeros(3, 0, 8, dtype=torch.uint8), 50) is None
