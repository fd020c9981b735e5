"""Opening containers for writing, and the tracks that go into them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from vision_io._errors import EncodeError
from vision_io._video.pyav_open import import_av
from vision_io._video.reopening import keep_for_ever

__all__ = ["Target", "Track", "format_name", "open_output", "output_name", "reason"]

Target = str | os.PathLike[str] | IO[bytes]

_BUFFER = 1 << 18  # bytes that FFmpeg hands over at once
# Suffixes that FFmpeg does not know as names of formats.
_SUFFIXES = {
    "m4a": "ipod",
    "m4v": "mp4",
    "mkv": "matroska",
    "mpg": "mpeg",
    "oga": "ogg",
    "ogv": "ogv",
    "ts": "mpegts",
    "wmv": "asf",
}


def format_name(format: str) -> str:
    """FFmpeg's name of a container format: its own, or a suffix of files such as ``"mkv"``."""
    return _SUFFIXES.get(format.lower().lstrip("."), format.lower().lstrip("."))


def output_name(target: Target) -> str:
    """How messages call the target."""
    if isinstance(target, (str, os.PathLike)):
        return os.fspath(target)
    return str(getattr(target, "name", f"<{type(target).__name__}>"))


def reason(error: Exception) -> str:
    """FFmpeg's words for an error."""
    return str(getattr(error, "strerror", None) or error)


def open_output(target: Target, format: str | None, options: Mapping[str, object] | None = None) -> Any:
    """Open a container for writing; nothing is written yet.

    Args:
        target: Path or address, or a binary file object that can be written and, for most formats, sought.
        format: Name of the container; ``None``: by the suffix of a path. File objects need it.
        options: Options of the container, name to value, for example ``{"movflags": "faststart"}``.

    Returns:
        PyAV's output container.

    Raises:
        EncodeError: The folder does not exist, the format is unknown, or the target cannot be written.
    """
    av = import_av()
    name = output_name(target)
    if isinstance(target, (str, os.PathLike)):
        target = os.fspath(target)
        if "://" not in target[:16] and not Path(target).parent.is_dir():
            raise EncodeError(f"{name}: the folder {Path(target).parent} does not exist")
    elif not hasattr(target, "write"):
        raise EncodeError(f"target: expected a path or an object with write(); got {type(target).__name__}")
    texts = {key: str(value) for key, value in (options or {}).items()}
    try:
        return av.open(
            target, mode="w", format=None if format is None else format_name(format), options=texts, buffer_size=_BUFFER
        )
    except ValueError as error:
        if isinstance(error, av.error.FFmpegError):
            raise EncodeError(f"{name}: cannot be written: {reason(error)}") from error
        wrong = "no container format belongs to this name" if format is None else f"no container format {format!r}"
        raise EncodeError(f"{name}: {wrong}; use mp4, mkv, mov, webm, ...") from error
    except (av.error.FFmpegError, OSError) as error:
        raise EncodeError(f"{name}: cannot be written: {reason(error)}") from error


class Track:
    """A stream that is being written.

    Its encoder has threads, which a forked child does not have and would wait for: there it is never freed.
    """

    def __init__(self) -> None:
        self._pid = os.getpid()

    def __del__(self) -> None:
        if getattr(self, "_pid", None) not in (None, os.getpid()):
            keep_for_ever(self.__dict__.copy())
