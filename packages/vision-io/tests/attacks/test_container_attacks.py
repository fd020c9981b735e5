"""Hostile videos, sounds and HEIF files through every public way in."""

from __future__ import annotations

import contextlib
import io

import pytest
import torch

pytest.importorskip("av")

import vision_io
from vision_io import AudioDecoder, DecodeError, Limits, VideoDecoder, VideoReader

pytestmark = pytest.mark.extra_video


@pytest.fixture(scope="module")
def files(attacks):
    return attacks("hostile_containers")


def frames_of(source, **options) -> torch.Tensor:
    """The first, the middle and the last frame, and what is known without decoding."""
    with VideoDecoder(source, **options) as decoder:
        assert decoder.metadata.num_frames == len(decoder) == len(decoder.pts_seconds)
        assert decoder.key_frames
        assert len(decoder.index) == len(decoder)
        return decoder.get_frames_at([0, len(decoder) // 2, len(decoder) - 1]).data


def samples_of(source, **options) -> torch.Tensor:
    decoder = AudioDecoder(source, **options)
    with decoder:
        with contextlib.suppress(IndexError):  # nothing may be played there
            decoder.get_samples_played_in_range(0.0, 0.01)
        return decoder.get_all_samples().data


SILENT = ("wav", "flac", "mp3", "ogg", "au", "aiff")


def test_videos(probe, files):
    for name, data, expected in files:
        expected = "damaged" if name.startswith(SILENT) else expected
        probe(name, expected, lambda data=data: frames_of(data))
    probe.verdict()


def test_videos_by_path_and_file(probe, files, tmp_path):
    path = tmp_path / "clip.avi"  # most are misnamed
    for name, data, expected in files:
        if name.startswith(SILENT):
            continue
        path.write_bytes(data)
        probe(f"{name}, path", expected, lambda: frames_of(path, num_threads=2, layout="CTHW"))
        probe(f"{name}, file", expected, lambda data=data: frames_of(io.BytesIO(data), size=8))
    probe.verdict()


def test_classic_readers(probe, files, tmp_path):
    path = tmp_path / "clip.mp4"
    for name, data, expected in files:
        loose = "any" if name.startswith(SILENT) else expected
        path.write_bytes(data)
        probe(f"{name}, read_video", loose, lambda: vision_io.read_video(path, pts_unit="sec")[0])
        probe(f"{name}, timestamps", "any", lambda: vision_io.read_video_timestamps(path, "sec"))
        probe(f"{name}, reader", "any", lambda: [next(VideoReader(str(path)), None) for _ in range(3)])
        probe(f"{name}, sound", "any", lambda: list(zip(range(9), VideoReader(str(path), "audio"), strict=False)))
    probe.verdict()


def test_sounds(probe, files):
    limits = Limits(max_batch_bytes=64 << 20)
    for name, data, expected in files:
        own = expected if name.startswith(SILENT) else "any"
        probe(name, own, lambda data=data: samples_of(data, limits=limits))
        probe(
            f"{name}, mixed",
            "any",
            lambda data=data: samples_of(data, limits=limits, sample_rate=48000, num_channels=2),
        )
    probe.verdict()


def test_many_at_once(probe, files):
    data = [data for _, data, _ in files]
    first = lambda decoder: decoder[0]  # noqa: E731
    results = probe("all", "any", lambda: vision_io.decode_clips(data, first, threads=2, on_error="skip"))
    assert results is not None
    assert len(results) == len(data)
    probe.verdict()


@pytest.mark.parametrize("mode", ["UNCHANGED", "RGB", "GRAY_ALPHA"])
def test_heif(probe, attacks, mode):
    for name, data, expected in attacks("hostile_containers", "pictures"):
        probe(name, expected, lambda data=data: vision_io.decode_image(data, mode))
        probe(name, "damaged", lambda data=data: vision_io.decode_avif(data, mode, deep=True))
        probe(name, "any", lambda data=data: vision_io.decode_resized_crop(data, 8), (ValueError,))
    probe.verdict()


def test_videos_are_no_pictures_and_pictures_no_videos(probe, attacks):
    for name, data, _ in attacks("hostile_containers"):
        probe(name, "any", lambda data=data: vision_io.decode_image(data))
    limits = Limits(max_pixels=1 << 24)  # every picture of an animation is decoded to count them
    for name, data, _ in attacks("hostile_images"):
        probe(name, "any", lambda data=data: frames_of(data, limits=limits))
    probe.verdict()


def test_nothing_large_is_decoded_to_probe(probe, generator):
    large = generator("hostile_images").png(11000, 11000, b"\0" * 40)
    video = generator("hostile_containers").mp4(picture=large, codec=b"png ")
    before = probe._reset()
    with pytest.raises(DecodeError):
        VideoDecoder(video, limits=Limits(max_pixels=1 << 20))
    with pytest.raises(DecodeError):
        VideoDecoder(large, limits=Limits(max_pixels=1 << 20))
    assert probe._peak() - before < 100 << 20


def test_a_file_that_grows_shorter(moving_bars, tmp_path):
    path = tmp_path / "short.mp4"
    data = moving_bars.read_bytes()
    path.write_bytes(data)
    index = VideoDecoder(path).index
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(DecodeError, match="another file"):
        VideoDecoder(path, index=index)
