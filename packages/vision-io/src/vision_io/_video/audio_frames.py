"""The sound of a video file, as the readers of this package need it beside the pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from vision_io._deadline import Deadline
from vision_io._errors import DecodeError, MissingDependencyError
from vision_io._limits import DEFAULT_LIMITS, Limits
from vision_io._video.pyav_open import Source, import_av, open_container, source_name

__all__ = ["AudioFacts", "audio_facts", "audio_frames"]


@dataclass(frozen=True)
class AudioFacts:
    """Facts of an audio stream.

    Attributes:
        sample_rate: Samples per second.
        channels: Number of channels.
        duration_seconds: By the header; 0 where it does not say.
    """

    sample_rate: int
    channels: int
    duration_seconds: float


def _needs_pyav(backend: str, source: Source) -> None:
    """Complain about decord without PyAV: it mixes and counts samples but does not tell their rate."""
    if backend == "decord":
        try:
            import_av()
        except MissingDependencyError as error:
            raise DecodeError(
                f"{source_name(source)}: decord does not tell the sample rate of a sound track; to read the sound "
                "beside its pictures install PyAV: pip install 'vision-io[video]'"
            ) from error


def audio_facts(source: Source, limits: Limits = DEFAULT_LIMITS, backend: str = "video_reader") -> AudioFacts | None:
    """Facts of the first audio stream (of the best one with TorchCodec), or ``None`` where there is none.

    Raises:
        DecodeError: The source cannot be opened, or the backend is decord and PyAV is not there.
    """
    if backend == "torchcodec":
        from vision_io._video.torchcodec_sound import torchcodec_sound_facts

        facts = torchcodec_sound_facts(source)
        return None if facts is None else AudioFacts(*facts)
    _needs_pyav(backend, source)
    with open_container(source, limits) as container:
        if not container.streams.audio:
            return None
        stream = container.streams.audio[0]
        if stream.codec_context is None:
            raise DecodeError(f"{source_name(source)}: the audio stream uses a codec that this FFmpeg cannot decode")
        duration = (
            float(stream.duration * stream.time_base) if stream.duration else float(container.duration or 0) / 1e6
        )
        return AudioFacts(stream.codec_context.sample_rate, stream.codec_context.channels, duration)


def audio_frames(
    source: Source, start_seconds: float = 0.0, limits: Limits = DEFAULT_LIMITS, backend: str = "video_reader"
) -> Iterator[tuple[float, np.ndarray]]:
    """Decode the stream of :func:`audio_facts`: ``(pts_seconds, samples)``, float32 (channels, n) in -1..1.

    Args:
        source: Path, address, bytes, or a seekable object with ``read``.
        start_seconds: Begin with the first packet that ends after this time.
        limits: Bounds on the number of streams, and on the time until the next samples are there.
        backend: Name of the video backend.

    Raises:
        DecodeError: The stream is damaged.
    """
    if backend == "torchcodec":
        from vision_io._video.torchcodec_sound import torchcodec_sound

        yield from torchcodec_sound(source, start_seconds)
        return
    _needs_pyav(backend, source)
    av = import_av()
    deadline = Deadline(limits.deadline, source_name(source))
    with open_container(source, limits, deadline) as container:
        if not container.streams.audio:
            return
        stream = container.streams.audio[0]
        if stream.codec_context is None:
            raise DecodeError(f"{source_name(source)}: the audio stream uses a codec that this FFmpeg cannot decode")
        stream.codec_context.thread_count = 1
        resampler = av.AudioResampler(format="fltp", layout=stream.layout, rate=stream.sample_rate)
        if start_seconds > 0:
            container.seek(int(start_seconds / stream.time_base), stream=stream, backward=True)
        try:
            for frame in _restarting(container.decode(stream), deadline):
                if frame.pts is not None and frame.time + frame.samples / frame.sample_rate <= start_seconds:
                    continue
                for piece in resampler.resample(frame):
                    yield float(piece.time or 0.0), piece.to_ndarray()
        except av.error.FFmpegError as error:
            if deadline.passed():
                raise deadline.error() from error
            raise DecodeError(f"{source_name(source)}: the audio stream is damaged: {error.strerror}") from error


def _restarting(frames: Iterator[Any], deadline: Deadline) -> Iterator[Any]:
    """The frames, each with the whole time of a call."""
    deadline.restart()
    for frame in frames:
        yield frame
        deadline.restart()
