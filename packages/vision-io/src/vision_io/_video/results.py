"""What a video decoder returns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from fractions import Fraction

from torch import Tensor

__all__ = ["Frame", "FrameBatch", "VideoMetadata"]


@dataclass(frozen=True)
class Frame:
    """One decoded frame.

    Attributes:
        data: RGB, uint8 (3, H, W).
        pts_seconds: When the frame is shown.
        duration_seconds: For how long.
    """

    data: Tensor
    pts_seconds: float
    duration_seconds: float

    def __iter__(self) -> Iterator[Tensor | float]:
        yield from (self.data, self.pts_seconds, self.duration_seconds)

    def __repr__(self) -> str:
        return (
            f"Frame(data={tuple(self.data.shape)} {self.data.dtype}, pts_seconds={self.pts_seconds:.6f}, "
            f"duration_seconds={self.duration_seconds:.6f})"
        )


@dataclass(frozen=True)
class FrameBatch:
    """Decoded frames in the order that was asked for.

    Attributes:
        data: RGB, uint8 (N, 3, H, W) for layout ``"TCHW"``, (3, N, H, W) for ``"CTHW"``.
        pts_seconds: When each frame is shown, float64 (N).
        duration_seconds: For how long, float64 (N).
    """

    data: Tensor
    pts_seconds: Tensor
    duration_seconds: Tensor

    def __len__(self) -> int:
        return len(self.pts_seconds)

    def __iter__(self) -> Iterator[Tensor]:
        yield from (self.data, self.pts_seconds, self.duration_seconds)

    def __repr__(self) -> str:
        span = ""
        if len(self):
            span = f", pts_seconds={self.pts_seconds[0]:.3f}..{self.pts_seconds[-1]:.3f}"
        return f"FrameBatch(data={tuple(self.data.shape)} {self.data.dtype}{span})"


@dataclass(frozen=True)
class VideoMetadata:
    """Facts of a video stream. Counts and times are exact: they come from the packets, not from the header.

    Attributes:
        num_frames: Frames that the stream shows.
        duration_seconds: From the start of the first frame to the end of the last.
        average_fps: ``num_frames / duration_seconds``.
        begin_stream_seconds: When the first frame is shown.
        end_stream_seconds: When the last frame ends.
        height: Rows of a frame as it is returned, after rotation.
        width: Columns of a frame as it is returned, after rotation.
        codec: Name of the codec, for example ``"h264"``.
        pixel_format: FFmpeg's name of the decoded pixel format.
        rotation: Degrees by which frames are turned counter-clockwise for display: 0, 90, 180 or 270.
        stream_index: Index among all streams of the file.
        container: Name of the container format.
        bit_rate: Bits per second by the header, or ``None``.
        average_fps_from_header: Frame rate by the header, or ``None``.
        pixel_aspect_ratio: Width of a pixel over its height, or ``None`` where unknown.
        matrix: ISO/IEC 23091-2 MatrixCoefficients code.
        full_range: Samples use their whole range.
        time_base: Seconds of one tick of the stream's clock.
    """

    num_frames: int
    duration_seconds: float
    average_fps: float
    begin_stream_seconds: float
    end_stream_seconds: float
    height: int
    width: int
    codec: str
    pixel_format: str
    rotation: int
    stream_index: int
    container: str
    bit_rate: int | None
    average_fps_from_header: Fraction | None
    pixel_aspect_ratio: Fraction | None
    matrix: int
    full_range: bool
    time_base: Fraction

    def __str__(self) -> str:
        return "\n".join(f"{field.name}: {getattr(self, field.name)}" for field in fields(self))
