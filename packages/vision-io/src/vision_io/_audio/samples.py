"""What an audio decoder returns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

from torch import Tensor

__all__ = ["AudioMetadata", "AudioSamples"]


@dataclass(frozen=True)
class AudioSamples:
    """Decoded sound.

    Attributes:
        data: float32 (channels, samples) in -1..1.
        pts_seconds: When the first sample is played.
        duration_seconds: ``samples / sample_rate``.
        sample_rate: Samples per second.
    """

    data: Tensor
    pts_seconds: float
    duration_seconds: float
    sample_rate: int

    def __iter__(self) -> Iterator[Tensor | float]:
        yield from (self.data, self.pts_seconds, self.duration_seconds, self.sample_rate)

    def __repr__(self) -> str:
        return (
            f"AudioSamples(data={tuple(self.data.shape)} {self.data.dtype}, pts_seconds={self.pts_seconds:.6f}, "
            f"duration_seconds={self.duration_seconds:.6f}, sample_rate={self.sample_rate})"
        )


@dataclass(frozen=True)
class AudioMetadata:
    """Facts of an audio stream, as the container and the codec tell them.

    Attributes:
        sample_rate: Samples per second of the stream.
        num_channels: Channels of the stream.
        sample_format: FFmpeg's name of the decoded sample format, for example ``"fltp"``.
        codec: Name of the codec, for example ``"aac"``.
        begin_stream_seconds: When the stream begins, by the header; 0 where it does not say.
        duration_seconds: Duration by the header, or ``None`` where it does not say.
        bit_rate: Bits per second by the header, or ``None``.
        stream_index: Index among all streams of the file.
        container: Name of the container format.
        begin_stream_seconds_from_header: When the stream begins by the header, or ``None``.
        duration_seconds_from_header: Duration by the header, or ``None``.
    """

    sample_rate: int
    num_channels: int
    sample_format: str
    codec: str
    begin_stream_seconds: float
    duration_seconds: float | None
    bit_rate: int | None
    stream_index: int
    container: str
    begin_stream_seconds_from_header: float | None = None
    duration_seconds_from_header: float | None = None

    def __str__(self) -> str:
        return "\n".join(f"{field.name}: {getattr(self, field.name)}" for field in fields(self))
