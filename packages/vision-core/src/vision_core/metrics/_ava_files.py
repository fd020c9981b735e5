"""Reads the CSV files of the AVA data set."""

from __future__ import annotations

import csv
import os
from collections import defaultdict
from pathlib import Path
from typing import Any

__all__ = ["read_frames"]

Frame = tuple[str, float]  # video, seconds


def read_frames(
    annotations: str | os.PathLike[str], results: str | os.PathLike[str], excluded: str | os.PathLike[str] | None
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return predictions and targets of all frames that either file has, in the order of videos and time.

    Args:
        annotations: rows `video, seconds, x1, y1, x2, y2, action, person`.
        results: rows `video, seconds, x1, y1, x2, y2, action, score`.
        excluded: rows `video, seconds` of frames that are left out.

    Returns:
        Dictionaries with `boxes` (corners), `labels` and, of predictions, `scores`.

    Raises:
        ValueError: a row that is damaged.
    """
    true, found = _read(annotations, scored=False), _read(results, scored=True)
    out = set() if excluded is None else {(row[0], _number(row[1], excluded, i)) for i, row in _rows(excluded)}
    frames = sorted((true.keys() | found.keys()) - out)
    return [_columns(found[frame], scored=True) for frame in frames], [
        _columns(true[frame], scored=False) for frame in frames
    ]


def _read(path: str | os.PathLike[str], *, scored: bool) -> defaultdict[Frame, list[list[float]]]:
    frames: defaultdict[Frame, list[list[float]]] = defaultdict(list)
    for i, row in _rows(path):
        frame = frames[row[0], _number(row[1], path, i)]
        if not any(row[2:]):  # a frame in which nobody does anything
            continue
        if len(row) < (8 if scored else 7):
            raise ValueError(f"{path}: row {i + 1}: expected video, seconds, x1, y1, x2, y2, action, ..., got {row}")
        frame.append([_number(value, path, i) for value in row[2 : 8 if scored else 7]])
    return frames


def _rows(path: str | os.PathLike[str]) -> list[tuple[int, list[str]]]:
    with Path(path).open(newline="", encoding="utf-8") as file:
        return [(i, row) for i, row in enumerate(csv.reader(file)) if row]


def _number(text: str, path: str | os.PathLike[str], row: int) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{path}: row {row + 1}: expected a number, got {text!r}") from None


def _columns(rows: list[list[float]], *, scored: bool) -> dict[str, Any]:
    columns: dict[str, Any] = {"boxes": [row[:4] for row in rows], "labels": [int(row[4]) for row in rows]}
    return columns | {"scores": [row[5] for row in rows]} if scored else columns
