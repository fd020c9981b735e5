"""Every frame of every stored video against the hashes made with FFmpeg, read in sequence, at random and sparsely."""

from __future__ import annotations

import hashlib
import json
import random

import numpy as np
import pytest

pytestmark = pytest.mark.extra_video

av = pytest.importorskip("av")

from vision_io._limits import Limits  # noqa: E402
from vision_io._pixels.raw_frame import RawFrame  # noqa: E402
from vision_io._video import pyav_packets  # noqa: E402
from vision_io._video.pyav_source import PyAVSource  # noqa: E402

CLEAN = [
    "RATRACE_wave_f_nm_np1_fr_goo_37.avi", "SchoolRulesHowTheyHelpUs_wave_f_nm_np1_ba_med_0.avi", "WUzgd7C1pWA.mp4",
    "av1_video.mkv", "bt2020_10bit.mp4", "bt601_limited_range.mp4", "bt709_full_range.mp4", "cfr.mov", "cfr.mpeg",
    "demo_skeleton.mp4", "discard_first_keyframe.mp4", "flipping_a_pancake.mkv", "h265_10bits.mp4", "h265_video.mp4",
    "hmdb51_Turnk_r_Pippi_Michel_cartwheel_f_cm_np2_le_med_6.avi", "nasa_13013.mp4", "nasa_13013_hdr.mp4",
    "nasa_13013_rotated.mp4", "sine_stereo_mp2.mpg", "test.avi", "test.mp4", "test_non_zero_start.mp4",
    "testsrc2_12bit_hdr.mp4", "testsrc2_444_8bit_hevc.mp4", "testsrc2_mpeg4.mp4",
    "testsrc2_odd_height_and_width_444.mp4",
    "testsrc2_odd_height_and_width_mpeg2.mp4", "testsrc2_odd_height_and_width_vp9.mp4", "testsrc2_vp9.webm",
    "unordered.mov", "v_SoccerJuggling_g23_c01.avi", "video_0.mov", "video_180.mov", "video_90.mov",
]  # fmt: skip
CHANGED_IN_8_1 = {"v_SoccerJuggling_g23_c01.avi"}
COUNTED = {"RATRACE_w", "SchoolRul", "cfr.mpeg", "hmdb51_Tu", "test.avi"}  # the first letters are enough


@pytest.fixture(scope="module")
def reference(shared):
    return json.loads((shared / "data" / "reference" / "video_frames.json").read_text())


def _hash(frame: RawFrame) -> str:
    width, height = frame.format.chroma_size(frame.width, frame.height)
    planes = [frame.plane(0, frame.width, frame.height), frame.plane(1, width, height), frame.plane(2, width, height)]
    return hashlib.sha1(b"".join(np.ascontiguousarray(p).tobytes() for p in planes)).hexdigest()[:16]


def test_the_list_is_complete(reference, videos):
    assert {*CLEAN, "corrupted.mp4"} == {name for name in reference if name != "_about"}
    assert {*CLEAN, "corrupted.mp4"} == {path.name for path in videos.iterdir()}


@pytest.mark.parametrize("kept", [True, False], ids=["packets in memory", "packets read again"])
@pytest.mark.parametrize("name", CLEAN)
def test_frames(name, kept, reference, videos, monkeypatch):
    if name in CHANGED_IN_8_1 and av.library_versions["libavcodec"] < (62, 28):
        pytest.skip("FFmpeg before 8.1 decodes other pixels from this file")
    facts = reference[name]
    frames = facts["frames"]
    if not kept:
        monkeypatch.setattr(pyav_packets, "KEEP_BYTES", 0)
    source = PyAVSource(videos / name, None, 1, Limits())
    chance = random.Random(name)
    assert len(source.index) == len(frames) == facts["n_decoded"]
    counted = source.index.counted
    assert counted == (name[:9] in COUNTED)
    times = [int(t) for t in source.index.pts]
    assert times == sorted(set(times))
    if not counted:
        assert times == [frame[0] for frame in frames]
    if kept:
        assert [_hash(frame) for _, frame in source.frames(range(len(frames)))] == [frame[3] for frame in frames]
    else:
        few = sorted(chance.sample(range(len(frames)), min(3, len(frames))))
        assert [_hash(frame) for _, frame in source.frames(few)] == [frames[i][3] for i in few]
    for count in (1, 1, 8, 3):  # one after the other, so that each starts where the last one ended
        wanted = sorted(chance.sample(range(len(frames)), min(count, len(frames))))
        got = [(i, _hash(frame)) for i, frame in source.frames(wanted)]
        assert got == [(i, frames[i][3]) for i in wanted], f"frames {wanted}"
    assert source.facts.rotation == facts["rotation"] % 360
    assert source.facts.codec == facts["codec"]
    assert (source.facts.width, source.facts.height) == (facts["width"], facts["height"])
    source.close()


@pytest.mark.parametrize("name", ["test.mp4", "nasa_13013.mp4", "h265_video.mp4", "testsrc2_vp9.webm", "test.avi"])
def test_two_decoder_threads_give_the_same_frames(name, reference, videos):
    frames = reference[name]["frames"]
    source = PyAVSource(videos / name, None, 2, Limits())
    wanted = list(range(0, len(frames), 7))
    assert [_hash(frame) for _, frame in source.frames(wanted)] == [frames[i][3] for i in wanted]
    wanted = list(range(len(frames) // 2, len(frames) // 2 + 5))
    assert [_hash(frame) for _, frame in source.frames(wanted)] == [frames[i][3] for i in wanted]
    source.close()


@pytest.mark.parametrize("stream", [0, 3])
def test_times_equal_those_of_ffprobe(stream, shared, videos):
    listed = json.loads(
        (shared / "data" / "reference" / f"nasa_13013.mp4.stream{stream}.all_frames_info.json").read_text()
    )
    source = PyAVSource(videos / "nasa_13013.mp4", stream, 1, Limits())
    for ours, field in ((source.index.pts_seconds, "pts_time"), (source.index.duration_seconds, "duration_time")):
        np.testing.assert_allclose(ours, [float(frame[field]) for frame in listed], atol=2e-6)
    source.close()
