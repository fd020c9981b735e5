"""Images from bytes or files to CHW tensors."""

from __future__ import annotations

import importlib
import io
import os
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vision_io._errors import DecodeError, LimitError
from vision_io._image.files import read_file
from vision_io._image.mode import ImageReadMode, as_mode
from vision_io._image.pillow_pixels import chw_from_pillow
from vision_io._image.png16 import decode_png16, is_png16
from vision_io._image.sniff import FORMATS, image_format
from vision_io._limits import Limits

__all__ = ["decode_avif", "decode_gif", "decode_image", "decode_jpeg", "decode_png", "decode_webp", "read_image"]

Encoded = Tensor | np.ndarray | bytes | bytearray | memoryview
_DEFAULT_LIMITS = Limits()
_ORIENTATION = 0x0112
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
_PILLOW_MODES = {
    ImageReadMode.GRAY: "L",
    ImageReadMode.GRAY_ALPHA: "LA",
    ImageReadMode.RGB: "RGB",
    ImageReadMode.RGB_ALPHA: "RGBA",
}
# What Pillow's decoders are known to raise on damaged data.
_DAMAGE = (OSError, SyntaxError, ValueError, TypeError, EOFError, IndexError, KeyError, OverflowError, struct.error)


def _as_bytes(data: Encoded) -> memoryview:
    if isinstance(data, Tensor):
        if data.dtype != torch.uint8 or data.ndim != 1:
            raise ValueError(f"input: got {data.dtype} {tuple(data.shape)}, expected a one-dimensional uint8 tensor")
        return data.detach().cpu().contiguous().numpy().data
    if isinstance(data, np.ndarray):
        if data.dtype != np.uint8 or data.ndim != 1:
            raise ValueError(f"input: got {data.dtype} {data.shape}, expected a one-dimensional uint8 array")
        return np.ascontiguousarray(data).data
    if isinstance(data, (bytes, bytearray, memoryview)):
        return memoryview(data).cast("B")
    raise TypeError(f"input: got {type(data).__name__}, expected encoded bytes, a uint8 tensor or a path")


def _open(data: memoryview, format: str, limits: Limits, name: str) -> Any:
    """Pillow's image with its header read and its size checked; pixels are not decoded yet."""
    from PIL import Image

    try:
        importlib.import_module(f"PIL.{FORMATS[format]}")
        image = Image.open(io.BytesIO(data), formats=(format,))
    except Image.DecompressionBombError as error:
        raise LimitError(f"{name}: {error}; set PIL.Image.MAX_IMAGE_PIXELS if you trust this file") from error
    except (ImportError, *_DAMAGE) as error:
        if isinstance(error, (ImportError, KeyError)):
            raise DecodeError(f"{name}: this Pillow was built without {format}") from error
        raise DecodeError(f"{name}: damaged {format} header: {error}") from error
    limits.check_picture(image.width, image.height, name)
    return image


def _unchanged_mode(image: Any) -> str:
    """The mode that holds what the file has."""
    mode = image.mode
    if mode == "P" and image.format == "PNG":
        return "P"
    if mode == "P":
        return "RGBA" if "transparency" in image.info else "RGB"
    if mode == "1":
        return "L"
    if mode in ("L", "LA", "RGB", "RGBA", "CMYK") or mode.startswith("I;16"):
        if "transparency" in image.info and mode in ("L", "RGB"):
            return "LA" if mode == "L" else "RGBA"
        return mode
    return "RGB"


def _load(image: Any, mode: ImageReadMode, name: str) -> Tensor:
    """Decode the pixels of the current frame and bring them to the wanted channels."""
    try:
        if mode is ImageReadMode.GRAY and image.format == "JPEG" and image.mode in ("RGB", "L"):
            image.draft("L", image.size)  # libjpeg hands out the luma it has instead of computing it from RGB
        image.load()
        wanted = _unchanged_mode(image) if mode is ImageReadMode.UNCHANGED else _PILLOW_MODES[mode]
        if image.mode.startswith("I;16") and wanted != image.mode:
            return _channels16(chw_from_pillow(image), mode)
        if wanted == "P":
            return torch.from_numpy(np.array(image))[None]
        if (image.mode == "P" and "transparency" in image.info) or (wanted == "LA" and image.mode != "L"):
            image = image.convert("RGBA")
        pixels = chw_from_pillow(image if image.mode == wanted else image.convert(wanted))
        # Pillow turns the inverted inks of Adobe's files around; unchanged means as they are stored.
        return pixels.bitwise_not_() if wanted == "CMYK" and image.format == "JPEG" else pixels
    except _DAMAGE as error:
        raise DecodeError(f"{name}: damaged {image.format}: {error}") from error


def _channels16(samples: Tensor, mode: ImageReadMode) -> Tensor:
    """16-bit samples (C, H, W) with the channels of ``mode``; luma by BT.601."""
    if mode is ImageReadMode.UNCHANGED:
        return samples
    array = samples.numpy()
    alpha = array[-1:] if len(array) in (2, 4) else np.full_like(array[:1], 65535)
    colour = array[: len(array) - 1] if len(array) in (2, 4) else array
    if mode in (ImageReadMode.GRAY, ImageReadMode.GRAY_ALPHA) and len(colour) == 3:
        luma = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]
        colour = np.rint(luma)[None].astype(np.uint16)
    if mode in (ImageReadMode.RGB, ImageReadMode.RGB_ALPHA) and len(colour) == 1:
        colour = np.repeat(colour, 3, axis=0)
    if mode in (ImageReadMode.GRAY_ALPHA, ImageReadMode.RGB_ALPHA):
        colour = np.concatenate((colour, alpha))
    return torch.from_numpy(np.ascontiguousarray(colour))


def _turn(pixels: Tensor, orientation: int) -> Tensor:
    """Apply an EXIF orientation (1 to 8) to (..., H, W)."""
    if orientation not in _TURNS:
        return pixels
    transpose, rows, columns = _TURNS[orientation]
    array = pixels.numpy()  # torch cannot flip uint16
    array = array.swapaxes(-2, -1) if transpose else array
    array = array[..., ::-1, :] if rows else array
    return torch.from_numpy(np.ascontiguousarray(array[..., ::-1] if columns else array))


def _orientation(image: Any) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except _DAMAGE:
        return 1  # damaged EXIF is no reason to refuse the picture


def _decode(
    data: memoryview, mode: ImageReadMode, exif: bool, limits: Limits, name: str, expected: str | None = None
) -> Tensor:
    format = image_format(bytes(data[:32]), name)
    if expected is not None and format != expected:
        raise DecodeError(f"{name}: expected {expected}, got {format}; decode_image takes every format")
    image = _open(data, format, limits, name)
    if format == "PNG" and is_png16(data):
        samples = decode_png16(data, limits, name).transpose(2, 0, 1)
        pixels = _channels16(torch.from_numpy(np.ascontiguousarray(samples)), mode)
    elif format == "GIF":
        pixels = _gif(image, mode, limits, name)
    else:
        pixels = _load(image, mode, name)
    return _turn(pixels, _orientation(image)) if exif else pixels


def _gif(image: Any, mode: ImageReadMode, limits: Limits, name: str) -> Tensor:
    """(C, H, W), or (N, C, H, W) for an animation; each frame is composed over the ones before it."""
    mode = ImageReadMode.RGB if mode is ImageReadMode.UNCHANGED else mode
    try:
        count = getattr(image, "n_frames", 1)
    except _DAMAGE as error:
        raise DecodeError(f"{name}: damaged GIF: {error}") from error
    limits.check_frames(count, name)
    limits.check_animation(count, image.width, image.height, name)
    frames = []
    for i in range(count):
        try:
            image.seek(i)
        except _DAMAGE as error:
            raise DecodeError(f"{name}: damaged GIF at frame {i}: {error}") from error
        frames.append(_load(image, mode, name))
    return frames[0] if count == 1 else torch.stack(frames)


def decode_image(
    input: Encoded | str | os.PathLike[str],
    mode: ImageReadMode | str = ImageReadMode.UNCHANGED,
    apply_exif_orientation: bool = False,
    *,
    limits: Limits | None = None,
) -> Tensor:
    """Decode an image: JPEG, PNG, GIF, WebP, AVIF, BMP, TIFF or JPEG 2000, told by its content.

    Args:
        input: Encoded bytes, a one-dimensional uint8 tensor of them, or a path.
        mode: Channels of the result. ``UNCHANGED`` leaves the indices of a palette PNG as they are (label masks).
        apply_exif_orientation: Turn the picture as its EXIF data says.
        limits: Bounds that are checked before pixels are decoded.

    Returns:
        (C, H, W) uint8 in 0..255; uint16 for PNG files of 16 bits; (N, C, H, W) for an animated GIF.

    Raises:
        DecodeError: No image of a known format, or a damaged one.
        LimitError: The picture is larger than ``limits`` admit.

    Examples:
        >>> import torch
        >>> from vision_io import decode_image, encode_png
        >>> decode_image(encode_png(torch.zeros(3, 4, 6, dtype=torch.uint8))).shape
        torch.Size([3, 4, 6])
    """
    if isinstance(input, (str, os.PathLike)):
        return read_image(input, mode, apply_exif_orientation, limits=limits)
    data = _as_bytes(input)
    return _decode(data, as_mode(mode), apply_exif_orientation, limits or _DEFAULT_LIMITS, f"<{len(data)} bytes>")


def read_image(
    path: str | os.PathLike[str],
    mode: ImageReadMode | str = ImageReadMode.UNCHANGED,
    apply_exif_orientation: bool = False,
    *,
    limits: Limits | None = None,
) -> Tensor:
    """Read and decode an image file; see :func:`decode_image`.

    Examples:
        >>> read_image("photo.jpg", mode="RGB", apply_exif_orientation=True).shape  # doctest: +SKIP
        torch.Size([3, 500, 375])
    """
    data = _as_bytes(read_file(path))
    return _decode(data, as_mode(mode), apply_exif_orientation, limits or _DEFAULT_LIMITS, os.fspath(path))


def _decode_one(data: Encoded, mode: ImageReadMode | str, exif: bool, limits: Limits | None, format: str) -> Tensor:
    view = _as_bytes(data)
    return _decode(view, as_mode(mode), exif, limits or _DEFAULT_LIMITS, f"<{len(view)} bytes>", format)


def decode_jpeg(
    input: Encoded | Sequence[Encoded],
    mode: ImageReadMode | str = ImageReadMode.UNCHANGED,
    device: str | torch.device = "cpu",
    apply_exif_orientation: bool = False,
    *,
    limits: Limits | None = None,
) -> Tensor | list[Tensor]:
    """Decode a JPEG, or a list of them to a list.

    Args:
        input: Encoded bytes or uint8 tensor, or a list of them.
        mode: Channels of the result.
        device: Where the result goes; decoding runs on the CPU.
        apply_exif_orientation: Turn the picture as its EXIF data says.
        limits: Bounds that are checked before pixels are decoded.

    Returns:
        uint8 (C, H, W), or a list of such.

    Raises:
        DecodeError: Not a JPEG, or a damaged one.
    """
    if isinstance(input, (list, tuple)):
        return [_decode_one(item, mode, apply_exif_orientation, limits, "JPEG").to(device) for item in input]
    return _decode_one(input, mode, apply_exif_orientation, limits, "JPEG").to(device)  # pyright: ignore[reportArgumentType]


def decode_png(
    input: Encoded,
    mode: ImageReadMode | str = ImageReadMode.UNCHANGED,
    apply_exif_orientation: bool = False,
    *,
    limits: Limits | None = None,
) -> Tensor:
    """Decode a PNG to (C, H, W): uint8, or uint16 for files of 16 bits per sample; see :func:`decode_image`."""
    return _decode_one(input, mode, apply_exif_orientation, limits, "PNG")


def decode_gif(input: Encoded, *, limits: Limits | None = None) -> Tensor:
    """Decode a GIF to RGB uint8 (3, H, W), or (N, 3, H, W) when it is animated; see :func:`decode_image`."""
    return _decode_one(input, ImageReadMode.RGB, False, limits, "GIF")


def decode_webp(
    input: Encoded, mode: ImageReadMode | str = ImageReadMode.UNCHANGED, *, limits: Limits | None = None
) -> Tensor:
    """Decode a WebP (the first picture of an animation) to uint8 (C, H, W); see :func:`decode_image`."""
    return _decode_one(input, mode, False, limits, "WEBP")


def decode_avif(
    input: Encoded, mode: ImageReadMode | str = ImageReadMode.UNCHANGED, *, limits: Limits | None = None
) -> Tensor:
    """Decode an AVIF (the first picture of a sequence) to uint8 (C, H, W); see :func:`decode_image`."""
    return _decode_one(input, mode, False, limits, "AVIF")
