"""What decoders of files share: they close, and they open their file again in another process."""

from __future__ import annotations

import contextlib
import os
import threading
from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

from vision_io._errors import DecodeError
from vision_io._video.pyav_open import Source, source_name

__all__ = ["Reopening", "keep_for_ever"]

_kept: list[object] = []


def keep_for_ever(part: object) -> None:
    """Never free `part`, which belongs to the process that this one was forked from.

    Freeing waits for threads of decoders and resamplers that do not exist here.
    """
    _kept.append(part)


class Reopening(ABC):
    """A decoder that holds a file open.

    A subclass sets its settings and calls :meth:`_start`. After a fork, :meth:`_ready` opens the file again: two
    processes must not share a position in it, nor the threads of a decoder.
    """

    _settings: ClassVar[tuple[str, ...]]  # the attributes that, with the source, make another one of the same kind
    _source: Source

    @abstractmethod
    def _open(self) -> None:
        """Open the file."""

    @abstractmethod
    def _free(self) -> None:
        """Close the file."""

    @abstractmethod
    def _abandon(self) -> None:
        """Let go of what belongs to the process that was forked from, without freeing it."""

    def _start(self) -> None:
        self._lock = threading.RLock()
        self._pid = os.getpid()
        self._closed = False
        self._open()

    def _ready(self) -> None:
        """Make sure that the file is open in this process.

        Raises:
            DecodeError: The decoder is closed, or its source cannot be opened again.
        """
        self._require_open()
        if self._pid != os.getpid():
            self._abandon()
            self._require_reopenable("used after a fork")
            self._start()

    def _require_open(self) -> None:
        if self._closed:
            raise DecodeError(f"{source_name(self._source)}: the decoder is closed")

    def _require_reopenable(self, purpose: str) -> None:
        if not isinstance(self._source, (str, os.PathLike, bytes, bytearray, memoryview)):
            raise DecodeError(
                f"{source_name(self._source)}: a decoder of an open file object cannot be {purpose}, the file's "
                "position is shared; give it a path or bytes, or open it in the worker"
            )

    def close(self) -> None:
        """Free the file and the decoder; the decoder cannot be used afterwards."""
        if self._closed:
            return
        self._closed = True
        if self._pid == os.getpid():
            with self._lock:
                self._free()
        else:
            self._abandon()

    def __del__(self) -> None:
        if getattr(self, "_pid", None) in (None, os.getpid()) or self._closed:
            return
        with contextlib.suppress(AttributeError):  # it may never have been opened
            self._abandon()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        self._require_open()
        self._require_reopenable("pickled")
        source = bytes(self._source) if isinstance(self._source, (bytearray, memoryview)) else self._source
        return {"_source": source, **{name: getattr(self, name) for name in self._settings}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)
        self._start()
