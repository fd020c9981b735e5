"""CHW tensors to JPEG and PNG."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vision_io._errors import EncodeError
from vision_io._image.files import write_file

__all__ = ["encode_jpeg", "encode_png", "write_jpeg", "write_png"]


def _to_pillow(image: Tensor) -> Any:
    from PIL import Image

    if not isinstance(image, Tensor):
        raise TypeError(f"input: got {type(image).__name__}, expected a uint8 tensor (C, H, W)")
    if image.dtype != torch.uint8:
        raise EncodeError(f"input: got {image.dtype}, expected uint8 in 0..255; scale and convert float images first")
    if image.ndim != 3 or image.shape[0] not in (1, 3):
        hint = "; images (H, W, C) need .permute(2, 0, 1)" if image.ndim == 3 and image.shape[-1] in (1, 3) else ""
        raise EncodeError(f"input: got shape {tuple(image.shape)}, expected (1, H, W) or (3, H, W){hint}")
    if 0 in image.shape:
        raise EncodeError(f"input: got shape {tuple(image.shape)}, an image without pixels")
    array = image.detach().cpu().permute(1, 2, 0).contiguous().numpy()
    return Image.fromarray(array[..., 0] if array.shape[2] == 1 else array)


def _save(image: Any, format: str, **options: int) -> Tensor:
    file = io.BytesIO()
    try:
        image.save(file, format=format, **options)
    except (OSError, ValueError) as error:
        raise EncodeError(
            f"input: {image.width}x{image.height} pixels cannot be written as {format}: {error}"
        ) from error
    return torch.from_numpy(np.frombuffer(file.getbuffer(), dtype=np.uint8).copy())


def encode_jpeg(input: Tensor | Sequence[Tensor], quality: int = 75) -> Tensor | list[Tensor]:
    r"""Encode an image as JPEG, or a list of images to a list.

    Args:
        input: uint8 (3, H, W) RGB or (1, H, W) gray, or a list of such.
        quality: 1 (small) to 100 (good).

    Returns:
        The file's bytes, uint8 (N), on the CPU, or a list of such.

    Raises:
        EncodeError: Wrong shape, dtype or quality.

    Examples:
        >>> data = encode_jpeg(torch.zeros(3, 8, 8, dtype=torch.uint8))
        >>> bytes(data[:2].tolist())
        b'\xff\xd8'
    """
    if not 1 <= quality <= 100:
        raise EncodeError(f"quality: got {quality}, expected 1 to 100")
    if isinstance(input, (list, tuple)):
        if not input:
            raise EncodeError("input: got an empty list, expected at least one image")
        return [_save(_to_pillow(image), "JPEG", quality=quality) for image in input]
    return _save(_to_pillow(input), "JPEG", quality=quality)  # pyright: ignore[reportArgumentType]


def encode_png(input: Tensor, compression_level: int = 6) -> Tensor:
    """Encode an image as PNG.

    Args:
        input: uint8 (3, H, W) RGB or (1, H, W) gray.
        compression_level: 0 (fast) to 9 (small).

    Returns:
        The file's bytes, uint8 (N).

    Raises:
        EncodeError: Wrong shape, dtype or level.

    Examples:
        >>> data = encode_png(torch.zeros(3, 8, 8, dtype=torch.uint8))
        >>> bytes(data[1:4].tolist())
        b'PNG'
    """
    if not 0 <= compression_level <= 9:
        raise EncodeError(f"compression_level: got {compression_level}, expected 0 to 9")
    return _save(_to_pillow(input), "PNG", compress_level=compression_level)


def write_jpeg(input: Tensor, filename: str | os.PathLike[str], quality: int = 75) -> None:
    """Encode an image as JPEG and write it to a file; see :func:`encode_jpeg`."""
    data = encode_jpeg(input, quality)
    assert isinstance(data, Tensor)
    write_file(filename, data)


def write_png(input: Tensor, filename: str | os.PathLike[str], compression_level: int = 6) -> None:
    """Encode an image as PNG and write it to a file; see :func:`encode_png`."""
    write_file(filename, encode_png(input, compression_level))
