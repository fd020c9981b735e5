"""WebP, AVIF and GIF: one picture and many."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image, features

import vision_io
from vision_io import EncodeError


@pytest.fixture
def clip() -> torch.Tensor:
    y, x = np.mgrid[:24, :32]
    frames = [np.stack((x * 8, y * 10, 0 * x + 60 * t)) for t in range(4)]
    return torch.from_numpy(np.stack(frames).astype(np.uint8))


@pytest.mark.parametrize("channels", [3, 4])
def test_lossless_webp(clip, channels):
    clip = torch.cat((clip, clip[:, :1]), 1)[:, :channels]
    assert torch.equal(vision_io.decode_webp(vision_io.encode_webp(clip[0], lossless=True), as_mode(channels)), clip[0])
    clip = clip[:, :3]  # pictures with alpha are composed over the ones before
    data = vision_io.encode_webp(clip, lossless=True, fps=5, loop=2)
    assert torch.equal(vision_io.decode_image(data, "RGB"), clip)
    opened = Image.open(io.BytesIO(data.numpy().tobytes()))
    opened.load()
    assert opened.info["duration"] == 200
    assert opened.info["loop"] == 2


def as_mode(channels: int) -> str:
    return "RGB" if channels == 3 else "RGBA"


def test_webp_quality(clip):
    small, large = vision_io.encode_webp(clip[0], 5), vision_io.encode_webp(clip[0], 100)
    assert small.numel() < large.numel()
    assert (vision_io.decode_webp(large).int() - clip[0].int()).abs().float().mean() < 6


def test_gif(clip):
    data = vision_io.encode_gif(clip, fps=20)
    got = vision_io.decode_gif(data)
    assert got.shape == clip.shape
    assert (got.int() - clip.int()).abs().float().mean() < 12
    gray = vision_io.encode_gif(clip[0, :1])
    assert torch.equal(vision_io.decode_gif(gray, "GRAY"), clip[0, :1])
    opened = Image.open(io.BytesIO(data.numpy().tobytes()))
    assert opened.info["duration"] == 50


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
def test_avif(clip):
    one = vision_io.decode_avif(vision_io.encode_avif(clip[0], 95))
    assert (one.int() - clip[0].int()).abs().float().mean() < 4
    many = vision_io.decode_avif(vision_io.encode_avif(clip, 95, speed=10))
    assert many.shape == clip.shape
    assert (many.int() - clip.int()).abs().float().mean() < 5
    with pytest.raises(EncodeError, match="speed"):
        vision_io.encode_avif(clip, speed=11)


def test_what_cannot_be_encoded_is_refused(clip):
    with pytest.raises(EncodeError, match="quality"):
        vision_io.encode_webp(clip, 101)
    with pytest.raises(EncodeError, match="fps"):
        vision_io.encode_gif(clip, fps=0)
    with pytest.raises(EncodeError, match="without pictures"):
        vision_io.encode_webp(clip[:0])
    with pytest.raises(EncodeError, match="expected"):
        vision_io.encode_gif(torch.zeros(4, 5, 6, dtype=torch.uint8))
    with pytest.raises(EncodeError, match="uint8"):
        vision_io.encode_webp(clip.float())
