"""Files as one-dimensional uint8 tensors."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import IO

import numpy as np
import torch
from torch import Tensor

from vision_io._address import bytes_of_address, is_address
from vision_io._errors import DecodeError, EncodeError
from vision_io._limits import DEFAULT_LIMITS, Limits

__all__ = ["bytes_of_file", "bytes_of_stream", "read_file", "write_file"]

_PIECE = 1 << 20


def read_file(path: str | os.PathLike[str], *, mmap: bool = False, limits: Limits | None = None) -> Tensor:
    """The bytes of a file.

    Args:
        path: File to read, or an ``http://`` or ``https://`` address.
        mmap: Map the file into memory instead of reading it: parts that a decoder skips are never read. Changes that
            others make to the file meanwhile show up in the tensor, and cutting it short ends the process; map only
            files that stay as they are. Writing to the tensor does not change the file.
        limits: Bounds on what is downloaded from an address.

    Returns:
        uint8 (N).

    Raises:
        DecodeError: The file cannot be read.
        LimitError: A download is larger, or takes longer, than ``limits`` admit.

    Examples:
        >>> read_file(__file__).dtype
        torch.uint8
    """
    if is_address(path):
        data = bytes_of_address(os.fspath(path), limits or DEFAULT_LIMITS)
        return torch.from_numpy(np.frombuffer(bytearray(data), dtype=np.uint8))
    try:
        if mmap:
            size = Path(path).stat().st_size
            return torch.from_file(os.fspath(path), shared=False, size=size, dtype=torch.uint8)
        return torch.from_numpy(np.fromfile(path, dtype=np.uint8))
    except OSError as error:
        raise DecodeError(f"{os.fspath(path)}: {error.strerror or error}") from error
    except RuntimeError as error:  # an empty or special file cannot be mapped
        raise DecodeError(f"{os.fspath(path)}: cannot be mapped into memory: {error}") from error


def write_file(filename: str | os.PathLike[str], data: Tensor) -> None:
    """Write bytes to a file.

    Args:
        filename: File to write.
        data: uint8 (N).

    Raises:
        EncodeError: The tensor is no uint8 vector, or the file cannot be written.
    """
    if data.dtype != torch.uint8 or data.ndim != 1:
        raise EncodeError(f"data: got {data.dtype} {tuple(data.shape)}, expected a one-dimensional uint8 tensor")
    try:
        Path(filename).write_bytes(data.detach().cpu().contiguous().numpy().data)
    except OSError as error:
        raise EncodeError(f"{os.fspath(filename)}: {error.strerror or error}") from error


def bytes_of_file(path: str | os.PathLike[str], limits: Limits) -> np.ndarray:
    """The bytes of a file that is not larger than the limits admit, uint8 (N).

    Devices and pipes have no size that could be checked first: they are read until they end or reach the limit.

    Raises:
        DecodeError: The file cannot be read.
        LimitError: It is larger than ``limits`` admit.
    """
    name = os.fspath(path)
    if is_address(name):
        return np.frombuffer(bytes_of_address(name, limits), dtype=np.uint8)
    try:
        facts = os.stat(path)  # noqa: PTH116  a Path would cost more than the call
        if not stat.S_ISREG(facts.st_mode):
            with open(path, "rb", buffering=0) as file:  # noqa: PTH123
                return np.frombuffer(bytes_of_stream(file, limits), np.uint8)
        limits.check_bytes(facts.st_size, name)
        return np.fromfile(path, dtype=np.uint8)
    except OSError as error:
        raise DecodeError(f"{name}: cannot be read: {error.strerror or error}") from error


def bytes_of_stream(file: IO[bytes], limits: Limits) -> bytes:
    """What is left of a binary file object, which may have no end.

    Raises:
        LimitError: That is more than ``limits`` admit.
        TypeError: The object does not give bytes.
    """
    name = str(getattr(file, "name", f"<{type(file).__name__}>"))
    pieces: list[bytes] = []
    size = 0
    while True:
        piece = file.read(_PIECE)
        limits.check_deadline(name)
        if not isinstance(piece, (bytes, bytearray, memoryview)):
            raise TypeError(f"input: read() gave {type(piece).__name__}, expected a file that was opened as binary")
        if not piece:
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.append(bytes(piece))
        size += len(piece)
        limits.check_bytes(size, name)
