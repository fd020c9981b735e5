"""PNG files of 16 bits per sample, which Pillow reduces to 8 (colour) or reads in part.

Follows the W3C's Portable Network Graphics specification (third edition): chunks, filters, Adam7, transparency.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np

from vision_io._errors import DecodeError
from vision_io._limits import Limits
from vision_io._native import kernels

__all__ = ["decode_png16", "is_png16"]

_CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def is_png16(data: memoryview) -> bool:
    """Whether the header of a PNG file says 16 bits per sample."""
    return len(data) > 25 and bytes(data[12:16]) == b"IHDR" and data[24] == 16


def decode_png16(data: memoryview, limits: Limits, name: str) -> np.ndarray:
    """Samples of a 16-bit PNG.

    Args:
        data: The whole file.
        limits: Bounds checked before the pixels are inflated.
        name: How messages call the source.

    Returns:
        uint16 (H, W, C); one more channel, alpha, where the file names a transparent colour.

    Raises:
        DecodeError: The file is damaged.
    """
    try:
        return _decode(data, limits, name)
    except (struct.error, zlib.error, KeyError, IndexError) as error:
        raise DecodeError(f"{name}: damaged PNG: {error}") from error


def _chunks(data: memoryview, name: str):
    position = 8
    while position + 8 <= len(data):
        length, kind = struct.unpack(">I4s", data[position : position + 8])
        body = data[position + 8 : position + 8 + length]
        end = data[position + 8 + length : position + 12 + length]
        if len(body) != length or len(end) != 4:
            raise DecodeError(f"{name}: damaged PNG: cut off inside chunk {kind!r}")
        if zlib.crc32(body, zlib.crc32(kind)) != struct.unpack(">I", end)[0]:
            raise DecodeError(f"{name}: damaged PNG: wrong checksum of chunk {kind!r}")
        yield kind, body
        position += 12 + length


def _decode(data: memoryview, limits: Limits, name: str) -> np.ndarray:
    width, height, _, colour, _, _, interlace = struct.unpack(">IIBBBBB", data[16:29])
    channels = _CHANNELS[colour]
    limits.check_picture(width, height, name)
    if not width or not height:
        raise DecodeError(f"{name}: damaged PNG: {width}x{height} pixels")
    packed, transparent = [], None
    for kind, body in _chunks(data, name):
        if kind == b"IDAT":
            packed.append(body)
        elif kind == b"tRNS" and colour in (0, 2):
            transparent = np.frombuffer(body, dtype=">u2", count=channels).astype(np.uint16)
        elif kind == b"IEND":
            break
    passes = _ADAM7 if interlace else ((0, 0, 1, 1),)
    sizes = [(-(-(width - x) // dx), -(-(height - y) // dy)) for x, y, dx, dy in passes]
    step = 2 * channels
    needed = sum(h * (1 + w * step) for w, h in sizes if w > 0 and h > 0)
    raw = zlib.decompressobj().decompress(b"".join(packed), needed)
    if len(raw) < needed:
        raise DecodeError(f"{name}: damaged PNG: {len(raw)} of {needed} bytes of pixels")
    samples = np.empty((height, width, channels), dtype=np.uint16)
    rest = np.frombuffer(raw, dtype=np.uint8).copy()
    for (x, y, dx, dy), (w, h) in zip(passes, sizes, strict=True):
        if w > 0 and h > 0:
            size = h * (1 + w * step)
            rows = _unfilter(rest[:size].reshape(h, 1 + w * step), step, name)
            samples[y::dy, x::dx] = rows.view(">u2").reshape(h, w, channels)
            rest = rest[size:]
    if transparent is None:
        return samples
    alpha = np.where((samples == transparent).all(axis=2), 0, 65535).astype(np.uint16)
    return np.concatenate((samples, alpha[..., None]), axis=2)


def _unfilter(filtered: np.ndarray, step: int, name: str) -> np.ndarray:
    """Undo the row filters: (H, 1 + bytes) with the filter's number first, to (H, bytes)."""
    if filtered[:, 0].max() > 4:
        raise DecodeError(f"{name}: damaged PNG: unknown row filter {filtered[:, 0].max()}")
    height, width = filtered.shape[0], filtered.shape[1] - 1
    if kernels is not None:
        slack = 64  # the native filters read and write whole words
        rows = np.zeros(filtered.size + slack, dtype=np.uint8)
        rows[: filtered.size] = filtered.reshape(-1)
        space = np.empty(height * width + slack, dtype=np.uint8)
        zeros = np.zeros(width + slack, dtype=np.uint8)
        kernels.png_unfilter(rows.ctypes.data, zeros.ctypes.data, width, height, step, space.ctypes.data)
        return space[: height * width].reshape(height, width)
    out = np.empty((height, width), dtype=np.uint8)
    above = np.zeros(width, dtype=np.uint8)
    for y in range(height):
        out[y] = above = _unfilter_row(int(filtered[y, 0]), filtered[y, 1:], above, step)
    return out


def _unfilter_row(kind: int, row: np.ndarray, above: np.ndarray, step: int) -> np.ndarray:
    if kind == 0:
        return row
    if kind == 2:
        return row + above
    if kind == 1:
        return np.cumsum(row.reshape(-1, step), axis=0, dtype=np.uint8).reshape(-1)
    pixels, up = row.reshape(-1, step).astype(np.int32), above.reshape(-1, step).astype(np.int32)
    result = np.zeros_like(pixels)
    left, corner = np.zeros(step, np.int32), np.zeros(step, np.int32)
    for x in range(len(pixels)):
        guess = (left + up[x]) // 2 if kind == 3 else _paeth(left, up[x], corner)
        left, corner = (pixels[x] + guess) & 255, up[x]
        result[x] = left
    return result.astype(np.uint8).reshape(-1)


def _paeth(left: np.ndarray, up: np.ndarray, corner: np.ndarray) -> np.ndarray:
    to_left, to_up, to_corner = abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)
    nearest_up = np.where(to_up <= to_corner, up, corner)
    return np.where((to_left <= to_up) & (to_left <= to_corner), left, nearest_up)
