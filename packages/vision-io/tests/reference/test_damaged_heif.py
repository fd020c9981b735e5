"""Damaged HEIC and AVIF files: an error that says so, or a picture, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from vision_io import DecodeError, LimitError, Limits, decode_avif, decode_heic, decode_image

pytestmark = pytest.mark.extra_video
NAMES = ["heic/animated.heic", "heic/gradient_10bit.heic", "avif/gradient_10bit.avif"]


def _try(data: bytes) -> bool:
    limits = Limits(max_pixels=1 << 20)
    try:
        if b"ftypavif" in data[:16]:
            decode_avif(data, deep=True, limits=limits)
        else:
            decode_image(data, "RGB", limits=limits)
    except DecodeError:
        return False
    return True


@pytest.mark.parametrize("name", NAMES)
def test_cut_off_files(images, name):
    pytest.importorskip("av")
    data = (images / name).read_bytes()
    assert _try(data)
    refused = sum(not _try(data[:length]) for length in range(0, len(data), max(7, len(data) // 60)))
    assert refused >= 25


@pytest.mark.parametrize("name", NAMES)
def test_changed_bytes(images, name):
    pytest.importorskip("av")
    data = (images / name).read_bytes()
    rng = np.random.default_rng(4)
    refused = 0
    for _ in range(120):
        broken = bytearray(data)
        for at in rng.integers(12, min(len(data), 600), 3):
            broken[at] = int(rng.integers(256))
        refused += not _try(bytes(broken))
    assert refused > 5


def test_limits(images):
    pytest.importorskip("av")
    data = (images / "heic" / "gradient.heic").read_bytes()
    with pytest.raises(LimitError, match="1280x720"):
        decode_heic(data, limits=Limits(max_pixels=1000))
    at = data.index(b"ispe") + 8
    huge = data[:at] + b"\x7f\xff\xff\xff" * 2 + data[at + 8 :]
    with pytest.raises(LimitError):
        decode_heic(huge)
