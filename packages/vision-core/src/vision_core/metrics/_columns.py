"""State of metrics that keep rows: arrays that grow, and tables of instances grouped by image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["Array", "Column", "InstanceTable", "ranges"]

Array = np.ndarray[Any, Any]


class Column:
    """An array to which rows are appended; its memory doubles when it is full.

    Examples:
        >>> column = Column(np.float64, 2)
        >>> column.append(np.ones((3, 2)))
        >>> column.values.shape
        (3, 2)
    """

    __slots__ = ("_count", "_rows")

    def __init__(self, dtype: type, *shape: int) -> None:
        self._rows: Array = np.empty((0, *shape), dtype)
        self._count = 0

    @property
    def values(self) -> Array:
        """The rows so far, not copied."""
        return self._rows[: self._count]

    def append(self, rows: Array) -> None:
        """Add rows, converted to the column's dtype."""
        end = self._count + len(rows)
        if end > len(self._rows):
            grown = np.empty((max(end, 2 * len(self._rows), 16), *self._rows.shape[1:]), self._rows.dtype)
            grown[: self._count] = self.values
            self._rows = grown
        self._rows[self._count : end] = rows
        self._count = end

    def __getstate__(self) -> Array:
        return self.values.copy()

    def __setstate__(self, rows: Array) -> None:
        self._rows, self._count = rows, len(rows)


class InstanceTable:
    """Instances (detections or ground truths) of images, one image after the other, a column for each property.

    Run-length masks have two columns: `texts`, the counts of all masks one after the other, and `text_lengths`.

    Args:
        columns: name to dtype and shape of a row.
    """

    def __init__(self, columns: Mapping[str, tuple[Any, ...]]) -> None:
        self.counts = Column(np.int64)
        self.columns = {name: Column(*spec) for name, spec in columns.items()}

    def append(self, counts: Array, rows: Mapping[str, Array]) -> None:
        """Add images with `counts` instances each."""
        self.counts.append(counts)
        for name, column in self.columns.items():
            column.append(rows[name])

    def extend(self, other: InstanceTable) -> None:
        """Add all images of another table."""
        self.append(other.counts.values, {name: column.values for name, column in other.columns.items()})

    def take(self, images: Array) -> tuple[Array, dict[str, Array]]:
        """Return the counts and columns of some images, in the order of `images`."""
        counts = self.counts.values
        if np.array_equal(images, np.arange(len(counts))):
            return counts, {name: column.values for name, column in self.columns.items()}
        rows = ranges((np.cumsum(counts) - counts)[images], counts[images])
        taken = {name: column.values[rows] for name, column in self.columns.items() if name != "texts"}
        if "texts" in self.columns:
            lengths = self.columns["text_lengths"].values
            taken["texts"] = self.columns["texts"].values[ranges((np.cumsum(lengths) - lengths)[rows], lengths[rows])]
        return counts[images], taken


def ranges(starts: Array, counts: Array) -> Array:
    """Return `starts[0], starts[0] + 1, ...` (`counts[0]` numbers), then the same of `starts[1]`, and so on.

    Examples:
        >>> ranges(np.array([5, 0]), np.array([2, 3])).tolist()
        [5, 6, 0, 1, 2]
    """
    shift = starts - (np.cumsum(counts) - counts)
    return np.repeat(shift, counts) + np.arange(int(counts.sum()))
