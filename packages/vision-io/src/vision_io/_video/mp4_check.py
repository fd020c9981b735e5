"""What the tables of an MP4 or MOV file say, held against its size before FFmpeg allocates what they say.

A table of a few bytes can list millions of samples, since sizes that are all the same are stored once, and an edit list
may show each of them again and again; the library makes an entry for each (ISO/IEC 14496-12, 8.7.3, 8.8.8, 8.6.6).
"""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from vision_io._errors import DecodeError, LimitError
from vision_io._limits import Limits

__all__ = ["check_mp4"]

_FIRST = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"styp", b"moof", b"sidx")
# The boxes that FFmpeg looks into wherever they stand.
_HOLDERS = frozenset(
    (
        b"moov",
        b"trak",
        b"mdia",
        b"minf",
        b"stbl",
        b"edts",
        b"moof",
        b"traf",
        b"mvex",
        b"udta",
        b"dinf",
        b"tref",
        b"wave",
    )
)
_USUAL_SAMPLES, _USUAL_EDITS = 1 << 16, 16
_PACKED = 8  # coded sound counts up to so many samples in a byte
_HAS_DURATIONS, _HAS_SIZES = 0x100, 0x200


def check_mp4(source: Any, limits: Limits, name: str) -> None:
    """Refuse a file whose tables list more than it can hold. Files of other formats pass.

    Args:
        source: Path, bytes, or a seekable object, which is left where it happens to stand.
        limits: Bound on the frames that an edit list may make.
        name: How messages call the source.

    Raises:
        DecodeError: A table lists more samples than the file has bytes.
        LimitError: An edit list makes more frames than ``limits`` admit.
    """
    try:
        if isinstance(source, (str, os.PathLike)):
            if not Path(source).is_file():
                return
            with Path(source).open("rb") as file:
                _check(file, limits, name)
        else:
            _check(io.BytesIO(source) if isinstance(source, (bytes, bytearray, memoryview)) else source, limits, name)
    except (OSError, AttributeError, io.UnsupportedOperation):
        return  # whoever reads it next says why it cannot be read


def _check(file: IO[bytes], limits: Limits, name: str) -> None:
    file.seek(0)
    if file.read(8)[4:] not in _FIRST:
        return
    size = file.seek(0, os.SEEK_END)
    samples = edits = 0
    for kind, body in _boxes(file, size):
        if kind == b"trak":
            samples = edits = 0
        elif kind == b"stsz" and len(body) >= 12:
            each, samples = struct.unpack_from(">II", body, 4)
            if samples > _USUAL_SAMPLES and each * samples > _PACKED * size:
                raise DecodeError(f"{name}: damaged: its index lists {samples} samples of {each} bytes in {size} bytes")
        elif kind == b"trun" and len(body) >= 8:
            flags, count = struct.unpack_from(">II", body)
            if not flags & (_HAS_DURATIONS | _HAS_SIZES) and count > max(_USUAL_SAMPLES, size):
                raise DecodeError(f"{name}: damaged: a fragment lists {count} samples in {size} bytes")
        elif kind == b"elst" and len(body) >= 8:
            edits = min(struct.unpack_from(">I", body, 4)[0], size // 12)
        if edits > _USUAL_EDITS and edits * samples > limits.max_frames:
            raise LimitError(
                f"{name}: {edits} edits of {samples} samples may show more than max_frames={limits.max_frames} frames; "
                "pass limits=Limits(max_frames=...) if you trust this file"
            )


def _boxes(file: IO[bytes], size: int) -> Iterator[tuple[bytes, bytes]]:
    """Kind and first bytes of every box that is not only a holder of others; kind alone of tracks."""
    at, ends = 0, [size]
    while ends:
        if at + 8 > ends[-1]:
            at = ends.pop()
            continue
        file.seek(at)
        start = file.read(28)
        if len(start) < 8:
            return
        length, kind = struct.unpack_from(">I4s", start)
        head = 8
        if length == 1 and len(start) >= 16:
            (length,) = struct.unpack_from(">Q", start, 8)
            head = 16
        end = min(at + length, ends[-1]) if length >= head else ends[-1]
        if kind in _HOLDERS and len(ends) < 64:
            if kind == b"trak":
                yield kind, b""
            ends.append(end)
            at += head
        else:
            yield kind, start[head:]
            at = end
