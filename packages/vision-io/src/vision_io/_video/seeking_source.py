"""Frames by time from a file whose packets nobody has read: ask the container to seek, decode on from there."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from vision_io._deadline import Deadline
from vision_io._errors import DecodeError
from vision_io._limits import Limits
from vision_io._pixels.raw_frame import RawFrame
from vision_io._video.damage import DamageReport, ErrorPolicy
from vision_io._video.frame_index import FrameIndex
from vision_io._video.frame_mappings import index_by_mappings
from vision_io._video.pyav_open import Source, import_av
from vision_io._video.pyav_planes import PlaneReader
from vision_io._video.pyav_stream import OpenStream
from vision_io._video.reopening import keep_for_ever
from vision_io._video.saved_index import VideoIndex

__all__ = ["SeekingSource"]

# Without a list of key frames, a seek pays when it goes further than this many frames.
_SEEK_GAP = 48
_NEVER = -(1 << 62)
# The first frame may be so many frames later than the header says.
_LATE = 4


class SeekingSource:
    """A :class:`~vision_io._video.frame_source.FrameSource` that calls frames by their time, in ticks of the stream.

    Args:
        source: Path, address, bytes, or a seekable object with ``read``.
        stream_index: Index among all streams of the file, or ``None`` for the best video stream.
        num_threads: Decoder threads; 0 lets FFmpeg choose.
        limits: Bounds checked before anything large is allocated.
        mappings: The frames of the stream as JSON; ``None`` to guess them from the header.
        errors: What becomes of frames that cannot be decoded.
        deadline: When to give up; the caller starts it again for each of its calls.
        planes: What takes the planes out of frames.
    """

    report: DamageReport | None = None

    def __init__(
        self,
        source: Source,
        stream_index: int | None,
        num_threads: int,
        limits: Limits,
        mappings: bytes | None,
        errors: ErrorPolicy,
        deadline: Deadline,
        planes: type[PlaneReader] = PlaneReader,
    ) -> None:
        self._failures = import_av().error.FFmpegError
        self.name = deadline.name
        self.deadline = deadline
        self._errors = errors
        self.salvages = errors == "salvage"
        opened = OpenStream(source, stream_index, num_threads, limits, deadline, errors, planes)
        self._container, self._stream, self._context = opened.container, opened.stream, opened.context
        self._planes = opened.planes
        self._exact = mappings is not None
        try:
            for other in self._container.streams:
                if other.index != self._stream.index and hasattr(other, "discard"):
                    other.discard = 48  # AVDISCARD_ALL
            if mappings is None:
                self.index = _guessed(self._container, self._stream, self.name, limits)
            else:
                self.index, self._starts = index_by_mappings(mappings, self._stream.time_base)
                limits.check_frames(len(self.index), self.name)
            limits.check_seconds((int(self.index.pts[-1]) - int(self.index.pts[0])) * self.index.time_base, self.name)
            self._packets = self._demux()
            self._reset()
            frame = self._next()
            if frame is None:
                raise DecodeError(f"{self.name}: stream {self._stream.index} holds no frame that can be decoded")
            self._ready.appendleft(frame)
            late = self._time(frame) - int(self.index.pts[0])
            if not self._exact and 0 < late <= _LATE * self._step:  # the header of an AVI always says 0
                self.index = replace(self.index, pts=self.index.pts + late)
            self.facts = self._planes.facts(self._container, self._stream, frame)
        except BaseException:
            self._container.close()
            raise

    @property
    def saved(self) -> VideoIndex:
        """There is nothing to save: no packet was read."""
        raise ValueError(
            f"{self.name}: the decoder has read no packets, so that it has no index; open it with seek_mode='exact'"
        )

    # -- names ---------------------------------------------------------------------------------------------------

    def names(self, numbers: Sequence[int]) -> list[int]:
        """Ticks at which the frames are on screen: where they begin, or in the middle where that is guessed."""
        chosen = np.asarray(numbers, dtype=np.int64)
        middle = 0 if self._exact else self.index.durations[chosen] // 2
        return (self.index.pts[chosen] + middle).tolist()

    def names_at(self, seconds: np.ndarray) -> list[int]:
        """Ticks of times."""
        tick = float(self._stream.time_base)
        if not self._exact:
            return np.floor(seconds / tick + 1e-6).astype(np.int64).tolist()
        return self.names((np.searchsorted(self.index.pts_seconds, seconds, side="right") - 1).tolist())

    def numbers(self, names: Sequence[int]) -> list[int]:
        """Display indices, as far as they are known."""
        places = np.searchsorted(self.index.pts, np.asarray(names, dtype=np.int64), side="right") - 1
        return np.clip(places, 0, len(self.index) - 1).tolist()

    # -- decoding ------------------------------------------------------------------------------------------------

    def frames(self, wanted: Sequence[int]) -> Iterator[tuple[int, RawFrame | None]]:
        """Decode the frames on screen at these ticks (strictly increasing) and yield them in that order."""
        for tick in wanted:
            frame = self._at(int(tick))
            if frame is None or ((frame.is_corrupt or self._suspect) and not self.salvages):
                if self._errors == "raise":
                    raise DecodeError(f"{self.name}: the frame at {self._seconds(tick):.3f} s is damaged")
                yield tick, None
                continue
            raw = self._planes.raw(frame)
            begin = self._time(frame)
            length = self._time(self._ready[0]) - begin if self._ready else frame.duration
            raw.time = begin, length if length and length > 0 else self._step
            yield tick, raw

    def _at(self, tick: int) -> Any | None:
        """The frame on screen at a tick."""
        if self._must_seek(tick):
            self._seek(tick)
        frame = self._advance(tick)
        reach = self._step * _SEEK_GAP
        while frame is None and self._from > _NEVER:  # the seek led to a later place
            self._seek(tick - reach if reach < 1 << 40 else _NEVER)
            reach *= 8
            frame = self._advance(tick)
        if frame is None and self._ready:
            frame = self._current = self._ready.popleft()  # nothing is shown before the first frame
        if self._exact and frame is not None and self._time(frame) != tick:
            if self._errors == "raise":
                raise DecodeError(
                    f"{self.name}: custom_frame_mappings list a frame at {self._seconds(tick):.6f} s; the stream has "
                    f"one at {self._seconds(self._time(frame)):.6f} s and none there"
                )
            return frame if self.salvages else None
        return frame

    def _must_seek(self, tick: int) -> bool:
        if self._current is None:
            return bool(self._ready) and self._time(self._ready[0]) > tick and self._from > _NEVER
        here = self._time(self._current)
        if tick < here:
            return True
        if self._exact:
            return int(self.index.pts[self._starts[self.numbers([tick])[0]]]) > here + self._step * 4
        return tick > here + self._step * _SEEK_GAP

    def _advance(self, tick: int) -> Any | None:
        """Decode on to the last frame that begins at ``tick`` or before; ``None`` when all that is left is later."""
        while True:
            frame = self._ready.popleft() if self._ready else self._next(tick)
            if frame is None:
                return self._current  # the last one stays on screen
            if self._time(frame) > tick:
                self._ready.appendleft(frame)
                return self._current
            self._current = frame
            if frame.key_frame:
                self._suspect = False
            self._suspect = self._suspect or frame.is_corrupt
            # Durations say little: those of MP4 are differences of decode times. The next frame tells how long.
            if self._exact and self._time(frame) == tick:
                return frame

    def _next(self, tick: int = _NEVER) -> Any | None:
        """The next frame that the decoder puts out; pictures shown before ``tick`` may be left out."""
        while not self._pending:
            if self._drained:
                return None
            packet = next(self._packets, None)
            self._drained = packet is None
            unwanted = self._exact and packet is not None and packet.pts is not None and packet.pts < tick
            self._context.skip_frame = "NONREF" if unwanted else "DEFAULT"
            try:
                self._pending.extend(self._context.decode(packet))
            except EOFError:
                continue
            except self._failures as error:
                if self._errors == "raise":
                    words = getattr(error, "strerror", error)
                    place = "its end" if packet is None or packet.pts is None else f"{self._seconds(packet.pts):.3f} s"
                    raise DecodeError(f"{self.name}: damaged near {place}: {words}") from error
                self._suspect = True
        return self._pending.popleft()

    def _demux(self) -> Iterator[Any]:
        try:
            for packet in self._container.demux(self._stream):
                self.deadline.check()
                if packet.size:
                    yield packet
        except DecodeError:
            raise
        except (self._failures, OSError, ValueError) as error:
            if self.deadline.passed():
                raise self.deadline.error() from error
            if self._errors == "raise":
                raise DecodeError(f"{self.name}: reading fails: {getattr(error, 'strerror', error)}") from error

    def _seek(self, tick: int) -> None:
        first = int(self.index.pts[0])
        to_start = tick <= first
        try:
            self._container.seek(min(first, 0) if to_start else tick, stream=self._stream, backward=True)
        except self._failures as error:
            if not to_start:
                self._seek(_NEVER)
                return
            raise DecodeError(f"{self.name}: cannot seek: {getattr(error, 'strerror', error)}") from error
        self._packets = self._demux()
        if self._context.is_open:
            self._context.flush_buffers()
        self._reset()
        self._from = _NEVER if to_start else tick

    def _reset(self) -> None:
        self._ready: deque[Any] = deque()
        self._pending: deque[Any] = deque()
        self._current: Any = None
        self._drained = False
        self._suspect = False
        self._from = _NEVER
        self._step = max(int(np.median(self.index.durations)), 1)
        self._guess = int(self.index.pts[0])

    def _time(self, frame: Any) -> int:
        """When a frame is shown; frames without a time follow each other evenly."""
        if frame.pts is None:
            frame.pts = frame.dts if frame.dts is not None else self._guess
        self._guess = frame.pts + self._step
        return frame.pts

    def _seconds(self, tick: float) -> float:
        return float(tick) * float(self._stream.time_base)

    def resized(self, frame: RawFrame, width: int, height: int) -> RawFrame:
        """The frame at another size, for pictures that change size on the way."""
        return self._planes.resized(frame, width, height)

    def close(self) -> None:
        """Free the file and the decoder."""
        self._reset()
        self._container.close()

    def abandon(self) -> None:
        """Keep the parent process's decoder alive and untouched."""
        keep_for_ever(self.__dict__.copy())


def _guessed(container: Any, stream: Any, name: str, limits: Limits) -> FrameIndex:
    """The frames as the header makes one expect them: evenly from the beginning to the end."""
    base = stream.time_base
    rate = stream.average_rate or stream.guessed_rate
    duration = stream.duration * base if stream.duration else Fraction(container.duration or 0, 1_000_000)
    if not rate or rate <= 0 or duration <= 0:
        raise DecodeError(
            f"{name}: the header does not say the frame rate and the duration; open it with seek_mode='exact'"
        )
    count = stream.frames or max(int(duration * rate), 1)
    limits.check_frames(count, name)
    begin = stream.start_time or 0
    step = max(1 / (rate * base), Fraction(1))
    pts = begin + np.round(np.arange(count) * float(step)).astype(np.int64)
    last = max(round(begin + duration / base) - int(pts[-1]), 1)
    none = np.zeros(0, dtype=np.int64)
    return FrameIndex(
        pts, np.append(np.diff(pts), last), none, np.zeros(count, np.int64), np.zeros(1, np.int64), base, counted=False
    )
