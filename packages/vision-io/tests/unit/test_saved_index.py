"""A video opened with a saved index gives the same frames, and a wrong index is refused."""

from __future__ import annotations

import io
import pickle
import random

import numpy as np
import pytest
import torch

pytest.importorskip("av")

from vision_io import DecodeError, VideoDecoder, VideoEncoder, VideoIndex
from vision_io._video import pyav_packets

pytestmark = pytest.mark.extra_video


def saved(index: VideoIndex) -> VideoIndex:
    buffer = io.BytesIO()
    index.save(buffer)
    buffer.seek(0)
    return VideoIndex.load(buffer)


def same_frames(path, index: VideoIndex) -> None:
    chance = random.Random(0)
    with VideoDecoder(path) as plain, VideoDecoder(path, index=index) as decoder:
        assert len(decoder) == len(plain)
        assert torch.equal(decoder.pts_seconds, plain.pts_seconds)
        assert decoder.key_frames == plain.key_frames
        for _ in range(6):
            wanted = [chance.randrange(len(plain)) for _ in range(4)]
            assert torch.equal(decoder.get_frames_at(wanted).data, plain.get_frames_at(wanted).data)
        assert torch.equal(decoder[:], plain[:])
        assert decoder.metadata == plain.metadata


def test_the_same_frames(moving_bars, tmp_path):
    with VideoDecoder(moving_bars) as decoder:
        index = decoder.index
    assert repr(index) == "VideoIndex(40 frames, 40 packets of stream 0)"
    assert len(index) == 40
    same_frames(moving_bars, index)
    same_frames(moving_bars, pickle.loads(pickle.dumps(index)))
    index.save(tmp_path / "bars.index")
    same_frames(moving_bars, VideoIndex.load(tmp_path / "bars.index"))


def test_nothing_is_scanned(moving_bars, monkeypatch):
    with VideoDecoder(moving_bars) as decoder:
        index = decoder.index

    def scan(*_):
        raise AssertionError("the file was scanned")

    monkeypatch.setattr(pyav_packets.PacketStore, "_scan", scan)
    with VideoDecoder(moving_bars, index=index) as decoder:
        copy = pickle.loads(pickle.dumps(decoder))
        assert torch.equal(copy[35], decoder[35])


@pytest.mark.parametrize(
    "name",
    ["nasa_13013.mp4", "test.avi", "testsrc2_vp9.webm", "cfr.mpeg", "discard_first_keyframe.mp4", "unordered.mov"],
)
def test_real_files(name, videos):
    with VideoDecoder(videos / name) as decoder:
        index = decoder.index
    same_frames(videos / name, saved(index))


def test_an_index_of_another_file(moving_bars, bars, tmp_path):
    other = tmp_path / "other.mp4"
    with VideoEncoder(other, fps=25) as encoder:
        encoder.write(bars(10))
    with VideoDecoder(other) as decoder:
        index = decoder.index
    with pytest.raises(DecodeError, match="belongs to another file"):
        VideoDecoder(moving_bars, index=index)


def test_what_is_no_index(tmp_path, moving_bars):
    path = tmp_path / "a"
    with pytest.raises(DecodeError, match="no index"):
        VideoIndex.load(path)
    for content in (b"", b"text", moving_bars.read_bytes()):
        path.write_bytes(content)
        with pytest.raises(DecodeError, match="no index"):
            VideoIndex.load(path)
    np.savez(tmp_path / "b.npz", pts=np.zeros(3, np.int64))
    with pytest.raises(DecodeError, match="no index"):
        VideoIndex.load(tmp_path / "b.npz")


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("pts", lambda a: a[::-1].copy()),
        ("durations", lambda a: a * 0),
        ("start", lambda a: a + 1000),
        ("packet", lambda a: a - 1000),
        ("display", lambda a: a[:-1]),
        ("display", lambda a: a + 1000),
        ("packets", lambda a: a[:, :2]),
        ("packets", lambda a: a.astype(np.int32)),
        ("header", lambda a: a + 1),
        ("header", lambda a: a * np.array([1, 1, 1, 0, 1, 1])),
    ],
)
def test_a_damaged_index(part, change, moving_bars, tmp_path):
    with VideoDecoder(moving_bars) as decoder:
        decoder.index.save(tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as arrays:
        parts = dict(arrays)
    parts[part] = change(parts[part])
    np.savez(tmp_path / "b.npz", **parts)
    with pytest.raises(DecodeError, match="index"):
        VideoIndex.load(tmp_path / "b.npz")
