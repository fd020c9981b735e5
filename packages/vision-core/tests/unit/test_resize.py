from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor

from vision_core import _native
from vision_core.resampling import resize, resize_reference
from vision_core.transforms import InterpolationMode
from vision_core.transforms import functional as F
from vision_core.transforms.functional._resize import target_size

FILTERS = ("box", "bilinear", "hamming", "bicubic", "lanczos")
SMOOTH = ("box", "bilinear", "hamming")


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def interleaved(image: Tensor) -> Tensor:
    return image.movedim(-3, -1).contiguous().movedim(-1, -3)


def pillow_resize(image: Tensor, size: list[int], name: str) -> Tensor:
    number = getattr(Image.Resampling, name.upper())
    planes = [Image.fromarray(p.numpy()).resize((size[1], size[0]), number) for p in image]
    return torch.stack([F.pil_to_tensor(plane)[0] for plane in planes])


@settings(max_examples=60, deadline=None)
@given(
    source=st.tuples(st.integers(1, 70), st.integers(1, 70)),
    target=st.tuples(st.integers(1, 70), st.integers(1, 70)),
    channels=st.integers(1, 5),
    name=st.sampled_from(FILTERS),
    seed=st.integers(0, 99),
)
def test_every_isa_gives_the_same_bytes_near_the_exact_ones(source, target, channels, name, seed) -> None:
    planar = noise(channels, *source, seed=seed)
    for image in (
        planar,
        interleaved(planar),
        planar.flip(0),
        noise(channels, source[0] + 1, source[1] + 3)[:, 1:, 2:-1],
    ):
        results = []
        for isa in _native.module.isas() if _native.module else []:
            _native.module.force_isa(isa)
            try:
                results.append(resize(image, list(target), name))
            finally:
                _native.module.force_isa(None)
        assert all(torch.equal(result, results[0]) for result in results)
        if name in SMOOTH:
            for result in results[:1]:
                assert (result.int() - resize_reference(image, list(target), name).int()).abs().max() <= 1


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("size", [[20, 31], [90, 64], [41, 7], [90, 130]])
def test_bytes_are_those_of_pillow(backend: str, name: str, size: list[int]) -> None:
    if backend == "reference" and name == "lanczos":
        pytest.skip("Pillow cuts what lanczos overshoots after both passes, torch's float arithmetic once")
    image = noise(3, 41, 64)
    for view in (image, interleaved(image)):
        assert (resize(view, size, name).int() - pillow_resize(image, size, name).int()).abs().max() <= 1


@pytest.mark.parametrize("name", ["bilinear", "bicubic"])
@pytest.mark.parametrize("antialias", [True, False])
@pytest.mark.parametrize("size", [[20, 31], [90, 64], [41, 7], [13, 170], [41, 64]])
def test_bytes_are_those_of_torch(backend: str, threads: int, name: str, antialias: bool, size: list[int]) -> None:
    image = noise(2, 3, 41, 64)
    expected = torch.nn.functional.interpolate(
        image.contiguous(memory_format=torch.channels_last), size, mode=name, antialias=antialias
    )
    for view in (image, interleaved(image)):
        assert (resize(view, size, name, antialias).int() - expected.int()).abs().max() <= 1


def test_constant_images_stay_constant(backend: str) -> None:
    for name in FILTERS:
        for value in (0, 1, 127, 255):
            image = torch.full((3, 50, 40), value, dtype=torch.uint8)
            assert resize(image, [7, 61], name).unique().tolist() == [value]


def test_memory_order_is_kept(backend: str) -> None:
    for image in (noise(3, 30, 40), interleaved(noise(3, 30, 40)), interleaved(noise(2, 4, 30, 40))):
        for size in ([10, 12], [60, 50]):
            result = resize(image, size)
            assert (result.stride(-3) == 1) == (image.stride(-3) == 1)
            assert torch.equal(result.contiguous(), resize(image.contiguous(), size)) or backend != "reference"


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_enlarged_rows(channels: int, isa: str, threads: int) -> None:
    for source, target in (
        ((9, 1), (9, 70)),
        ((7, 64), (20, 65)),
        ((3, 200), (5, 201)),
        ((11, 37), (30, 300)),
        ((2, 90), (9, 91)),
    ):
        image = torch.randint(
            0, 256, (channels, *source), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
        )
        interleaved = image.movedim(0, -1).contiguous().movedim(-1, 0)
        for view in (image, interleaved):
            result = resize(view, list(target), "bilinear")
            exact = resize_reference(image.double(), list(target))
            assert (result - exact).abs().max() <= 1  # two roundings


def test_parts_of_batches(backend: str) -> None:
    planes = torch.randint(0, 256, (2, 5, 4, 30, 40), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    pixels = planes.movedim(-3, -1).contiguous().movedim(-1, -3)
    for batch in (planes, pixels):
        for part in (batch[:, ::2, :3], batch[:, 1:, :, 3:-3, 2:-5], batch[:, :, 1:2], batch[1, :, :2], batch.flip(-1)):
            for name in ("bilinear", "bicubic"):
                expected = resize(part.contiguous(), [9, 8], name)
                assert (resize(part, [9, 8], name).int() - expected.int()).abs().max() <= 1
        single = batch[..., :1, :1]
        assert torch.equal(resize(single, [3, 2], "bicubic"), single.expand(-1, -1, -1, 3, 2))


def test_leading_dimensions_and_empty_batches(backend: str) -> None:
    image = noise(2, 3, 4, 16, 18)
    result = resize(image, [8, 6])
    assert result.shape == (2, 3, 4, 8, 6)
    assert torch.equal(result[1, 2], resize(image[1, 2], [8, 6]))
    assert resize(image[:0], [8, 6]).shape == (0, 3, 4, 8, 6)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_floating_point_equals_the_reference(dtype: torch.dtype) -> None:
    image = torch.rand(3, 21, 30, generator=torch.Generator().manual_seed(0)).to(dtype)
    for name in FILTERS:
        expected = resize_reference(image.double(), [9, 44], name)
        result = resize(image, [9, 44], name)
        assert result.dtype == dtype
        tolerance = {torch.float16: 3e-3, torch.bfloat16: 3e-2, torch.float32: 1e-5, torch.float64: 1e-12}[dtype]
        torch.testing.assert_close(result.double(), expected, atol=tolerance, rtol=0)


def test_other_integers_are_rounded() -> None:
    image = noise(1, 20, 20).to(torch.int32) * 1000
    expected = resize_reference(image.double(), [7, 7])
    assert (resize(image, [7, 7]) - expected).abs().max() <= 0.51
    assert resize(noise(1, 4, 4) > 99, [8, 8], "nearest").dtype == torch.bool


def test_wrong_arguments(backend: str) -> None:
    for size in ([0, 4], [4], [4, 4, 4]):
        with pytest.raises((ValueError, RuntimeError)):
            resize(noise(3, 8, 8), size)
    with pytest.raises(ValueError, match="interpolation"):
        resize(noise(3, 8, 8), [4, 4], "cubic")
    with pytest.raises(ValueError, match="interpolation"):
        F.resize(noise(3, 8, 8), [4, 4], interpolation="cubic")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((480, 640, 240), (240, 320)),
        ((640, 480, 240), (320, 240)),
        ((640, 480, [240]), (320, 240)),
        ((100, 333, 50), (50, 166)),
        ((480, 640, [7, 9]), (7, 9)),
        ((480, 640, 240, 300), (225, 300)),
        ((480, 640, 240, 400), (240, 320)),
        ((640, 480, 240, 300), (300, 225)),
        ((480, 640, None, 320), (240, 320)),
        ((640, 480, None, 320), (320, 240)),
    ],
)
def test_sizes(arguments: tuple, expected: tuple[int, int]) -> None:
    assert target_size(*arguments) == expected


@pytest.mark.parametrize("arguments", [(None,), (240, 240), ([7, 9], 100), ([1, 2, 3],)])
def test_sizes_that_contradict(arguments: tuple) -> None:
    with pytest.raises(ValueError, match="size"):
        target_size(480, 640, *arguments)


def test_pil_images_and_modes() -> None:
    image = F.to_pil_image(noise(3, 40, 60))
    for mode in (InterpolationMode.BICUBIC, "bicubic", 3):
        small = F.resize(image, 20, interpolation=mode)
        assert small.size == (30, 20)
        assert (
            F.pil_to_tensor(small).int() - F.resize(noise(3, 40, 60), 20, interpolation=mode).int()
        ).abs().max() <= 1
    assert F.resize(image, [40, 60]) is image
    tensor = noise(3, 40, 60)
    assert F.resize(tensor, 40) is tensor
    region = F.resized_crop(tensor, 5, 6, 20, 30, [10, 15])
    assert torch.equal(region, F.resize(tensor[:, 5:25, 6:36], [10, 15]))
    assert F.resized_crop(image, 5, 6, 20, 30, [10, 15]).size == (15, 10)
