"""HEIC, and AVIF at its full depth, decoded by PyAV's HEVC and AV1 decoders.

The pictures are taken from the file's items (:mod:`vision_io._image.heif_boxes`), so that cropping, rotation,
mirroring, alpha and tiles are right, which a demuxer leaves to its caller.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vision_io._errors import DecodeError, LimitError
from vision_io._image.channels import channels16
from vision_io._image.heif_boxes import HeifFile, HeifItem, parse_heif
from vision_io._image.mode import ImageReadMode
from vision_io._image.source import Bytes
from vision_io._limits import Limits
from vision_io._pixels.colour import exact_coefficients, is_known_matrix
from vision_io._video.pyav_open import import_av

__all__ = ["decode_heif"]

_CODECS = {b"hvc1": ("hevc", b"hvcC"), b"av01": ("libdav1d", b"av1C")}
_ALPHA = (b"urn:mpeg:hevc:2015:auxid:1", b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha")
_MOST_TILES = 1024
_MOST_CODED = 4096  # coded pictures of a file: small ones cost a millisecond each, whatever their pixels


def decode_heif(data: Bytes, mode: ImageReadMode, limits: Limits, name: str) -> Tensor:
    """Decode the primary picture, or all pictures when the file holds several of one size.

    The file's crop, rotation and mirror properties are part of the picture and always applied.

    Returns:
        (C, H, W) or (N, C, H, W); uint8, or uint16 of the full range where samples have more than 8 bits.

    Raises:
        DecodeError: The file is damaged or uses something that is not supported.
        LimitError: A picture is larger than ``limits`` admit.
        MissingDependencyError: PyAV is not installed.
    """
    import_av()
    try:
        file = parse_heif(data.data)
        numbers = [
            number
            for number, item in file.items.items()
            if (item.kind in _CODECS or item.kind == b"grid")
            and not item.hidden
            and not {b"auxl", b"thmb"} & set(item.references)
        ]
        main = file.items[file.primary]
        size = _size(main)
        numbers = [n for n in numbers if _size(file.items[n]) == size and file.items[n].kind == main.kind]
        limits.check_frames(len(numbers), name)
        limits.check_picture(size[1], size[0], name)
        limits.check_animation(len(numbers), size[1], size[0], name)
        several = len(numbers) > 1 and file.primary in numbers
        pictures = [_picture(file, n, mode, limits, name) for n in (numbers if several else [file.primary])]
    except (struct.error, ValueError, IndexError) as error:
        if isinstance(error, DecodeError) and str(error).startswith(name):
            raise
        raise DecodeError(f"{name}: damaged HEIF: {error}") from error
    if len({picture.shape for picture in pictures}) > 1:  # cropped or turned each in its own way
        return pictures[numbers.index(file.primary)]
    return torch.stack(pictures) if several else pictures[0]


def _size(item: HeifItem) -> tuple[int, int]:
    body = item.property(b"ispe")
    if body is None:
        raise DecodeError("a picture without a size")
    width, height = struct.unpack_from(">II", body, 4)
    return height, width


def _picture(file: HeifFile, number: int, mode: ImageReadMode, limits: Limits, name: str) -> Tensor:
    item = file.items[number]
    colour, bits = _colour(file, item, limits, name)
    alpha = next((_alpha(file, other, limits, name) for other in file.alphas if _is_alpha(other, number)), None)
    channels = [colour]
    if alpha is not None and alpha.shape[-2:] == colour.shape[-2:]:
        channels.append(alpha)
    samples = np.concatenate([np.rint(np.clip(c, 0, 1) * 65535).astype(np.uint16) for c in channels])
    for kind, body in item.properties:
        samples = _transformed(samples, kind, body)
    pixels = channels16(torch.from_numpy(np.ascontiguousarray(samples)), mode)
    return pixels if bits > 8 else torch.from_numpy(np.rint(pixels.numpy() / 257).astype(np.uint8))


def _is_alpha(item: HeifItem, number: int) -> bool:
    kind = (item.property(b"auxC") or b"")[4:].split(b"\0")[0]
    return number in item.references.get(b"auxl", ()) and kind in _ALPHA


def _alpha(file: HeifFile, item: HeifItem, limits: Limits, name: str) -> np.ndarray:
    planes, bits, full_range, _ = _tiles(file, item, limits, name)
    luma = planes[0].astype(np.float32)
    low, span = (0, (1 << bits) - 1) if full_range else (16 << (bits - 8), 219 << (bits - 8))
    return ((luma - low) / span)[None]


def _colour(file: HeifFile, item: HeifItem, limits: Limits, name: str) -> tuple[np.ndarray, int]:
    """(3, H, W) float32 in 0..1 (not clipped), and the bits per sample."""
    planes, bits, full_range, matrix = _tiles(file, item, limits, name)
    nclx = item.property(b"colr")
    if nclx is not None and nclx[:4] == b"nclx":
        stated, full = struct.unpack_from(">HB", nclx, 8)
        matrix, full_range = (stated if stated != 2 else matrix), bool(full >> 7)
    if len(planes) == 1:
        planes = [planes[0], *(np.full_like(planes[0], 1 << (bits - 1)) for _ in range(2))]
    y, u, v = (plane.astype(np.float32) for plane in planes)
    if matrix == 0:
        return np.stack((v, y, u)) / np.float32((1 << bits) - 1), bits
    if not is_known_matrix(matrix):
        raise DecodeError(f"{name}: colour matrix {matrix} is not supported")
    c = exact_coefficients(matrix, full_range, bits)
    luma, u, v = (y - c.y_offset) * c.y_gain, u - c.centre, v - c.centre
    red, green, blue = luma + v * c.v_to_r, luma + u * c.u_to_g + v * c.v_to_g, luma + u * c.u_to_b
    return np.stack((red, green, blue)) / np.float32(255), bits


def _tiles(
    file: HeifFile, item: HeifItem, limits: Limits, name: str, depth: int = 0
) -> tuple[list[np.ndarray], int, bool, int]:
    """Planes of full size, bits, full range, matrix; a grid is put together."""
    limits.check_depth(depth, name)
    limits.check_deadline(name)
    height, width = _size(item)
    limits.check_picture(width, height, name)
    if item.kind != b"grid":
        planes, *facts = _decode_item(file, item, limits, name)
        if planes[0].shape[0] < height or planes[0].shape[1] < width:
            raise DecodeError(f"the coded picture is smaller than {width}x{height}")
        return [plane[:height, :width] for plane in planes], *facts
    columns, parts = _parts_of_grid(file, item)
    tile_height, tile_width = _size(parts[0])
    rows = len(parts) // columns
    if (
        not 0 < width - (columns - 1) * tile_width <= tile_width
        or not 0 < height - (rows - 1) * tile_height <= tile_height
    ):
        raise DecodeError(f"a grid of {rows}x{columns} tiles of {tile_width}x{tile_height} for {width}x{height} pixels")
    whole: list[np.ndarray] = []
    facts: list[Any] = []
    for i, tile in enumerate(parts):
        planes, *tile_facts = _tiles(file, tile, limits, name, depth + 1)
        if not whole:
            facts = tile_facts
            whole = [np.zeros((height, width), plane.dtype) for plane in planes]
        if tile_facts != facts or _size(tile) != (tile_height, tile_width):
            raise DecodeError("the tiles of a grid differ in size or kind")
        top, left = i // columns * tile_height, i % columns * tile_width
        for target, plane in zip(whole, planes, strict=True):
            space = target[top : top + tile_height, left : left + tile_width]
            space[:] = plane[: space.shape[0], : space.shape[1]]
    return whole, *facts  # pyright: ignore[reportReturnType]


def _parts_of_grid(file: HeifFile, item: HeifItem) -> tuple[int, list[HeifItem]]:
    """The number of columns, and the tiles row by row."""
    body = file.content(item)
    rows, columns = body[2] + 1, body[3] + 1
    numbers = item.references.get(b"dimg", [])
    if len(numbers) != rows * columns or rows * columns > _MOST_TILES:
        raise DecodeError(f"a grid of {rows}x{columns} tiles with {len(numbers)} parts")
    parts = [file.items[number] for number in numbers if number in file.items]
    if len(parts) != len(numbers) or any(part.kind not in _CODECS and part.kind != b"grid" for part in parts):
        raise DecodeError("a tile is missing or is no coded picture")
    return columns, parts


def _decode_item(file: HeifFile, item: HeifItem, limits: Limits, name: str) -> tuple[list[np.ndarray], int, bool, int]:
    """One coded picture: planes (chroma repeated to full size), bits, full range, matrix."""
    av = import_av()
    if item.kind not in _CODECS:
        raise DecodeError(f"{name}: pictures of the kind {item.kind.decode('latin-1')!r} are not supported")
    file.decoded += 1
    if file.decoded > _MOST_CODED:
        raise LimitError(f"{name}: more than {_MOST_CODED} coded pictures in one file")
    codec, configuration = _CODECS[item.kind]
    height, width = _size(item)
    # The codec's own header may ask for more than the container said: whole blocks, but no more than that.
    most = min(limits.max_pixels, (width + 256) * (height + 256))
    try:
        context = av.CodecContext.create(codec, "r")
        context.extradata = item.property(configuration)
        context.options = {"max_pixels": str(most)}
        context.thread_count = 1
        frames = [*context.decode(av.Packet(file.content(item))), *context.decode(None)]
    except (av.error.FFmpegError, ValueError) as error:
        if isinstance(error, DecodeError):
            raise
        raise DecodeError(f"{name}: damaged picture: {error}") from error
    if not frames:
        raise DecodeError(f"{name}: damaged picture: nothing was decoded")
    return _planes(frames[0])


def _planes(frame: Any) -> tuple[list[np.ndarray], int, bool, int]:
    format = frame.format
    components = [component for component in format.components if not component.is_alpha]
    bits = components[0].bits
    dtype = np.dtype("<u2") if bits > 8 else np.dtype(np.uint8)
    planes = []
    for plane in frame.planes[: len(components)]:
        rows = np.frombuffer(plane, np.uint8).reshape(plane.height, -1)[:, : plane.width * dtype.itemsize].view(dtype)
        down, across = -(-frame.height // plane.height), -(-frame.width // plane.width)
        planes.append(rows.repeat(down, 0).repeat(across, 1)[: frame.height, : frame.width])
    return planes, bits, int(frame.color_range) == 2 or format.name.startswith("yuvj"), int(frame.colorspace)


def _transformed(samples: np.ndarray, kind: bytes, body: bytes) -> np.ndarray:
    """Apply a crop, rotation or mirror property to (C, H, W)."""
    if kind == b"irot":
        return np.rot90(samples, body[0] & 3, axes=(1, 2))
    if kind == b"imir":
        return samples[:, :, ::-1] if body[0] & 1 else samples[:, ::-1]
    if kind != b"clap":
        return samples
    wn, wd, hn, hd = struct.unpack_from(">IIII", body)
    xn, xd, yn, yd = struct.unpack_from(">iIiI", body, 16)
    if not (wd and hd and xd and yd):
        raise DecodeError("a crop with a zero denominator")
    width, height = wn // wd, hn // hd
    left = round((samples.shape[2] - 1) / 2 + xn / xd - (width - 1) / 2)
    top = round((samples.shape[1] - 1) / 2 + yn / yd - (height - 1) / 2)
    if (
        width < 1
        or height < 1
        or left < 0
        or top < 0
        or left + width > samples.shape[2]
        or top + height > samples.shape[1]
    ):
        raise DecodeError("the crop does not lie inside the picture")
    return samples[:, top : top + height, left : left + width]
