"""From the frames of a source to the slots of a clip, with what the error policy makes of those that are not whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from torch import Tensor

from vision_io._errors import DecodeError
from vision_io._pixels.raw_frame import RawFrame
from vision_io._pixels.staged import slots_for
from vision_io._pixels.store import FreshPages
from vision_io._video.frame_source import FrameSource
from vision_io._video.view import View

__all__ = ["Filled", "fill"]


@dataclass
class Filled:
    """What became of the frames of one call.

    Attributes:
        lost: Slots that hold no frame.
        damaged: Frames that are not whole, ascending.
        times: (pts, duration) in ticks of the frames whose times were not known beforehand.
    """

    lost: list[int] = field(default_factory=list)
    damaged: tuple[int, ...] = ()
    times: dict[int, tuple[int, int]] = field(default_factory=dict)


def fill(
    source: FrameSource, wanted: Sequence[int], frames: Tensor, view: View, size: tuple[int, int], fresh: bool
) -> Filled:
    """Decode frames into slots.

    Args:
        source: Where they come from.
        wanted: What the source calls the frame of each slot, in any order; repeats are allowed.
        frames: (N, 3, H, W), of any strides.
        view: What is made of each frame.
        size: (height, width) of a displayed frame.
        fresh: `frames` have never been written to.
    """
    filled = Filled()
    pages = FreshPages(frames) if fresh else None
    slots = slots_for(frames, view, size, source.facts.bits)
    first: dict[int, int] = {}
    repeats: list[tuple[int, int]] = []
    for slot, name in enumerate(wanted):
        if first.setdefault(name, slot) != slot:
            repeats.append((name, slot))
    lost: dict[int, int] = {}

    def put(slot: int, frame: RawFrame) -> None:
        if frame.display_size != size:
            turned = frame.rotation % 180 != 0
            frame = source.resized(frame, *(size if turned else size[::-1]))
        if pages:
            pages.prepare(slot)
        slots.write(slot, frame)

    for name, frame in source.frames(sorted(first)):
        if frame is None:
            lost[name] = first[name]
            continue
        put(first[name], frame)
        if frame.time is not None:
            filled.times[name] = frame.time
    gone = list(lost)
    if lost and source.salvages:
        _stand_in(source, lost, first, put, slots.repeat)
        lost = {}
    for name, slot in repeats:
        if name in lost:
            filled.lost.append(slot)
        else:
            slots.repeat(first[name], slot)
    filled.lost = sorted([*filled.lost, *lost.values()])
    if source.report is None:
        filled.damaged = tuple(source.numbers(sorted(gone)))
    else:
        filled.damaged = tuple(name for name in sorted(first) if not source.report.whole[name])
    return filled


def _stand_in(
    source: FrameSource,
    lost: dict[int, int],
    first: dict[int, int],
    put: Callable[[int, RawFrame], None],
    repeat: Callable[[int, int], None],
) -> None:
    """Put the frames before them in the place of those that did not come."""
    report = source.report
    if report is None:
        raise DecodeError(f"{source.name}: no frame is left to stand for those that cannot be decoded")
    missing: dict[int, list[int]] = {}
    for name, slot in lost.items():
        other = report.stand_in(name)
        if other in first and other not in lost:
            repeat(first[other], slot)
        else:
            missing.setdefault(other, []).append(slot)
    for name, frame in source.frames(sorted(missing)):
        if frame is None:
            raise DecodeError(f"{source.name}: frame {name} came before and does not come again")
        slot, *others = missing[name]
        put(slot, frame)
        for other in others:
            repeat(slot, other)
