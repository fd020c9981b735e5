"""Sound: what is encoded comes back, any range is a part of the whole, damage is told."""

from __future__ import annotations

import copy
import io
import pickle
import wave
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vision_io import AudioDecoder, AudioEncoder, DecodeError, EncodeError, LimitError, Limits, VideoDecoder

pytestmark = pytest.mark.extra_video

pytest.importorskip("av")

RATE = 22050


def tones(channels: int = 2, samples: int = 2 * RATE, rate: int = RATE) -> torch.Tensor:
    """A sine of another pitch on each channel; the amplitude rises, so that every moment differs."""
    time = torch.arange(samples, dtype=torch.float64) / rate
    pitches = 220.0 * (1 + torch.arange(channels, dtype=torch.float64))[:, None]
    return (torch.sin(2 * torch.pi * pitches * time) * (0.1 + 0.4 * time / time[-1])).float()


def wav_bytes(samples: np.ndarray, rate: int) -> bytes:
    """A WAV file of int16 samples (channels, n), made without this package."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(samples.shape[0])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.ascontiguousarray(samples.T).astype("<i2").tobytes())
    return buffer.getvalue()


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    """The same sound in formats with and without loss."""
    return {
        format: AudioEncoder(tones(), sample_rate=RATE).to_tensor(format).numpy().tobytes()
        for format in ("wav", "flac", "mp3", "mp4", "mpegts")
    }


def test_wav_is_exact():
    stored = np.random.default_rng(0).integers(-32768, 32768, (2, 5000))
    decoder = AudioDecoder(wav_bytes(stored, 8000))
    samples = decoder.get_all_samples()
    assert samples.data.dtype == torch.float32
    np.testing.assert_array_equal(samples.data.numpy() * 32768, stored)
    assert (samples.pts_seconds, samples.duration_seconds, samples.sample_rate) == (0.0, 0.625, 8000)
    facts = decoder.metadata
    assert (facts.codec, facts.sample_rate, facts.num_channels, facts.stream_index) == ("pcm_s16le", 8000, 2, 0)
    assert facts.duration_seconds == pytest.approx(0.625)
    assert "8000 Hz" in repr(decoder)
    assert "codec: pcm_s16le" in str(facts)
    assert "(2, 5000)" in repr(samples)
    assert len(list(samples)) == 4


@pytest.mark.parametrize(("format", "tolerance"), [("wav", 2e-5), ("flac", 2e-5), ("mpegts", 0.05)])
def test_round_trip(format, tolerance, files):
    decoded = AudioDecoder(files[format]).get_all_samples().data
    assert decoded.shape[1] >= 2 * RATE
    error = (decoded[:, : 2 * RATE] - tones()).square().mean().sqrt()
    if format == "mpegts":  # its first samples are those of the encoder's delay
        spectrum = torch.fft.rfft(decoded[0, RATE : 2 * RATE]).abs()
        assert spectrum.argmax() == 220
    else:
        assert error < tolerance


@pytest.mark.parametrize("settings_", [{}, {"sample_rate": 16000}, {"num_channels": 1}], ids=["as is", "rate", "mono"])
@pytest.mark.parametrize("format", ["wav", "flac", "mp3", "mp4"])
def test_any_range_is_a_part_of_the_whole(format, settings_, files):
    decoder = AudioDecoder(files[format], **settings_)
    whole = decoder.get_all_samples()
    assert whole.data.shape[0] == settings_.get("num_channels", 2)
    assert whole.sample_rate == settings_.get("sample_rate", RATE) == decoder.sample_rate
    begin, rate = whole.pts_seconds, whole.sample_rate
    for start, stop in [
        (0.5, 0.75),
        (0.75, 1.5),
        (1.9, None),
        (0.0, 0.1),
        (1.0, 1.0),
        (0.123456, 1.654321),
        (1.2, 99.0),
    ]:
        part = decoder.get_samples_played_in_range(begin + start, None if stop is None else begin + stop)
        first = round(start * rate)
        last = whole.data.shape[1] if stop is None else min(round(stop * rate), whole.data.shape[1])
        assert torch.equal(part.data, whole.data[:, first:last])
        assert part.pts_seconds == pytest.approx(begin + first / rate)
        assert part.duration_seconds == pytest.approx((last - first) / rate)


@given(st.lists(st.tuples(st.integers(0, 900), st.integers(0, 900)), min_size=1, max_size=6))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_ranges_in_any_order(files, ranges):
    decoder = AudioDecoder(files["flac"])
    whole = decoder.get_all_samples().data
    for start, length in ranges:
        part = decoder.get_samples_played_in_range(start / 500, (start + length) / 500)
        assert torch.equal(part.data, whole[:, round(start / 500 * RATE) : round((start + length) / 500 * RATE)])


def test_far_jumps_in_a_long_file():
    stored = np.random.default_rng(1).integers(-32768, 32768, (1, 60 * 1000))
    decoder = AudioDecoder(wav_bytes(stored, 1000))
    for start in (45.5, 12.25, 59.0, 0.0, 30.001):
        part = decoder.get_samples_played_in_range(start, start + 0.5).data
        np.testing.assert_array_equal(
            part[0].numpy() * 32768, stored[0, round(start * 1000) : round(start * 1000) + 500]
        )


def test_resampling_keeps_the_pitch():
    decoder = AudioDecoder(
        AudioEncoder(tones(1), sample_rate=RATE).to_tensor("wav").numpy().tobytes(), sample_rate=8000
    )
    spectrum = torch.fft.rfft(decoder.get_all_samples().data[0, :8000]).abs()
    assert spectrum.argmax() == 220


def test_mixing_to_mono_keeps_the_power():
    stored = np.random.default_rng(2).integers(-16000, 16000, (2, 1000))
    mono = AudioDecoder(wav_bytes(stored, 8000), num_channels=1).get_all_samples().data[0]
    np.testing.assert_allclose(mono.numpy(), stored.sum(0) / 32768 / 2**0.5, atol=1e-6)


def test_the_sound_of_a_video(tmp_path, bars):
    from vision_io import VideoEncoder

    path = tmp_path / "a.mp4"
    with VideoEncoder(path, fps=25, preset="ultrafast", audio_rate=48000) as encoder:
        encoder.write(bars(25))
        encoder.write_audio(tones(2, 48000, 48000))
    decoder = AudioDecoder(path)
    assert decoder.stream_index == 1
    assert decoder.metadata.codec == "aac"
    error = decoder.get_all_samples().data[:, 4800:43200] - tones(2, 48000, 48000)[:, 4800:43200]
    assert error.abs().mean() < 0.02
    with pytest.raises(DecodeError, match=r"stream 0 is no audio stream.*1: audio"):
        AudioDecoder(path, stream_index=0)


def test_a_file_object_is_read_where_it_is(files):
    decoder = AudioDecoder(io.BytesIO(files["flac"]))
    assert decoder.get_all_samples().data.shape == (2, 2 * RATE)
    with pytest.raises(DecodeError, match="pickled"):
        pickle.dumps(decoder)


def test_copies_and_threads(files):
    decoder = AudioDecoder(files["mp3"], sample_rate=16000)
    whole = decoder.get_all_samples().data
    for other in (pickle.loads(pickle.dumps(decoder)), copy.deepcopy(decoder)):
        assert torch.equal(other.get_all_samples().data, whole)
    begin = decoder.get_all_samples().pts_seconds
    with ThreadPoolExecutor(4) as pool:
        parts = list(
            pool.map(lambda k: decoder.get_samples_played_in_range(begin + k / 8, begin + (k + 1) / 8), range(8))
        )
    for k, part in enumerate(parts):
        assert torch.equal(part.data, whole[:, k * 2000 : (k + 1) * 2000])


def test_a_forked_child_opens_its_own_and_frees_nothing_of_its_parent(files):
    import gc
    import multiprocessing

    decoder = AudioDecoder(files["flac"])
    whole = decoder.get_all_samples().data
    half_read = [AudioDecoder(files["mp3"], sample_rate=16000) for _ in range(4)]
    for other in half_read:
        other.get_samples_played_in_range(0.0, 0.3)

    def work(queue):
        half_read.clear()
        gc.collect()
        queue.put(decoder.get_samples_played_in_range(0.5, 1.0).data.numpy())

    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=work, args=(queue,))
    child.start()
    try:
        received = queue.get(timeout=60)
        child.join(60)
        assert child.exitcode == 0
    finally:
        child.kill()
    np.testing.assert_array_equal(received, whole[:, RATE // 2 : RATE])


def test_limits(files):
    decoder = AudioDecoder(files["flac"], limits=Limits(max_batch_bytes=100_000))
    with pytest.raises(LimitError, match="max_batch_bytes"):
        decoder.get_all_samples()
    assert decoder.get_samples_played_in_range(0.0, 0.1).data.shape[1] == RATE // 10


def test_bad_requests(files, moving_bars, tmp_path):
    with pytest.raises(ValueError, match="sample_rate: got 0"):
        AudioDecoder(files["wav"], sample_rate=0)
    with pytest.raises(ValueError, match="num_channels: got 9"):
        AudioDecoder(files["wav"], num_channels=9)
    with pytest.raises(DecodeError, match="no audio stream; the file holds video only"):
        AudioDecoder(moving_bars)
    with pytest.raises(DecodeError, match="no such file"):
        AudioDecoder(tmp_path / "none.wav")
    decoder = AudioDecoder(files["wav"])
    with pytest.raises(ValueError, match="start_seconds <= stop_seconds"):
        decoder.get_samples_played_in_range(1.0, 0.5)
    with pytest.raises(IndexError, match="has ended"):
        decoder.get_samples_played_in_range(10.0)
    decoder.close()
    decoder.close()
    with pytest.raises(DecodeError, match="closed"):
        decoder.get_all_samples()


@pytest.mark.parametrize("format", ["wav", "flac", "mp3", "mp4"])
def test_damage_is_told_or_survived(format, files):
    data = bytearray(files[format])
    generator = np.random.default_rng(3)
    for _ in range(12):
        damaged = bytearray(data)
        for place in generator.integers(0, len(data), 20):
            damaged[place] ^= int(generator.integers(1, 256))
        for candidate in (bytes(damaged), bytes(data[: generator.integers(1, len(data))])):
            try:
                samples = AudioDecoder(candidate, limits=Limits(max_batch_bytes=1 << 26)).get_all_samples()
            except DecodeError:
                continue
            assert samples.data.ndim == 2


# -- encoding --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["wav", "flac", "mp3", "m4a", "ogg", "opus", "mka"])
def test_formats_by_suffix(suffix, tmp_path):
    path = tmp_path / f"a.{suffix}"
    AudioEncoder(tones(), sample_rate=RATE).to_file(path)
    decoded = AudioDecoder(path, sample_rate=RATE).get_all_samples().data
    assert decoded.shape[0] == 2
    assert abs(decoded.shape[1] - 2 * RATE) < 3000
    assert torch.fft.rfft(decoded[1, RATE // 2 : RATE // 2 + RATE]).abs().argmax() == 440


def test_settings_of_the_encoder(tmp_path):
    encoder = AudioEncoder(tones(1)[0], sample_rate=RATE)
    small, large = (encoder.to_tensor("mp3", bit_rate=rate, sample_rate=44100) for rate in (32000, 256000))
    assert len(large) > 3 * len(small)
    decoder = AudioDecoder(encoder.to_tensor("wav", num_channels=2, sample_rate=16000).numpy().tobytes())
    assert (decoder.metadata.num_channels, decoder.metadata.sample_rate) == (2, 16000)


@pytest.mark.parametrize(
    ("samples", "rate", "message"),
    [
        (torch.zeros(2, 3, dtype=torch.int16), 8000, "got int16 of shape"),
        (torch.zeros(1, 2, 3), 8000, r"shape \(1, 2, 3\)"),
        (torch.zeros(1, 0), 8000, r"shape \(1, 0\)"),
        (torch.full((1, 4), float("nan")), 8000, "NaN"),
        (torch.zeros(9, 4), 8000, "num_channels: got 9"),
        (torch.zeros(1, 4), 0, "sample_rate: got 0"),
    ],
)
def test_samples_that_cannot_be_encoded(samples, rate, message):
    with pytest.raises(EncodeError, match=message):
        AudioEncoder(samples, sample_rate=rate)


def test_targets_that_cannot_be_written(tmp_path):
    encoder = AudioEncoder(tones(), sample_rate=RATE)
    with pytest.raises(EncodeError, match="no container format"):
        encoder.to_file(tmp_path / "a.unknown")
    with pytest.raises(EncodeError, match="does not exist"):
        encoder.to_file(tmp_path / "none" / "a.wav")
    with pytest.raises(EncodeError, match="holds no sound"):
        encoder.to_file(tmp_path / "a.png")
    with pytest.raises(EncodeError, match="refuses sample_rate=12345"):
        encoder.to_tensor("mp3", sample_rate=12345)


def test_a_video_decoder_hands_out_all_frames(moving_bars):
    with VideoDecoder(moving_bars) as decoder:
        assert torch.equal(decoder.get_all_frames().data, decoder[:])
        assert len(decoder.get_all_frames(fps=10.0)) == 14  # 40 frames at 30000/1001 are 1.335 s
