"""Frames of libraries that hand out finished RGB pictures and times, in the terms of this package."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch

from vision_io._errors import DecodeError
from vision_io._pixels.formats import FORMATS
from vision_io._pixels.raw_frame import RawFrame
from vision_io._video.frame_index import FrameIndex, PacketRecord
from vision_io._video.frame_source import ByNumber
from vision_io._video.pyav_open import Source, check_source, source_name, start_of
from vision_io._video.saved_index import VideoIndex

__all__ = [
    "TICK",
    "PicturesByNumber",
    "as_path",
    "check_saved",
    "index_by_times",
    "records_of",
    "refuse_what_is_no_video",
    "rgb_frame",
]

TICK = Fraction(1, 1_000_000)
_TEXT = frozenset(b"\t\n\r\f\x1b") | frozenset(range(32, 256))


def refuse_what_is_no_video(source: Source) -> None:
    """Refuse what is missing or empty, and text: playlists would make the library open other files and addresses.

    Raises:
        DecodeError: It is one of these.
    """
    name = source_name(source)
    check_source(source, name)
    start = start_of(source)
    if start and all(byte in _TEXT for byte in start[:512]):
        raise DecodeError(f"{name}: a text file, not a video")


def check_saved(saved: VideoIndex | None, frames: int, name: str) -> None:
    """Refuse an index that counts other frames than the library does."""
    if saved is not None and len(saved) != frames:
        raise DecodeError(f"{name}: the index lists {len(saved)} frames, this backend finds {frames}")


def index_by_times(pts: np.ndarray, durations: np.ndarray, keys: list[int]) -> FrameIndex:
    """Index frames by their times in seconds, float64 (N), as if each were a packet of its own.

    Raises:
        ValueError: The times do not rise.
    """
    ticks = np.round(pts / float(TICK)).astype(np.int64)
    if np.any(np.diff(ticks) <= 0):
        raise ValueError("times do not rise")
    last = max(round(float(durations[-1]) / float(TICK)), 1)
    places = np.arange(len(ticks), dtype=np.int64)
    starts = np.array(sorted({0, *keys}), dtype=np.int64)
    return FrameIndex(
        pts=ticks,
        durations=np.append(np.diff(ticks), last),
        packet=places,
        start=starts[np.searchsorted(starts, places, side="right") - 1],
        display=places,
        time_base=TICK,
        counted=False,
    )


def records_of(index: FrameIndex) -> tuple[PacketRecord, ...]:
    """Packets of which an index made of times could have been made."""
    keys = set(index.start.tolist())
    return tuple(
        PacketRecord(pts, None, duration, place in keys, False)
        for place, (pts, duration) in enumerate(zip(index.pts.tolist(), index.durations.tolist(), strict=True))
    )


class PicturesByNumber(ByNumber, ABC):
    """What sources share whose library hands out finished pictures by their number."""

    @abstractmethod
    def _picture(self, number: int) -> np.ndarray:
        """The picture (H, W, 3) uint8 of this number."""

    def frames(self, wanted: Sequence[int]) -> Iterator[tuple[int, RawFrame]]:
        """Decode the frames with these display indices (strictly increasing) and yield them in that order."""
        for number in wanted:
            yield number, rgb_frame(self._picture(number))

    def resized(self, frame: RawFrame, width: int, height: int) -> RawFrame:
        """The picture at another size (antialiased bicubic), for streams whose pictures change size on the way."""
        picture = torch.from_numpy(frame.owner).permute(2, 0, 1)[None]  # type: ignore[arg-type]
        scaled = torch.nn.functional.interpolate(picture, (height, width), mode="bicubic", antialias=True)
        return rgb_frame(np.ascontiguousarray(scaled[0].permute(1, 2, 0).numpy()))


def rgb_frame(picture: np.ndarray) -> RawFrame:
    """A picture (H, W, 3) uint8 of any strides, turned for display already, as a frame."""
    picture = np.ascontiguousarray(picture)
    height, width = picture.shape[:2]
    return RawFrame(
        FORMATS["rgb24"],
        width,
        height,
        (picture.ctypes.data,),
        (picture.strides[0],),
        (picture.reshape(-1),),
        owner=picture,
    )


def as_path(source: Source) -> str | None:
    """The path or address of a source that has one."""
    return os.fspath(source) if isinstance(source, (str, os.PathLike, Path)) else None
