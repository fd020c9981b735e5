"""Every stored image against the facts and hashes made with Pillow."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, features

from vision_io import DecodeError, MissingDependencyError, decode_avif, decode_heic, read_file, read_image
from vision_io._native import kernels

HEIC = {"heic/animated.heic", "heic/gradient.heic", "heic/gradient_10bit.heic", "heic/gradient_rotated.heic"}
SIXTEEN_BITS = {"png/gradient_16bit.png", "png/rgb_pytorch16.png"}


def _list(shared):
    return json.loads((shared / "data" / "reference" / "images_pillow.json").read_text())


def _hash(pixels: torch.Tensor) -> str:
    return hashlib.sha1(np.ascontiguousarray(pixels.permute(1, 2, 0).numpy()).tobytes()).hexdigest()[:16]


def pytest_generate_tests(metafunc):
    """``image``: every stored image; ``readable``: those that hold pixels."""
    beside = Path(__file__).resolve().parents[4].parent / "shared"
    path = Path(os.environ.get("VISION_SHARED", beside)) / "data" / "reference" / "images_pillow.json"
    facts = json.loads(path.read_text()) if path.exists() else {}
    names = {"image": [name for name in facts if not name.startswith("_")]}
    names["readable"] = [name for name in names["image"] if "error" not in facts[name]]
    for fixture in {"image", "readable"} & set(metafunc.fixturenames):
        none = [pytest.param("", marks=pytest.mark.skip(reason="no real files"))]
        metafunc.parametrize(fixture, names[fixture] or none)


def test_rgb_pixels(image, shared, images):
    facts = _list(shared)[image]
    if image in HEIC:
        pytest.skip("Pillow reads no HEIC; test_heic_equals_its_png compares it")
    if "error" in facts:
        with pytest.raises(DecodeError):
            read_image(images / image, "RGB")
        return
    if facts["format"] == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    first = read_image(images / image, "RGB")
    first = first[0] if first.ndim == 4 else first
    width, height = facts["size"]
    assert first.shape == (3, height, width)
    if image in SIXTEEN_BITS:
        assert first.dtype == torch.uint16
        return
    opened = Image.open(images / image)
    expected = (opened.convert("RGBA") if "transparency" in opened.info else opened).convert("RGB")
    np.testing.assert_array_equal(first.permute(1, 2, 0).numpy(), np.asarray(expected))
    if facts["format"] in ("PNG", "GIF", "BMP"):
        assert _hash(first) == facts["rgb_first_frame"][1]
    if facts["exif_orientation"]:
        turned = read_image(images / image, "RGB", apply_exif_orientation=True)
        assert turned.shape == (3, *facts["rgb_exif_applied"][0][:2])
        if facts["format"] == "PNG":
            assert _hash(turned) == facts["rgb_exif_applied"][1]


def test_unchanged_has_the_channels_of_the_file(readable, shared, images):
    facts = _list(shared)[readable]
    if facts["format"] == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    channels = {"L": 1, "P": 1, "LA": 2, "RGB": 3, "RGBA": 4, "CMYK": 4}[facts["mode"]]
    pixels = read_image(images / readable)
    if facts["format"] in ("GIF", "BMP"):
        channels = 3
    assert pixels.shape[-3] == channels
    assert (pixels.ndim == 4) == (facts["n_frames"] > 1)


@pytest.mark.skipif(kernels is None, reason="no native module")
def test_pixels_do_not_depend_on_the_native_module(readable, shared, images, monkeypatch):
    if _list(shared)[readable]["format"] == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    for mode in ("UNCHANGED", "RGB_ALPHA", "GRAY_ALPHA"):
        with_kernels = read_image(images / readable, mode)
        with monkeypatch.context() as patch:
            patch.setattr("vision_io._image.pillow_pixels.kernels", None)
            patch.setattr("vision_io._image.png16.kernels", None)
            assert torch.equal(read_image(images / readable, mode), with_kernels)


def test_all_exif_orientations_show_the_same_picture(images):
    """The same photo stored in six ways: with its orientation applied each looks like the upright one."""
    upright = read_image(images / "jpeg" / "padlock_exif_no_exif.jpg").double()
    for path in sorted((images / "jpeg").glob("padlock_exif_*.jpg")):
        plain = read_image(path)
        turned = read_image(path, apply_exif_orientation=True)
        expected = np.asarray(_transposed(path))
        np.testing.assert_array_equal(turned.permute(1, 2, 0).numpy(), expected, err_msg=path.name)
        assert plain.shape == upright.shape


def _transposed(path):
    from PIL import ImageOps

    return ImageOps.exif_transpose(Image.open(path))


def test_interlaced_png_equals_its_pair(images):
    folder = images / "png"
    assert torch.equal(read_image(folder / "wizard_low.png"), read_image(folder / "wizard_low-interlaced.png"))


def test_sixteen_bit_png_agrees_with_its_eight_bit_twin(images):
    deep, flat = read_image(images / "png" / "rgb_pytorch16.png"), read_image(images / "png" / "rgb_pytorch.png")
    assert deep.dtype == torch.uint16
    np.testing.assert_array_equal((deep.numpy() / 257).round(), flat.numpy())


@pytest.mark.extra_video
def test_heic_equals_its_png(images):
    pytest.importorskip("av")
    expected = read_image(images / "png" / "gradient.png", "RGB").int()
    straight = read_image(images / "heic" / "gradient.heic")
    assert (straight.int() - expected).abs().max() <= 1  # lossless YCbCr, rounded once to RGB
    turned = read_image(images / "heic" / "gradient_rotated.heic")
    assert torch.equal(turned, torch.rot90(straight, -1, (1, 2)))


@pytest.mark.extra_video
def test_heic_of_many_pictures_and_of_many_bits(images):
    pytest.importorskip("av")
    assert decode_heic(read_file(images / "heic" / "animated.heic")).shape == (3, 3, 48, 64)
    deep = read_image(images / "heic" / "gradient_10bit.heic")
    assert deep.shape == (3, 48, 64)
    assert deep.dtype == torch.uint16
    assert int(deep.int().max()) > 60000
    assert len(np.unique(deep.numpy())) > 256


@pytest.mark.extra_video
def test_deep_avif_refines_its_eight_bits(images):
    pytest.importorskip("av")
    if not features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    data = read_file(images / "avif" / "gradient_10bit.avif")
    deep, flat = decode_avif(data, "RGB", deep=True), decode_avif(data, "RGB")
    assert deep.dtype == torch.uint16
    assert np.abs(deep.numpy() / 257 - flat.numpy()).mean() < 1


def test_heic_without_pyav_names_the_extra(images, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingDependencyError, match="video"):
        read_image(images / "heic" / "gradient.heic")
