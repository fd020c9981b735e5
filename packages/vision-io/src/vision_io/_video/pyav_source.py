"""Frames by display index from PyAV: decode what is needed, skip what nobody asked for, seek only when it pays."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from vision_io._deadline import Deadline
from vision_io._errors import DecodeError, LimitError
from vision_io._limits import Limits
from vision_io._pixels.raw_frame import RawFrame
from vision_io._video.damage import DamageReport, ErrorPolicy, is_reference, judge
from vision_io._video.frame_index import FrameIndex, index_by_count, index_by_packets
from vision_io._video.frame_source import ByNumber, StreamFacts
from vision_io._video.pyav_compat import code_of
from vision_io._video.pyav_open import Source, import_av, source_name
from vision_io._video.pyav_packets import PacketStore
from vision_io._video.pyav_planes import PlaneReader
from vision_io._video.pyav_stream import OpenStream
from vision_io._video.saved_index import VideoIndex, size_of

__all__ = ["PyAVSource"]

_MAX_DELAY = 64  # packets that may be decoded between a picture and one that is shown before it
_PROGRESSIVE = (0, 1)  # AV_FIELD_UNKNOWN, AV_FIELD_PROGRESSIVE


class PyAVSource(ByNumber):
    """A :class:`~vision_io._video.frame_source.FrameSource` over PyAV. Not safe for use by two threads at once.

    Args:
        source: Path, address, bytes, or a seekable object with ``read``.
        stream_index: Index among all streams of the file, or ``None`` for the best video stream.
        num_threads: Decoder threads; 0 lets FFmpeg choose.
        limits: Bounds checked before anything large is allocated.
        saved: What opening the same source found out before.
        errors: What becomes of frames that cannot be decoded.
        deadline: When to give up; the caller starts it again for each of its calls.
        planes: What takes the planes out of frames.
    """

    def __init__(
        self,
        source: Source,
        stream_index: int | None,
        num_threads: int,
        limits: Limits,
        saved: VideoIndex | None = None,
        errors: ErrorPolicy = "raise",
        deadline: Deadline | None = None,
        planes: type[PlaneReader] = PlaneReader,
    ) -> None:
        self._av = import_av()
        self.deadline = deadline or Deadline(limits.deadline, source_name(source))
        self.name = self.deadline.name
        self._limits = limits
        self._tolerant, self.salvages = errors != "raise", errors == "salvage"
        self.report: DamageReport | None = None
        self._file_size = size_of(source)
        sizes = set() if saved is None else {self._file_size, saved.file_size} - {None}
        if saved is not None and len(sizes) > 1:
            raise DecodeError(
                f"{self.name}: the index belongs to another file, of {saved.file_size} bytes; this one has "
                f"{self._file_size}"
            )
        opened = OpenStream(source, stream_index, num_threads, limits, self.deadline, errors, planes)
        self._container, self._stream, self._context = opened.container, opened.stream, opened.context
        self._planes = opened.planes
        try:
            if saved is not None and saved.frames.time_base != self._stream.time_base:
                raise DecodeError(
                    f"{self.name}: the index counts in ticks of {saved.frames.time_base} s, the stream in ticks of "
                    f"{self._stream.time_base} s; indices of other backends do not serve this one"
                )
            records = None if saved is None else saved.records
            self._packets = PacketStore(
                self._container, self._stream, self.name, limits, self.deadline, records, self._tolerant
            )
            self._ready: deque[tuple[int, Any]] = deque()
            keys = (i for i, record in enumerate(self._packets.records) if record.is_key)
            self._first = next(keys, 0)  # a recording may begin in the middle of a group of pictures
            self._skips = False
            self._broken: list[int] = []  # packets whose pictures are damaged and may be referred to
            self._restart(self._first)
            self.index = self._build_index() if saved is None else saved.frames
            limits.check_seconds((int(self.index.pts[-1]) - int(self.index.pts[0])) * self.index.time_base, self.name)
            self._by_pts = dict(zip(self.index.pts.tolist(), range(len(self.index)), strict=True))
            self._display: list[int] = self.index.display.tolist()  # empty where frames are counted
            self.facts = self._probe()
        except BaseException:
            self._container.close()
            raise

    @property
    def saved(self) -> VideoIndex:
        """What opening found out."""
        return VideoIndex(self._stream.index, self._file_size, self.index, tuple(self._packets.records))

    # -- facts ---------------------------------------------------------------------------------------------------

    def _build_index(self) -> FrameIndex:
        context, records = self._context, self._packets.records
        guessed = self._container.format.name == "avi" and context.has_b_frames
        fields = context.name in ("h264", "hevc") and code_of(getattr(context, "field_order", 0)) not in _PROGRESSIVE
        index = None
        if not fields:
            index = index_by_packets(records, self._stream.time_base, not guessed)
        return index if index is not None else self._count()

    def _count(self) -> FrameIndex:
        """Decode the whole stream once and index what comes out."""
        rate = self._stream.average_rate or Fraction(25)
        tick = max(round(1 / (rate * self._stream.time_base)), 1)
        times = [(frame.pts, frame.duration or 0) for frame in self._everything()]
        self._restart(self._first)
        if not times:
            raise DecodeError(
                f"{self.name}: stream {self._stream.index} holds {len(self._packets)} packets but no frame"
            )
        return index_by_count(times, self._stream.time_base, tick, self._first)

    def _everything(self) -> Iterator[Any]:
        """Decode the stream from its beginning to its end."""
        self._restart(self._first)
        self._skip(False)
        count = 0
        for position in range(self._first, len(self._packets) + 1):
            frames = self._decode(position)
            count += len(frames)
            self._limits.check_frames(count, self.name)
            yield from frames
            if self._drained:
                return

    def _probe(self) -> StreamFacts:
        """Decode the first frame, which alone knows rotation, range and the size that is really coded."""
        first = 0
        try:
            frame = self._reach(0, frozenset(), 0)
        except LimitError:
            raise
        except DecodeError:
            if not self._tolerant:
                raise
            first, frame = self._first_that_comes()
        self._ready.appendleft((first, frame))
        self._last = first - 1
        return self._planes.facts(self._container, self._stream, frame)

    # -- decoding ------------------------------------------------------------------------------------------------

    def _restart(self, position: int) -> None:
        """Forget what is under way: the next packet fed is ``position``, which must be a key packet or the first."""
        if self._context.is_open:
            self._context.flush_buffers()
        self._ready.clear()
        self._position = self._from = position
        self._last = -1  # display index of the newest frame that was handed out or dropped
        self._counter = 0  # frames put out since the restart, for counted streams
        self._skipped: set[int] = set()
        self._drained = False

    def _decode(self, position: int) -> list[Any]:
        """Feed one packet, or the end of the stream, and return the frames that come out."""
        self.deadline.check()
        packet = None
        if position < self._packets.present:
            try:
                packet = self._packets.read(position)
            except LimitError:
                raise
            except DecodeError:
                if not self._tolerant:
                    raise  # the end of what is left of the file otherwise
        self._drained = packet is None
        try:
            return self._context.decode(packet)
        except self._av.error.EOFError:
            return []
        except self._av.error.FFmpegError as error:
            if self._tolerant:
                self._broken.append(position)
                return []
            self._restart(self._first)
            raise DecodeError(f"{self.name}: {self._place(position)} is damaged: {error.strerror}") from error

    def _place(self, position: int) -> str:
        """The frame that a packet carries, in words."""
        index = getattr(self, "index", None)  # it may be this that is being built
        frame = -1 if index is None or index.counted or position >= len(index.display) else int(index.display[position])
        return f"packet {position}" if frame < 0 else self._frame(frame)

    def _frame(self, number: int) -> str:
        return f"frame {number} (at {self.index.pts_seconds[number]:.3f} s)"

    def _feed(self, wanted: frozenset[int], last: int) -> None:
        """Feed the next packet; a packet whose frame nobody wants is not decoded unless others refer to it."""
        position = self._position
        skip = False
        if position < len(self._display):
            frame = self._display[position]
            skip = frame < last and frame not in wanted
            if skip and frame >= 0:
                self._skipped.add(frame)
        self._skip(skip)
        frames = self._decode(position)
        self._position = position + 1
        for frame in frames:
            if self.index.counted:
                self._ready.append((self._counter, frame))
                self._counter += 1
            else:
                self._ready.append((self._by_pts.get(frame.pts, -1), frame))

    def _skip(self, unwanted: bool) -> None:
        """Tell the decoder what becomes of pictures that no other refers to; telling takes longer than asking."""
        if unwanted != self._skips:
            self._skips = unwanted
            self._context.skip_frame = "NONREF" if unwanted else "DEFAULT"

    def _reach(self, target: int, wanted: frozenset[int], last: int) -> Any:
        """Decode up to the frame ``target`` and return it."""
        start = int(self.index.start[target])
        behind = target <= self._last or target in self._skipped
        if behind or start > self._position + self._packets.seek_gap:
            self._restart(start)
        frame = self._advance(target, wanted, last)
        if frame is None and start > self._first:  # a key packet that does not stand for itself
            self._restart(self._first)
            frame = self._advance(target, wanted, last)
        if frame is None:
            self._restart(self._first)
            raise DecodeError(f"{self.name}: {self._frame(target)} is listed but cannot be decoded")
        if frame.is_corrupt:
            raise DecodeError(f"{self.name}: {self._frame(target)} is damaged")
        if self._broken and not self.index.counted:
            place = int(self.index.packet[target])
            source = next((p for p in self._broken if start <= p < place), None)
            if source is not None:
                raise DecodeError(
                    f"{self.name}: {self._frame(target)} cannot be trusted: {self._place(source)}, from which it may "
                    "be predicted, is damaged"
                )
        return frame

    def _advance(self, target: int, wanted: frozenset[int], last: int) -> Any | None:
        """Decode on until ``target`` comes out; ``None`` when it is passed or never comes."""
        while True:
            while self._ready:
                number, frame = self._ready.popleft()
                if number > target and self._tolerant:
                    self._ready.appendleft((number, frame))
                    return None
                self._last = max(self._last, number)
                if frame.is_corrupt:
                    self._note_corrupt(number)
                if number == target:
                    return frame
                if number > target:
                    return None
            if self._drained:
                return None
            self._feed(wanted, last)

    def _note_corrupt(self, number: int) -> None:
        """Remember a damaged picture from which others may be predicted."""
        if number < 0 or self.index.counted or self._from > self.index.start[number]:
            return  # pictures that are shown before the key packet where decoding began are never whole
        position = int(self.index.packet[number])
        if position not in self._broken and self._is_reference(position):
            self._broken.append(position)

    def _is_reference(self, position: int) -> bool:
        if self._context.name != "h264":
            return True
        try:
            packet = bytes(self._packets.read(position))
        except DecodeError:
            return True
        return is_reference(packet, "h264", self._context.extradata)

    def frames(self, wanted: Sequence[int]) -> Iterator[tuple[int, RawFrame | None]]:
        """Decode the frames with these display indices (strictly increasing) and yield them in that order.

        With a policy other than ``"raise"``, frames that are not whole come as ``None``, or as what the decoder could
        make of them. At the first sign of damage the whole stream is judged once, and the frames are yielded anew.
        """
        chosen = frozenset(wanted)
        if self.report is None:
            try:
                for target in wanted:
                    yield target, self._planes.raw(self._reach(target, chosen, wanted[-1]))
                if self._tolerant and wanted:
                    self._look_ahead(wanted[-1])
                if self._tolerant and (self._broken or self._packets.torn):
                    place = (self._broken or self._packets.torn)[0]
                    raise DecodeError(f"{self.name}: {self._place(place)} is damaged")
            except LimitError:
                raise
            except DecodeError:
                if not self._tolerant:
                    raise
                self.report = self._judge()
            else:
                return
        for target in wanted:
            yield target, self._judged(target)

    # -- damaged streams -----------------------------------------------------------------------------------------

    def _look_ahead(self, last: int) -> None:
        """Decode on until all that the frames up to ``last`` may be predicted from has come out, whole.

        Damage shows when a picture comes out, which may be after those that are shown before it.
        """
        if self.index.counted:
            return
        place = int(self.index.packet[last])
        before = self.index.display[max(place - _MAX_DELAY, 0) : place]
        for number in np.sort(before[before > last]).tolist():
            if number > self._last and number not in self._skipped:
                self._reach(number, frozenset((number,)), number)

    def _judge(self) -> DamageReport:
        """Decode everything once to find out which frames are whole."""
        self._broken.clear()
        came: list[int] = []
        corrupt: list[int] = []
        keys: list[int] = []
        after: list[int] = []
        for frame in self._everything():
            if self.index.counted and len(self._broken) > len(after):
                after += [len(came)] * (len(self._broken) - len(after))
            number = len(came) if self.index.counted else self._by_pts.get(frame.pts, -1)
            if 0 <= number < len(self.index):
                came.append(number)
                if frame.is_corrupt:
                    corrupt.append(number)
                if frame.key_frame:
                    keys.append(number)
        self._restart(self._first)
        torn = [p for p in self._packets.torn if p >= self._first]
        if self.index.counted:
            corrupt += [len(self.index) - 1] if torn else []
        else:
            corrupt += [n for n in self.index.display[torn].tolist() if n >= 0]
        references = [self._is_reference(p) for p in range(len(self._packets))] if not self.index.counted else []
        report = judge(self.index, came, corrupt, keys, after, references)
        if not came:
            raise DecodeError(f"{self.name}: no frame of stream {self._stream.index} can be decoded")
        self._broken.clear()
        return report

    def _judged(self, target: int) -> RawFrame | None:
        """The frame, as far as the policy wants it."""
        assert self.report is not None
        if not (self.report.came if self.salvages else self.report.whole)[target]:
            return None
        start = int(self.index.start[target])
        if target <= self._last or start > self._position + self._packets.seek_gap:
            self._restart(start)
        frame = self._advance(target, frozenset((target,)), -1)
        if frame is None:  # it came when everything was decoded
            self._restart(self._first)
            frame = self._advance(target, frozenset((target,)), -1)
        self._broken.clear()
        return None if frame is None else self._planes.raw(frame)

    def _first_that_comes(self) -> tuple[int, Any]:
        self.report = self._judge()
        first = self.report.stand_in(0)
        self._restart(self._first)
        frame = self._advance(first, frozenset((first,)), -1)
        if frame is None:
            raise DecodeError(f"{self.name}: no frame of stream {self._stream.index} can be decoded")
        return first, frame

    def resized(self, frame: RawFrame, width: int, height: int) -> RawFrame:
        """The frame at another size (bicubic, as FFmpeg's own tools do), for pictures that change size on the way."""
        return self._planes.resized(frame, width, height)

    # -- life ----------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Free the file and the decoder."""
        self._ready.clear()
        self._container.close()
