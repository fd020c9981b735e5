"""errors="raise", "skip" and "salvage" on a small video with damage in known places."""

from __future__ import annotations

import io
import pickle

import pytest
import torch

pytest.importorskip("av")

import av

from vision_io import DecodeError, VideoDecoder, decode_clips, samplers

pytestmark = pytest.mark.extra_video


@pytest.fixture(scope="module")
def clean(moving_bars):
    with VideoDecoder(moving_bars) as decoder:
        return decoder.get_all_frames()


@pytest.fixture(scope="module")
def broken(moving_bars) -> bytes:
    """Frame 24, a key frame of the groups 0-11, 12-23, 24-35, 36-39, overwritten."""
    data = bytearray(moving_bars.read_bytes())
    with av.open(io.BytesIO(data)) as container:
        packets = [p for p in container.demux(video=0) if p.size]
        places = {round(p.pts * float(p.time_base) * 29.97): (p.pos, p.size) for p in packets}
    place, size = places[24]
    data[place + 60 : place + size] = bytes(size - 60)
    return bytes(data)


GROUP = tuple(range(24, 36))


def test_raise(broken, clean):
    with VideoDecoder(broken) as decoder:
        assert torch.equal(decoder[:20], clean.data[:20])
        with pytest.raises(DecodeError, match=r"frame 24 \(at 0.801 s\) is damaged"):
            decoder[:]
        with pytest.raises(DecodeError, match=r"frame 24 \(at 0.801 s\) is damaged"):
            decoder[24]
        with pytest.raises(DecodeError, match=r"frame 3[0-5].*cannot be trusted: frame 24"):
            decoder[33]
        assert torch.equal(decoder[36:], clean.data[36:])
        assert decoder.damaged_frames == []


@pytest.mark.parametrize("layout", ["TCHW", "CTHW", "THWC"])
def test_skip(broken, clean, layout):
    def by_time(data):
        return data if layout == "TCHW" else data.transpose(0, 1) if layout == "CTHW" else data.permute(0, 3, 1, 2)

    kept = [i for i in range(40) if i not in GROUP]
    with VideoDecoder(broken, errors="skip", layout=layout) as decoder:
        assert len(decoder) == 40
        for _ in range(2):  # before and after the damage is known
            batch = decoder.get_all_frames()
            assert batch.damaged == GROUP
            assert len(batch) == 28
            assert torch.equal(by_time(batch.data), clean.data[kept])
            assert torch.equal(batch.pts_seconds, clean.pts_seconds[kept])
        assert decoder.damaged_frames == list(GROUP)
        batch = decoder.get_frames_at([30, 5, 24, 5, 39, 24])
        assert batch.damaged == (24, 30)
        assert torch.equal(by_time(batch.data), clean.data[[5, 5, 39]])
        out = torch.full_like(decoder[:5], 7)
        batch = decoder.get_frames_at([23, 24, 25, 36, 37], out=out)
        assert torch.equal(by_time(batch.data), clean.data[[23, 36, 37]])
        assert batch.data.data_ptr() == out.data_ptr()
        assert decoder[24:30].numel() == 0
        with pytest.raises(DecodeError, match=r"frame 24 .*errors='salvage'"):
            decoder[24]
        with pytest.raises(DecodeError, match="clips would differ in length"):
            samplers.clips_at_regular_indices(decoder, num_clips=4, num_frames_per_clip=3)
        with pickle.loads(pickle.dumps(decoder)) as copy:
            assert len(copy.get_all_frames()) == 28


def test_salvage(broken, clean):
    with VideoDecoder(broken, errors="salvage") as decoder:
        for _ in range(2):
            batch = decoder.get_all_frames()
            assert batch.damaged == GROUP
            assert batch.data.shape == clean.data.shape
            assert torch.equal(batch.data[:24], clean.data[:24])
            assert torch.equal(batch.data[36:], clean.data[36:])
            assert torch.equal(batch.pts_seconds, clean.pts_seconds)
        assert decoder[30].shape == (3, 64, 96)
        clips = samplers.clips_at_regular_indices(decoder, num_clips=4, num_frames_per_clip=3)
        assert clips.data.shape == (4, 3, 3, 64, 96)


def test_frames_that_do_not_come_at_all(moving_bars, clean, tmp_path):
    """The file ends inside frame 30 or so, its index is at the beginning."""
    path = tmp_path / "fast.mp4"
    with av.open(str(moving_bars)) as source, av.open(str(path), "w", options={"movflags": "faststart"}) as copy:
        stream = copy.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                copy.mux(packet)
    data = path.read_bytes()
    cut = data[: len(data) * 8 // 10]
    with VideoDecoder(cut, errors="salvage") as decoder:
        batch = decoder.get_all_frames()
        assert len(batch) == 40
        torch.testing.assert_close(batch.pts_seconds, clean.pts_seconds, atol=1e-6, rtol=0)
        whole = [i for i in range(40) if i not in batch.damaged]
        assert torch.equal(batch.data[whole], clean.data[whole])
        assert torch.equal(batch.data[39], decoder[39])
        assert torch.equal(decoder.get_frames_at([39, 38]).data[0], batch.data[39])
        last = decoder.get_frames_at([39, 0, 39], size=(16, 24))
        assert torch.equal(last.data[0], last.data[2])
    with VideoDecoder(cut, errors="skip") as decoder:
        assert decoder.get_all_frames().damaged == batch.damaged


def test_nothing_is_left(moving_bars):
    data = bytearray(moving_bars.read_bytes())
    with av.open(io.BytesIO(data)) as container:
        packets = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
    for place, size in packets:
        data[place + 4 : place + size] = bytes(size - 4)
    for errors in ("raise", "skip", "salvage"):
        with pytest.raises(DecodeError):
            VideoDecoder(data, errors=errors)[:]


def test_other_ways_to_open(moving_bars, broken, clean):
    with pytest.raises(ValueError, match="errors: got 'ignore'"):
        VideoDecoder(moving_bars, errors="ignore")  # pyright: ignore[reportArgumentType]
    with VideoDecoder(broken, errors="skip", seek_mode="approximate") as decoder:
        batch = decoder.get_frames_at([3, 24, 37])
        assert torch.equal(batch.data, clean.data[[3, 37]])
        assert batch.damaged == (24,)
    with VideoDecoder(broken, errors="salvage", seek_mode="approximate") as decoder:
        assert len(decoder.get_frames_at([3, 24, 37])) == 3
    with VideoDecoder(broken, seek_mode="approximate") as decoder, pytest.raises(DecodeError, match=r"0\.8\d+ s"):
        decoder[24]
    clips = decode_clips([moving_bars, broken], lambda d: len(d.get_all_frames()), errors="skip", threads=1)
    assert clips == [40, 28]
    with VideoDecoder(broken, errors="skip") as first, VideoDecoder(broken, errors="skip", index=first.index) as second:
        assert second.get_all_frames().damaged == GROUP
