"""Which frames a stream shows, in display order, and from where each one can be decoded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

__all__ = ["FrameIndex", "PacketRecord", "index_by_count", "index_by_packets"]


@dataclass(frozen=True, slots=True)
class PacketRecord:
    """Facts of one packet, in decode order. Times are in the stream's time base.

    ``hidden`` packets are decoded but never shown: an edit list discards them, or they only carry a reference picture.
    """

    pts: int | None
    dts: int | None
    duration: int
    is_key: bool
    hidden: bool


@dataclass(frozen=True)
class FrameIndex:
    """The frames of one stream in display order.

    Attributes:
        pts: Presentation times, int64 (N), strictly increasing.
        durations: How long each frame is shown, int64 (N), positive: until the next one, the last by its packet.
        packet: Decode position of the packet that carries the frame, int64 (N); empty when frames were counted.
        start: Decode position of the key packet from which the frame can be decoded, int64 (N).
        display: Frame that each packet carries, int64 (packets), -1 for hidden packets; empty when frames were counted.
        time_base: Seconds of one tick.
        counted: The packet times could not be trusted: the stream was decoded once and frames are known by their place
            in the decoder's output alone.
    """

    pts: np.ndarray
    durations: np.ndarray
    packet: np.ndarray
    start: np.ndarray
    display: np.ndarray
    time_base: Fraction
    counted: bool

    def __len__(self) -> int:
        return len(self.pts)

    def start_frames(self) -> np.ndarray:
        """The shown frames that key packets carry, int64, ascending; frame 0 where nothing else is known."""
        if self.counted:
            return np.zeros(1, dtype=np.int64)
        frames = self.display[np.unique(self.start)]
        return np.unique(np.maximum(frames, 0))

    @property
    def pts_seconds(self) -> np.ndarray:
        """Presentation times in seconds, float64 (N)."""
        return self.pts * float(self.time_base.numerator) / float(self.time_base.denominator)

    @property
    def duration_seconds(self) -> np.ndarray:
        """Durations in seconds, float64 (N)."""
        return self.durations * float(self.time_base.numerator) / float(self.time_base.denominator)


def _shown_durations(pts: np.ndarray, last: int) -> np.ndarray:
    """Distances to the next frame; the last frame stays for ``last`` ticks, or the median distance where that is 0."""
    steps = np.diff(pts)
    usual = int(np.median(steps)) if len(steps) else 1
    return np.append(steps, last if last > 0 else max(usual, 1))


def index_by_packets(
    packets: Sequence[PacketRecord], time_base: Fraction, reorder_from_container: bool = True
) -> FrameIndex | None:
    """Index a stream from its packets alone, or return ``None`` when their times cannot be trusted.

    They can be trusted when every shown packet has a time of its own, the stream starts with a key packet and shows
    nothing from before it. Nothing is decoded.

    Args:
        packets: All packets in decode order.
        time_base: Seconds of one tick.
        reorder_from_container: False where the container has no presentation times (AVI) and the codec reorders, so
            that the times were guessed.

    Examples:
        >>> from fractions import Fraction
        >>> packets = [PacketRecord(t, None, 10, t == 0, False) for t in (0, 30, 10, 20)]
        >>> index_by_packets(packets, Fraction(1, 1000)).packet.tolist()
        [0, 2, 3, 1]
    """
    shown = [i for i, p in enumerate(packets) if not p.hidden]
    if not reorder_from_container or not shown or not packets[0].is_key:
        return None
    if any(packets[i].pts is None for i in shown) or any(p.pts is None for p in packets if p.is_key):
        return None
    pts = np.array([packets[i].pts for i in shown], dtype=np.int64)
    first_key_pts = packets[0].pts
    if first_key_pts is None or pts.min() < first_key_pts:
        return None
    order = np.argsort(pts, kind="stable")
    pts = pts[order]
    if np.any(np.diff(pts) == 0):
        return None
    packet = np.array(shown, dtype=np.int64)[order]
    display = np.full(len(packets), -1, dtype=np.int64)
    display[packet] = np.arange(len(packet))
    return FrameIndex(
        pts=pts,
        durations=_shown_durations(pts, packets[int(packet[-1])].duration),
        packet=packet,
        start=_decode_starts(packets, packet, pts),
        display=display,
        time_base=time_base,
        counted=False,
    )


def _decode_starts(packets: Sequence[PacketRecord], packet: np.ndarray, pts: np.ndarray) -> np.ndarray:
    """The last key packet that is neither decoded after the frame nor shown after it.

    Pictures that follow a key packet in the file but precede it on screen may need the group before (open GOP).
    """
    keys = np.array([i for i, p in enumerate(packets) if p.is_key], dtype=np.int64)
    key_pts = np.array([packets[i].pts for i in keys], dtype=np.int64)
    if np.any(np.diff(key_pts) <= 0):
        return np.zeros(len(packet), dtype=np.int64)
    by_position = np.searchsorted(keys, packet, side="right") - 1
    by_time = np.searchsorted(key_pts, pts, side="right") - 1
    return keys[np.maximum(np.minimum(by_position, by_time), 0)]


def index_by_count(
    frames: Sequence[tuple[int | None, int]], time_base: Fraction, tick: int, start: int = 0
) -> FrameIndex:
    """Index a stream from what its decoder put out: ``(pts or None, duration)`` of each frame in output order.

    Missing times continue from the frame before; times in a wrong order are sorted, since the order of the output is
    right; if two frames still share a time, they are spaced evenly.

    Args:
        frames: Times and durations in output order.
        time_base: Seconds of one tick.
        tick: Duration of a frame by the nominal rate, used where the frame has none.
        start: Decode position of the first key packet.
    """
    times: list[int] = []
    durations = np.array([duration or tick for _, duration in frames], dtype=np.int64)
    for i, (time, _) in enumerate(frames):
        times.append(time if time is not None else (times[-1] + int(durations[i - 1]) if times else 0))
    pts = np.array(times, dtype=np.int64)
    if np.any(np.diff(pts) <= 0):
        pts = np.sort(pts)
    if np.any(np.diff(pts) <= 0):
        pts = pts[0] + tick * np.arange(len(pts), dtype=np.int64)
    none = np.zeros(0, dtype=np.int64)
    durations = _shown_durations(pts, int(durations[-1]))
    return FrameIndex(pts, durations, none, np.full(len(pts), start, dtype=np.int64), none, time_base, counted=True)
