"""Facts of a video stream, from its packets and from its header."""

from __future__ import annotations

from dataclasses import dataclass, fields
from fractions import Fraction

import numpy as np

from vision_io._video.frame_index import FrameIndex
from vision_io._video.frame_source import StreamFacts

__all__ = ["VideoMetadata", "metadata_of"]

# ISO/IEC 23091-2 code points in FFmpeg's words; 2 is "unspecified".
_PRIMARIES = {
    1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "film", 9: "bt2020", 10: "smpte428",
    11: "smpte431", 12: "smpte432", 22: "ebu3213",
}  # fmt: skip
_MATRICES = {
    0: "gbr", 1: "bt709", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "ycgco", 9: "bt2020nc",
    10: "bt2020c", 11: "smpte2085", 12: "chroma-derived-nc", 13: "chroma-derived-c", 14: "ictcp",
}  # fmt: skip
_TRANSFERS = {
    1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "linear", 9: "log100", 10: "log316",
    11: "iec61966-2-4", 12: "bt1361e", 13: "iec61966-2-1", 14: "bt2020-10", 15: "bt2020-12", 16: "smpte2084",
    17: "smpte428", 18: "arib-std-b67",
}  # fmt: skip


@dataclass(frozen=True)
class VideoMetadata:
    """Facts of a video stream.

    With ``seek_mode="exact"`` counts and times are exact: they come from the packets, not from the header. With
    ``"approximate"`` they are the header's, and what the packets alone know is ``None``.

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
        mirrored: Frames are mirrored left to right for display, after they are turned.
        bits: Bits of a decoded sample.
        color_primaries: FFmpeg's name of the primaries, for example ``"bt2020"``; ``None`` where unspecified.
        color_space: FFmpeg's name of the matrix, likewise.
        color_transfer_characteristic: FFmpeg's name of the transfer function, likewise.
        begin_stream_seconds_from_header: When the stream begins by the header, or ``None``.
        duration_seconds_from_header: Duration by the header, or ``None``.
        num_frames_from_header: Number of frames by the header, or ``None``.
        begin_stream_seconds_from_content: When the first frame is shown by the packets, or ``None``.
        end_stream_seconds_from_content: When the last frame ends by the packets, or ``None``.
        num_frames_from_content: Number of frames by the packets, or ``None``.
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
    average_fps_from_header: float | None
    pixel_aspect_ratio: Fraction | None
    matrix: int
    full_range: bool
    time_base: Fraction
    mirrored: bool = False
    bits: int = 8
    color_primaries: str | None = None
    color_space: str | None = None
    color_transfer_characteristic: str | None = None
    begin_stream_seconds_from_header: float | None = None
    duration_seconds_from_header: float | None = None
    num_frames_from_header: int | None = None
    begin_stream_seconds_from_content: float | None = None
    end_stream_seconds_from_content: float | None = None
    num_frames_from_content: int | None = None

    def __str__(self) -> str:
        return "\n".join(f"{field.name}: {getattr(self, field.name)}" for field in fields(self))


def metadata_of(facts: StreamFacts, index: FrameIndex, scanned: bool) -> VideoMetadata:
    """Put the facts together.

    Args:
        facts: What the header and the first frame say.
        index: The frames.
        scanned: The index comes from the packets.
    """
    begin, end = float(index.pts_seconds[0]), float(np.max(index.pts_seconds + index.duration_seconds))
    average = len(index) / (end - begin)
    if not scanned and facts.average_rate:
        average = float(facts.average_rate)
    turned = facts.rotation % 180 != 0
    content = (begin, end, len(index)) if scanned else (None, None, None)
    return VideoMetadata(
        num_frames=len(index),
        duration_seconds=end - begin,
        average_fps=average,
        begin_stream_seconds=begin,
        end_stream_seconds=end,
        height=facts.width if turned else facts.height,
        width=facts.height if turned else facts.width,
        codec=facts.codec,
        pixel_format=facts.pixel_format,
        rotation=facts.rotation,
        stream_index=facts.stream_index,
        container=facts.container,
        bit_rate=facts.bit_rate,
        average_fps_from_header=None if facts.average_rate is None else float(facts.average_rate),
        pixel_aspect_ratio=facts.pixel_aspect_ratio,
        matrix=facts.matrix,
        full_range=facts.full_range,
        time_base=index.time_base,
        mirrored=facts.mirrored,
        bits=facts.bits,
        color_primaries=_PRIMARIES.get(facts.primaries),
        color_space=_MATRICES.get(facts.matrix),
        color_transfer_characteristic=_TRANSFERS.get(facts.transfer),
        begin_stream_seconds_from_header=facts.begin_seconds,
        duration_seconds_from_header=facts.duration_seconds,
        num_frames_from_header=facts.listed_frames,
        begin_stream_seconds_from_content=content[0],
        end_stream_seconds_from_content=content[1],
        num_frames_from_content=content[2],
    )
