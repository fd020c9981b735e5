"""JPEG through libjpeg-turbo: bit for bit Pillow's pixels, whole, in part and scaled; what is damaged is refused."""

from __future__ import annotations

import contextlib
import io
import os
import struct
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

import vision_io
from vision_io import DecodeError, LimitError, Limits
from vision_io._image.geometry import eighths_for
from vision_io._native import kernels

pytestmark = pytest.mark.skipif(
    kernels is None or kernels.jpeg_library is None, reason="this build has no libjpeg-turbo"
)
STATM = Path("/proc/self/statm")
SAMPLINGS = ["4:4:4", "4:2:2", "4:2:0", "4:4:0", "4:1:1"]
SIZES = [(1, 1), (1, 5), (3, 2), (2, 7), (8, 8), (16, 17), (33, 31), (50, 131), (97, 64), (7, 300)]


def picture(height: int, width: int, channels: int = 3, seed: int = 0) -> torch.Tensor:
    """Smooth with edges and noise: all filters have something to do."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    planes = [127 + 100 * np.sin(x / (3 + c) + y / (5 + c)) + 40 * ((x // 9 + y // 7) % 2) for c in range(channels)]
    noisy = np.stack(planes) + rng.normal(0, 12, (channels, height, width))
    return torch.from_numpy(np.clip(noisy, 0, 255).astype(np.uint8))


def pillow(data: torch.Tensor | bytes, mode: str = "RGB") -> np.ndarray:
    raw = data if isinstance(data, bytes) else data.numpy().tobytes()
    pixels = np.asarray(Image.open(io.BytesIO(raw)).convert(mode))
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


def saved(array: np.ndarray, mode: str | None = None, **options) -> bytes:
    file = io.BytesIO()
    Image.fromarray(array, mode).save(file, "JPEG", **options)
    return file.getvalue()


@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize("size", SIZES)
def test_pixels_equal_pillow_on_every_isa(isa, size, sampling):
    data = vision_io.encode_jpeg(picture(*size), 92, subsampling=sampling)
    np.testing.assert_array_equal(vision_io.decode_jpeg(data).numpy(), pillow(data))


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_every_region_equals_the_crop(isa, sampling, progressive):
    data = vision_io.encode_jpeg(picture(75, 101), 85, subsampling=sampling, progressive=progressive)
    whole = vision_io.decode_jpeg(data)
    np.testing.assert_array_equal(whole.numpy(), pillow(data))
    rng = np.random.default_rng(1)
    for _ in range(25):
        top, left = int(rng.integers(75)), int(rng.integers(101))
        height, width = int(rng.integers(1, 76 - top)), int(rng.integers(1, 102 - left))
        part = vision_io.decode_jpeg(data, region=(top, left, height, width))
        assert torch.equal(part, whole[:, top : top + height, left : left + width])


@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize("eighths", [4, 2, 1])
def test_scaled_decoding_equals_pillows_draft(isa, sampling, eighths):
    height, width = 120, 176
    data = vision_io.encode_jpeg(picture(height, width), 90, subsampling=sampling)
    image = Image.open(io.BytesIO(data.numpy().tobytes()))
    image.draft("RGB", (width * eighths // 8, height * eighths // 8))
    expected = np.asarray(image).transpose(2, 0, 1)
    got = vision_io.decode_jpeg(data, min_size=(height * eighths // 8, width * eighths // 8))
    np.testing.assert_array_equal(got.numpy(), expected)
    part = vision_io.decode_jpeg(data, region=(16, 24, 64, 80), min_size=(64 * eighths // 8, 80 * eighths // 8))
    top, left, rows, columns = (v * eighths // 8 for v in (16, 24, 64, 80))
    np.testing.assert_array_equal(part.numpy(), expected[:, top : top + rows, left : left + columns])


def test_min_size_never_goes_below():
    assert [eighths_for(100, 80, s) for s in (10, 11, 20, 21, 40, 41, 1000, (10, 41))] == [1, 2, 2, 4, 4, 8, 8, 8]
    data = vision_io.encode_jpeg(picture(101, 83))
    for least in (1, 11, 26, 51, 83):
        assert min(vision_io.decode_jpeg(data, min_size=least).shape[1:]) >= least


@pytest.mark.parametrize("mode", ["UNCHANGED", "GRAY", "GRAY_ALPHA", "RGB", "RGB_ALPHA"])
@pytest.mark.parametrize("stored", ["gray", "ycc", "rgb", "cmyk"])
def test_modes_agree_with_the_pillow_backend(isa, stored, mode):
    array = picture(40, 51, 4).permute(1, 2, 0).numpy()
    data = {
        "gray": lambda: saved(array[..., 0]),
        "ycc": lambda: saved(array[..., :3]),
        "rgb": lambda: saved(array[..., :3], keep_rgb=True),
        "cmyk": lambda: saved(array, "CMYK"),
    }[stored]()
    native = vision_io.decode_jpeg(data, mode)
    before = vision_io.get_image_backend()
    vision_io.set_image_backend("pillow")
    try:
        expected = vision_io.decode_jpeg(data, mode)
    finally:
        vision_io.set_image_backend(before)
    assert torch.equal(native, expected)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_regions_refer_to_the_turned_picture(orientation):
    image = Image.fromarray(picture(45, 70).permute(1, 2, 0).numpy())
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    image.save(file, "JPEG", exif=exif)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(file))).transpose(2, 0, 1)
    data = file.getvalue()
    np.testing.assert_array_equal(vision_io.load_image(data).numpy(), expected)
    part = vision_io.load_image(data, region=(3, 8, 20, 31))
    np.testing.assert_array_equal(part.numpy(), expected[:, 3:23, 8:39])
    out = torch.empty(expected.shape, dtype=torch.uint8)
    assert vision_io.load_image(data, out=out) is out
    np.testing.assert_array_equal(out.numpy(), expected)


def test_out_may_be_a_slot_of_a_larger_tensor():
    data = vision_io.encode_jpeg(picture(30, 40))
    expected = vision_io.decode_jpeg(data)
    batch = torch.zeros(2, 3, 32, 48, dtype=torch.uint8)
    assert vision_io.decode_jpeg(data, out=batch[1, :, :30, :40]).data_ptr() == batch[1].data_ptr()
    assert torch.equal(batch[1, :, :30, :40], expected)
    assert int(batch[0].sum()) == 0
    assert int(batch[1, :, 30:].sum()) + int(batch[1, :, :, 40:].sum()) == 0
    turned = torch.zeros(30, 40, 3, dtype=torch.uint8).permute(2, 0, 1)
    assert torch.equal(vision_io.decode_jpeg(data, out=turned), expected)
    with pytest.raises(ValueError, match="out"):
        vision_io.decode_jpeg(data, out=torch.zeros(3, 30, 41, dtype=torch.uint8))
    with pytest.raises(ValueError, match="out"):
        vision_io.decode_jpeg(data, out=torch.zeros(3, 30, 40))


@pytest.mark.parametrize("region", [(0, 0, 0, 4), (-1, 0, 4, 4), (0, 0, 31, 4), (0, 37, 4, 4), (1, 2, 3), "abcd"])
def test_regions_outside_are_refused(region):
    with pytest.raises(ValueError, match="region"):
        vision_io.decode_jpeg(vision_io.encode_jpeg(picture(30, 40)), region=region)


def test_every_source(tmp_path):
    data = vision_io.encode_jpeg(picture(20, 30))
    expected = vision_io.decode_jpeg(data)
    path = tmp_path / "a.jpg"
    vision_io.write_file(path, data)
    assert torch.equal(vision_io.read_file(path, mmap=True), data)
    assert torch.equal(vision_io.load_image(path, mmap=True), expected)
    with path.open("rb") as file:
        assert torch.equal(vision_io.load_image(file), expected)
    assert torch.equal(vision_io.decode_image(io.BytesIO(data.numpy().tobytes())), expected)
    with pytest.raises(TypeError, match="binary"):
        vision_io.load_image(io.StringIO("text"))
    with pytest.raises(DecodeError):
        vision_io.read_file(tmp_path / "none.jpg", mmap=True)
    (tmp_path / "empty").write_bytes(b"")
    with pytest.raises(DecodeError):
        vision_io.load_image(tmp_path / "empty")


@pytest.mark.parametrize("progressive", [False, True])
def test_cut_off_files_are_refused_at_every_length(progressive):
    data = vision_io.encode_jpeg(picture(40, 56), 80, progressive=progressive).numpy().tobytes()
    whole = vision_io.decode_jpeg(data)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for length in range(0, len(data) - 2, 7):
            try:
                part = vision_io.decode_jpeg(data[:length])
            except DecodeError:
                continue
            # The last bits of the data may be padding; then every pixel is there.
            assert not progressive
            assert torch.equal(part, whole)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_flipped_bits_never_crash_nor_leave_pixels_unwritten(seed):
    rng = np.random.default_rng(seed)
    data = bytearray(_progressive if seed % 2 else _baseline)
    for at in rng.integers(2, len(data), int(rng.integers(1, 6))):
        data[at] ^= 1 << int(rng.integers(8))
    limits = Limits(max_pixels=1 << 20)
    results = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for region in (None, None, (3, 5, 9, 8)):
            try:
                results.append(vision_io.decode_image(bytes(data), "RGB", region=region, limits=limits))
            except (DecodeError, ValueError):
                results.append(None)
    if results[0] is not None:
        assert torch.equal(results[0], results[1])


_baseline = vision_io.encode_jpeg(picture(33, 47), 70).numpy().tobytes()
_progressive = vision_io.encode_jpeg(picture(33, 47), 70, progressive=True).numpy().tobytes()


def test_damage_that_can_be_stepped_over_warns():
    data = bytearray(vision_io.encode_jpeg(picture(64, 64), 90).numpy().tobytes())
    data[len(data) // 2 : len(data) // 2 + 40] = bytes(40)
    with pytest.warns(UserWarning, match="damaged JPEG"):
        vision_io.decode_jpeg(bytes(data))


def _with_size(data: bytes, height: int, width: int) -> bytes:
    at = data.index(b"\xff\xc0")
    return data[: at + 5] + struct.pack(">HH", height, width) + data[at + 9 :]


def test_sizes_that_the_header_overstates():
    data = vision_io.encode_jpeg(picture(32, 32)).numpy().tobytes()
    with pytest.raises(LimitError):
        vision_io.decode_jpeg(_with_size(data, 65500, 65500))
    for height, width in ((64, 32), (500, 400), (8000, 8000)):
        with pytest.raises(DecodeError):
            vision_io.decode_jpeg(_with_size(data, height, width)[:-2])
    for height, width in ((0, 32), (32, 0)):
        with pytest.raises(DecodeError):
            vision_io.decode_jpeg(_with_size(data, height, width))


def test_a_thousand_scans_are_refused():
    data = vision_io.encode_jpeg(picture(32, 32), progressive=True).numpy().tobytes()
    last = data.rindex(b"\xff\xda")
    bomb = data[:last] + data[last:-2] * 1000 + data[-2:]
    with pytest.raises(DecodeError, match="scans"):
        vision_io.decode_jpeg(bomb)


@pytest.mark.parametrize("size", [(65500, 1), (1, 65500)])
def test_the_longest_sides(size):
    image = torch.arange(65500, dtype=torch.int64).remainder(251).to(torch.uint8).view(1, *size)
    data = vision_io.encode_jpeg(image)
    np.testing.assert_array_equal(vision_io.decode_jpeg(data).numpy(), pillow(data, "L"))
    with pytest.raises(LimitError):
        vision_io.decode_jpeg(data, limits=Limits(max_side=65499))


def _resident() -> int:
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not STATM.exists(), reason="needs /proc")
def test_bad_files_leak_nothing():
    data = vision_io.encode_jpeg(picture(200, 300), 90).numpy().tobytes()
    bad = [data[: len(data) * i // 10] for i in range(1, 10)] + [data[:300] + b"\xff" + data[301:]]

    def rounds(count: int) -> None:
        for i in range(count):
            with contextlib.suppress(DecodeError):
                vision_io.decode_jpeg(bad[i % len(bad)])

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rounds(300)
        before = _resident()
        rounds(2700)
    assert _resident() - before < 4 << 20


def test_build_info_names_the_library():
    assert "turbo" in vision_io.build_info()["jpeg"]


def test_backends():
    assert vision_io.get_image_backend() == "native"
    with pytest.raises(ValueError, match="backend"):
        vision_io.set_image_backend("accimage")
    vision_io.set_image_backend("PIL")
    try:
        assert vision_io.get_image_backend() == "pillow"
    finally:
        vision_io.set_image_backend("native")


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"optimize": True}])
@pytest.mark.parametrize(("sampling", "number"), [("4:4:4", 0), ("4:2:2", 1), ("4:2:0", 2)])
@pytest.mark.parametrize("size", [(1, 1), (2, 3), (16, 32), (17, 33), (37, 61), (100, 7), (5, 300)])
def test_encoding_equals_pillow_on_every_isa(isa, size, sampling, number, options):
    image = picture(*size)
    data = vision_io.encode_jpeg(image, 83, subsampling=sampling, **options)
    expected = saved(image.permute(1, 2, 0).numpy(), quality=83, subsampling=number, **options)
    assert data.numpy().tobytes() == expected


def test_encoding_takes_any_strides():
    image = picture(30, 44)
    expected = vision_io.encode_jpeg(image)
    assert torch.equal(vision_io.encode_jpeg(image.permute(1, 2, 0).contiguous().permute(2, 0, 1)), expected)
    framed = torch.zeros(3, 40, 60, dtype=torch.uint8)
    framed[:, 5:35, 7:51] = image
    assert torch.equal(vision_io.encode_jpeg(framed[:, 5:35, 7:51]), expected)
    assert torch.equal(vision_io.encode_jpeg(image[:1].expand(3, -1, -1)), vision_io.encode_jpeg(image[[0, 0, 0]]))
    with pytest.raises(vision_io.EncodeError, match="65500"):
        vision_io.encode_jpeg(torch.zeros(1, 1, 65501, dtype=torch.uint8))
    with pytest.raises(vision_io.EncodeError, match="subsampling"):
        vision_io.encode_jpeg(image, subsampling="4:2:3")  # pyright: ignore[reportArgumentType]
