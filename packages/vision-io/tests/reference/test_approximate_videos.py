"""Real videos opened without reading their packets: with a constant rate, the frames are those of the exact index."""

from __future__ import annotations

import json
import random

import pytest
import torch

pytestmark = pytest.mark.extra_video

pytest.importorskip("av")

from vision_io import VideoDecoder  # noqa: E402

SMALL = {"size": (24, 32)}


@pytest.mark.parametrize(
    "name",
    ["nasa_13013.mp4", "test.mp4", "av1_video.mkv", "testsrc2_vp9.webm", "cfr.mov", "h265_video.mp4",
     "v_SoccerJuggling_g23_c01.avi", "flipping_a_pancake.mkv", "sine_stereo_mp2.mpg", "cfr.mpeg", "unordered.mov",
     "test_non_zero_start.mp4", "discard_first_keyframe.mp4", "nasa_13013_rotated.mp4"],
)  # fmt: skip
def test_frames(name, videos):
    path = videos / name
    with VideoDecoder(path, **SMALL) as exact, VideoDecoder(path, seek_mode="approximate", **SMALL) as decoder:
        assert abs(len(exact) - len(decoder)) <= 5
        known, facts = exact.metadata, decoder.metadata
        assert facts.average_fps == pytest.approx(known.average_fps, rel=0.01)
        assert facts.begin_stream_seconds == pytest.approx(known.begin_stream_seconds, abs=1e-3)
        assert (facts.height, facts.width, facts.rotation) == (known.height, known.width, known.rotation)
        chance = random.Random(name)
        count = min(len(exact), len(decoder))
        for size in (1, 3, 6):
            indices = [chance.randrange(count) for _ in range(size)]
            got, expected = decoder.get_frames_at(indices), exact.get_frames_at(indices)
            assert torch.equal(got.data, expected.data), indices
            assert (got.pts_seconds - expected.pts_seconds).abs().max() < 0.04
        times = [float(exact.pts_seconds[i]) + 0.003 for i in indices]
        assert torch.equal(decoder.get_frames_played_at(times).data, expected.data)


def test_mappings_of_ffprobe(shared, videos):
    """The list that ``ffprobe -show_frames`` wrote, times as text and more fields than are needed."""
    rows = json.loads((shared / "data" / "reference" / "nasa_13013.mp4.stream3.all_frames_info.json").read_text())
    path = videos / "nasa_13013.mp4"
    with VideoDecoder(path, stream_index=3) as exact:
        ticks, keys = exact.pts.tolist(), set(exact.key_frames)
        frames = [
            {**row, "pkt_pts": tick, "pkt_duration": 1001, "key_frame": int(i in keys), "media_type": "video"}
            for i, (row, tick) in enumerate(zip(rows, ticks, strict=True))
        ]
        with VideoDecoder(path, stream_index=3, custom_frame_mappings=json.dumps({"frames": frames})) as decoder:
            assert len(decoder) == len(exact) == 390
            indices = [0, 389, 17, 200, 201, 3]
            assert torch.equal(decoder.get_frames_at(indices).data, exact.get_frames_at(indices).data)
            assert torch.equal(decoder.pts_seconds, exact.pts_seconds)
