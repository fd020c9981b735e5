"""Many JPEGs at once, on all threads, to lists of pictures or to one normalised batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, overload

import torch
from torch import Tensor

from vision_io._errors import BatchDecodeError, DecodeError
from vision_io._image.backend import uses_native_jpeg
from vision_io._image.direct import plain_bytes
from vision_io._image.dispatch import Request, decode_bytes
from vision_io._image.geometry import Size, as_size, check_out
from vision_io._image.jpeg import (
    JpegPlan,
    RefusedError,
    Resize,
    decode_resized_directly,
    plan_jpeg,
    run_jpegs,
    target_for,
)
from vision_io._image.mode import ImageReadMode, as_mode
from vision_io._image.orientation import turn
from vision_io._image.sniff import image_format
from vision_io._image.source import Bytes, EncodedSource, open_source
from vision_io._limits import DEFAULT_LIMITS, Limits
from vision_io._pixels.resize import normalisation, resize_normalised

__all__ = ["decode_jpeg_batch", "decode_resized_crop"]

_CHANNELS = {ImageReadMode.GRAY: 1, ImageReadMode.GRAY_ALPHA: 2, ImageReadMode.RGB: 3, ImageReadMode.RGB_ALPHA: 4}
Regions = Sequence[Sequence[int] | None]


@overload
def decode_jpeg_batch(
    inputs: Sequence[EncodedSource],
    mode: ImageReadMode | str = ...,
    apply_exif_orientation: bool = ...,
    *,
    regions: Regions | None = ...,
    min_size: Size | None = ...,
    size: None = ...,
    flips: None = ...,
    mean: None = ...,
    std: None = ...,
    out: Sequence[Tensor] | None = ...,
    threads: int | None = ...,
    errors: Literal["raise", "none"] = ...,
    limits: Limits | None = ...,
) -> list[Tensor | None]: ...
@overload
def decode_jpeg_batch(
    inputs: Sequence[EncodedSource],
    mode: ImageReadMode | str = ...,
    apply_exif_orientation: bool = ...,
    *,
    regions: Regions | None = ...,
    min_size: Size | None = ...,
    size: Size,
    flips: Sequence[bool] | None = ...,
    mean: Sequence[float] | None = ...,
    std: Sequence[float] | None = ...,
    out: Tensor | None = ...,
    threads: int | None = ...,
    errors: Literal["raise", "none"] = ...,
    limits: Limits | None = ...,
) -> Tensor: ...
def decode_jpeg_batch(
    inputs: Sequence[EncodedSource],
    mode: ImageReadMode | str = ImageReadMode.RGB,
    apply_exif_orientation: bool = False,
    *,
    regions: Regions | None = None,
    min_size: Size | None = None,
    size: Size | None = None,
    flips: Sequence[bool] | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    out: Tensor | Sequence[Tensor] | None = None,
    threads: int | None = None,
    errors: Literal["raise", "none"] = "raise",
    limits: Limits | None = None,
) -> list[Tensor | None] | Tensor:
    """Decode many JPEGs of any sizes on several threads, with the GIL released.

    With ``size`` each picture (or its region) is resized by the antialiased triangle filter, mirrored where asked,
    scaled to 0..1 and normalised, in one pass over pixels that are still in the cache: what a training pipeline needs.

    Args:
        inputs: Encoded bytes, uint8 tensors, paths or binary files.
        mode: Channels of the results.
        apply_exif_orientation: Turn the pictures as their EXIF data says.
        regions: For each picture ``(top, left, height, width)``, or ``None`` for all of it.
        min_size: As in :func:`vision_io.decode_jpeg`; with ``size``, scaled decoding before the resize (faster, and
            close to but not the same as resizing all pixels).
        size: ``(height, width)`` of the result; one number stands for both.
        flips: Which pictures to mirror left to right (with ``size``).
        mean: Per channel, in 0..1; subtracted (with ``size``).
        std: Per channel; divided by (with ``size``).
        out: With ``size`` a contiguous float32 tensor (N, C, height, width); else a uint8 tensor for each picture.
        threads: Most threads to use; ``torch.get_num_threads()`` unless given.
        errors: ``"raise"``: decode all, then raise if any failed. ``"none"``: ``None`` in place of a picture that
            failed (with ``size``: zeros).
        limits: Bounds that are checked before pixels are decoded.

    Returns:
        A list of uint8 (C, H, W), or with ``size`` one float32 tensor (N, C, height, width).

    Raises:
        BatchDecodeError: Some files failed; ``failures`` has their errors by index, ``images`` all that was decoded.
        ValueError: An argument has the wrong length, a region does not lie in its picture, or ``out`` does not fit.

    Examples:
        >>> from vision_io import decode_jpeg_batch, encode_jpeg
        >>> files = [encode_jpeg(torch.zeros(3, 40 + i, 50, dtype=torch.uint8)) for i in range(3)]
        >>> [tuple(image.shape) for image in decode_jpeg_batch(files)]
        [(3, 40, 50), (3, 41, 50), (3, 42, 50)]
        >>> decode_jpeg_batch(files, size=32, mean=[0.5] * 3, std=[0.5] * 3).shape
        torch.Size([3, 3, 32, 32])
    """
    wanted = as_mode(mode)
    count = len(inputs)
    for argument, value in (("regions", regions), ("flips", flips)):
        if value is not None and len(value) != count:
            raise ValueError(f"{argument}: got {len(value)} for {count} files, expected one for each")
    if size is None and (flips is not None or mean is not None or std is not None):
        raise ValueError("flips, mean, std: got values without size=; they belong to the resized float batch")
    if errors not in ("raise", "none"):
        raise ValueError(f"errors: got {errors!r}, expected 'raise' or 'none'")
    limits = limits and limits.started()
    sources, failures = _open_all(inputs, limits)
    requests = [
        Request(wanted, apply_exif_orientation, limits, "JPEG", regions[i] if regions is not None else None, min_size)
        for i in range(count)
    ]
    threads = torch.get_num_threads() if threads is None else threads
    images: list[Tensor | None] | Tensor
    if size is None:
        images = _pictures(sources, requests, failures, out, threads)
    else:
        images = _batch(sources, requests, failures, size, flips, mean, std, out, threads)
    if failures and errors == "raise":
        raise BatchDecodeError(failures, images)
    return images


def _open_all(
    inputs: Sequence[EncodedSource], limits: Limits | None
) -> tuple[dict[int, tuple[Bytes, str]], dict[int, DecodeError]]:
    sources, failures = {}, {}
    for i, item in enumerate(inputs):
        try:
            data, name = open_source(item, limits)
            image_format(data[:32].tobytes(), name)
            sources[i] = data, name
        except DecodeError as error:
            failures[i] = error
    return sources, failures


def _plan_all(
    sources: Mapping[int, tuple[Bytes, str]], requests: Sequence[Request], failures: dict[int, DecodeError]
) -> tuple[dict[int, JpegPlan], list[int]]:
    """Plans for what the native decoder takes, and the indices of the rest."""
    plans: dict[int, JpegPlan] = {}
    rest: list[int] = []
    for i, (data, name) in sources.items():
        request = requests[i]
        if not uses_native_jpeg() or image_format(data[:32].tobytes(), name) != "JPEG":
            rest.append(i)
            continue
        try:
            plans[i] = plan_jpeg(
                data, name, request.mode, request.limits or DEFAULT_LIMITS,
                exif=request.exif, region=request.region, min_size=request.min_size,
            )  # fmt: skip
        except RefusedError:
            rest.append(i)
        except DecodeError as error:
            failures[i] = error
    return plans, rest


def _decode_rest(
    rest: Sequence[int],
    sources: Mapping[int, tuple[Bytes, str]],
    requests: Sequence[Request],
    failures: dict[int, DecodeError],
) -> dict[int, Tensor]:
    """What the native decoder does not take, one by one."""
    pictures = {}
    for i in rest:
        try:
            pictures[i] = decode_bytes(*sources[i], requests[i])
        except DecodeError as error:
            failures[i] = error
    return pictures


def _limits(requests: Sequence[Request]) -> Limits:
    return (requests[0].limits if requests else None) or DEFAULT_LIMITS


def _pictures(
    sources: Mapping[int, tuple[Bytes, str]],
    requests: Sequence[Request],
    failures: dict[int, DecodeError],
    out: Tensor | Sequence[Tensor] | None,
    threads: int,
) -> list[Tensor | None]:
    if out is not None and (isinstance(out, Tensor) or len(out) != len(requests)):
        raise ValueError(f"out: expected a sequence of {len(requests)} uint8 tensors, one for each file")
    plans, rest = _plan_all(sources, requests, failures)
    targets = {i: target_for(plan, out[i] if out is not None else None) for i, plan in plans.items()}
    order = list(plans)
    troubles = run_jpegs(
        [plans[i] for i in order], [targets[i] for i in order], threads=threads, limits=_limits(requests)
    )
    pictures: dict[int, Tensor] = {}
    for position, i in enumerate(order):
        trouble = troubles.get(position)
        if isinstance(trouble, RefusedError):
            rest.append(i)
        elif trouble is not None:
            failures[i] = trouble
        else:
            pictures[i] = turn(targets[i], plans[i].orientation)
    pictures.update(_decode_rest(rest, sources, requests, failures))
    if out is not None:
        for i, picture in pictures.items():
            if picture is not out[i]:
                check_out(out[i], picture.shape, picture.dtype).copy_(picture)
                pictures[i] = out[i]
    return [pictures.get(i) for i in range(len(requests))]


def _batch(
    sources: Mapping[int, tuple[Bytes, str]],
    requests: Sequence[Request],
    failures: dict[int, DecodeError],
    size: Size,
    flips: Sequence[bool] | None,
    mean: Sequence[float] | None,
    std: Sequence[float] | None,
    out: Tensor | Sequence[Tensor] | None,
    threads: int,
) -> Tensor:
    height, width = as_size(size)
    mode = requests[0].mode if requests else ImageReadMode.RGB
    if mode not in _CHANNELS:
        raise ValueError("mode: got UNCHANGED with size=; a batch needs the same channels everywhere, name them")
    channels = _CHANNELS[mode]
    factor, bias = normalisation(channels, mean, std)
    shape = (len(requests), channels, height, width)
    if out is None:
        out = torch.zeros(shape) if failures else torch.empty(shape)
    if not isinstance(out, Tensor) or not check_out(out, shape, torch.float32).is_contiguous():
        raise ValueError(f"out: expected one contiguous float32 tensor {shape}")
    plans, rest = _plan_all(sources, requests, failures)
    # A turned picture is resized after it has been turned: filters do not commute with it to the last bit.
    rest += [i for i, plan in plans.items() if plan.orientation != 1]
    order = [i for i, plan in plans.items() if plan.orientation == 1]
    mirrored = [bool(flips[i]) for i in order] if flips is not None else None
    resize = Resize(height, width, factor, bias)
    troubles = run_jpegs(
        [plans[i] for i in order], [out[i] for i in order], resize=resize, flips=mirrored, threads=threads,
        limits=_limits(requests),
    )  # fmt: skip
    for position, trouble in troubles.items():
        if isinstance(trouble, RefusedError):
            rest.append(order[position])
        else:
            failures[order[position]] = trouble
    for i, picture in _decode_rest(rest, sources, requests, failures).items():
        flip = bool(flips[i]) if flips is not None else False
        resize_normalised(picture, height, width, flip, factor, bias, out[i])
    for i in failures:
        out[i].zero_()
    return out


def decode_resized_crop(
    input: EncodedSource,
    size: Size,
    region: Sequence[int] | None = None,
    *,
    flip: bool = False,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    mode: ImageReadMode | str = ImageReadMode.RGB,
    apply_exif_orientation: bool = False,
    min_size: Size | None = None,
    out: Tensor | None = None,
    limits: Limits | None = None,
) -> Tensor:
    """Decode, crop, resize, mirror and normalise an image of any format in one call.

    The result is what ``decode_image``, a crop, an antialiased bilinear resize of the float picture, a horizontal flip
    and ``(x / 255 - mean) / std`` give, to float rounding; a JPEG is decoded in its region only.

    Args:
        input: Encoded bytes, a uint8 tensor of them, a path, or a binary file object.
        size: ``(height, width)`` of the result; one number stands for both.
        region: ``(top, left, height, width)`` to take; all unless given.
        flip: Mirror left to right.
        mean: Per channel, in 0..1; zeros unless given.
        std: Per channel; ones unless given.
        mode: Channels of the result.
        apply_exif_orientation: Turn the picture as its EXIF data says.
        min_size: Scaled decoding of a JPEG before the resize; see :func:`vision_io.decode_jpeg`.
        out: Contiguous float32 (C, height, width) to write to; it is returned.
        limits: Bounds that are checked before pixels are decoded.

    Returns:
        float32 (C, height, width).

    Raises:
        DecodeError: Not an image, or a damaged one.
        ValueError: The region does not lie in the picture, ``out`` does not fit, or the file is an animation.

    Examples:
        >>> from vision_io import decode_resized_crop, encode_jpeg
        >>> data = encode_jpeg(torch.full((3, 60, 80), 255, dtype=torch.uint8))
        >>> decode_resized_crop(data, 32, (10, 20, 40, 40)).mean().item()
        1.0
    """
    wanted = as_mode(mode)
    height, width = as_size(size)
    if wanted not in _CHANNELS:
        raise ValueError("mode: got UNCHANGED, expected the channels of the result: GRAY, RGB ...")
    channels = _CHANNELS[wanted]
    factor, bias = normalisation(channels, mean, std)
    if out is None:
        out = torch.empty(channels, height, width)
    elif not check_out(out, (channels, height, width), torch.float32).is_contiguous():
        raise ValueError("out: got a tensor that is not contiguous")
    resize = Resize(height, width, factor, bias)
    if min_size is None and not apply_exif_orientation and plain_bytes(input) and uses_native_jpeg():
        assert isinstance(input, Tensor)
        if decode_resized_directly(input, wanted, limits or DEFAULT_LIMITS, 3, region, resize, flip, out):
            return out
    limits = limits and limits.started()
    data, name = open_source(input, limits)
    request = Request(wanted, apply_exif_orientation, limits, None, region, min_size)
    if image_format(data[:32].tobytes(), name) == "JPEG" and uses_native_jpeg():
        plans, _ = _plan_all({0: (data, name)}, [request], failures := {})
        if failures:
            raise failures[0]
        if plans and plans[0].orientation == 1:
            trouble = run_jpegs([plans[0]], [out], resize=resize, flips=[flip]).get(0)
            if trouble is None:
                return out
            if not isinstance(trouble, RefusedError):
                raise trouble
    picture = decode_bytes(data, name, request)
    if picture.ndim != 3:
        raise ValueError(f"{name}: an animation of {len(picture)} pictures; decode it with decode_image")
    resize_normalised(picture, height, width, flip, factor, bias, out)
    return out
