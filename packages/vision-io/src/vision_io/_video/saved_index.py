"""What opening a video finds out about its packets, kept so that opening it again reads none of them."""

from __future__ import annotations

import io
import math
import os
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

import numpy as np

from vision_io._errors import DecodeError, LimitError
from vision_io._image.files import bytes_of_file, bytes_of_stream
from vision_io._limits import DEFAULT_LIMITS, Limits
from vision_io._video.frame_index import FrameIndex, PacketRecord
from vision_io._video.pyav_open import Source

__all__ = ["VideoIndex", "size_of"]

_VERSION = 1
_NONE = np.iinfo(np.int64).min  # stands for a time that is not known
_BYTES_PER_FRAME = 24  # of the widest array
_HEADER_BYTES = 1 << 16
# What zipfile and NumPy raise on damaged archives.
_DAMAGE = (
    OSError,
    ValueError,
    KeyError,
    EOFError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    SyntaxError,
    tokenize.TokenError,
)
_ARRAYS = ("pts", "durations", "packet", "start", "display")


@dataclass(frozen=True, eq=False)
class VideoIndex:
    """The packets and frames of one stream of one file.

    :attr:`vision_io.VideoDecoder.index` gives it, ``VideoDecoder(source, index=...)`` takes it: the file is then opened
    without reading all of it. It can be pickled, and saved beside the video.

    Attributes:
        stream_index: Index among all streams of the file.
        file_size: Bytes of the file that it belongs to; ``None`` where that is not known (addresses).
        frames: Frames in display order.
        records: Packets in decode order.

    Examples:
        >>> VideoDecoder("holiday.mp4").index.save("holiday.index")  # doctest: +SKIP
        >>> decoder = VideoDecoder("holiday.mp4", index=VideoIndex.load("holiday.index"))  # doctest: +SKIP
    """

    stream_index: int
    file_size: int | None
    frames: FrameIndex
    records: tuple[PacketRecord, ...]

    def __len__(self) -> int:
        return len(self.frames)

    def __repr__(self) -> str:
        return f"VideoIndex({len(self.frames)} frames, {len(self.records)} packets of stream {self.stream_index})"

    def save(self, file: str | os.PathLike[str] | IO[bytes]) -> None:
        """Write to a file: NumPy's ``.npz`` format, without pickled objects."""
        times = [(_NONE if r.pts is None else r.pts, _NONE if r.dts is None else r.dts) for r in self.records]
        arrays: dict[str, Any] = {name: getattr(self.frames, name) for name in _ARRAYS}
        arrays["header"] = np.array(
            [
                _VERSION,
                self.stream_index,
                -1 if self.file_size is None else self.file_size,
                self.frames.time_base.numerator,
                self.frames.time_base.denominator,
                self.frames.counted,
            ],
            np.int64,
        )
        arrays["times"] = np.array(times, np.int64).reshape(-1, 2)
        arrays["packets"] = np.array([(r.duration, r.is_key, r.hidden) for r in self.records], np.int64).reshape(-1, 3)
        if isinstance(file, (str, os.PathLike)):
            with Path(file).open("wb") as opened:
                np.savez_compressed(opened, **arrays)
        else:
            np.savez_compressed(file, **arrays)

    @staticmethod
    def load(file: str | os.PathLike[str] | IO[bytes], *, limits: Limits | None = None) -> VideoIndex:
        """Read what :meth:`save` wrote.

        Args:
            file: Path or binary file object.
            limits: Bounds on the file and on what it holds.

        Raises:
            DecodeError: The file is missing, damaged, or something else.
            LimitError: It is larger, or has more packets, than ``limits`` admit.
        """
        limits = limits or DEFAULT_LIMITS
        name = os.fspath(file) if isinstance(file, (str, os.PathLike)) else str(getattr(file, "name", "<file object>"))
        try:
            path = isinstance(file, (str, os.PathLike))
            data = bytes_of_file(file, limits).data if path else bytes_of_stream(file, limits)
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                parts = {key: _array(archive, key, limits, name) for key in (*_ARRAYS, "header", "times", "packets")}
        except _DAMAGE as error:
            if isinstance(error, LimitError):
                raise
            raise DecodeError(f"{name}: no index of a video: {error}") from error
        return _checked(name, parts)


def _array(archive: zipfile.ZipFile, key: str, limits: Limits, name: str) -> np.ndarray:
    """One array of a ``.npz`` file, its size known before it is inflated."""
    member = archive.getinfo(f"{key}.npy")
    if member.file_size > _HEADER_BYTES + _BYTES_PER_FRAME * limits.max_frames:
        limits.check_frames(member.file_size // _BYTES_PER_FRAME, name)
    with archive.open(member) as file:
        content = io.BytesIO(file.read(member.file_size))
    version = np.lib.format.read_magic(content)
    read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
    shape, _, dtype = read_header(content)
    # NumPy would allocate what the header says before it looks for the data.
    if math.prod(shape) * dtype.itemsize != member.file_size - content.tell():
        raise DecodeError(f"{key} has another size than its header says")
    content.seek(0)
    return np.lib.format.read_array(content, allow_pickle=False)


def size_of(source: Source) -> int | None:
    """Bytes of a source, or ``None`` where they are not known without reading it."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        return len(source)
    if isinstance(source, (str, os.PathLike)):
        try:
            return Path(source).stat().st_size
        except OSError:
            return None
    return None


def _checked(name: str, parts: dict[str, np.ndarray]) -> VideoIndex:
    """Put an index together from arrays that may hold anything."""
    header, packets, times = parts["header"], parts["packets"], parts["times"]
    shapes = header.shape == (6,) and packets.shape == (len(times), 3) and times.shape == (len(times), 2)
    if not shapes or any(array.dtype != np.int64 for array in parts.values()) or header[0] != _VERSION:
        raise DecodeError(f"{name}: no index of a video, or one of another version; make it again")
    frames, count = len(parts["pts"]), len(packets)
    counted = bool(header[5])
    lengths = {"durations": frames, "start": frames, "packet": 0 if counted else frames, "display": count}
    if counted:
        lengths["display"] = 0
    whole = all(parts[key].shape == (length,) for key, length in lengths.items())
    whole = whole and frames > 0 and count > 0 and header[3] > 0 and header[4] > 0
    whole = whole and bool(np.all(np.diff(parts["pts"]) > 0)) and bool(np.all(parts["durations"] > 0))
    whole = whole and _within(parts["start"], 0, count) and _within(parts["packet"], 0, count)
    if not whole or not _within(parts["display"], -1, frames):
        raise DecodeError(f"{name}: a damaged index of a video; make it again")
    arrays = {key: parts[key] for key in _ARRAYS}
    index = FrameIndex(**arrays, time_base=Fraction(int(header[3]), int(header[4])), counted=counted)
    records = tuple(
        PacketRecord(None if pts == _NONE else pts, None if dts == _NONE else dts, duration, bool(key), bool(hidden))
        for (pts, dts), (duration, key, hidden) in zip(times.tolist(), packets.tolist(), strict=True)
    )
    return VideoIndex(int(header[1]), None if header[2] < 0 else int(header[2]), index, records)


def _within(values: np.ndarray | Sequence[int], low: int, high: int) -> bool:
    array = np.asarray(values)
    return bool(np.all((array >= low) & (array < high)))
