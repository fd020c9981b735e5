"""PNG through the native reader."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from vision_io._errors import DecodeError
from vision_io._image.channels import channels16
from vision_io._image.direct import uint8_with_address
from vision_io._image.geometry import check_out
from vision_io._image.jpeg import RefusedError
from vision_io._image.mode import ImageReadMode
from vision_io._image.orientation import orientation_of
from vision_io._image.source import Bytes
from vision_io._limits import Limits
from vision_io._native import kernels
from vision_io._pixels.store import empty_uint8

__all__ = ["decode_png_native", "decode_whole_png"]


def decode_whole_png(address: int, size: int, mode: ImageReadMode, limits: Limits) -> Tensor | None:
    """Decode a whole 8-bit picture in one native call; ``None`` for others, and for what is damaged or too large."""
    assert kernels is not None
    return kernels.png_decode_whole(address, size, mode.value, limits.max_side, limits.max_pixels, uint8_with_address)


def decode_png_native(
    data: Bytes, name: str, mode: ImageReadMode, limits: Limits, out: Tensor | None
) -> tuple[Tensor, int]:
    """Decode a PNG.

    Args:
        data: The file.
        name: How messages call it.
        mode: Channels of the result.
        limits: Checked against the header.
        out: Target; used where its rows are contiguous.

    Returns:
        (C, H, W), uint8 or uint16, and the EXIF orientation.

    Raises:
        DecodeError: The file is too short for its size.
        RefusedError: The file is damaged, or inflates to more than its pixels; another decoder may salvage it.
        LimitError: The picture is larger than ``limits`` admit.
        ValueError: ``out`` has another shape or type than 8-bit pixels, or is not on the CPU.
    """
    assert kernels is not None
    facts = kernels.png_header(data.ctypes.data, data.size, mode.value)
    if isinstance(facts, str):
        raise RefusedError(facts)
    width, height, depth, channels, exif, hollow = facts
    limits.check_picture(width, height, name)
    if hollow:  # known before there is memory for the pixels
        raise DecodeError(f"{name}: damaged PNG: {data.size} bytes are too few for {width}x{height} pixels")
    shape = (channels, height, width)
    if depth == 16:
        pixels = torch.from_numpy(np.empty(shape, dtype=np.uint16))
    elif out is not None and check_out(out, shape).stride(2) == 1:
        pixels = out
    else:
        pixels = empty_uint8(*shape)
    size = pixels.element_size()
    error = kernels.png_decode(
        data.ctypes.data, data.size, mode.value, shape, pixels.data_ptr(),
        pixels.stride(0) * size, pixels.stride(1) * size,
    )  # fmt: skip
    if error is not None:
        if "no memory" in error:
            raise MemoryError(f"{name}: {error}")
        raise RefusedError(error)
    return (channels16(pixels, mode) if depth == 16 else pixels), orientation_of(exif)
