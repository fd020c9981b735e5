"""Batches of JPEGs, and the one pass from bytes to resized, normalised floats."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn.functional import interpolate

import vision_io
from vision_io import BatchDecodeError, DecodeError, LimitError, Limits

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def image(height: int, width: int, seed: int = 0, channels: int = 3) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 256, (channels, height, width)).astype(np.uint8))


@pytest.fixture(scope="module")
def files() -> list[torch.Tensor]:
    sizes = [(40, 56), (33, 17), (120, 80), (8, 8), (1, 1), (64, 200)]
    encoded = [vision_io.encode_jpeg(image(*size, seed)) for seed, size in enumerate(sizes)]
    encoded.append(vision_io.encode_jpeg(image(20, 30, 9, 1)))
    return [data for data in encoded if isinstance(data, torch.Tensor)]


def oracle(pixels, size, flip=False, mean=None, std=None):
    """The float64 truth: resize, mirror, normalise."""
    values = interpolate(pixels[None].double(), size, mode="bilinear", antialias=True, align_corners=False)[0] / 255
    values = values.flip(-1) if flip else values
    shape = (-1, 1, 1)
    mean, std = mean or [0.0] * len(values), std or [1.0] * len(values)
    return (values - torch.tensor(mean).double().view(shape)) / torch.tensor(std).double().view(shape)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_a_batch_equals_one_by_one(isa, files, threads):
    expected = [vision_io.decode_jpeg(data, "RGB") for data in files]
    for got, one in zip(vision_io.decode_jpeg_batch(files, threads=threads), expected, strict=True):
        assert got is not None
        assert torch.equal(got, one)


def test_regions_and_targets(files):
    regions = [(1, 2, 7, 5) if data.numel() > 900 else None for data in files]
    expected = [vision_io.decode_jpeg(data, "RGB", region=r) for data, r in zip(files, regions, strict=True)]
    out = [torch.zeros_like(one) for one in expected]
    got = vision_io.decode_jpeg_batch(files, regions=regions, out=out)
    for a, b, c in zip(got, expected, out, strict=True):
        assert a is c
        assert torch.equal(c, b)


def test_one_bad_file_loses_no_other(files):
    bad = [files[0], files[1][:200], b"", files[2], b"no image at all", files[3]]
    with pytest.raises(BatchDecodeError, match="3 of 6 files failed, the first is number 1") as caught:
        vision_io.decode_jpeg_batch(bad, threads=2)
    assert list(caught.value.failures) == [1, 2, 4]
    assert all(isinstance(error, DecodeError) for error in caught.value.failures.values())
    for i in (0, 3, 5):
        assert torch.equal(caught.value.images[i], vision_io.decode_jpeg(bad[i], "RGB"))
    got = vision_io.decode_jpeg_batch(bad, errors="none")
    assert [i for i, one in enumerate(got) if one is None] == [1, 2, 4]
    batch = vision_io.decode_jpeg_batch(bad, size=8, errors="none")
    assert [i for i in range(6) if not batch[i].any()] == [1, 2, 4]
    with pytest.raises(BatchDecodeError) as caught:
        vision_io.decode_jpeg_batch(bad, size=8)
    assert torch.equal(caught.value.images, batch)


def test_formats_other_than_jpeg_are_failures(files):
    png = vision_io.encode_png(image(4, 5))
    with pytest.raises(BatchDecodeError, match="expected JPEG, got PNG"):
        vision_io.decode_jpeg_batch([files[0], png])


def test_limits_hold_in_batches(files):
    with pytest.raises(BatchDecodeError) as caught:
        vision_io.decode_jpeg_batch(files, limits=Limits(max_pixels=5000))
    assert [type(e) for e in caught.value.failures.values()] == [LimitError, LimitError]


@pytest.mark.parametrize("size", [(32, 32), (5, 90), (224, 224), 1])
def test_resized_batch_equals_the_float64_oracle(isa, files, size):
    flips = [i % 2 == 1 for i in range(len(files))]
    got = vision_io.decode_jpeg_batch(files, size=size, flips=flips, mean=MEAN, std=STD, threads=2)
    pair = (size, size) if isinstance(size, int) else size
    assert got.dtype == torch.float32
    for one, data, flip in zip(got, files, flips, strict=True):
        expected = oracle(vision_io.decode_jpeg(data, "RGB"), pair, flip, MEAN, STD)
        torch.testing.assert_close(one.double(), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("mode", ["GRAY", "GRAY_ALPHA", "RGB", "RGB_ALPHA"])
def test_resized_modes(files, mode):
    got = vision_io.decode_jpeg_batch(files[:3], mode, size=(9, 14))
    for one, data in zip(got, files, strict=False):
        torch.testing.assert_close(one.double(), oracle(vision_io.decode_jpeg(data, mode), (9, 14)), atol=1e-5, rtol=0)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_resized_crop_of_every_format(format, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    options = {"lossless": True} if format == "WEBP" else {}
    Image.fromarray(image(60, 90).permute(1, 2, 0).numpy()).save(file, format, exif=exif, **options)
    upright = vision_io.load_image(file.getvalue())
    region = (5, 6, 40, 44)
    out = torch.empty(3, 24, 20)
    got = vision_io.decode_resized_crop(
        file.getvalue(), (24, 20), region, flip=True, mean=MEAN, std=STD, apply_exif_orientation=True, out=out
    )
    assert got is out
    expected = oracle(upright[:, 5:45, 6:50], (24, 20), True, MEAN, STD)
    torch.testing.assert_close(got.double(), expected, atol=1e-5, rtol=0)


def test_resized_without_the_native_module(files, monkeypatch):
    expected = vision_io.decode_resized_crop(files[0], 16, (2, 3, 30, 40), flip=True, mean=MEAN, std=STD)
    for module in ("_image.backend", "_pixels.resize"):
        monkeypatch.setattr(f"vision_io.{module}.kernels", None)
    got = vision_io.decode_resized_crop(files[0], 16, (2, 3, 30, 40), flip=True, mean=MEAN, std=STD)
    torch.testing.assert_close(got, expected, atol=1e-5, rtol=0)
    batch = vision_io.decode_jpeg_batch(files[:2], size=16)
    assert batch.shape == (2, 3, 16, 16)


def test_scaled_decoding_before_the_resize_is_close():
    smooth = interpolate(image(20, 20)[None].float(), (400, 400), mode="bicubic").clamp(0, 255)[0].to(torch.uint8)
    data = vision_io.encode_jpeg(smooth, 95)
    whole = vision_io.decode_resized_crop(data, 64)
    scaled = vision_io.decode_resized_crop(data, 64, min_size=128)
    assert (whole - scaled).abs().mean() < 0.01


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"regions": [None]}, "regions"),
        ({"flips": [True]}, "flips"),
        ({"mean": MEAN}, "size="),
        ({"size": 0}, "size"),
        ({"size": (3, 4, 5)}, "size"),
        ({"size": 8, "mean": [0.5]}, "mean"),
        ({"size": 8, "std": [0.0, 1.0, 1.0]}, "std"),
        ({"size": 8, "mode": "UNCHANGED"}, "UNCHANGED"),
        ({"size": 8, "out": torch.zeros(1, 3, 8, 8)}, "out"),
        ({"out": [torch.zeros(1)]}, "out"),
        ({"errors": "ignore"}, "errors"),
    ],
)
def test_wrong_arguments_are_named(files, arguments, message):
    with pytest.raises(ValueError, match=message):
        vision_io.decode_jpeg_batch(files, **arguments)


def test_an_empty_batch():
    assert vision_io.decode_jpeg_batch([]) == []
    assert vision_io.decode_jpeg_batch([], size=8).shape == (0, 3, 8, 8)
