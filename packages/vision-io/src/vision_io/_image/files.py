"""Files as one-dimensional uint8 tensors."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vision_io._errors import DecodeError, EncodeError

__all__ = ["read_file", "write_file"]


def read_file(path: str | os.PathLike[str], *, mmap: bool = False) -> Tensor:
    """The bytes of a file.

    Args:
        path: File to read.
        mmap: Map the file into memory instead of reading it: parts that a decoder skips are never read. Changes that
            others make to the file meanwhile show up in the tensor, and cutting it short ends the process; map only
            files that stay as they are. Writing to the tensor does not change the file.

    Returns:
        uint8 (N).

    Raises:
        DecodeError: The file cannot be read.

    Examples:
        >>> read_file(__file__).dtype
        torch.uint8
    """
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
