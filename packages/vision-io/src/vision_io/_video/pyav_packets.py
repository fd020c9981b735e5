"""The packets of one stream in decode order: scanned once, kept in memory when small, read again when not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from vision_io._deadline import Deadline
from vision_io._errors import DecodeError, LimitError
from vision_io._limits import Limits
from vision_io._video.frame_index import PacketRecord
from vision_io._video.pyav_open import import_av

__all__ = ["PacketStore"]

# Encoded data that is kept, so that decoding needs neither a second read of the file nor a seek in it.
KEEP_BYTES = 64 << 20
# Broadcast formats, which are cut anywhere by nature: their last frame may be damaged, the rest is whole.
_RECORDINGS = ("mpegts", "mpeg")
# Without kept packets a seek in the file pays only when it skips more than this many packets.
SEEK_GAP = 64


def _is_hidden_vp8(packet: Any) -> bool:
    """Whether a VP8 packet only carries a reference picture: bit 4 of its first byte is clear (RFC 6386, 9.1)."""
    return not memoryview(packet)[0] & 0x10


class PacketStore:
    """Scans a stream and hands out its packets from any key packet on.

    Args:
        container: PyAV's input container.
        stream: The stream to read.
        name: How messages call the source.
        limits: Bounds on the number of packets.
        deadline: Looked at before every packet.
        records: The packets, where they are known: nothing is scanned then.
        tolerant: Take a file that is cut off for what it still holds. Frames that its own index lists beyond that have
            records too; their packets cannot be read.
    """

    def __init__(
        self,
        container: Any,
        stream: Any,
        name: str,
        limits: Limits,
        deadline: Deadline,
        records: Sequence[PacketRecord] | None = None,
        tolerant: bool = False,
    ) -> None:
        self._container = container
        self._stream = stream
        self._name = name
        self._deadline = deadline
        self._tolerant = tolerant
        self.records: list[PacketRecord] = []
        self._failures = import_av().error.FFmpegError
        self._kept: list[Any] | None = []
        self.torn: list[int] = []  # packets that the container says are not whole
        self._reader: Iterator[Any] | None = None
        self._read_position = 0
        for other in container.streams:
            if other.index != stream.index and hasattr(other, "discard"):
                other.discard = 48  # AVDISCARD_ALL: the demuxer need not read them
        if records is None:
            self._scan(limits, KEEP_BYTES)
            self.present = len(self.records)
            if tolerant:
                self._list_the_missing(limits)
        else:
            limits.check_frames(len(records), name)
            self.records = list(records)
            self._kept = None
            self.present = len(self.records)

    @property
    def seek_gap(self) -> int:
        """Packets that a seek must skip at least to be worth its cost."""
        return 0 if self._kept is not None else SEEK_GAP

    def __len__(self) -> int:
        return len(self.records)

    def _scan(self, limits: Limits, keep_bytes: int) -> None:
        vp8 = self._stream.codec_context.name in ("vp8", "libvpx")
        total, last = 0, None
        try:
            for packet in self._demux():
                hidden = packet.is_discard or (vp8 and _is_hidden_vp8(packet))
                self.records.append(
                    PacketRecord(packet.pts, packet.dts, packet.duration or 0, packet.is_keyframe, hidden)
                )
                if packet.is_corrupt:
                    self.torn.append(len(self.records) - 1)
                total += packet.size
                if self._kept is not None:
                    self._kept.append(packet)
                    if total > keep_bytes:
                        self._kept = None
                last = packet
                limits.check_frames(len(self.records), self._name)
        except LimitError:
            raise
        except DecodeError:
            if not self._tolerant or not self.records:
                raise
        self._check_whole(last)

    def _listed(self) -> int:
        """Packets that the file's own index lists, where it has one of its beginning."""
        if "mp4" not in self._container.format.name:
            return 0
        return len(self._entries()) or self._stream.frames

    def _entries(self) -> Sequence[Any]:
        """That index: PyAV has it from 17 on."""
        return getattr(self._stream, "index_entries", ())

    def _check_whole(self, last: Any) -> None:
        """Refuse a file that ends before its own index does."""
        if last is None:
            raise DecodeError(f"{self._name}: stream {self._stream.index} holds no data: the file is cut off or empty")
        if self._tolerant:
            return
        listed = self._listed()
        if len(self.records) < listed:
            raise DecodeError(
                f"{self._name}: the file is cut off: its index lists {listed} frames, data of {len(self.records)} are "
                "there; errors='salvage' or 'skip' takes what is left"
            )
        if last.is_corrupt and self._container.format.name not in _RECORDINGS:
            raise DecodeError(
                f"{self._name}: the file is cut off inside frame {len(self.records) - 1}: its last packet is "
                "incomplete; errors='salvage' or 'skip' takes what is left"
            )

    def _list_the_missing(self, limits: Limits) -> None:
        """Records for the frames at the end that are listed and not there.

        The list of an MP4 has decode times. Presentation times are the same set of times, later by the first frame's
        delay, where the frame rate is constant; where that does not fit they go on evenly. A Matroska track says how
        long it lasts.
        """
        shown = sorted(record.pts for record in self.records if record.pts is not None and not record.hidden)
        if len(shown) < 2:
            return
        step = max(int(np.median(np.diff(shown))), 1)
        missing = self._listed() - len(self.records)
        entries = list(self._entries())[len(self.records) :] if missing > 0 else []
        if missing <= 0:
            missing = (self._end_by_tag() - shown[-1] - step // 2) // step
        if missing <= 0:
            return
        limits.check_frames(missing + len(self.records), self._name)
        rate = self._stream.average_rate
        exact = float(1 / (rate * self._stream.time_base)) if rate else step
        times = _gaps(np.array(shown), exact if abs(exact - step) <= 1 else step, missing)
        first = self.records[0]
        if entries and first.dts is not None and first.pts is not None:
            delay = first.pts - first.dts
            listed = sorted({e.timestamp + delay for e in self._entries()} - set(shown))[-missing:]
            times = listed if len(listed) == missing else times
        for place, time in enumerate(times):
            key = bool(entries) and bool(entries[place].is_keyframe)
            self.records.append(PacketRecord(time, entries[place].timestamp if entries else None, step, key, False))

    def _end_by_tag(self) -> int:
        """The end of a Matroska track in ticks, by its tag; 0 where it has none."""
        tag = {name.upper(): value for name, value in self._stream.metadata.items()}.get("DURATION", "")
        hours, _, rest = tag.partition(":")
        minutes, _, seconds = rest.partition(":")
        try:
            total = 3600 * int(hours) + 60 * int(minutes) + Fraction(seconds)
        except ValueError:
            return 0
        return int(total / self._stream.time_base)

    def _demux(self) -> Iterator[Any]:
        try:
            for packet in self._container.demux(self._stream):
                self._deadline.check()
                if packet.size:
                    yield packet
        except DecodeError:
            raise
        except (self._failures, OSError, ValueError) as error:
            if self._deadline.passed():
                raise self._deadline.error() from error
            raise DecodeError(
                f"{self._name}: reading fails after packet {len(self.records) - 1}: {getattr(error, 'strerror', error)}"
            ) from error

    def read(self, position: int) -> Any:
        """The packet at ``position`` in decode order; cheapest when positions rise by one."""
        if position >= self.present:
            raise DecodeError(f"{self._name}: the file is cut off before packet {position}")
        if self._kept is not None:
            return self._kept[position]
        if self._reader is None or not self._read_position <= position <= self._read_position + SEEK_GAP:
            self._seek(position)
        while True:
            packet = self._next()
            if self._read_position > position:
                return packet

    def _next(self) -> Any:
        assert self._reader is not None
        packet = next(self._reader, None)
        if packet is None:
            raise DecodeError(
                f"{self._name}: the file ends at packet {self._read_position}; it had more when it was opened"
            )
        self._read_position += 1
        return packet

    def _seek(self, position: int) -> None:
        """Move the demuxer to ``position`` or a packet before it, and find out where it is."""
        keys = [i for i in range(position, -1, -1) if self.records[i].is_key][:3]
        for key in keys:
            dts = self.records[key].dts
            if key == 0 or dts is None:
                break
            self._container.seek(dts, stream=self._stream, backward=True)
            self._reader = self._demux()
            landed = self._locate(position)
            if landed is not None:
                self._read_position = landed
                return
        self._rewind()

    def _rewind(self) -> None:
        first = self.records[0]
        start = min(t for t in (first.dts, first.pts, 0) if t is not None)
        self._container.seek(start, stream=self._stream, backward=True)
        self._reader = self._demux()
        landed = self._locate(0)
        if landed != 0:
            raise DecodeError(f"{self._name}: cannot seek back to the start of the stream")
        self._read_position = 0

    def _locate(self, position: int) -> int | None:
        """Position of the packet that the demuxer yields next, if it is at most ``position``."""
        assert self._reader is not None
        packet = next(self._reader, None)
        if packet is None:
            return None
        rest = self._reader

        def again() -> Iterator[Any]:
            yield packet
            yield from rest

        self._reader = again()
        here = (packet.pts, packet.dts)
        for i in range(position, -1, -1):
            if (self.records[i].pts, self.records[i].dts) == here:
                return i
        return None


def _gaps(shown: np.ndarray, step: float, missing: int) -> list[int]:
    """Times of frames that are missing between and after those that are shown, at a constant rate."""
    grid = shown[0] + np.round(step * np.arange(len(shown) + missing)).astype(np.int64)
    places = np.clip(np.searchsorted(shown, grid), 1, len(shown) - 1)
    near = np.minimum(np.abs(shown[places] - grid), np.abs(shown[places - 1] - grid))
    free = grid[2 * near > step]
    return free.tolist() if len(free) == missing else [int(shown[-1] + step * (k + 1)) for k in range(missing)]
