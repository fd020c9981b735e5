"""Writing videos and reading them back; the functions of older code; the reader."""

from __future__ import annotations

import io
import itertools
from fractions import Fraction

import numpy as np
import pytest
import torch

from vision_io import (
    DecodeError,
    EncodeError,
    VideoDecoder,
    VideoEncoder,
    VideoReader,
    read_video,
    read_video_timestamps,
    write_video,
)
from vision_io._video.picture_track import rate_of

pytestmark = pytest.mark.extra_video

av = pytest.importorskip("av")


def _psnr(a, b) -> float:
    return float(10 * np.log10(255**2 / ((np.asarray(a, float) - np.asarray(b, float)) ** 2).mean()))


@pytest.mark.parametrize(
    ("given", "rate"),
    [
        (25, Fraction(25)), (29.97, Fraction(30000, 1001)), (23.976, Fraction(24000, 1001)), (12.5, Fraction(25, 2)),
        (59.94, Fraction(60000, 1001)), (Fraction(15, 2), Fraction(15, 2)), (30.0, Fraction(30)),
    ],
)  # fmt: skip
def test_frame_rates(given, rate, bars, tmp_path):
    assert rate_of(given) == rate
    path = tmp_path / "a.mp4"
    with VideoEncoder(path, fps=given, preset="ultrafast") as encoder:
        encoder.write(bars(9))
        assert encoder.frames_written == 9
    with VideoDecoder(path) as decoder:
        assert len(decoder) == 9
        assert decoder.metadata.average_fps == pytest.approx(float(rate))
        assert decoder.metadata.average_fps_from_header == pytest.approx(float(rate))
        np.testing.assert_allclose(decoder.pts_seconds, np.arange(9) / float(rate), atol=1e-4)


@pytest.mark.parametrize(
    ("codec", "suffix"), [("libx264", "mp4"), ("libx264", "mkv"), ("mpeg4", "avi"), ("ffv1", "mkv")]
)
def test_round_trip(codec, suffix, bars, tmp_path):
    path = tmp_path / f"a.{suffix}"
    options = {"crf": 10} if codec == "libx264" else {"qscale": 2}
    with VideoEncoder(path, fps=30, codec=codec, options=options) as encoder:
        for frame in torch.from_numpy(bars(6)):
            encoder.write(frame)
        encoder.write(bars(12)[6:])
    with VideoDecoder(path) as decoder:
        assert len(decoder) == 12
        assert _psnr(decoder[:], bars(12)) > 28


def test_quality_settings_matter(bars, tmp_path):
    sizes = []
    for crf in (10, 40):
        with VideoEncoder(tmp_path / f"{crf}.mp4", fps=30, crf=crf, preset="veryfast") as encoder:
            encoder.write(bars(20))
        sizes.append((tmp_path / f"{crf}.mp4").stat().st_size)
    assert sizes[0] > 1.5 * sizes[1]


def test_gray_and_views(bars, tmp_path):
    with VideoEncoder(tmp_path / "a.mp4", fps=30, crf=5) as encoder:
        encoder.write(bars(4)[:, :1])
        encoder.write(torch.from_numpy(bars(2)).flip(3)[:, :1])
    with VideoDecoder(tmp_path / "a.mp4") as decoder:
        assert _psnr(decoder[:4], bars(4)[:, :1].repeat(3, 1)) > 35
        assert _psnr(decoder[4:], bars(2)[:, :1, :, ::-1].repeat(3, 1)) > 35


def test_to_memory(bars):
    file = io.BytesIO()
    with VideoEncoder(file, fps=30) as encoder:
        encoder.write(bars(5))
    with VideoDecoder(file) as decoder, VideoDecoder(file.getvalue()) as other:
        assert len(decoder) == len(other) == 5
        assert torch.equal(decoder[:], other[:])


def test_what_cannot_be_written(bars, tmp_path):
    cases = [
        (np.zeros((3, 65, 96), np.uint8), "width must be a multiple of 2, the height of 2"),
        (np.zeros((3, 64, 95), np.uint8), "95x64"),
        (np.zeros((3, 64, 96), np.float32), "expected uint8"),
        (np.zeros((5, 64, 96, 3), np.uint8), "permute"),
        (np.zeros((4, 64, 96), np.uint8), "expected"),
    ]
    for frames, message in cases:
        with VideoEncoder(tmp_path / "a.mp4", fps=30) as encoder, pytest.raises(EncodeError, match=message):
            encoder.write(frames)
    with VideoEncoder(tmp_path / "odd.mp4", fps=30, pixel_format="yuv444p") as encoder:
        encoder.write(bars(3, 65, 97))
    with VideoDecoder(tmp_path / "odd.mp4") as decoder:
        assert decoder[0].shape == (3, 65, 97)
    with VideoEncoder(tmp_path / "a.mp4", fps=30) as encoder:
        encoder.write(bars(2))
        with pytest.raises(EncodeError, match="frame 2: got 48x32, the file holds 96x64"):
            encoder.write(bars(1, 32, 48))
    with pytest.raises(EncodeError, match="closed"):
        encoder.write(bars(1))


def test_settings_that_are_refused(tmp_path):
    for options, message in (
        ({"codec": "h999"}, "no encoder"),
        ({"pixel_format": "rgb9"}, "does not take"),
        ({"fps": 0}, "fps"),
        ({"fps": float("nan")}, "fps"),
    ):
        with pytest.raises(EncodeError, match=message):
            VideoEncoder(tmp_path / "a.mp4", **{"fps": 30, **options})
    with pytest.raises(EncodeError, match="does not exist"):
        VideoEncoder(tmp_path / "missing" / "a.mp4", fps=30)
    with pytest.raises(EncodeError, match="container format"):
        VideoEncoder(tmp_path / "a.unknown", fps=30)
    assert not list(tmp_path.iterdir()), "a refused setting leaves no file"


def test_write_and_read_video_with_sound(bars, tmp_path):
    path = tmp_path / "a.mp4"
    frames = torch.from_numpy(bars(30)).permute(0, 2, 3, 1)
    tone = torch.sin(torch.arange(48000) * 2 * torch.pi * 440 / 48000).repeat(2, 1) * 0.5
    write_video(path, frames, 30, options={"crf": 12}, audio_array=tone, audio_fps=48000)
    got, samples, info = read_video(path, pts_unit="sec")
    assert got.shape == frames.shape
    assert _psnr(got, frames) > 28
    assert info == {"video_fps": 30.0, "audio_fps": 48000}
    assert samples.shape[0] == 2
    assert abs(samples.shape[1] - 48000) <= 2048
    spectrum = torch.fft.rfft(samples[0, 2000:42000].double()).abs()
    assert abs(int(spectrum.argmax()) * 48000 / 40000 - 440) < 2
    part, sound, _ = read_video(path, 0.25, 0.5, pts_unit="sec", output_format="TCHW")
    assert torch.equal(part, got[7:16].permute(0, 3, 1, 2))
    assert abs(sound.shape[1] - 12000) <= 1
    with pytest.warns(UserWarning, match="pts_unit"):
        ticks, fps = read_video_timestamps(path)
    seconds, _ = read_video_timestamps(path, "sec")
    assert fps == 30.0
    assert seconds == [Fraction(i, 30) for i in range(30)]
    assert len(ticks) == 30
    with pytest.warns(UserWarning, match="pts_unit"):
        by_ticks, _, _ = read_video(path, ticks[3], ticks[6])
    assert torch.equal(by_ticks, got[3:7])


def test_read_video_of_sound_alone(tmp_path):
    path = tmp_path / "tone.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.full((1, 800), 16384, np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    frames, samples, info = read_video(path, pts_unit="sec")
    assert frames.shape[0] == 0
    assert info == {"audio_fps": 8000}
    assert torch.equal(samples, torch.full((1, 800), 0.5))


def test_classic_arguments_are_checked(tmp_path, bars, moving_bars):
    with pytest.raises(EncodeError, match="permute"):
        write_video(tmp_path / "a.mp4", bars(3), 30)
    with pytest.raises(EncodeError, match="no frames"):
        write_video(tmp_path / "a.mp4", np.zeros((0, 8, 8, 3), np.uint8), 30)
    with pytest.raises(EncodeError, match="audio_fps"):
        write_video(tmp_path / "a.mp4", bars(3).transpose(0, 2, 3, 1), 30, audio_array=np.zeros((1, 9), np.float32))
    with pytest.raises(ValueError, match="end_pts"):
        read_video(moving_bars, 1, 0.5, pts_unit="sec")
    with pytest.raises(ValueError, match="pts_unit"):
        read_video(moving_bars, pts_unit="frames")
    with pytest.raises(ValueError, match="output_format"):
        read_video(moving_bars, pts_unit="sec", output_format="CTHW")
    with pytest.raises(DecodeError, match="no such file"):
        read_video(tmp_path / "missing.mp4", pts_unit="sec")


def test_reader(moving_bars, tmp_path, bars):
    reader = VideoReader(moving_bars)
    with VideoDecoder(moving_bars) as decoder:
        expected = decoder[:]
        times = decoder.pts_seconds
    frames = list(reader)
    assert torch.equal(torch.stack([frame["data"] for frame in frames]), expected)
    assert [frame["pts"] for frame in frames] == times.tolist()
    assert next(reader.seek(float(times[17])))["pts"] == times[17]
    assert next(reader.seek(float(times[17]) + 0.001))["pts"] == times[18]
    assert next(reader.seek(float(times[17]), keyframes_only=True))["pts"] == times[12]
    assert len(list(itertools.takewhile(lambda frame: frame["pts"] < 1.0, reader.seek(0.5)))) == 15
    facts = reader.get_metadata()
    assert facts["video"]["fps"] == [pytest.approx(30000 / 1001)]
    assert facts["video"]["duration"] == [pytest.approx(40 * 1001 / 30000)]
    assert "audio" not in facts
    assert reader.set_current_stream("video:0")
    for wrong in ("subtitle", "video:x", "video:3"):
        with pytest.raises(ValueError, match="stream"):
            reader.set_current_stream(wrong)
    reader.close()
    path = tmp_path / "sound.mp4"
    write_video(path, bars(10).transpose(0, 2, 3, 1), 25, audio_array=np.zeros((1, 16000), np.float32), audio_fps=16000)
    reader = VideoReader(path, "audio")
    pieces = list(reader.seek(0.0))
    assert all(piece["data"].shape[1] == 1 for piece in pieces)
    assert abs(sum(len(piece["data"]) for piece in pieces) - 16000) <= 2048
    assert reader.get_metadata()["audio"]["framerate"] == [16000.0]
