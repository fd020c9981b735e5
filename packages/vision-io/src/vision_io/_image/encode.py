"""CHW tensors to JPEG and PNG."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from vision_io._errors import EncodeError
from vision_io._image.backend import uses_native_jpeg, uses_native_png
from vision_io._image.direct import bytes_with_address
from vision_io._image.files import write_file
from vision_io._image.pillow_encode import check_image, save_with_pillow
from vision_io._native import kernels

__all__ = ["Subsampling", "encode_jpeg", "encode_png", "write_jpeg", "write_png"]

Subsampling = Literal["4:4:4", "4:2:2", "4:2:0", "4:4:0", "4:1:1"]
_FACTORS = {"4:4:4": (1, 1), "4:2:2": (2, 1), "4:2:0": (2, 2), "4:4:0": (1, 2), "4:1:1": (4, 1)}
_MOST_JPEG = 65500  # libjpeg's own limit


def _rows_ready(image: Tensor) -> Tensor:
    """``image`` on the CPU, its rows contiguous: what the native encoders read, whatever the other strides."""
    if image.is_contiguous() and image.is_cpu:
        return image
    image = image.detach().cpu()
    return image if image.stride(2) == 1 and min(image.stride()) >= 0 else image.contiguous()


def encode_jpeg(
    input: Tensor | Sequence[Tensor],
    quality: int = 75,
    *,
    subsampling: Subsampling = "4:2:0",
    progressive: bool = False,
    optimize: bool = False,
) -> Tensor | list[Tensor]:
    r"""Encode an image as JPEG, or a list of images to a list.

    Args:
        input: uint8 (3, H, W) RGB or (1, H, W) gray, or a list of such.
        quality: 1 (small) to 100 (good).
        subsampling: Resolution of the colour.
        progressive: Write scans of rising detail: smaller, slower.
        optimize: Compute the Huffman tables for this image: some per cent smaller, slower.

    Returns:
        The file's bytes, uint8 (N), on the CPU, or a list of such.

    Raises:
        EncodeError: Wrong shape, dtype, size or setting.

    Examples:
        >>> data = encode_jpeg(torch.zeros(3, 8, 8, dtype=torch.uint8), quality=90)
        >>> bytes(data[:2].tolist())
        b'\xff\xd8'
    """
    if not 1 <= quality <= 100:
        raise EncodeError(f"quality: got {quality}, expected 1 to 100")
    if subsampling not in _FACTORS:
        raise EncodeError(f"subsampling: got {subsampling!r}, expected one of {', '.join(_FACTORS)}")
    if isinstance(input, (list, tuple)):
        if not input:
            raise EncodeError("input: got an empty list, expected at least one image")
        return [_jpeg(image, quality, subsampling, progressive, optimize) for image in input]
    return _jpeg(input, quality, subsampling, progressive, optimize)  # pyright: ignore[reportArgumentType]


def _jpeg(image: Tensor, quality: int, subsampling: str, progressive: bool, optimize: bool) -> Tensor:
    check_image(image, channels=(1, 3))
    shape = tuple(image.shape)
    if shape[1] > _MOST_JPEG or shape[2] > _MOST_JPEG:
        raise EncodeError(f"input: {shape[2]}x{shape[1]} pixels, JPEG takes at most {_MOST_JPEG} a side")
    if not uses_native_jpeg():
        factors = {"4:4:4": 0, "4:2:2": 1, "4:2:0": 2}.get(subsampling)
        if factors is None:
            raise EncodeError(
                f"subsampling: {subsampling} needs the native encoder; vision_io.build_info() tells why not"
            )
        colour = {"subsampling": factors} if image.shape[0] == 3 else {}
        return save_with_pillow([image], "JPEG", quality=quality, progressive=progressive, optimize=optimize, **colour)
    assert kernels is not None
    image = _rows_ready(image)
    channel, row, _ = image.stride()
    encoded = kernels.jpeg_encode(
        image.data_ptr(), shape, channel, row, quality, _FACTORS[subsampling], progressive, optimize, bytes_with_address
    )
    if isinstance(encoded, str):
        raise EncodeError(f"input: {shape[2]}x{shape[1]} pixels cannot be written as JPEG: {encoded}")
    return encoded


def encode_png(input: Tensor, compression_level: int = 6) -> Tensor:
    """Encode an image as PNG.

    Args:
        input: uint8 or uint16 (C, H, W): 1 gray, 2 gray and alpha, 3 RGB, 4 RGB and alpha.
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
    check_image(input, channels=(1, 2, 3, 4), dtypes=(torch.uint8, torch.uint16))
    if not uses_native_png():
        return _pillow_png(input, compression_level)
    assert kernels is not None
    image = _rows_ready(input)
    size = image.element_size()
    channel, row, _ = image.stride()
    encoded = kernels.png_encode(
        image.data_ptr(), tuple(image.shape), size, channel * size, row * size, compression_level, bytes_with_address
    )
    if encoded is None:
        raise MemoryError(f"no memory to encode a picture of {image.shape[2]}x{image.shape[1]} pixels")
    return encoded


def _pillow_png(image: Tensor, level: int) -> Tensor:
    if image.dtype == torch.uint16 and image.shape[0] != 1:
        raise EncodeError("input: 16-bit PNGs with colour or alpha need the native encoder; vision_io.build_info()")
    return save_with_pillow([image], "PNG", compress_level=level)


def write_jpeg(
    input: Tensor,
    filename: str | os.PathLike[str],
    quality: int = 75,
    *,
    subsampling: Subsampling = "4:2:0",
    progressive: bool = False,
    optimize: bool = False,
) -> None:
    """Encode an image as JPEG and write it to a file; see :func:`encode_jpeg`."""
    data = encode_jpeg(input, quality, subsampling=subsampling, progressive=progressive, optimize=optimize)
    assert isinstance(data, Tensor)
    write_file(filename, data)


def write_png(input: Tensor, filename: str | os.PathLike[str], compression_level: int = 6) -> None:
    """Encode an image as PNG and write it to a file; see :func:`encode_png`."""
    write_file(filename, encode_png(input, compression_level))
