"""Decoding through Pillow: every format but JPEG and PNG, and those two where the native readers are missing."""

from __future__ import annotations

import importlib
import io
import struct
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vision_io._errors import DecodeError, LimitError
from vision_io._image.channels import channels16
from vision_io._image.mode import ImageReadMode
from vision_io._image.pillow_pixels import chw_from_pillow
from vision_io._image.png16 import decode_png16, is_png16
from vision_io._image.sniff import FORMATS
from vision_io._image.source import Bytes
from vision_io._limits import Limits

__all__ = ["decode_with_pillow"]

_ORIENTATION = 0x0112
_PILLOW_MODES = {
    ImageReadMode.GRAY: "L",
    ImageReadMode.GRAY_ALPHA: "LA",
    ImageReadMode.RGB: "RGB",
    ImageReadMode.RGB_ALPHA: "RGBA",
}
_GRAY = (ImageReadMode.GRAY, ImageReadMode.GRAY_ALPHA)
_BITS_PER_BYTE = 8 * 1040  # of PNG's pixels: deflate makes at most 1032 bytes of one
# As the native JPEG decoder: a hostile progressive file asks for a whole pass over the picture per few bytes.
_MOST_SCANS, _USUAL_SCANS, _MOST_SCANNED_PIXELS = 256, 20, 1 << 31
# What Pillow's decoders are known to raise on damaged data, but for its own bound on pixels.
_DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    EOFError,
    IndexError,
    KeyError,
    OverflowError,
    RuntimeError,
    struct.error,
)


def decode_with_pillow(
    data: Bytes, format: str, mode: ImageReadMode, limits: Limits, name: str, *, eighths: int = 8, exif: bool = False
) -> tuple[Tensor, int]:
    """Decode one image.

    Args:
        data: The file.
        format: A key of ``FORMATS``.
        mode: Channels of the result.
        limits: Checked before pixels are decoded.
        name: How messages call the source.
        eighths: Scaled decoding of a JPEG.
        exif: Read the orientation.

    Returns:
        (C, H, W), or (N, C, H, W) for an animation, and the EXIF orientation (1 unless ``exif``).

    Raises:
        DecodeError: The file is damaged, or this Pillow lacks the format.
    """
    image = _open(data, format, limits, name)
    if format == "PNG" and is_png16(data.data):
        samples = decode_png16(data.data, limits, name).transpose(2, 0, 1)
        pixels = channels16(torch.from_numpy(np.ascontiguousarray(samples)), mode)
    elif format in ("GIF", "WEBP", "AVIF"):
        pixels = _frames(image, mode, limits, name)
    else:
        if eighths < 8:
            image.draft(None, (max(1, image.width * eighths // 8), max(1, image.height * eighths // 8)))
        pixels = _load(image, mode, name)
    return pixels, _orientation(image) if exif else 1


def _open(data: Bytes, format: str, limits: Limits, name: str) -> Any:
    """Pillow's image with its header read and its size checked; pixels are not decoded yet.

    The format's own reader is called, not ``Image.open``, whose bound on pixels is one for the whole process.
    """
    from PIL import Image

    try:
        module = importlib.import_module(f"PIL.{FORMATS[format]}")
        if not getattr(module, "SUPPORTED", True):
            raise DecodeError(f"{name}: this Pillow was built without {format}")
        image: Any = Image.OPEN[format][0](io.BytesIO(data.data), "")
    except ImportError as error:
        raise DecodeError(f"{name}: this Pillow was built without {format}") from error
    except (Image.DecompressionBombError, *_DAMAGE) as error:
        raise _refusal(error, f"{name}: damaged {format} header") from error
    limits.check_picture(image.width, image.height, name)
    if format == "PNG" and image.width * image.height > _BITS_PER_BYTE * data.size:
        raise DecodeError(f"{name}: damaged PNG: {data.size} bytes are too few for {image.width}x{image.height} pixels")
    if format == "JPEG":
        scans = data.tobytes().count(b"\xff\xda")  # in coded pixels these two bytes do not follow each other
        if scans > _MOST_SCANS or (scans > _USUAL_SCANS and scans * image.width * image.height > _MOST_SCANNED_PIXELS):
            raise DecodeError(f"{name}: damaged JPEG: {scans} scans, more than any writer makes")
    return image


def _refusal(error: Exception, words: str) -> DecodeError:
    """What an error of Pillow's is called here. Some of its decoders have bounds that no ``Limits`` raise."""
    if isinstance(error, DecodeError):
        return error
    if type(error).__name__ == "DecompressionBombError":
        return LimitError(f"{words}: {error} Set PIL.Image.MAX_IMAGE_PIXELS if you trust this file")
    return DecodeError(f"{words}: {error}")


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
    from PIL import Image

    try:
        if mode in _GRAY and image.format == "JPEG" and image.mode in ("RGB", "L"):
            image.draft("L", image.size)  # libjpeg hands out the luma it has instead of computing it from RGB
        image.load()
        wanted = _unchanged_mode(image) if mode is ImageReadMode.UNCHANGED else _PILLOW_MODES[mode]
        if image.mode.startswith("I;16") and wanted != image.mode:
            return channels16(chw_from_pillow(image), mode)
        if wanted == "P":
            return torch.from_numpy(np.array(image))[None]
        if (image.mode == "P" and "transparency" in image.info) or (wanted == "LA" and image.mode != "L"):
            image = image.convert("RGB").convert("RGBA") if image.mode == "CMYK" else image.convert("RGBA")
        pixels = chw_from_pillow(image if image.mode == wanted else image.convert(wanted))
        # Pillow turns the inverted inks of Adobe's files around; unchanged means as they are stored.
        return pixels.bitwise_not_() if wanted == "CMYK" and image.format == "JPEG" else pixels
    except (Image.DecompressionBombError, *_DAMAGE) as error:
        raise _refusal(error, f"{name}: damaged {image.format}") from error


def _orientation(image: Any) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except _DAMAGE:
        return 1  # damaged EXIF is no reason to refuse the picture


def _frames(image: Any, mode: ImageReadMode, limits: Limits, name: str) -> Tensor:
    """(C, H, W), or (N, C, H, W) for an animation; each frame is composed over the ones before it."""
    from PIL import Image

    format = image.format
    if format == "GIF" and mode is ImageReadMode.UNCHANGED:
        mode = ImageReadMode.RGB
    try:
        count = getattr(image, "n_frames", 1)
    except (Image.DecompressionBombError, *_DAMAGE) as error:
        raise _refusal(error, f"{name}: damaged {format}") from error
    limits.check_frames(count, name)
    limits.check_animation(count, image.width, image.height, name)
    frames: Tensor | None = None
    for i in range(count):
        limits.check_deadline(name)
        try:
            image.seek(i)
        except (Image.DecompressionBombError, *_DAMAGE) as error:
            raise _refusal(error, f"{name}: damaged {format} at frame {i}") from error
        frame = _load(image, mode, name)
        if count == 1:
            return frame
        if frames is None:
            frames = torch.empty((count, *frame.shape), dtype=frame.dtype)
        if frame.shape != frames.shape[1:]:
            raise DecodeError(f"{name}: damaged {format}: frame {i} has another size than the first")
        frames[i] = frame
    if frames is None:
        raise DecodeError(f"{name}: damaged {format}: no frames")
    return frames
