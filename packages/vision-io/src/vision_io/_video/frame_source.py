"""What the decoder needs from a library that reads video files.

PyAV is the source today (:class:`vision_io._video.pyav_source.PyAVSource`); another library fits in by implementing
:class:`FrameSource`. A source knows about packets and planes and nothing about tensors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from vision_io._pixels.raw_frame import RawFrame
from vision_io._video.frame_index import FrameIndex
from vision_io._video.saved_index import VideoIndex

__all__ = ["FrameSource", "StreamFacts"]


@dataclass(frozen=True)
class StreamFacts:
    """What the container and the codec say about a video stream; sizes are those of the picture before rotation."""

    stream_index: int
    codec: str
    pixel_format: str
    width: int
    height: int
    rotation: int
    average_rate: Fraction | None
    bit_rate: int | None
    pixel_aspect_ratio: Fraction | None
    matrix: int
    full_range: bool
    container: str


class FrameSource(Protocol):
    """Random access to the decoded pictures of one stream."""

    name: str
    facts: StreamFacts
    index: FrameIndex

    @property
    def saved(self) -> VideoIndex:
        """What opening found out, for another source of the same file."""
        ...

    def frames(self, wanted: Sequence[int]) -> Iterator[tuple[int, RawFrame]]:
        """Decode the frames with these display indices (strictly increasing) and yield them in that order.

        A yielded frame is valid until the next one is asked for.
        """
        ...

    def resized(self, frame: RawFrame, width: int, height: int) -> RawFrame:
        """The frame at the given size, for streams whose picture size changes on the way."""
        ...

    def close(self) -> None:
        """Free the file and the decoder. Closing twice is allowed."""
        ...

    def abandon(self) -> None:
        """Let go of the file and the decoder without freeing them: they belong to the process that was forked from."""
        ...
