"""The short way of a JPEG in memory against the general way of the same call, which takes any source."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

from vision_io import DecodeError, LimitError, Limits, decode_jpeg, decode_resized_crop, encode_jpeg
from vision_io._image.jpeg import decode_jpeg_directly, decode_resized_directly
from vision_io._native import kernels

pytestmark = pytest.mark.skipif(
    kernels is None or kernels.jpeg_library is None, reason="this build has no libjpeg-turbo"
)

MODES = ["UNCHANGED", "GRAY", "GRAY_ALPHA", "RGB", "RGB_ALPHA"]


@pytest.fixture(scope="module")
def photo() -> torch.Tensor:
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:61, :83]
    planes = np.stack([120 + 80 * np.sin(x / (9 + c)) * np.cos(y / 7) for c in range(3)]) + rng.normal(
        0, 6, (3, 61, 83)
    )
    data = encode_jpeg(torch.from_numpy(planes.clip(0, 255).astype(np.uint8)), 90)
    assert isinstance(data, torch.Tensor)
    return data


def general(data: torch.Tensor) -> bytes:
    """The same file in a form for which there is no short way."""
    return data.numpy().tobytes()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "region", [None, (0, 0, 61, 83), (7, 11, 30, 41), [60, 82, 1, 1], (16, 16, 16, 16), (0, 82, 61, 1)]
)
def test_regions_and_targets(mode, region, photo):
    expected = decode_jpeg(general(photo), mode, region=region)
    assert isinstance(expected, torch.Tensor)
    assert torch.equal(decode_jpeg(photo, mode, region=region), expected)
    wide = torch.full((expected.shape[0] + 1, expected.shape[1] + 2, expected.shape[2] + 3), 7, dtype=torch.uint8)
    for out in (
        torch.empty_like(expected),
        wide[1:, 1:-1, 2:-1],
        torch.empty(*expected.shape[:2], 2 * expected.shape[2], dtype=torch.uint8)[..., ::2],
    ):
        assert decode_jpeg(photo, mode, region=region, out=out) is out
        assert torch.equal(out, expected)
    assert bool((wide[0] == 7).all())
    assert bool((wide[:, 0] == 7).all())
    assert bool((wide[..., :2] == 7).all())
    assert bool((wide[..., -1] == 7).all())


@pytest.mark.parametrize("mode", MODES[1:])
@pytest.mark.parametrize("region", [None, (7, 11, 30, 41), (60, 82, 1, 1)])
@pytest.mark.parametrize("flip", [False, True])
def test_resized(mode, region, flip, photo):
    channels = {"GRAY": 1, "GRAY_ALPHA": 2, "RGB": 3, "RGB_ALPHA": 4}[mode]
    settings = {"flip": flip, "mean": [0.4] * channels, "std": [0.3] * channels, "mode": mode}
    expected = decode_resized_crop(general(photo), (25, 31), region, **settings)
    assert torch.equal(decode_resized_crop(photo, (25, 31), region, **settings), expected)


@pytest.mark.parametrize(
    "region", [(0, 0, 62, 83), (-1, 0, 5, 5), (0, 0, 0, 5), (0, 0, 5, 0), (61, 0, 1, 1), (1, 2, 3), (1 << 40, 0, 1, 1)]
)
def test_bad_regions(region, photo):
    messages = []
    for data in (photo, general(photo)):
        with pytest.raises(ValueError, match="region: got") as raised:
            decode_jpeg(data, region=region)
        messages.append(str(raised.value))
        with pytest.raises(ValueError, match="region: got"):
            decode_resized_crop(data, 8, region)
    assert messages[0] == messages[1]


def test_what_the_short_way_leaves_to_the_general_one(photo):
    plain = decode_jpeg(photo, "RGB")
    assert torch.equal(decode_jpeg(photo, "RGB", region=np.array([3, 4, 20, 30])), plain[:, 3:23, 4:34])
    for out in (
        torch.empty(3, 61, 82, dtype=torch.uint8),
        torch.empty(3, 61, 83),
        torch.empty(61, 83, dtype=torch.uint8),
    ):
        with pytest.raises(ValueError, match="out: got"):
            decode_jpeg(photo, "RGB", out=out)
    small = Limits(max_pixels=1000)
    for call in (lambda: decode_jpeg(photo, limits=small), lambda: decode_resized_crop(photo, 8, limits=small)):
        with pytest.raises(LimitError):
            call()


def test_damaged_files(photo):
    cut = photo[: len(photo) // 2].clone()
    for call in (lambda: decode_jpeg(cut, region=(0, 0, 60, 80)), lambda: decode_resized_crop(cut, 8)):
        with pytest.raises(DecodeError, match="damaged JPEG"):
            call()
    hurt = photo.clone()
    hurt[-300:-200] = 0x55
    for call in (
        lambda: decode_jpeg(hurt, out=torch.empty(3, 61, 83, dtype=torch.uint8)),
        lambda: decode_resized_crop(hurt, 8),
    ):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                call()
            except DecodeError:
                continue
        assert all(warning.filename == __file__ for warning in caught), [str(w) for w in caught]
    nothing = torch.zeros(64, dtype=torch.uint8)
    with pytest.raises(DecodeError):
        decode_jpeg(nothing, region=(0, 0, 4, 4))


def test_the_short_way_is_taken(photo):
    """It is not only the general way that gives the results above."""
    from vision_io._image.jpeg import Resize
    from vision_io._image.mode import ImageReadMode
    from vision_io._limits import DEFAULT_LIMITS

    assert decode_jpeg_directly(photo, ImageReadMode.RGB, DEFAULT_LIMITS, 2, (1, 2, 3, 4)) is not None
    resize = Resize(4, 5, (1.0,) * 4, (0.0,) * 4)
    out = torch.empty(3, 4, 5)
    assert decode_resized_directly(photo, ImageReadMode.RGB, DEFAULT_LIMITS, 2, None, resize, False, out)


@pytest.mark.parametrize("width", [1, 2, 15, 16, 17, 31, 33, 63, 64, 65, 95, 127, 129, 200])
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
def test_encoded_widths_agree_on_every_isa(width, subsampling, isa):
    """Ends of rows go another way than their vectors; the plain loop is the measure."""
    assert kernels is not None
    picture = torch.from_numpy(np.random.default_rng(width).integers(0, 256, (3, 9, width), dtype=np.uint8))
    data = encode_jpeg(picture, 95, subsampling=subsampling)
    kernels.force_isa("scalar")
    assert torch.equal(torch.as_tensor(data), torch.as_tensor(encode_jpeg(picture, 95, subsampling=subsampling)))


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:0", "4:4:0", "4:1:1"])
def test_every_band_of_rows(subsampling):
    """Where bands begin and end among the rows that are coded together decides what else must be read."""
    picture = torch.from_numpy(np.random.default_rng(3).integers(0, 256, (3, 50, 40), dtype=np.uint8))
    data = encode_jpeg(picture, 95, subsampling=subsampling)
    assert isinstance(data, torch.Tensor)
    whole = decode_jpeg(data)
    assert isinstance(whole, torch.Tensor)
    for top in range(50):
        for bottom in range(top + 1, 51):
            part = decode_jpeg(data, region=(top, 5, bottom - top, 30))
            assert torch.equal(part, whole[:, top:bottom, 5:35]), (top, bottom)
