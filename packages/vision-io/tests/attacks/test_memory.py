"""Memory stays flat over thousands of decodes, bad and good ones."""

from __future__ import annotations

import ctypes
import gc
import io
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import torch

import vision_io
from vision_io import DecodeError, Limits, VideoIndex, optical_flow

STATUS = Path("/proc/self/status")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not STATUS.exists(), reason="needs /proc")]

BAD, GOOD = 10_000, 1_000
FLAT = 12 << 20  # bytes: what the allocators' own habits may add
LARGEST = 6_000  # bytes of an attack: large ones test speed, not leaks
LIMITS = Limits(max_pixels=1 << 16, max_animation_pixels=1 << 18, max_frames=50, max_batch_bytes=1 << 22)


def _resident() -> int:
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    lines = STATUS.read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmRSS:"))


def _grows(decoders: list[Callable[[], object]], times: int) -> int:
    """By how many bytes ``times`` calls grow the process, after as many as it takes to warm all caches up."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for decode in decoders * 2:
            decode()
        for i in range(times // 10):
            decoders[i % len(decoders)]()
        before = _resident()
        for i in range(times):
            decoders[i % len(decoders)]()
        return _resident() - before


def _refuses(decode: Callable[..., object], data: bytes, **options) -> Callable[[], None]:
    def call() -> None:
        with suppress(DecodeError, IndexError):
            decode(data, **options)

    return call


def test_bad_images(attacks):
    names = ("damaged", "any", "limit")
    bad = [data for _, data, expected in attacks("hostile_images") if expected in names and len(data) < LARGEST]
    calls = [_refuses(vision_io.decode_image, data, limits=LIMITS) for data in bad]
    calls += [_refuses(vision_io.decode_jpeg_batch, [data, data], limits=LIMITS, threads=2) for data in bad[::5]]
    calls += [_refuses(vision_io.decode_resized_crop, data, size=9, limits=LIMITS) for data in bad[::5]]
    assert _grows(calls, BAD) < FLAT


def test_bad_tables(attacks, tmp_path):
    calls = []
    for i, (_, data, _) in enumerate(attacks("hostile_tables", "flows")):
        path = tmp_path / f"{i}.flo"
        path.write_bytes(data)
        calls.append(_refuses(optical_flow.read_flow, path, limits=LIMITS))
    files = [data for _, data, _ in attacks("hostile_tables", "indices") if len(data) < LARGEST]
    calls += [_refuses(lambda data: VideoIndex.load(io.BytesIO(data)), data) for data in files]
    assert _grows(calls, BAD) < FLAT


@pytest.mark.extra_video
def test_bad_videos_and_sounds(attacks):
    pytest.importorskip("av")
    bad = [data for _, data, expected in attacks("hostile_containers") if expected != "fine" and len(data) < LARGEST]
    heifs = [data for _, data, _ in attacks("hostile_containers", "pictures") if len(data) < LARGEST]

    def video(data: bytes) -> None:
        with vision_io.VideoDecoder(data, limits=LIMITS) as decoder:
            decoder.get_frames_at([0])

    def sound(data: bytes) -> None:
        with vision_io.AudioDecoder(data, limits=LIMITS) as decoder:
            decoder.get_all_samples()

    calls = [_refuses(video, data) for data in bad] + [_refuses(sound, data) for data in bad]
    calls += [_refuses(vision_io.decode_heic, data, limits=LIMITS) for data in heifs]
    assert _grows(calls, BAD) < FLAT


def test_good_images():
    picture = torch.arange(3 * 60 * 80).reshape(3, 60, 80).remainder(251).to(torch.uint8)
    clip = torch.stack([picture, picture.flip(1)])
    jpeg, png = vision_io.encode_jpeg(picture), vision_io.encode_png(picture)
    others = [vision_io.encode_gif(clip), vision_io.encode_webp(clip), vision_io.encode_webp(picture)]
    calls: list[Callable[[], object]] = [
        lambda: vision_io.decode_jpeg(jpeg),
        lambda: vision_io.decode_jpeg(jpeg, region=(3, 4, 20, 30)),
        lambda: vision_io.decode_jpeg_batch([jpeg] * 4, size=32, threads=2),
        lambda: vision_io.decode_png(png, "RGB_ALPHA"),
        lambda: vision_io.load_image(bytes(png.tolist())),
        lambda: vision_io.encode_jpeg(picture),
        lambda: vision_io.encode_png(picture),
        *[lambda data=data: vision_io.decode_image(data) for data in others],
    ]
    assert _grows(calls, GOOD) < FLAT


@pytest.mark.extra_video
def test_good_videos_and_sounds(moving_bars):
    pytest.importorskip("av")
    wave = vision_io.AudioEncoder(torch.sin(torch.arange(4000.0))[None] / 2, sample_rate=8000).to_tensor("flac")
    sound = wave.numpy().tobytes()

    def video() -> None:
        with vision_io.VideoDecoder(moving_bars) as decoder:
            decoder.get_frames_at([0, 20], size=24)

    def audio() -> None:
        with vision_io.AudioDecoder(sound, sample_rate=16000) as decoder:
            decoder.get_all_samples()

    assert _grows([video, audio], GOOD) < FLAT
