"""What the decoder needs from a library that reads video files.

PyAV is the source today (:class:`vision_io._video.pyav_source.PyAVSource`); another library fits in by implementing
:class:`FrameSource`. A source knows about packets and planes and nothing about tensors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

import numpy as np

from vision_io._pixels.raw_frame import RawFrame
from vision_io._video.damage import DamageReport
from vision_io._video.frame_index import FrameIndex
from vision_io._video.reopening import keep_for_ever
from vision_io._video.saved_index import VideoIndex

__all__ = ["ByNumber", "FrameSource", "StreamFacts"]


@dataclass(frozen=True)
class StreamFacts:
    """What the container and the codec say about a video stream; sizes are those of the picture before rotation.

    `begin_seconds`, `duration_seconds` and `listed_frames` are what the header says of the stream, `container_seconds`
    of the whole file; ``None`` where it says nothing.
    """

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
    mirrored: bool = False
    primaries: int = 2
    transfer: int = 2
    bits: int = 8
    begin_seconds: float | None = None
    duration_seconds: float | None = None
    container_seconds: float | None = None
    listed_frames: int | None = None


class ByNumber:
    """What sources share that call frames by their display index."""

    index: FrameIndex
    report: DamageReport | None = None
    salvages: bool = False

    def names(self, numbers: Sequence[int]) -> list[int]:
        """What the frames with these display indices are called: by them."""
        return list(numbers)

    def names_at(self, seconds: np.ndarray) -> list[int]:
        """Display indices of the frames on screen at these times."""
        return (np.searchsorted(self.index.pts_seconds, seconds, side="right") - 1).tolist()

    def numbers(self, names: Sequence[int]) -> list[int]:
        """Display indices are what frames are called by."""
        return list(names)

    def abandon(self) -> None:
        """Keep the parent process's decoder alive and untouched."""
        keep_for_ever(self.__dict__.copy())


class FrameSource(Protocol):
    """Random access to the decoded pictures of one stream."""

    name: str
    facts: StreamFacts
    index: FrameIndex
    report: DamageReport | None  # once damage has been found
    salvages: bool  # frames that did not come are to be replaced

    @property
    def saved(self) -> VideoIndex:
        """What opening found out, for another source of the same file."""
        ...

    def names(self, numbers: Sequence[int]) -> list[int]:
        """What :meth:`frames` calls the frames with these display indices."""
        ...

    def names_at(self, seconds: np.ndarray) -> list[int]:
        """What :meth:`frames` calls the frames on screen at these times, which lie within the stream."""
        ...

    def numbers(self, names: Sequence[int]) -> list[int]:
        """Display indices of frames."""
        ...

    def frames(self, wanted: Sequence[int]) -> Iterator[tuple[int, RawFrame | None]]:
        """Decode the frames of these names (strictly increasing) and yield them in that order.

        A yielded frame is valid until the next one is asked for. ``None`` stands for a frame that the error policy
        leaves out; frames may then be yielded again from the first on.
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
