"""A caller's file object as FFmpeg reads it."""

from __future__ import annotations

import io
from typing import IO

from vision_io._deadline import Deadline

__all__ = ["SourceReader"]


class SourceReader:
    """Passes reads on, and looks at the clock before and after each.

    The object needs no more than ``read(size)`` and ``seek(offset, whence)`` that returns the new position.

    Args:
        file: The caller's object.
        deadline: When to stop.
    """

    def __init__(self, file: IO[bytes], deadline: Deadline) -> None:
        self._file = file
        self._deadline = deadline
        self.name = deadline.name

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes."""
        self._deadline.check()
        data = self._file.read(size)
        self._deadline.check()
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move, and return where that led to."""
        self._deadline.check()
        place = self._file.seek(offset, whence)
        return self.tell() if place is None else place

    def tell(self) -> int:
        """The position."""
        tell = getattr(self._file, "tell", None)
        return self._file.seek(0, io.SEEK_CUR) if tell is None else tell()
