"""Encoding with the calls of TorchCodec: all frames at once, and files of several streams."""

from __future__ import annotations

import gc
import io
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from vision_io import AudioDecoder, EncodeError, Encoder, VideoDecoder, VideoEncoder

pytestmark = pytest.mark.extra_video

av = pytest.importorskip("av")


def _psnr(a, b) -> float:
    return float(10 * np.log10(255**2 / ((np.asarray(a, float) - np.asarray(b, float)) ** 2).mean()))


def _tone(seconds: float, rate: int, channels: int = 2) -> torch.Tensor:
    return torch.sin(torch.arange(int(seconds * rate)) * 2 * torch.pi * 440 / rate).repeat(channels, 1) * 0.5


@pytest.mark.parametrize(
    ("format", "codec"),
    [("mp4", "h264"), ("mov", "h264"), ("mkv", "h264"), ("avi", "mpeg4"), ("webm", "vp9"), ("flv", "flv1"),
     ("mpeg", "mpeg1video"), ("ts", "mpeg2video")],
)  # fmt: skip
def test_each_container_has_its_codec(format, codec, bars, tmp_path):
    frames = torch.from_numpy(bars(8))
    encoder = VideoEncoder(frames, frame_rate=25)
    data = encoder.to_tensor(format)
    assert data.dtype == torch.uint8
    assert data.ndim == 1
    file = io.BytesIO()
    encoder.to_file_like(file, format)
    encoder.to_file(tmp_path / f"a.{format}")
    by_name = VideoEncoder(frames=frames, frame_rate=25).to_tensor(format)
    for source in (data.numpy().tobytes(), file, tmp_path / f"a.{format}", by_name):
        with VideoDecoder(source) as decoder:
            assert len(decoder) == 8
            assert decoder.metadata.codec == codec
            assert decoder.metadata.average_fps == pytest.approx(25, rel=0.01)
            assert _psnr(decoder[:], frames) > 20


def test_lossless_settings_come_back_bit_for_bit(bars):
    frames = bars(5, 33, 47)
    data = VideoEncoder(frames, frame_rate=30).to_tensor("mkv", codec="libx264rgb", crf=0, preset="ultrafast")
    with VideoDecoder(data.numpy().tobytes()) as decoder:
        assert torch.equal(decoder[:], torch.from_numpy(frames))
    data = VideoEncoder(frames, frame_rate=30).to_tensor("mkv", codec="ffv1", pixel_format="bgr0")
    with VideoDecoder(data.numpy().tobytes()) as decoder:
        assert torch.equal(decoder[:], torch.from_numpy(frames))


def test_settings_reach_the_encoder(bars):
    encoder = VideoEncoder(bars(20), frame_rate=30)
    best, worst = (len(encoder.to_tensor("mp4", crf=crf, preset="veryfast")) for crf in (5, 45))
    assert best > 2 * worst
    keyed = encoder.to_tensor("mp4", extra_options={"g": 5, "bf": 0})
    with VideoDecoder(keyed.numpy().tobytes()) as decoder:
        assert decoder.key_frames == [0, 5, 10, 15]
    deep = encoder.to_tensor("mp4", pixel_format="yuv444p")
    with VideoDecoder(deep.numpy().tobytes()) as decoder:
        assert decoder.metadata.pixel_format == "yuv444p"
    for setting, message in (
        ({"codec": "h999"}, "no encoder"),
        ({"codec": "aac"}, "encodes audio, not pictures"),
        ({"pixel_format": "rgb9"}, "does not take"),
        ({"codec": "ffv1"}, "does not hold"),
        ({"codec": "libx264", "preset": "sluggish"}, "refuses these settings"),
    ):
        with pytest.raises(EncodeError, match=message):
            encoder.to_tensor("flv", **setting)
    with pytest.raises(EncodeError, match="holds no pictures"):
        encoder.to_tensor("wav")
    with pytest.raises(EncodeError, match="no container format 'mp5'"):
        encoder.to_tensor("mp5")


def test_frames_that_cannot_be_encoded(bars, tmp_path):
    for frames, message in (
        (torch.zeros(3, 64, 64, dtype=torch.uint8), r"shape \(3, 64, 64\), expected \(N, 3, H, W\)"),
        (torch.zeros(0, 3, 64, 64, dtype=torch.uint8), "one frame at least"),
        (torch.zeros(2, 3, 64, 64), "expected uint8"),
        (torch.zeros(2, 64, 64, 3, dtype=torch.uint8), "permute"),
    ):
        with pytest.raises(EncodeError, match=message):
            VideoEncoder(frames, frame_rate=30)
    with pytest.raises(EncodeError, match="frame rate"):
        VideoEncoder(bars(2))
    with pytest.raises(EncodeError, match="frame rate"):
        VideoEncoder(bars(2), frame_rate=30, fps=30)
    for wrong in ({}, {"path": bars(2), "frames": bars(2)}):
        with pytest.raises(EncodeError, match="path: expected"):
            VideoEncoder(frame_rate=30, **wrong)
    with pytest.raises(EncodeError, match=r"crf: .* arguments of to_file"):
        VideoEncoder(bars(2), frame_rate=30, crf=3)
    with pytest.raises(TypeError, match="unexpected arguments: quality"):
        VideoEncoder(tmp_path / "a.mp4", fps=30, quality=3)
    with pytest.raises(EncodeError, match="holds its frames"):
        VideoEncoder(bars(2), frame_rate=30).write(bars(2))
    with pytest.raises(EncodeError, match="as they come"):
        VideoEncoder(tmp_path / "a.mp4", fps=30).to_tensor("mp4")


def test_pictures_and_sound_fed_in_turns(bars, tmp_path):
    path = tmp_path / "a.mp4"
    frames, sound = torch.from_numpy(bars(50)), _tone(2, 16000)
    encoder = Encoder()
    pictures = encoder.add_video(height=64, width=96, frame_rate=25, crf=10)
    samples = encoder.add_audio(sample_rate=16000, num_channels=2)
    with encoder.open_file(path, container_options={"movflags": "faststart"}) as opened:
        assert opened is encoder
        for second in range(2):
            samples.add_samples(sound[:, second * 16000 : (second + 1) * 16000])
            for start in range(second * 25, second * 25 + 25, 5):
                pictures.add_frames(frames[start : start + 5])
        assert pictures.frames_written == 50
    assert path.read_bytes().index(b"moov") < path.read_bytes().index(b"mdat")
    with VideoDecoder(path) as decoder:
        assert len(decoder) == 50
        assert _psnr(decoder[:], frames) > 28
    heard = AudioDecoder(path).get_all_samples()
    assert heard.sample_rate == 16000
    assert abs(heard.data.shape[1] - 32000) <= 2048
    spectrum = torch.fft.rfft(heard.data[0, 2000:18000]).abs()
    assert int(spectrum.argmax()) == 440
    for call in (lambda: pictures.add_frames(frames[:1]), lambda: samples.add_samples(sound)):
        with pytest.raises(EncodeError, match="not open"):
            call()
    assert pictures.frames_written == 50
    encoder.close()
    with pytest.raises(EncodeError, match="the encoder is closed"):
        encoder.open_file(path)


def test_several_streams_of_each_kind(bars):
    file = io.BytesIO()
    encoder = Encoder()
    large = encoder.add_video(height=64, width=96, frame_rate=30, codec="ffv1", pixel_format="bgr0")
    small = encoder.add_video(height=32, width=48, frame_rate=15, codec="mpeg4", bit_rate=400_000)
    exact = encoder.add_audio(sample_rate=8000, num_channels=1, codec="flac")
    mixed = encoder.add_audio(
        sample_rate=8000, num_channels=2, out_sample_rate=16000, out_num_channels=1, codec="pcm_s16le"
    )
    tone = _tone(1, 8000)
    with encoder.open_file_like(file, format="mkv"):
        large.add_frames(bars(30))
        small.add_frames(bars(15, 32, 48))
        exact.add_samples((tone[:1] * 32767).to(torch.int16).numpy())
        mixed.add_samples(tone)
    with VideoDecoder(file.getvalue(), stream_index=0) as decoder:
        assert torch.equal(decoder[:], torch.from_numpy(bars(30)))
    with VideoDecoder(file.getvalue(), stream_index=1) as decoder:
        assert (len(decoder), decoder.metadata.codec, decoder.metadata.width) == (15, "mpeg4", 48)
    heard = AudioDecoder(file.getvalue(), stream_index=2).get_all_samples()
    torch.testing.assert_close(heard.data, tone[:1], atol=1e-4, rtol=0)
    heard = AudioDecoder(file.getvalue(), stream_index=3).get_all_samples()
    assert (heard.data.shape[0], heard.sample_rate) == (1, 16000)
    assert int(torch.fft.rfft(heard.data[0, :16000]).abs().argmax()) == 440


def test_a_pipe_without_seeking(bars):
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.data = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data) -> int:
            self.data += bytes(data)
            return len(data)

    pipe = Pipe()
    encoder = Encoder()
    pictures = encoder.add_video(height=64, width=96, frame_rate=30)
    with encoder.open_file_like(pipe, format="mp4", container_options={"movflags": "frag_keyframe+empty_moov"}):
        pictures.add_frames(bars(10))
    with VideoDecoder(bytes(pipe.data)) as decoder:
        assert len(decoder) == 10


def test_what_an_encoder_refuses(bars, tmp_path):
    with pytest.raises(EncodeError, match="no stream"):
        Encoder().open_file(tmp_path / "a.mp4")
    encoder = Encoder()
    for call, message in (
        (lambda: encoder.add_video(height=0, width=8, frame_rate=30), "1 or more"),
        (lambda: encoder.add_video(height=8, width=8, frame_rate=-1), "frame rate"),
        (lambda: encoder.add_audio(sample_rate=0, num_channels=1), "sample_rate: got 0"),
        (lambda: encoder.add_audio(sample_rate=8000, num_channels=9), "num_channels: got 9"),
        (lambda: encoder.add_audio(sample_rate=8000, num_channels=1, out_sample_rate=1.5), "out_sample_rate"),
    ):
        with pytest.raises(EncodeError, match=message):
            call()
    pictures = encoder.add_video(height=64, width=96, frame_rate=30)
    samples = encoder.add_audio(sample_rate=16000, num_channels=2)
    with pytest.raises(EncodeError, match="not open"):
        pictures.add_frames(bars(1))
    with encoder.open_file(tmp_path / "a.mp4"):
        with pytest.raises(EncodeError, match="add_video: the encoder is open"):
            encoder.add_video(height=8, width=8, frame_rate=30)
        with pytest.raises(EncodeError, match="frame 0: got 48x32, the file holds 96x64"):
            pictures.add_frames(bars(1, 32, 48))
        with pytest.raises(EncodeError, match="got 1 channels of sound, expected 2"):
            samples.add_samples(_tone(0.1, 16000, 1))
        with pytest.raises(EncodeError, match="NaN"):
            samples.add_samples(torch.full((2, 8), float("nan")))
        pictures.add_frames(bars(2))
    with VideoDecoder(tmp_path / "a.mp4") as decoder:
        assert len(decoder) == 2
    odd = Encoder()
    odd.add_video(height=65, width=96, frame_rate=30)
    with pytest.raises(EncodeError, match="the height of 2"):
        odd.open_file(tmp_path / "odd.mp4")
    assert not (tmp_path / "odd.mp4").exists()


def test_a_forked_child_frees_no_encoder_of_its_parent(bars, tmp_path: Path):
    encoder = VideoEncoder(tmp_path / "a.mp4", fps=30, audio_rate=8000)
    encoder.write(np.random.default_rng(0).integers(0, 256, (8, 3, 256, 256), np.uint8))
    child = os.fork()
    if child == 0:
        try:
            del encoder
            gc.collect()
        finally:
            os._exit(0)
    for _ in range(600):
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            break
        import time

        time.sleep(0.05)
    else:
        os.kill(child, 9)
        os.waitpid(child, 0)
        pytest.fail("the child waits for threads that it does not have")
    assert status == 0
    encoder.write(bars(1, 256, 256))
    encoder.close()
    with VideoDecoder(tmp_path / "a.mp4") as decoder:
        assert len(decoder) == 9
