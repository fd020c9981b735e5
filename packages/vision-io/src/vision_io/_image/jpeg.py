"""JPEG through libjpeg-turbo: one file or many, whole, in part, scaled, or resized to normalised floats."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vision_io._errors import DeadlineError, DecodeError
from vision_io._image.direct import uint8_with_address
from vision_io._image.geometry import Region, Size, Window, check_out, check_region, eighths_for, window_of
from vision_io._image.mode import ImageReadMode
from vision_io._image.orientation import jpeg_exif, orientation_of, stored_region, swaps_sides
from vision_io._image.source import Bytes
from vision_io._limits import Limits
from vision_io._native import kernels
from vision_io._pixels.store import empty_uint8

__all__ = [
    "JpegPlan",
    "RefusedError",
    "Resize",
    "decode_jpeg_directly",
    "decode_jpeg_native",
    "decode_resized_directly",
    "plan_jpeg",
    "run_jpegs",
    "target_for",
]

_CHANNELS = {
    ImageReadMode.GRAY: 1,
    ImageReadMode.GRAY_ALPHA: 2,
    ImageReadMode.RGB: 3,
    ImageReadMode.RGB_ALPHA: 4,
}
_REFUSED, _NO_MEMORY = 1, 3
_FIELDS = 13


class RefusedError(Exception):
    """The linked library does not read this file; another decoder may."""


@dataclass(frozen=True)
class Resize:
    """What a batch of JPEGs is brought to: float planes of one size, ``factor * byte + bias`` per channel."""

    height: int
    width: int
    factor: tuple[float, float, float, float]
    bias: tuple[float, float, float, float]


@dataclass(frozen=True)
class JpegPlan:
    """One file, its header read and its limits checked, ready to be decoded."""

    data: Bytes
    name: str
    mode: ImageReadMode
    channels: int
    window: Window
    orientation: int

    def job(self, out: Tensor, flip: bool) -> list[int]:
        """A row of the table that the native decoder reads."""
        window = self.window
        stride = out.stride()
        return [
            self.data.ctypes.data, self.data.size, self.mode.value, self.channels, window.eighths, window.top,
            window.left, window.height, window.width, out.data_ptr(), stride[0], stride[1], flip,
        ]  # fmt: skip


def plan_jpeg(
    data: Bytes,
    name: str,
    mode: ImageReadMode,
    limits: Limits,
    *,
    exif: bool = False,
    region: Sequence[int] | None = None,
    min_size: Size | None = None,
) -> JpegPlan:
    """Read the header of a JPEG and decide what to decode.

    Args:
        data: The file.
        name: How messages call it.
        mode: Channels of the result.
        limits: Checked against the header.
        exif: Take the EXIF orientation into account; ``region`` and ``min_size`` then refer to the turned picture.
        region: ``(top, left, height, width)`` in pixels of the whole picture.
        min_size: See :func:`vision_io.decode_jpeg`.

    Raises:
        RefusedError: The library does not read this kind of JPEG.
        DecodeError: The file is too short for its size.
        LimitError: The picture is larger than ``limits`` admit.
        ValueError: The region does not lie in the picture.
    """
    assert kernels is not None
    facts = kernels.jpeg_header(data.ctypes.data, data.size)
    if isinstance(facts, str):
        raise RefusedError(facts)
    width, height, components, _, hollow = facts
    limits.check_picture(width, height, name)
    if hollow:  # known before there is memory for the pixels
        raise DecodeError(f"{name}: damaged JPEG: {data.size} bytes are too few for {width}x{height} pixels")
    orientation = orientation_of(jpeg_exif(data.data)) if exif else 1
    whole: Region = (0, 0, height, width)
    if region is not None:
        shown = (width, height) if swaps_sides(orientation) else (height, width)
        whole = stored_region(check_region(region, *shown), orientation, *shown)
    rows, columns = (whole[3], whole[2]) if swaps_sides(orientation) else (whole[2], whole[3])
    eighths = eighths_for(rows, columns, min_size)
    window = window_of(whole, height, width, eighths)
    return JpegPlan(data, name, mode, _CHANNELS.get(mode, int(components)), window, orientation)


def target_for(plan: JpegPlan, out: Tensor | None) -> Tensor:
    """Where a plan's planes of bytes go: ``out`` when it can take them directly, else a new tensor."""
    shape = (plan.channels, plan.window.height, plan.window.width)
    if out is not None and plan.orientation == 1 and check_out(out, shape).stride(2) == 1:
        return out
    return empty_uint8(*shape)


def run_jpegs(
    plans: Sequence[JpegPlan],
    outs: Sequence[Tensor],
    *,
    resize: Resize | None = None,
    flips: Sequence[bool] | None = None,
    threads: int = 1,
    limits: Limits | None = None,
) -> dict[int, DecodeError | RefusedError]:
    """Decode planned files into their targets; the GIL is free meanwhile.

    Args:
        plans: What to decode.
        outs: For each a tensor: uint8 (C, H, W) of its window with contiguous rows, or float32 of the resize's size.
        resize: Resize and normalise.
        flips: Mirror these (with ``resize`` only).
        threads: Most threads to use.
        limits: Of a call that is under way: its deadline is looked at every few files.

    Returns:
        Errors by index, :class:`RefusedError` where another decoder may succeed. A file whose coded pixels are damaged
        in a way that the decoder can step over is decoded, with a warning.
    """
    assert kernels is not None
    jobs = np.empty((len(plans), _FIELDS), dtype=np.int64)
    for i, (plan, out) in enumerate(zip(plans, outs, strict=True)):
        jobs[i] = plan.job(out, bool(flips[i]) if flips is not None else False)
    size, factor, bias = (0, 0), (1.0,) * 4, (0.0,) * 4
    if resize is not None:
        size, factor, bias = (resize.height, resize.width), resize.factor, resize.bias
    errors: dict[int, DecodeError | RefusedError] = {}
    bounded = limits is not None and limits.remaining() is not None
    stride = 4 * max(threads, 1) if bounded else max(len(plans), 1)
    for first in range(0, len(plans), stride):
        part = jobs[first : first + stride]
        try:
            if limits is not None:
                limits.check_deadline(plans[first].name)
        except DeadlineError as error:
            errors.update(dict.fromkeys(range(first, len(plans)), error))
            break
        for i, status, corrupt, text in kernels.jpeg_decode(part.ctypes.data, len(part), size, factor, bias, threads):
            name = plans[first + i].name
            if status:
                errors[first + i] = _failure(name, status, text)
            elif corrupt:
                _warn(name, text, 5)
    return errors


def decode_jpeg_directly(
    data: Tensor,
    mode: ImageReadMode,
    limits: Limits,
    stacklevel: int,
    region: Sequence[int] | None = None,
    out: Tensor | None = None,
) -> Tensor | None:
    """Decode a picture in one native call; ``None`` where :func:`plan_jpeg` must find out what is special.

    Args:
        data: The file, for which ``plain_bytes`` holds.
        mode: Channels of the result.
        limits: Checked against the header.
        stacklevel: Of a warning, seen from here.
        region: ``(top, left, height, width)``, or ``None`` for all of it.
        out: uint8 tensor to write to.

    Raises:
        DecodeError: The file is damaged.
    """
    assert kernels is not None
    area = _WHOLE if region is None else _plain_region(region)
    target = uint8_with_address if out is None else _place_of(out)
    if area is None or target is None:
        return None
    result = kernels.jpeg_decode_directly(
        data.data_ptr(), data.numel(), mode._value_, limits.max_side, limits.max_pixels, area, target
    )
    if type(result) is not tuple:
        return result
    pixels, status, corrupt, text = result
    _tell(f"<{data.numel()} bytes>", status, corrupt, text, stacklevel + 1)
    return pixels


def decode_resized_directly(
    data: Tensor,
    mode: ImageReadMode,
    limits: Limits,
    stacklevel: int,
    region: Sequence[int] | None,
    resize: Resize,
    flip: bool,
    out: Tensor,
) -> bool:
    """Decode, resize and normalise a region into ``out`` in one native call; false as for the function above.

    Args:
        data: The file, for which ``plain_bytes`` holds.
        mode: Channels of the result, by name.
        limits: Checked against the header.
        stacklevel: Of a warning, seen from here.
        region: ``(top, left, height, width)``, or ``None`` for all of it.
        resize: What it is brought to.
        flip: Mirror it.
        out: float32 of the resize's size, contiguous.

    Raises:
        DecodeError: The file is damaged.
    """
    assert kernels is not None
    area = _WHOLE if region is None else _plain_region(region)
    if area is None:
        return False
    told = kernels.jpeg_decode_resized(
        data.data_ptr(), data.numel(), mode.value, limits.max_side, limits.max_pixels, area,
        (resize.height, resize.width), flip, resize.factor, resize.bias, out.data_ptr(),
    )  # fmt: skip
    if told is None:
        return False
    status, corrupt, text = told
    if status or corrupt:
        _tell(f"<{data.numel()} bytes>", status, corrupt, text, stacklevel + 1)
    return True


_WHOLE = (0, 0, 0, 0)


def _plain_region(region: Sequence[int]) -> Sequence[int] | None:
    """``region`` when it is four integers, the third of them positive."""
    if type(region) not in (tuple, list) or len(region) != 4 or any(type(value) is not int for value in region):
        return None
    return region if region[2] > 0 and max(region) < 1 << 31 and min(region) >= 0 else None


def _place_of(out: Tensor) -> tuple[Tensor, int, tuple[int, ...], tuple[int, int]] | None:
    """Where the planes of ``out`` lie, if its rows are contiguous bytes in memory."""
    if out.dtype != torch.uint8 or not out.is_cpu or out.dim() != 3:
        return None
    channel, row, column = out.stride()
    if column != 1:
        return None
    return out, out.data_ptr(), tuple(out.shape), (channel, row)


def _tell(name: str, status: int, corrupt: bool, text: str, stacklevel: int) -> None:
    if status:
        raise _failure(name, status, text)
    if corrupt:
        _warn(name, text, stacklevel + 1)


def _failure(name: str, status: int, text: str) -> DecodeError | RefusedError:
    if status == _NO_MEMORY:
        raise MemoryError(f"{name}: {text or 'no memory for the picture'}")
    return RefusedError(text) if status == _REFUSED else DecodeError(f"{name}: damaged JPEG: {text}")


def _warn(name: str, text: str, stacklevel: int) -> None:
    warnings.warn(f"{name}: damaged JPEG: {text}; pixels behind the damage are wrong", stacklevel=stacklevel)


def decode_jpeg_native(plan: JpegPlan, out: Tensor | None) -> Tensor:
    """Decode one planned file: uint8 (C, H, W) as it is stored, into ``out`` where that fits.

    Raises:
        RefusedError: The library does not read this kind of JPEG.
        DecodeError: The file is damaged.
    """
    target = target_for(plan, out)
    error = run_jpegs([plan], [target]).get(0)
    if error is not None:
        raise error
    return target
