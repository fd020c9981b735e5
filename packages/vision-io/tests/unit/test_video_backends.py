"""The libraries that can read videos: the same frames from each, and a clear word where one cannot do a thing."""

from __future__ import annotations

import io
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch

import vision_io
from vision_io import (
    DecodeError,
    LimitError,
    Limits,
    VideoDecoder,
    VideoReader,
    get_video_backend,
    read_video,
    read_video_timestamps,
    set_video_backend,
    write_video,
)

pytestmark = pytest.mark.extra_video

av = pytest.importorskip("av")


def test_the_choice_of_the_process(moving_bars):
    assert get_video_backend() == "video_reader"
    for wrong in ("opencv", "", "cuda"):
        with pytest.raises(ValueError, match="expected one of decord, pyav, torchcodec, video_reader"):
            set_video_backend(wrong)
        with pytest.raises(ValueError, match="expected one of"):
            VideoDecoder(moving_bars, backend=wrong)
    try:
        set_video_backend("pyav")
        assert get_video_backend() == "pyav"
        decoder = VideoDecoder(moving_bars)
    finally:
        set_video_backend("video_reader")
    assert decoder.backend == "pyav", "a decoder keeps the backend that it was opened with"
    assert pickle.loads(pickle.dumps(decoder)).backend == "pyav"
    assert VideoDecoder(moving_bars).backend == "video_reader"


@pytest.mark.parametrize("name", ["decord", "torchcodec", "av"])
def test_a_missing_library_names_its_extra(name):
    code = f"""
import sys
sys.modules[{name!r}] = None
import vision_io
backend, extra = {("video_reader", "video") if name == "av" else (name, name)}
for call in (lambda: vision_io.set_video_backend(backend), lambda: vision_io.VideoDecoder(b"x", backend=backend)):
    try:
        call()
    except vision_io.MissingDependencyError as error:
        assert f"pip install 'vision-io[{{extra}}]'" in str(error), error
    else:
        raise AssertionError("accepted")
assert vision_io.get_video_backend() == "video_reader"
print("well")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ, timeout=120)
    assert done.stdout.strip() == "well", done.stderr


def test_every_backend_gives_the_same_frames(backend, moving_bars):
    with VideoDecoder(moving_bars) as ours, VideoDecoder(moving_bars, backend=backend, layout="CTHW") as other:
        assert len(other) == len(ours)
        assert torch.equal(other[:], ours[:].transpose(0, 1)), "8-bit 4:2:0 of even height is the same everywhere"
        torch.testing.assert_close(other.pts_seconds, ours.pts_seconds, atol=1e-5, rtol=0)
        assert other.metadata.average_fps == pytest.approx(30000 / 1001, rel=1e-4)
        assert (other.metadata.height, other.metadata.width) == (64, 96)
        assert other.key_frames == ours.key_frames == [0, 12, 24, 36]
        part = other.get_frames_at([30, 4, 4], crop=(8, 16, 40, 48), size=(20, 24), mean=0.5, std=0.25)
        same = ours.get_frames_at([30, 4, 4], crop=(8, 16, 40, 48), size=(20, 24), mean=0.5, std=0.25)
        assert part.data.shape == (3, 3, 20, 24)
        # The default backend resizes the planes of the video before it makes RGB of them.
        torch.testing.assert_close(part.data.transpose(0, 1), same.data, atol=0.25, rtol=0)


def test_classic_functions_follow_the_choice(video_backend, moving_bars):
    with VideoDecoder(moving_bars, backend="video_reader") as decoder:
        expected = decoder[:]
        times = decoder.pts_seconds
    frames, samples, info = read_video(moving_bars, pts_unit="sec", output_format="TCHW")
    assert torch.equal(frames, expected)
    assert samples.numel() == 0
    assert info["video_fps"] == pytest.approx(30000 / 1001, rel=1e-4)
    part, _, _ = read_video(moving_bars, float(times[5]) + 1e-3, float(times[9]) + 1e-3, pts_unit="sec")
    assert torch.equal(part, expected[5:10].permute(0, 2, 3, 1))
    seconds, _ = read_video_timestamps(moving_bars, "sec")
    np.testing.assert_allclose(np.array(seconds, float), times, atol=1e-5)
    reader = VideoReader(moving_bars)
    assert torch.equal(torch.stack([frame["data"] for frame in reader]), expected)
    assert next(reader.seek(float(times[17]) - 1e-3))["pts"] == pytest.approx(float(times[17]), abs=1e-5)
    assert "audio" not in reader.get_metadata()
    reader.close()


def test_sound_beside_the_pictures(video_backend, bars, tmp_path):
    path = tmp_path / "sound.mkv"
    tone = torch.sin(torch.arange(48000) * 2 * torch.pi * 440 / 48000).repeat(2, 1) * 0.5
    write_video(
        path, bars(25).transpose(0, 2, 3, 1), 25, audio_array=tone, audio_fps=48000, audio_codec="flac",
        options={"preset": "ultrafast"},
    )  # fmt: skip
    frames, samples, info = read_video(path, pts_unit="sec")
    assert len(frames) == 25
    assert info["audio_fps"] == 48000
    torch.testing.assert_close(samples, tone, atol=1e-3, rtol=0)
    part = read_video(path, 0.25, 0.5, pts_unit="sec")[1]
    torch.testing.assert_close(part, tone[:, 12000:24000], atol=1e-3, rtol=0)
    reader = VideoReader(path, "audio")
    sound = torch.cat([piece["data"] for piece in reader])
    torch.testing.assert_close(sound.T, tone, atol=1e-3, rtol=0)
    assert reader.get_metadata()["audio"]["framerate"] == [48000.0]
    silent = tmp_path / "silent.mkv"
    write_video(silent, bars(5).transpose(0, 2, 3, 1), 25)
    assert read_video(silent, pts_unit="sec")[1].numel() == 0


def test_rotation(backend, videos):
    with VideoDecoder(videos / "nasa_13013_rotated.mp4", backend=backend) as decoder:
        with VideoDecoder(videos / "nasa_13013_rotated.mp4") as ours:
            assert len(decoder) == len(ours)
            assert decoder[0].shape == (3, 480, 270)
            assert torch.equal(decoder[:], ours[:])
        if backend != "decord":
            assert decoder.metadata.rotation == ours.metadata.rotation


def test_limits_and_what_is_no_video(backend, moving_bars, tmp_path):
    with pytest.raises(LimitError, match="exceeds the limits"):
        VideoDecoder(moving_bars, backend=backend, limits=Limits(max_side=80))
    with pytest.raises(LimitError, match="max_frames=39"):
        VideoDecoder(moving_bars, backend=backend, limits=Limits(max_frames=39))
    playlist = tmp_path / "list.m3u8"
    playlist.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{moving_bars}\n#EXT-X-ENDLIST\n")
    for source in (playlist, playlist.read_bytes(), io.BytesIO(playlist.read_bytes())):
        with pytest.raises(DecodeError, match="a text file, not a video"):
            VideoDecoder(source, backend=backend)
    with pytest.raises(DecodeError, match="no such file"):
        VideoDecoder(tmp_path / "missing.mp4", backend=backend)
    with pytest.raises(DecodeError):
        VideoDecoder(os.urandom(4096), backend=backend)


def test_swscale_is_what_ffmpeg_gives_in_every_format(bars, tmp_path):
    from vision_io import VideoEncoder

    path = tmp_path / "ten_bits.mkv"
    with VideoEncoder(path, fps=25, codec="ffv1", pixel_format="yuv420p10le") as encoder:
        encoder.write(bars(4))
    with av.open(str(path)) as container:
        frames = np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])
    expected = torch.from_numpy(frames).permute(0, 3, 1, 2)
    with VideoDecoder(path, backend="pyav") as decoder, VideoDecoder(path) as ours:
        assert torch.equal(decoder[:], expected)
        assert decoder.metadata.pixel_format == ours.metadata.pixel_format == "yuv420p10le"
        difference = (ours[:].int() - expected.int()).abs()
        assert difference.max() > 0, "10 bits are where the two differ"


def test_the_index_of_one_backend_serves_another(moving_bars, need_backend, monkeypatch):
    need_backend("torchcodec")
    from vision_io._video import torchcodec_source

    with VideoDecoder(moving_bars) as ours:
        index, expected = ours.index, ours[:]
    for given in (index, None):
        with VideoDecoder(moving_bars, backend="torchcodec", index=given) as decoder:
            assert torch.equal(decoder[:], expected)
            assert torch.equal(decoder.pts, ours.pts)
            assert len(VideoDecoder(moving_bars, index=decoder.index)) == len(ours)
    monkeypatch.setattr(torchcodec_source, "_packet_index", lambda *_: None)  # as without PyAV
    with VideoDecoder(moving_bars, backend="torchcodec") as decoder:
        own = decoder.index
        assert torch.equal(decoder[:], expected)
        torch.testing.assert_close(decoder.pts_seconds, ours.pts_seconds, atol=1e-5, rtol=0)
    with VideoDecoder(moving_bars, backend="torchcodec", index=own) as decoder:
        assert torch.equal(decoder.get_frames_at([20, 3]).data, expected[[20, 3]])
    with pytest.raises(DecodeError, match="indices of other backends"):
        VideoDecoder(moving_bars, index=own)


def test_real_files_through_torchcodec(videos, need_backend):
    need_backend("torchcodec")
    for name in ("test_non_zero_start.mp4", "demo_skeleton.mp4", "h265_video.mp4", "unordered.mov"):
        with VideoDecoder(videos / name, backend="torchcodec") as decoder, VideoDecoder(videos / name) as ours:
            assert torch.equal(decoder.pts, ours.pts), name
            for number in (len(ours) - 1, 0, len(ours) // 2):
                difference = (decoder[number].int() - ours[number].int()).abs().float()
                assert difference.mean() < 1, f"{name}: frame {number}"


def test_what_decord_cannot_do(moving_bars, need_backend):
    need_backend("decord")
    with pytest.raises(DecodeError, match=r"stream_index=0 choose backend='video_reader'"):
        VideoDecoder(moving_bars, backend="decord", stream_index=0)
    with VideoDecoder(moving_bars) as ours, pytest.raises(DecodeError, match="takes no index"):
        VideoDecoder(moving_bars, backend="decord", index=ours.index)
    with VideoDecoder(moving_bars, backend="decord") as decoder:
        assert decoder.metadata.codec == "unknown"
        with pytest.raises(DecodeError, match="no index can be kept"):
            _ = decoder.index


def test_decord_without_pyav_reads_no_sound(bars, tmp_path, need_backend):
    need_backend("decord")
    path = tmp_path / "sound.mp4"
    write_video(path, bars(10).transpose(0, 2, 3, 1), 25, audio_array=np.zeros((1, 16000), np.float32), audio_fps=16000)
    code = f"""
import sys, warnings
sys.modules["av"] = None
import vision_io
vision_io.set_video_backend("decord")
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    frames, samples, info = vision_io.read_video({str(path)!r}, pts_unit="sec")
assert len(frames) == 10 and samples.numel() == 0 and list(info) == ["video_fps"], info
assert any("vision-io[video]" in str(warning.message) for warning in caught), caught
try:
    list(vision_io.VideoReader({str(path)!r}, "audio"))
except vision_io.DecodeError as error:
    assert "vision-io[video]" in str(error)
else:
    raise AssertionError("accepted")
print("well")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ, timeout=120)
    assert done.stdout.strip() == "well", done.stderr


def test_backends_work_in_forked_children(backend, moving_bars):
    decoder = VideoDecoder(moving_bars, backend=backend)
    expected = decoder[7]
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writing, b"1" if torch.equal(decoder[7], expected) else b"0")
        finally:
            os._exit(0)
    os.close(writing)
    assert os.read(reading, 1) == b"1"
    os.close(reading)
    os.waitpid(child, 0)
    assert torch.equal(decoder[7], expected)


def test_the_package_has_both_names():
    assert {"get_video_backend", "set_video_backend"} <= set(vision_io.__all__)
