"""Time series of sensors beside a video: inertial units, gaze, GPS, as tables of text."""

from __future__ import annotations

import csv
import io
import os
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import torch
from torch import Tensor

from vision_io._errors import DecodeError
from vision_io._image.files import bytes_of_file
from vision_io._limits import DEFAULT_LIMITS, Limits

__all__ = ["TimeSeries", "read_time_series"]

_LONGEST_LINE = 1 << 20


@dataclass(frozen=True)
class TimeSeries:
    """Values over time.

    Attributes:
        seconds: When each row was taken, float64 (N), increasing.
        values: float32 (N, C).
        columns: Names of the C columns.
    """

    seconds: Tensor
    values: Tensor
    columns: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.seconds)

    def __repr__(self) -> str:
        span = f", {float(self.seconds[0]):.3f} s to {float(self.seconds[-1]):.3f} s" if len(self) else ""
        return f"TimeSeries({len(self)} rows of {', '.join(self.columns)}{span})"

    def between(self, start_seconds: float, stop_seconds: float) -> TimeSeries:
        """The rows taken in ``[start_seconds, stop_seconds)``: those that belong to a clip.

        Examples:
            >>> series = TimeSeries(torch.arange(5.0, dtype=torch.float64), torch.zeros(5, 1), ("x",))
            >>> series.between(1, 3).seconds.tolist()
            [1.0, 2.0]
        """
        if not stop_seconds >= start_seconds:
            raise ValueError(f"got {start_seconds} s to {stop_seconds} s, expected start_seconds <= stop_seconds")
        times = self.seconds.numpy()
        first, last = (int(np.searchsorted(times, time, side="left")) for time in (start_seconds, stop_seconds))
        return TimeSeries(self.seconds[first:last], self.values[first:last], self.columns)

    def at(self, seconds: Sequence[float] | Tensor) -> Tensor:
        """Values at the given times, float32 (M, C), by linear interpolation; beyond its ends the nearest row.

        With the times of a clip's frames this gives one row per frame.

        Raises:
            ValueError: The series is empty.

        Examples:
            >>> series = TimeSeries(torch.tensor([0.0, 1.0]).double(), torch.tensor([[0.0], [10.0]]), ("x",))
            >>> series.at([0.25, 5.0]).tolist()
            [[2.5], [10.0]]
        """
        if not len(self):
            raise ValueError("an empty time series has no values")
        wanted = np.asarray(seconds, np.float64)
        times, values = self.seconds.numpy(), self.values.numpy()
        result = np.empty((len(wanted), values.shape[1]), np.float32)
        for c in range(values.shape[1]):
            result[:, c] = np.interp(wanted, times, values[:, c])
        return torch.from_numpy(result)


def read_time_series(
    path: str | os.PathLike[str],
    *,
    time_column: str | int = 0,
    columns: Sequence[str | int] | None = None,
    time_unit: float = 1.0,
    delimiter: str = ",",
    header: bool = True,
    max_rows: int = 1 << 24,
    limits: Limits | None = None,
) -> TimeSeries:
    """Read a table of text (CSV, TSV) whose rows are moments in time.

    Args:
        path: The file.
        time_column: Name or number of the column that holds the time.
        columns: Names or numbers of the columns to read; ``None``: all others.
        time_unit: Seconds of one unit of the time column: 1e-3 for milliseconds, 1e-9 for nanoseconds.
        delimiter: What stands between fields.
        header: Whether the first row names the columns; without it they are called ``"0"``, ``"1"``, ...
        max_rows: Most rows that are read.
        limits: Bound on the size of the file.

    Returns:
        The rows in order of time; rows of equal time keep their order. Empty fields are NaN.

    Raises:
        DecodeError: The file cannot be read, a column does not exist, or a field is no number: the text names the line.
        LimitError: The file is larger than ``limits`` admit.

    Examples:
        >>> imu = read_time_series("imu.csv", time_column="timestamp_ns", time_unit=1e-9)  # doctest: +SKIP
        >>> imu.at(clip.pts_seconds).shape  # doctest: +SKIP
        torch.Size([8, 6])
    """
    name = os.fspath(path)
    data = bytes_of_file(path, limits or DEFAULT_LIMITS)
    rows = _rows(name, data, delimiter, max_rows + header)
    first = next(rows, None)
    if first is None:
        raise DecodeError(f"{name}: the table is empty")
    names = [text.strip() for text in first[1]] if header else [str(i) for i in range(len(first[1]))]
    time = _place(name, names, time_column)
    others = [i for i in range(len(names)) if i != time]
    chosen = others if columns is None else [_place(name, names, column) for column in columns]
    lines, table = _numbers(name, names, rows if header else chain([first], rows), [time, *chosen])
    seconds = table[:, 0] * time_unit
    if not np.isfinite(seconds).all():
        line = lines[int(np.argmin(np.isfinite(seconds)))]
        raise DecodeError(f"{name}, line {line}: the time ({names[time]}) is missing or not finite")
    order = np.argsort(seconds, kind="stable")
    return TimeSeries(
        torch.from_numpy(seconds[order]),
        torch.from_numpy(table[order, 1:].astype(np.float32)),
        tuple(names[place] for place in chosen),
    )


def _rows(name: str, data: np.ndarray, delimiter: str, most: int) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, with the numbers of their lines; one at a time, text takes much memory."""
    count = 0
    try:
        with io.TextIOWrapper(io.BytesIO(data.data), newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(_lines(name, file), delimiter=delimiter)
            for row in reader:
                if row and count == most:
                    raise DecodeError(f"{name}: more rows than max_rows allows; raise it if you trust this file")
                if row:
                    count += 1
                    yield reader.line_num, row
    except (UnicodeDecodeError, csv.Error) as error:
        raise DecodeError(f"{name}: cannot be read as a table of text: {error}") from error


def _lines(name: str, file: io.TextIOWrapper) -> Iterator[str]:
    number = 1
    while line := file.readline(_LONGEST_LINE + 1):
        if len(line) > _LONGEST_LINE:
            raise DecodeError(f"{name}, line {number}: longer than {_LONGEST_LINE} characters; not a table of numbers")
        yield line
        number += 1


def _numbers(
    name: str, names: list[str], rows: Iterable[tuple[int, list[str]]], places: list[int]
) -> tuple[array[int], np.ndarray]:
    """The number of each row's line, and the chosen columns, float64 (rows, columns)."""
    lines, values = array("q"), array("d")
    for line, row in rows:
        if len(row) != len(names):
            raise DecodeError(f"{name}, line {line}: {len(row)} fields, expected {len(names)}")
        lines.append(line)
        values.extend(_number(name, line, names[place], row[place]) for place in places)
    return lines, np.array(values, np.float64).reshape(len(lines), len(places))


def _place(name: str, names: list[str], column: str | int) -> int:
    if isinstance(column, int) and -len(names) <= column < len(names):
        return column % len(names)
    if isinstance(column, str) and column in names:
        return names.index(column)
    raise DecodeError(f"{name}: no column {column!r}; there are {', '.join(names)}")


def _number(name: str, line: int, column: str, text: str) -> float:
    if not text.strip():
        return float("nan")
    try:
        return float(text)
    except ValueError:
        raise DecodeError(f"{name}, line {line}: {column} is {text[:40]!r}, expected a number") from None
