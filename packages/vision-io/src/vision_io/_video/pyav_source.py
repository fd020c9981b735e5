"""Frames by display index from PyAV: decode what is needed, skip what nobody asked for, seek only when it pays."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from vision_io._errors import DecodeError
from vision_io._limits import Limits
from vision_io._pixels.colour import is_known_matrix
from vision_io._pixels.formats import FORMATS
from vision_io._pixels.raw_frame import RawFrame
from vision_io._video.frame_index import FrameIndex, index_by_count, index_by_packets
from vision_io._video.frame_source import StreamFacts
from vision_io._video.pyav_compat import code_of
from vision_io._video.pyav_open import Source, import_av, open_container, pick_stream, source_name
from vision_io._video.pyav_packets import PacketStore
from vision_io._video.reopening import keep_for_ever
from vision_io._video.saved_index import VideoIndex, size_of

__all__ = ["PyAVSource"]

_FULL_RANGE = 2  # AVCOL_RANGE_JPEG
_PROGRESSIVE = (0, 1)  # AV_FIELD_UNKNOWN, AV_FIELD_PROGRESSIVE


class PyAVSource:
    """A :class:`~vision_io._video.frame_source.FrameSource` over PyAV. Not safe for use by two threads at once.

    Args:
        source: Path, address, bytes, or a seekable object with ``read``.
        stream_index: Index among all streams of the file, or ``None`` for the best video stream.
        num_threads: Decoder threads; 0 lets FFmpeg choose.
        limits: Bounds checked before anything large is allocated.
        saved: What opening the same source found out before.
    """

    def __init__(
        self,
        source: Source,
        stream_index: int | None,
        num_threads: int,
        limits: Limits,
        saved: VideoIndex | None = None,
    ) -> None:
        self._av = import_av()
        self.name = source_name(source)
        self._limits = limits
        self._file_size = size_of(source)
        sizes = set() if saved is None else {self._file_size, saved.file_size} - {None}
        if saved is not None and len(sizes) > 1:
            raise DecodeError(
                f"{self.name}: the index belongs to another file, of {saved.file_size} bytes; this one has "
                f"{self._file_size}"
            )
        self._container = open_container(source, limits)
        try:
            self._stream = pick_stream(self._container, stream_index, self.name)
            if saved is not None and saved.frames.time_base != self._stream.time_base:
                raise DecodeError(
                    f"{self.name}: the index counts in ticks of {saved.frames.time_base} s, the stream in ticks of "
                    f"{self._stream.time_base} s; indices of other backends do not serve this one"
                )
            self._context = self._stream.codec_context
            if self._context is None:
                raise DecodeError(
                    f"{self.name}: stream {self._stream.index} uses a codec that this FFmpeg cannot decode"
                )
            limits.check_picture(self._context.width, self._context.height, self.name)
            self._context.options = {"max_pixels": str(limits.max_pixels)}
            self._context.thread_type = "FRAME" if num_threads > 1 else "AUTO"
            self._context.thread_count = num_threads
            records = None if saved is None else saved.records
            self._packets = PacketStore(self._container, self._stream, self.name, limits, records)
            self._reformatter: Any = None
            self._ready: deque[tuple[int, Any]] = deque()
            keys = (i for i, record in enumerate(self._packets.records) if record.is_key)
            self._first = next(keys, 0)  # a recording may begin in the middle of a group of pictures
            self._restart(self._first)
            self.index = self._build_index() if saved is None else saved.frames
            limits.check_seconds((int(self.index.pts[-1]) - int(self.index.pts[0])) * self.index.time_base, self.name)
            self._by_pts = {int(t): i for i, t in enumerate(self.index.pts)}
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
        times = []
        for position in range(self._first, len(self._packets) + 1):
            for frame in self._decode(position):
                times.append((frame.pts, frame.duration or 0))
                self._limits.check_frames(len(times), self.name)
        self._restart(self._first)
        if not times:
            raise DecodeError(
                f"{self.name}: stream {self._stream.index} holds {len(self._packets)} packets but no frame"
            )
        return index_by_count(times, self._stream.time_base, tick, self._first)

    def _probe(self) -> StreamFacts:
        """Decode the first frame, which alone knows rotation, range and the size that is really coded."""
        frame = self._reach(0, frozenset(), 0)
        self._ready.appendleft((0, frame))
        self._last = -1
        context, stream = self._context, self._stream
        format = frame.format.name
        return StreamFacts(
            stream_index=stream.index,
            codec=stream.codec_context.codec.canonical_name
            if hasattr(stream.codec_context.codec, "canonical_name")
            else context.name,
            pixel_format=format,
            width=frame.width,
            height=frame.height,
            rotation=self._rotation(frame),
            average_rate=stream.average_rate,
            bit_rate=context.bit_rate or None,
            pixel_aspect_ratio=stream.sample_aspect_ratio or None,
            matrix=code_of(frame.colorspace),
            full_range=format.startswith("yuvj") or code_of(frame.color_range) == _FULL_RANGE,
            container=self._container.format.name,
        )

    # -- decoding ------------------------------------------------------------------------------------------------

    def _restart(self, position: int) -> None:
        """Forget what is under way: the next packet fed is ``position``, which must be a key packet or the first."""
        if self._context.is_open:
            self._context.flush_buffers()
        self._ready.clear()
        self._position = position
        self._last = -1  # display index of the newest frame that was handed out or dropped
        self._counter = 0  # frames put out since the restart, for counted streams
        self._skipped: set[int] = set()
        self._drained = False

    def _decode(self, position: int) -> list[Any]:
        """Feed one packet, or the end of the stream, and return the frames that come out."""
        try:
            at_end = position >= len(self._packets)
            return self._context.decode(None if at_end else self._packets.read(position))
        except self._av.error.EOFError:
            return []
        except self._av.error.FFmpegError as error:
            self._restart(self._first)
            raise DecodeError(f"{self.name}: damaged at packet {position}: {error.strerror}") from error

    def _feed(self, wanted: frozenset[int], last: int) -> None:
        """Feed the next packet; a packet whose frame nobody wants is not decoded unless others refer to it."""
        position = self._position
        if position < len(self._packets) and not self.index.counted:
            frame = int(self.index.display[position])
            skip = frame < last and frame not in wanted
            self._context.skip_frame = "NONREF" if skip else "DEFAULT"
            if skip and frame >= 0:
                self._skipped.add(frame)
        else:
            self._context.skip_frame = "DEFAULT"
        self._drained = position >= len(self._packets)
        frames = self._decode(position)
        self._position = position + 1
        for frame in frames:
            if self.index.counted:
                self._ready.append((self._counter, frame))
                self._counter += 1
            else:
                self._ready.append((self._by_pts.get(frame.pts, -1), frame))

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
            time = self.index.pts_seconds[target]
            raise DecodeError(f"{self.name}: frame {target} (at {time:.3f} s) is listed but cannot be decoded")
        if frame.is_corrupt:
            raise DecodeError(f"{self.name}: frame {target} is damaged")
        return frame

    def _advance(self, target: int, wanted: frozenset[int], last: int) -> Any | None:
        """Decode on until ``target`` comes out; ``None`` when it is passed or never comes."""
        while True:
            while self._ready:
                number, frame = self._ready.popleft()
                self._last = max(self._last, number)
                if number == target:
                    return frame
                if number > target:
                    return None
            if self._drained:
                return None
            self._feed(wanted, last)

    def frames(self, wanted: Sequence[int]) -> Iterator[tuple[int, RawFrame]]:
        """Decode the frames with these display indices (strictly increasing) and yield them in that order."""
        chosen = frozenset(wanted)
        for target in wanted:
            yield target, self._raw(self._reach(target, chosen, wanted[-1]))

    # -- planes --------------------------------------------------------------------------------------------------

    @staticmethod
    def _rotation(frame: Any) -> int:
        degrees = int(frame.rotation) % 360
        return degrees if degrees % 90 == 0 else 0

    def _convert(self, frame: Any, format: str, width: int | None = None, height: int | None = None) -> Any:
        if self._reformatter is None:
            from av.video.reformatter import VideoReformatter

            self._reformatter = VideoReformatter()
        return self._reformatter.reformat(frame, width=width, height=height, format=format)

    def _raw(self, frame: Any, turn: int | None = None) -> RawFrame:
        """The planes of a frame; formats that the kernels do not know go through swscale first."""
        rotation = self._rotation(frame) if turn is None else turn
        name, matrix = frame.format.name, code_of(frame.colorspace)
        format = FORMATS.get(name)
        planes = frame.planes
        strides = tuple([plane.line_size for plane in planes])
        unknown = format is None or (format.family in ("yuv", "nv") and not is_known_matrix(matrix))
        if unknown or min(strides) <= 0:
            self._limits.check_picture(frame.width, frame.height, self.name)
            frame = self._convert(frame, "rgb24")
            format, planes = FORMATS["rgb24"], frame.planes
            strides = tuple([plane.line_size for plane in planes])
        assert format is not None
        return RawFrame(
            format,
            frame.width,
            frame.height,
            tuple([plane.buffer_ptr for plane in planes]),
            strides,
            planes,
            matrix,
            format.full_range or code_of(frame.color_range) == _FULL_RANGE,
            rotation,
            frame,
        )

    def resized(self, frame: RawFrame, width: int, height: int) -> RawFrame:
        """The frame at another size (bicubic, as FFmpeg's own tools do), for pictures that change size on the way."""
        return self._raw(self._convert(frame.owner, "rgb24", width, height), frame.rotation)

    # -- life ----------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Free the file and the decoder."""
        self._ready.clear()
        self._container.close()

    def abandon(self) -> None:
        """Keep the parent process's decoder alive and untouched."""
        keep_for_ever(self.__dict__.copy())
