"""Damaged copies of real videos: what an error policy hands out, against the frames of the undamaged file."""

from __future__ import annotations

import io
import random

import pytest
import torch

pytestmark = pytest.mark.extra_video

av = pytest.importorskip("av")

from vision_io import DecodeError, VideoDecoder  # noqa: E402

SMALL = {"size": (32, 40)}


def _packets(data: bytes) -> list[tuple[int, int]]:
    """Place and size of each packet of the best video stream."""
    with (
        av.open(io.BytesIO(data), metadata_errors="replace")
        if int(av.__version__.split(".")[0]) < 19
        else av.open(io.BytesIO(data)) as container
    ):
        stream = container.streams.best("video")
        return [(p.pos, p.size) for p in container.demux(stream) if p.size and p.pos is not None]


def _flipped(data: bytes, seed: int) -> bytes:
    """Six bits turned over in each of two packets."""
    chance, broken = random.Random(seed), bytearray(data)
    for place, size in chance.sample(_packets(data)[1:], 2):
        for _ in range(6):
            broken[place + 12 + chance.randrange(max(size - 12, 1))] ^= 1 << chance.randrange(8)
    return bytes(broken)


def _zeroed(data: bytes, seed: int) -> bytes:
    """Most of two packets overwritten with zeros."""
    chance, broken = random.Random(seed), bytearray(data)
    for place, size in chance.sample(_packets(data)[1:], 2):
        start = min(24, size // 2)
        broken[place + start : place + size] = bytes(size - start)
    return bytes(broken)


# H.264 and MPEG-4 report damage reliably, so that what "skip" leaves must be the undamaged frames.
@pytest.mark.parametrize("damage", [_flipped, _zeroed])
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", ["nasa_13013.mp4", "test.mp4", "bt601_limited_range.mp4", "test_non_zero_start.mp4"])
def test_skip_leaves_whole_frames_only(name, seed, damage, videos):
    data = (videos / name).read_bytes()
    with VideoDecoder(data, **SMALL) as decoder:
        expected = decoder[:]
    broken = damage(data, seed)
    with VideoDecoder(broken, errors="skip", **SMALL) as decoder:
        rest = decoder.get_all_frames()
        assert 0 < len(rest) < len(decoder) <= len(expected)
        assert len(rest) + len(rest.damaged) == len(decoder)
        assert decoder.damaged_frames == list(rest.damaged)
        kept = [i for i in range(len(decoder)) if i not in rest.damaged]
        assert torch.equal(rest.data, expected[kept])
        assert torch.equal(rest.pts_seconds, decoder.pts_seconds[kept])
        few = sorted(random.Random(seed).sample(kept, min(4, len(kept))))
        mixed = [rest.damaged[0], *few, rest.damaged[-1]]
        batch = decoder.get_frames_at(mixed)
        assert torch.equal(batch.data, expected[few])
        assert batch.damaged == tuple(sorted({rest.damaged[0], rest.damaged[-1]}))
        with pytest.raises(DecodeError, match=f"frame {rest.damaged[0]} "):
            decoder[rest.damaged[0]]
    with pytest.raises(DecodeError, match=r"frame \d+ \(at \d+\.\d+ s\) (is damaged|cannot be trusted)"):
        VideoDecoder(broken, **SMALL).get_all_frames()


@pytest.mark.parametrize("damage", [_flipped, _zeroed])
@pytest.mark.parametrize("name", ["test.avi", "cfr.mpeg"])
def test_streams_whose_frames_are_counted(name, damage, videos):
    """Nothing but its place in the output says which frame is which: right are those before the damage."""
    data = (videos / name).read_bytes()
    with VideoDecoder(data, **SMALL) as decoder:
        expected = decoder[:]
    with VideoDecoder(damage(data, 1), errors="skip", **SMALL) as decoder:
        rest = decoder.get_all_frames()
        assert rest.damaged
        assert len(rest) + len(rest.damaged) == len(decoder)
        same = (rest.data[: rest.damaged[0]] == expected[: rest.damaged[0]]).flatten(1).all(1)
        assert same.float().mean() > 0.9  # the MPEG container does not say when data of a frame are missing
        if name == "test.avi":
            assert same.all()


@pytest.mark.parametrize("damage", [_flipped, _zeroed])
@pytest.mark.parametrize(
    "name",
    ["nasa_13013.mp4", "test_non_zero_start.mp4", "bt601_limited_range.mp4", "testsrc2_vp9.webm", "av1_video.mkv"],
)
def test_salvage_keeps_every_frame(name, damage, videos):
    data = (videos / name).read_bytes()
    if damage is _zeroed and name.endswith((".mkv", ".webm")):
        pytest.skip("the container itself would be damaged")
    with VideoDecoder(data, **SMALL) as decoder:
        expected = decoder.get_all_frames()
    with VideoDecoder(damage(data, 1), errors="salvage", **SMALL) as decoder:
        rest = decoder.get_all_frames()
        assert rest.data.shape == expected.data.shape
        assert torch.equal(rest.pts_seconds, expected.pts_seconds)
        assert rest.damaged
        whole = [i for i in range(len(decoder)) if i not in rest.damaged]
        assert torch.equal(rest.data[: rest.damaged[0]], expected.data[: rest.damaged[0]])
        if not name.endswith((".mkv", ".webm")):
            assert torch.equal(rest.data[whole], expected.data[whole])
        near = (rest.data.float() - expected.data.float()).abs().mean((1, 2, 3))
        assert near.median() < 40
        number = rest.damaged[len(rest.damaged) // 2]
        assert decoder[number].shape == expected.data.shape[1:]


def test_corrupted_mp4(videos):
    """Frame 29 cannot be decoded and the rest of its group is predicted from it."""
    path = videos / "corrupted.mp4"
    with pytest.raises(DecodeError, match=r"frame 30 \(at 3.000 s\) is damaged"), VideoDecoder(path) as decoder:
        decoder[:]
    with VideoDecoder(path, errors="skip") as decoder:
        batch = decoder.get_all_frames()
        assert len(decoder) == 50
        assert len(batch) == 29
        assert batch.damaged == tuple(range(29, 50))
    with VideoDecoder(path, errors="salvage") as decoder:
        whole = decoder.get_all_frames()
        assert len(whole) == 50
        assert torch.equal(whole.data[:29], batch.data)
        assert whole.damaged == tuple(range(29, 50))


@pytest.mark.parametrize(("name", "part"), [("h265_video.mp4", 0.7), ("nasa_13013_rotated.mp4", 0.95)])
def test_mp4_files_that_end_early(name, part, videos, tmp_path):
    """The index at the beginning lists more frames than there are data of."""
    source, whole = videos / name, tmp_path / "whole.mp4"
    with av.open(str(source)) as reading, av.open(str(whole), "w", options={"movflags": "faststart"}) as writing:
        stream = writing.add_stream_from_template(reading.streams.best("video"))
        for packet in reading.demux(reading.streams.best("video")):
            if packet.dts is not None:
                packet.stream = stream
                writing.mux(packet)
    data = whole.read_bytes()
    cut = data[: int(len(data) * part)]
    with VideoDecoder(data) as decoder:
        expected = decoder.get_all_frames()
    with pytest.raises(DecodeError, match=r"cut off.*errors='salvage'"):
        VideoDecoder(cut)
    with VideoDecoder(cut, errors="salvage") as decoder:
        rest = decoder.get_all_frames()
        assert len(rest) == len(expected)
        torch.testing.assert_close(rest.pts_seconds, expected.pts_seconds, atol=0.05, rtol=0)
        whole = [i for i in range(len(expected)) if i not in rest.damaged]
        assert 2 < len(whole) < len(expected)
        assert rest.damaged[-1] == len(expected) - 1
        assert torch.equal(rest.data[whole], expected.data[whole])
    with VideoDecoder(cut, errors="skip") as decoder:
        assert len(decoder) == len(expected)
        few = decoder.get_all_frames()
        assert few.damaged == rest.damaged
        assert torch.equal(few.data, expected.data[whole])


@pytest.mark.parametrize("name", ["av1_video.mkv", "testsrc2_vp9.webm", "flipping_a_pancake.mkv"])
def test_matroska_files_that_end_early(name, videos):
    data = (videos / name).read_bytes()
    with VideoDecoder(data, **SMALL) as decoder:
        expected = decoder.get_all_frames()
    with VideoDecoder(data, errors="salvage", **SMALL) as decoder:
        assert len(decoder) == len(expected)
    with VideoDecoder(data[: len(data) * 6 // 10], errors="salvage", **SMALL) as decoder:
        rest = decoder.get_all_frames()
        assert abs(len(rest) - len(expected)) <= 1
        whole = [i for i in range(len(rest)) if i not in rest.damaged]
        assert 5 < len(whole) < len(expected)
        assert torch.equal(rest.data[whole], expected.data[whole])
        assert (rest.pts_seconds[whole] - expected.pts_seconds[whole]).abs().max() < 1e-6
        assert torch.equal(rest.data[-1], rest.data[whole[-1]])


@pytest.mark.parametrize("errors", ["skip", "salvage"])
@pytest.mark.parametrize(
    "name",
    ["nasa_13013.mp4", "h265_video.mp4", "testsrc2_vp9.webm", "test.avi", "cfr.mpeg", "discard_first_keyframe.mp4",
     "unordered.mov", "test_non_zero_start.mp4", "flipping_a_pancake.mkv", "sine_stereo_mp2.mpg"],
)  # fmt: skip
def test_whole_files_have_no_damage(name, errors, videos):
    with (
        VideoDecoder(videos / name, **SMALL) as expected,
        VideoDecoder(videos / name, errors=errors, **SMALL) as decoder,
    ):
        few = [0, len(expected) // 3, len(expected) - 1, len(expected) // 2]
        batch, other = decoder.get_frames_at(few), expected.get_frames_at(few)
        assert torch.equal(batch.data, other.data)
        assert torch.equal(batch.pts_seconds, other.pts_seconds)
        assert batch.damaged == ()
        assert len(decoder) == len(expected)
        assert decoder.damaged_frames == []
