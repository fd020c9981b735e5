"""Run-length masks without the native module: the text of runs, and what can be computed from runs, in NumPy.

See `vision_core.ops.rle` for the format. The errors are those of the native module, word for word.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["area_of", "box_of", "decoded", "encoded", "format_runs", "iou_of", "merged", "parse_runs", "polygon_runs"]

_MOST_GROUPS = 7  # 35 bits hold the difference of two 32-bit numbers
_FINE = 5  # points of the grid of polygons in a pixel


def parse_runs(text: bytes, height: int, width: int, place: str) -> list[int]:
    """Read the lengths of the runs of one mask; `place` says in messages which."""
    runs: list[int] = []
    total, at = 0, 0
    while at < len(text):
        value, at = _read_number(text, at, place)
        if len(runs) > 2:
            value += runs[-2]
        total += value
        if value < 0 or total > height * width:
            raise ValueError(
                f"{place}: run {len(runs)} is {value} pixels long and ends outside of the {height} x {width} mask"
            )
        runs.append(value)
    if total != height * width:
        raise ValueError(
            f"{place}: counts add up to {total}, expected {height * width} for a mask of {height} x {width}"
        )
    return runs


def _read_number(text: bytes, begin: int, place: str) -> tuple[int, int]:
    value, at = 0, begin
    for group in range(_MOST_GROUPS):
        if at == len(text):
            raise ValueError(f"{place}: counts end within a number, at byte {at}; the text is cut off")
        bits = text[at] - 48
        if not 0 <= bits < 64:
            raise ValueError(f"{place}: counts have byte {text[at]} at {at}, expected 48 to 111 ('0' to 'o')")
        at += 1
        value |= (bits & 31) << (5 * group)
        if not bits & 32:
            return value - (1 << (5 * group + 5) if bits & 16 else 0), at
    if at == len(text):
        raise ValueError(f"{place}: counts end within a number, at byte {at}; the text is cut off")
    raise ValueError(f"{place}: counts have a number of more than 7 bytes at byte {begin}")


def format_runs(runs: Sequence[int]) -> bytes:
    """Write the lengths of runs as text."""
    text = bytearray()
    for i, run in enumerate(runs):
        value = run - runs[i - 2] if i > 2 else run
        while True:
            bits = value & 31
            value >>= 5
            if value == (-1 if bits & 16 else 0):
                text.append(48 + bits)
                break
            text.append(48 + (bits | 32))
    return bytes(text)


def _runs_between(changes: NDArray[np.int64], pixels: int) -> list[int]:
    """The runs of a mask that changes at these pixels, ascending; changes at its end do not count."""
    changes = changes[changes < pixels]
    return np.diff(np.concatenate(([0], changes, [pixels])).astype(np.int64)).tolist()


def encoded(mask: NDArray[np.uint8]) -> bytes:
    """Write a mask `[H, W]` as text."""
    flat = (mask != 0).T.reshape(-1)
    before = np.concatenate(([False], flat[:-1])) if flat.size else flat
    return format_runs(_runs_between(np.nonzero(flat != before)[0], flat.size))


def decoded(runs: list[int], height: int, width: int) -> NDArray[np.uint8]:
    """The mask `[H, W]` of runs, values 0 and 1."""
    flat = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    return flat.reshape(width, height).T.astype(np.uint8)


def area_of(runs: list[int]) -> int:
    """The number of pixels in the mask."""
    return sum(runs[1::2])


def box_of(runs: list[int], height: int, width: int) -> tuple[int, int, int, int]:
    """x, y, width and height of the pixels of the mask."""
    rows, columns = np.nonzero(decoded(runs, height, width))
    if len(rows) == 0:
        return 0, 0, 0, 0
    left, top = int(columns.min()), int(rows.min())
    return left, top, int(columns.max()) + 1 - left, int(rows.max()) + 1 - top


def iou_of(a: list[int], b: list[int], crowd: bool) -> float:
    """Intersection over union; with `crowd` over the area of `a`."""
    inter = _overlap(a, b)
    whole = area_of(a) if crowd else area_of(a) + area_of(b) - inter
    return inter / whole if inter else 0.0


def _overlap(a: list[int], b: list[int]) -> int:
    ends_a, ends_b = np.cumsum(a, dtype=np.int64), np.cumsum(b, dtype=np.int64)
    ends = np.union1d(ends_a, ends_b)
    # The run that holds the pixel before an end: its number tells whether it is one of 1s.
    in_a, in_b = np.searchsorted(ends_a, ends, "left") % 2, np.searchsorted(ends_b, ends, "left") % 2
    return int((np.diff(ends, prepend=0) * in_a * in_b).sum())


def merged(masks: list[list[int]], pixels: int, intersect: bool) -> list[int]:
    """The runs of the union or the intersection of masks."""
    needed = len(masks) if intersect else 1
    ends = [np.cumsum(runs, dtype=np.int64) for runs in masks]
    starts = np.unique(np.concatenate([[0], *ends]))
    starts = starts[starts < pixels]
    inside = sum((np.searchsorted(end, starts, "right") % 2 for end in ends), np.zeros(len(starts), np.int64)) >= needed
    before = np.concatenate(([False], inside[:-1])) if len(inside) else inside
    return _runs_between(starts[inside != before], pixels)


def polygon_runs(xy: NDArray[np.float64], height: int, width: int) -> list[int]:
    """The runs of a polygon `[P, 2]`, to the pixel as in the COCO tools.

    Corners are rounded to a grid of five points a pixel, edges are walked on that grid in steps along their longer
    side, and a column of pixels is crossed where a walk passes its centre, between points 5 c + 2 and 5 c + 3. Between
    crossings down the columns, in and out take turns.
    """
    corners = [(int(x), int(y)) for x, y in _FINE * xy + 0.5]
    changes: list[int] = []
    for start, end in zip(corners, corners[1:] + corners[:1], strict=True):
        xs, ys = _walk(start, end)
        steps = np.nonzero(np.diff(xs))[0]
        x, y = np.minimum(xs[steps], xs[steps + 1]), np.minimum(ys[steps], ys[steps + 1])
        column = (x - 2) // _FINE
        seen = ((x - 2) % _FINE == 0) & (column >= 0) & (column < width)
        row = np.where(y < 0, 0, np.minimum((y + 2) // _FINE, height))
        changes += (column * height + row)[seen].tolist()
    positions, counts = np.unique(np.asarray(changes, np.int64), return_counts=True)
    return _runs_between(positions[counts % 2 == 1], height * width)


def _walk(start: tuple[int, int], end: tuple[int, int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The points of an edge on the grid, in one of its directions."""
    dx, dy = abs(end[0] - start[0]), abs(end[1] - start[1])
    long = 0 if dx >= dy else 1
    if start[long] > end[long]:
        start, end = end, start
    steps = np.arange(max(dx, dy) + 1)
    slope = (end[1 - long] - start[1 - long]) / max(dx, dy, 1)
    beside = np.trunc(start[1 - long] + slope * steps + 0.5).astype(np.int64)
    along = start[long] + steps
    return (along, beside) if long == 0 else (beside, along)
