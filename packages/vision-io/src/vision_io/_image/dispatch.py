"""From bytes to pixels: which reader takes a file, and what is done to its pixels afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from vision_io._errors import DecodeError
from vision_io._image.backend import uses_native_jpeg, uses_native_png
from vision_io._image.geometry import Size, check_out, check_region, eighths_for, window_of
from vision_io._image.jpeg import RefusedError, decode_jpeg_native, plan_jpeg
from vision_io._image.mode import ImageReadMode
from vision_io._image.orientation import turn
from vision_io._image.pillow_decode import decode_with_pillow
from vision_io._image.png import decode_png_native, decode_whole_png
from vision_io._image.sniff import image_format
from vision_io._image.source import Bytes
from vision_io._limits import DEFAULT_LIMITS, Limits

__all__ = ["Request", "decode_bytes", "decode_directly"]


@dataclass(slots=True)
class Request:
    """What a caller wants of an encoded image.

    Attributes:
        mode: Channels of the result.
        exif: Apply the EXIF orientation.
        limits: Bounds that are checked before pixels are decoded.
        expected: The only format that is accepted, or ``None`` for any.
        region: ``(top, left, height, width)`` of the (turned) picture.
        min_size: A JPEG may be decoded scaled down, as long as it stays at least this large.
        out: Where the result goes.
        deep: AVIF files of more than 8 bits per sample become uint16.
    """

    mode: ImageReadMode = ImageReadMode.UNCHANGED
    exif: bool = False
    limits: Limits | None = None
    expected: str | None = None
    region: Sequence[int] | None = None
    min_size: Size | None = None
    out: Tensor | None = None
    deep: bool = False


def decode_bytes(data: Bytes, name: str, request: Request) -> Tensor:
    """Decode an image of any format.

    Returns:
        (C, H, W), or (N, C, H, W) for an animation; uint8, or uint16 for deep files.

    Raises:
        DecodeError: Not an image of the expected format, or a damaged one.
        LimitError: The picture is larger than the limits admit.
        ValueError: The region does not lie in the picture, or ``out`` does not fit.
    """
    format = image_format(data[:32].tobytes(), name)
    if request.expected is not None and format != request.expected:
        raise DecodeError(f"{name}: expected {request.expected}, got {format}; decode_image takes every format")
    limits = request.limits or DEFAULT_LIMITS
    limits.check_deadline(name)
    if format == "JPEG" and uses_native_jpeg():
        try:
            return _native_jpeg(data, name, request, limits)
        except RefusedError:
            pass  # Pillow may have been built with a library that reads it
    if format == "PNG" and uses_native_png():
        try:
            direct = request.out if request.region is None and not request.exif else None
            pixels, orientation = decode_png_native(data, name, request.mode, limits, direct)
        except RefusedError:
            pass  # files that end early but hold all pixels are Pillow's to salvage
        else:
            return _finish(pixels, orientation if request.exif else 1, request)
    if format == "HEIF" or (format == "AVIF" and request.deep):
        from vision_io._image.heif import decode_heif

        return _finish(decode_heif(data, request.mode, limits, name), 1, request)
    return _by_pillow(data, format, name, request, limits)


def decode_directly(data: Tensor, mode: ImageReadMode, limits: Limits | None) -> Tensor | None:
    """A whole 8-bit PNG by one native call, or ``None`` where :func:`decode_bytes` has to look closer.

    Args:
        data: For which ``plain_bytes`` holds.
        mode: Channels of the result.
        limits: Bounds that are checked before pixels are decoded.
    """
    if not uses_native_png():
        return None
    return decode_whole_png(data.data_ptr(), data.numel(), mode, limits or DEFAULT_LIMITS)


def _native_jpeg(data: Bytes, name: str, request: Request, limits: Limits) -> Tensor:
    plan = plan_jpeg(
        data, name, request.mode, limits, exif=request.exif, region=request.region, min_size=request.min_size
    )
    pixels = turn(decode_jpeg_native(plan, request.out), plan.orientation)
    return _deliver(pixels, request.out)


def _by_pillow(data: Bytes, format: str, name: str, request: Request, limits: Limits) -> Tensor:
    if format != "JPEG" or request.min_size is None:
        pixels, orientation = decode_with_pillow(data, format, request.mode, limits, name, exif=request.exif)
        return _finish(pixels, orientation, request)
    # The scale depends on the size and the orientation: they come from a decoded picture, this path is the rare one.
    pixels, orientation = decode_with_pillow(data, format, request.mode, limits, name, exif=request.exif)
    height, width = turn(pixels, orientation).shape[-2:]
    region = check_region(request.region or (0, 0, height, width), height, width)
    eighths = eighths_for(region[2], region[3], request.min_size)
    pixels, _ = decode_with_pillow(data, format, request.mode, limits, name, eighths=eighths)
    window = window_of(region, height, width, eighths)
    return _deliver(
        _crop(turn(pixels, orientation), (window.top, window.left, window.height, window.width)), request.out
    )


def _finish(pixels: Tensor, orientation: int, request: Request) -> Tensor:
    """Turn, crop, deliver."""
    pixels = turn(pixels, orientation)
    if request.region is not None:
        pixels = _crop(pixels, check_region(request.region, pixels.shape[-2], pixels.shape[-1]))
    return _deliver(pixels, request.out)


def _crop(pixels: Tensor, region: tuple[int, int, int, int]) -> Tensor:
    top, left, height, width = region
    return pixels[..., top : top + height, left : left + width].contiguous()


def _deliver(pixels: Tensor, out: Tensor | None) -> Tensor:
    if out is None or out is pixels:
        return pixels
    return check_out(out, pixels.shape, pixels.dtype).copy_(pixels)
