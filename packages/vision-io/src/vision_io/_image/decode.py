"""Images from bytes or files to CHW tensors."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import IO

import torch
from torch import Tensor

from vision_io._image.backend import uses_native_jpeg
from vision_io._image.direct import plain_bytes
from vision_io._image.dispatch import Request, decode_bytes, decode_directly
from vision_io._image.geometry import Size
from vision_io._image.jpeg import decode_jpeg_directly
from vision_io._image.mode import ImageReadMode, as_mode
from vision_io._image.source import Encoded, EncodedSource, open_source
from vision_io._limits import DEFAULT_LIMITS, Limits

__all__ = [
    "decode_avif",
    "decode_gif",
    "decode_heic",
    "decode_image",
    "decode_jpeg",
    "decode_png",
    "decode_webp",
    "load_image",
    "read_image",
]


def decode_image(
    input: EncodedSource,
    mode: ImageReadMode | str = ImageReadMode.UNCHANGED,
    apply_exif_orientation: bool = False,
    *,
    region: Sequence[int] | None = None,
    out: Tensor | None = None,
    limits: Limits | None = None,
) -> Tensor:
    """Decode an image: JPEG, PNG, GIF, WebP, AVIF, HEIC, BMP, TIFF or JPEG 2000, told by its content.

    Args:
        input: Encoded bytes, a one-dimensional uint8 tensor of them, a path, an
            ``http(s)://`` address, or a binary file object.
        mode: Channels of the result. ``UNCHANGED`` leaves the indices of a palette PNG as they are (label masks).
        apply_exif_orientation: Turn the picture as its EXIF data says.
        region: Decode only ``(top, left, height, width)``, in pixels of the result (after the orientation). A JPEG is
            then decoded in that part only.
        out: A tensor of the result's shape and type to write to; it is returned.
        limits: Bounds that are checked before pixels are decoded.

    Returns:
        (C, H, W) uint8 in 0..255; uint16 for PNG files of 16 bits; (N, C, H, W) for an animated GIF, WebP or AVIF.

    Raises:
        DecodeError: No image of a known format, or a damaged one.
        LimitError: The picture is larger than ``limits`` admit.
        ValueError: ``region`` does not lie in the picture, or ``out`` does not fit.

    Examples:
        >>> import torch
        >>> from vision_io import decode_image, encode_png
        >>> data = encode_png(torch.zeros(3, 4, 6, dtype=torch.uint8))
        >>> decode_image(data).shape
        torch.Size([3, 4, 6])
        >>> decode_image(data, region=(1, 2, 3, 4)).shape
        torch.Size([3, 3, 4])
    """
    limits = limits and limits.started()
    data, name = open_source(input, limits)
    request = Request(as_mode(mode), apply_exif_orientation, limits, region=region, out=out)
    return decode_bytes(data, name, request)


def load_image(
    source: EncodedSource,
    mode: ImageReadMode | str = ImageReadMode.RGB,
    *,
    apply_exif_orientation: bool = True,
    region: Sequence[int] | None = None,
    min_size: Size | None = None,
    out: Tensor | None = None,
    mmap: bool = False,
    limits: Limits | None = None,
) -> Tensor:
    """The picture as a viewer would show it: any source, any format, RGB, turned upright.

    Args:
        source: Encoded bytes, a one-dimensional uint8 tensor of them, a path, an
            ``http(s)://`` address, or a binary file object.
        mode: Channels of the result.
        apply_exif_orientation: Turn the picture as its EXIF data says.
        region: ``(top, left, height, width)`` of the upright picture.
        min_size: A JPEG may be decoded at a half, a quarter or an eighth of its size as long as the result (the
            ``region`` if there is one) keeps at least this ``(height, width)``; one number stands for both.
        out: A tensor of the result's shape and type to write to; it is returned.
        mmap: Map a file into memory instead of reading it; see :func:`vision_io.read_file`.
        limits: Bounds that are checked before pixels are decoded.

    Returns:
        (C, H, W) uint8 in 0..255; uint16 for PNG files of 16 bits; (N, C, H, W) for an animation.

    Raises:
        DecodeError: No image of a known format, or a damaged one.
        LimitError: The picture is larger than ``limits`` admit.

    Examples:
        >>> import io, torch
        >>> from vision_io import encode_png, load_image
        >>> file = io.BytesIO(encode_png(torch.zeros(1, 4, 6, dtype=torch.uint8)).numpy().tobytes())
        >>> load_image(file).shape
        torch.Size([3, 4, 6])
    """
    limits = limits and limits.started()
    data, name = open_source(source, limits, mmap=mmap)
    request = Request(as_mode(mode), apply_exif_orientation, limits, region=region, min_size=min_size, out=out)
    return decode_bytes(data, name, request)


def read_image(
    path: str | os.PathLike[str] | IO[bytes],
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
    return decode_image(path, mode, apply_exif_orientation, limits=limits)


def decode_jpeg(
    input: Encoded | Sequence[Encoded],
    mode: ImageReadMode | str = ImageReadMode.UNCHANGED,
    device: str | torch.device = "cpu",
    apply_exif_orientation: bool = False,
    *,
    region: Sequence[int] | None = None,
    min_size: Size | None = None,
    out: Tensor | None = None,
    limits: Limits | None = None,
) -> Tensor | list[Tensor]:
    """Decode a JPEG, or a list of them to a list.

    The pixels are those of libjpeg-turbo's default decoder, bit for bit, whole or in part. A file that ends before its
    pixels do is refused. One with damaged pixels that the decoder can step over is decoded as every libjpeg-based
    reader does, with a :class:`UserWarning`.

    Args:
        input: Encoded bytes or uint8 tensor, or a list of them; :func:`vision_io.decode_jpeg_batch` decodes many at
            once.
        mode: Channels of the result. ``UNCHANGED`` gives the inks of a CMYK file as they are stored.
        device: Where the result goes; decoding runs on the CPU.
        apply_exif_orientation: Turn the picture as its EXIF data says.
        region: Decode only ``(top, left, height, width)``, in pixels of the whole (turned) picture.
        min_size: The picture may be decoded at a half, a quarter or an eighth of its size (which is cheaper) as long
            as the result keeps at least this ``(height, width)``; one number stands for both. With ``region``, the
            result is the scaled picture's part that covers it.
        out: uint8 tensor of the result's shape to write to (not for a list); it is returned.
        limits: Bounds that are checked before pixels are decoded.

    Returns:
        uint8 (C, H, W), or a list of such.

    Raises:
        DecodeError: Not a JPEG, or a damaged one.
        LimitError: The picture is larger than ``limits`` admit.
        ValueError: ``region`` does not lie in the picture, or ``out`` does not fit.

    Examples:
        >>> from vision_io import decode_jpeg, encode_jpeg
        >>> data = encode_jpeg(torch.full((3, 64, 96), 200, dtype=torch.uint8))
        >>> decode_jpeg(data, region=(8, 16, 24, 32)).shape, decode_jpeg(data, min_size=16).shape
        (torch.Size([3, 24, 32]), torch.Size([3, 16, 24]))
    """
    wanted = as_mode(mode)
    if min_size is None and not apply_exif_orientation and plain_bytes(input) and uses_native_jpeg():
        assert isinstance(input, Tensor)
        pixels = decode_jpeg_directly(input, wanted, limits or DEFAULT_LIMITS, 3, region, out)
        if pixels is not None:
            return pixels if device == "cpu" else pixels.to(device)
    limits = limits and limits.started()
    request = Request(wanted, apply_exif_orientation, limits, "JPEG", region, min_size, out)
    if isinstance(input, (list, tuple)):
        if out is not None:
            raise ValueError("out: got a tensor for a list of files; decode_jpeg_batch takes a list of targets")
        return [decode_bytes(*open_source(item, limits), request).to(device) for item in input]
    return decode_bytes(*open_source(input, limits), request).to(device)  # pyright: ignore[reportArgumentType]


def decode_png(
    input: Encoded,
    mode: ImageReadMode | str = ImageReadMode.UNCHANGED,
    apply_exif_orientation: bool = False,
    *,
    out: Tensor | None = None,
    limits: Limits | None = None,
) -> Tensor:
    """Decode a PNG to (C, H, W): uint8, or uint16 for files of 16 bits per sample; see :func:`decode_image`."""
    wanted = as_mode(mode)
    if plain_bytes(input) and out is None and not apply_exif_orientation:
        assert isinstance(input, Tensor)
        pixels = decode_directly(input, wanted, limits)
        if pixels is not None:
            return pixels
    limits = limits and limits.started()
    request = Request(wanted, apply_exif_orientation, limits, "PNG", out=out)
    return decode_bytes(*open_source(input, limits), request)


def decode_gif(
    input: Encoded, mode: ImageReadMode | str = ImageReadMode.RGB, *, limits: Limits | None = None
) -> Tensor:
    """Decode a GIF to uint8 (C, H, W), or (N, C, H, W) when it is animated; see :func:`decode_image`."""
    limits = limits and limits.started()
    return decode_bytes(*open_source(input, limits), Request(as_mode(mode), limits=limits, expected="GIF"))


def decode_webp(
    input: Encoded,
    mode: ImageReadMode | str = ImageReadMode.UNCHANGED,
    apply_exif_orientation: bool = False,
    *,
    limits: Limits | None = None,
) -> Tensor:
    """Decode a WebP to uint8 (C, H, W), or (N, C, H, W) when it is animated; see :func:`decode_image`."""
    limits = limits and limits.started()
    return decode_bytes(*open_source(input, limits), Request(as_mode(mode), apply_exif_orientation, limits, "WEBP"))


def decode_avif(
    input: Encoded,
    mode: ImageReadMode | str = ImageReadMode.UNCHANGED,
    apply_exif_orientation: bool = False,
    *,
    deep: bool = False,
    limits: Limits | None = None,
) -> Tensor:
    """Decode an AVIF to (C, H, W), or (N, C, H, W) for an image sequence.

    Args:
        input: Encoded bytes or uint8 tensor.
        mode: Channels of the result.
        apply_exif_orientation: Turn the picture as the file says.
        deep: Give files of more than 8 bits per sample as uint16 of the full range, turned as the file says. Needs the
            extra ``vision-io[video]``, and takes still pictures only.
        limits: Bounds that are checked before pixels are decoded.

    Returns:
        uint8, or uint16 with ``deep``.

    Raises:
        DecodeError: Not an AVIF, a damaged one, or Pillow was built without AVIF.
        MissingDependencyError: ``deep`` without PyAV.
    """
    limits = limits and limits.started()
    request = Request(as_mode(mode), apply_exif_orientation, limits, "AVIF", deep=deep)
    return decode_bytes(*open_source(input, limits), request)


def decode_heic(
    input: Encoded,
    mode: ImageReadMode | str = ImageReadMode.UNCHANGED,
    apply_exif_orientation: bool = False,
    *,
    limits: Limits | None = None,
) -> Tensor:
    """Decode a HEIC (HEVC in HEIF) to (C, H, W); several pictures become (N, C, H, W).

    Needs the extra ``vision-io[video]``.

    Args:
        input: Encoded bytes or uint8 tensor.
        mode: Channels of the result.
        apply_exif_orientation: Without effect: the file's own rotation and mirror properties are part of the picture
            and always applied, and the standard forbids to apply the EXIF tag on top.
        limits: Bounds that are checked before pixels are decoded.

    Returns:
        uint8, or uint16 (of the full range) for files of more than 8 bits per sample.

    Raises:
        DecodeError: Not a HEIC, a damaged one, or one with features that are not supported (the message names them).
        MissingDependencyError: PyAV is not installed.
    """
    limits = limits and limits.started()
    return decode_bytes(*open_source(input, limits), Request(as_mode(mode), apply_exif_orientation, limits, "HEIF"))
