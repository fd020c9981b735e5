"""What a caller may hand in as an encoded image, as one contiguous run of bytes."""

from __future__ import annotations

import os
from typing import IO, Any

import numpy as np
import torch
from torch import Tensor

from vision_io._address import is_address
from vision_io._errors import DecodeError
from vision_io._image.files import bytes_of_file, bytes_of_stream, read_file
from vision_io._limits import DEFAULT_LIMITS, Limits

__all__ = ["Encoded", "EncodedSource", "as_bytes", "open_source"]

Encoded = Tensor | np.ndarray | bytes | bytearray | memoryview
EncodedSource = Encoded | str | os.PathLike[str] | IO[bytes]
Bytes = np.ndarray[Any, np.dtype[np.uint8]]


def as_bytes(data: Encoded) -> Bytes:
    """The bytes as a contiguous uint8 vector that shares memory with ``data`` where that is possible.

    Raises:
        TypeError: ``data`` holds no bytes.
        ValueError: A tensor or array of another type or shape.
    """
    if isinstance(data, Tensor):
        if data.dtype != torch.uint8 or data.ndim != 1:
            raise ValueError(f"input: got {data.dtype} {tuple(data.shape)}, expected a one-dimensional uint8 tensor")
        ready = data.device.type == "cpu" and data.is_contiguous()
        return data.numpy() if ready else data.detach().cpu().contiguous().numpy()
    if isinstance(data, np.ndarray):
        if data.dtype != np.uint8 or data.ndim != 1:
            raise ValueError(f"input: got {data.dtype} {data.shape}, expected a one-dimensional uint8 array")
        return np.ascontiguousarray(data)
    if isinstance(data, (bytes, bytearray, memoryview)):
        return np.frombuffer(data, dtype=np.uint8)
    raise TypeError(f"input: got {type(data).__name__}, expected encoded bytes, a uint8 tensor or a path")


def open_source(source: EncodedSource, limits: Limits | None = None, *, mmap: bool = False) -> tuple[Bytes, str]:
    """The bytes of any source, and how messages call it.

    Args:
        source: Bytes in any form, a path, or a binary file object (read from where it stands to its end).
        limits: Bounds on what is read into memory.
        mmap: Map a file into memory instead of reading it.

    Raises:
        DecodeError: The file cannot be read.
        LimitError: It is larger than ``limits`` admit.
        TypeError: ``source`` is none of these.
    """
    if isinstance(source, Tensor):
        return _named(as_bytes(source))
    if isinstance(source, (str, os.PathLike)):
        if mmap and not is_address(source):
            return read_file(source, mmap=True).numpy(), os.fspath(source)
        return bytes_of_file(source, limits or DEFAULT_LIMITS), os.fspath(source)
    if hasattr(source, "read") and not isinstance(source, np.ndarray):
        data = as_bytes(bytes_of_stream(source, limits or DEFAULT_LIMITS))  # pyright: ignore[reportArgumentType]
        return data, str(getattr(source, "name", f"<{data.size} bytes>"))
    return _named(as_bytes(source))  # pyright: ignore[reportArgumentType]


def _named(data: Bytes) -> tuple[Bytes, str]:
    if data.size == 0:
        raise DecodeError("<0 bytes>: the data is empty")
    return data, f"<{data.size} bytes>"
