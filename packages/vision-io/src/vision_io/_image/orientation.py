"""EXIF orientation: where it stands in a file, what it does to pixels and to rectangles."""

from __future__ import annotations

import struct

import numpy as np
import torch
from torch import Tensor

__all__ = ["jpeg_exif", "orientation_of", "stored_region", "swaps_sides", "turn"]

_TAG = 0x0112
# EXIF orientation 2..8 -> (transpose, flip rows, flip columns), applied in this order.
_TURNS = {
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}


def orientation_of(exif: bytes | None) -> int:
    """The orientation (1 to 8) that an EXIF block names; 1 where it names none or is damaged.

    Args:
        exif: A TIFF structure, with or without the ``Exif`` header in front.
    """
    if not exif:
        return 1
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return 1
    try:
        (start,) = struct.unpack_from(order + "I", tiff, 4)
        (count,) = struct.unpack_from(order + "H", tiff, start)
        for i in range(count):
            tag, kind, _, value = struct.unpack_from(order + "HHI4s", tiff, start + 2 + 12 * i)
            if tag == _TAG:
                (number,) = struct.unpack_from(order + {3: "H", 4: "I"}.get(kind, "B"), value)
                return number if 1 <= number <= 8 else 1
    except struct.error:
        return 1  # damaged EXIF is no reason to refuse the picture
    return 1


def jpeg_exif(data: memoryview) -> bytes | None:
    """The EXIF block of a JPEG file, or ``None``: the segments in front of the pixels are searched."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        length = data[at + 2] << 8 | data[at + 3]
        if marker == 0xDA or length < 2:
            return None
        body = data[at + 4 : at + 2 + length]
        if marker == 0xE1 and bytes(body[:6]) == b"Exif\0\0":
            return bytes(body)
        at += 2 + length
    return None


def swaps_sides(orientation: int) -> bool:
    """Whether applying the orientation exchanges width and height."""
    return orientation >= 5


def turn(pixels: Tensor, orientation: int) -> Tensor:
    """Apply an EXIF orientation (1 to 8) to (..., H, W)."""
    if orientation not in _TURNS:
        return pixels
    transpose, rows, columns = _TURNS[orientation]
    array = pixels.numpy()  # torch cannot flip uint16
    array = array.swapaxes(-2, -1) if transpose else array
    array = array[..., ::-1, :] if rows else array
    return torch.from_numpy(np.ascontiguousarray(array[..., ::-1] if columns else array))


def stored_region(
    region: tuple[int, int, int, int], orientation: int, height: int, width: int
) -> tuple[int, int, int, int]:
    """The rectangle of the stored picture that a rectangle of the turned picture comes from.

    Args:
        region: ``(top, left, height, width)`` in the turned picture.
        orientation: 1 to 8.
        height: Of the turned picture.
        width: Of the turned picture.
    """
    top, left, rows, columns = region
    if orientation not in _TURNS:
        return region
    transpose, flip_rows, flip_columns = _TURNS[orientation]
    top = height - top - rows if flip_rows else top
    left = width - left - columns if flip_columns else left
    return (left, top, columns, rows) if transpose else (top, left, rows, columns)
