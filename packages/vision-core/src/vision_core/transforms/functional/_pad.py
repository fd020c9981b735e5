"""Add borders to images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

import torch
from torch import Tensor

from vision_core import _pixels
from vision_core.transforms.functional._dispatch import functional, mask_kernel, video_kernel
from vision_core.transforms.functional._move import scale_boxes, scale_keypoints
from vision_core.tv_tensors import BoundingBoxFormat
from vision_core.tv_tensors._boxes import ClampingMode

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = [
    "Fill",
    "pad",
    "pad_bounding_boxes",
    "pad_image",
    "pad_keypoints",
    "pad_mask",
    "pad_video",
    "parse_padding",
]

Fill: TypeAlias = "float | Sequence[float] | None"

_MODES = ("constant", "edge", "reflect", "symmetric")


def parse_padding(padding: int | Sequence[int]) -> tuple[int, int, int, int]:
    """Turn one value, (left and right, top and bottom) or four values into (left, top, right, bottom).

    Raises:
        ValueError: another number of values.
    """
    if isinstance(padding, int):
        return padding, padding, padding, padding
    values = [int(value) for value in padding]
    if len(values) == 1:
        values *= 4
    elif len(values) == 2:
        values *= 2
    if len(values) != 4:
        raise ValueError(f"padding: expected 1, 2 or 4 values (left, top, right, bottom), got {padding!r}")
    return values[0], values[1], values[2], values[3]


def pad_image(image: Tensor, padding: int | Sequence[int], fill: Fill = None, padding_mode: str = "constant") -> Tensor:
    """Add a border to images; negative values take one away.

    Args:
        image: `[..., C, H, W]`, any dtype.
        padding: pixels on all sides, `[left and right, top and bottom]` or `[left, top, right, bottom]`.
        fill: value of a constant border, one or one per channel; 0 when None.
        padding_mode: `"constant"`; `"edge"` repeats the outermost pixel; `"reflect"` mirrors without it
            (`[1, 2, 3]` goes on with 2), `"symmetric"` with it (goes on with 3).

    Returns:
        `[..., C, H + top + bottom, W + left + right]`, same dtype.

    Raises:
        ValueError: an unknown mode, a wrong number of values, or nothing left of the image.

    Examples:
        >>> import torch
        >>> pad_image(torch.tensor([[[1, 2, 3]]]), [2, 0], padding_mode="reflect").tolist()
        [[[3, 2, 1, 2, 3, 2, 1]]]
    """
    if padding_mode not in _MODES:
        raise ValueError(f"padding_mode: expected one of {_MODES}, got {padding_mode!r}")
    left, top, right, bottom = parse_padding(padding)
    height, width = image.shape[-2:]
    if height + top + bottom < 0 or width + left + right < 0:
        raise ValueError(f"padding: {padding!r} takes away more than the image of {height} x {width} has")
    if image.dtype == torch.uint8 and image.ndim > 2:
        values = None if fill is None else [fill] if isinstance(fill, (int, float)) else list(fill)
        padded = _pixels.pad(image, (left, top, right, bottom), values, padding_mode)  # type: ignore[arg-type]
        if padded is not None:
            return padded
    if padding_mode != "constant":
        if _torch_mirrors(image, (left, top, right, bottom), padding_mode):
            mode = "replicate" if padding_mode == "edge" else "reflect"
            planes = image.reshape(-1, *image.shape[-3:]) if image.ndim > 4 else image
            return torch.nn.functional.pad(planes, (left, right, top, bottom), mode).reshape(
                *image.shape[:-2], height + top + bottom, width + left + right
            )
        rows = _source_positions(-top, height + bottom, height, padding_mode, image.device)
        columns = _source_positions(-left, width + right, width, padding_mode, image.device)
        return image.index_select(-2, rows).index_select(-1, columns)
    if isinstance(fill, (int, float)) or fill is None:
        return torch.nn.functional.pad(image, (left, right, top, bottom), value=float(fill or 0))
    border = torch.tensor(fill, dtype=image.dtype, device=image.device).view(-1, 1, 1)
    padded = border.expand(*image.shape[:-2], height + top + bottom, width + left + right).clone()
    padded[..., max(top, 0) : max(top, 0) + height + min(top, 0) + min(bottom, 0), max(left, 0) :][
        ..., : width + min(left, 0) + min(right, 0)
    ] = image[..., max(-top, 0) : height - max(-bottom, 0), max(-left, 0) : width - max(-right, 0)]
    return padded


def _torch_mirrors(image: Tensor, padding: Sequence[int], mode: str) -> bool:
    """Whether torch's own operator does this: it is faster, but knows floats, and mirrors no farther than the image."""
    left, top, right, bottom = padding
    if image.dtype not in (torch.float32, torch.float64) or image.ndim < 3 or mode == "symmetric" or min(padding) < 0:
        return False
    if torch.compiler.is_compiling() or image.numel() == 0:
        return False
    return mode == "edge" or (max(left, right) < image.shape[-1] and max(top, bottom) < image.shape[-2])


def _source_positions(start: int, stop: int, length: int, mode: str, device: torch.device) -> Tensor:
    """Say which of `length` pixels each position from `start` to `stop` shows, for any distance from the image."""
    at = torch.arange(start, stop, device=device)
    if mode == "edge" or length == 1:
        return at.clamp(0, length - 1)
    if mode == "reflect":  # 0 1 2 1 | 0 1 2 1 | ...
        at = at.remainder(2 * length - 2)
        return torch.minimum(at, 2 * length - 2 - at)
    at = at.remainder(2 * length)  # symmetric: 0 1 2 2 1 0 | ...
    return torch.minimum(at, 2 * length - 1 - at)


pad_video = video_kernel(pad_image)
_pad_mask = mask_kernel(pad_image)


def pad_mask(mask: Tensor, padding: int | Sequence[int], fill: Fill = None, padding_mode: str = "constant") -> Tensor:
    """Do to masks `[..., H, W]` what `pad_image` does to images; `fill` is one value."""
    if isinstance(fill, Sequence) and len(fill) > 1:
        raise ValueError(f"fill: expected one value for a mask, got {fill!r}")
    return _pad_mask(mask, padding, fill, padding_mode)


def _padded(canvas_size: tuple[int, int], padding: int | Sequence[int]) -> tuple[int, int, tuple[int, int]]:
    left, top, right, bottom = parse_padding(padding)
    return left, top, (canvas_size[0] + top + bottom, canvas_size[1] + left + right)


def pad_bounding_boxes(
    bounding_boxes: Tensor,
    format: BoundingBoxFormat | str,
    canvas_size: tuple[int, int],
    padding: int | Sequence[int],
    padding_mode: str = "constant",
    clamping_mode: ClampingMode = "soft",
) -> tuple[Tensor, tuple[int, int]]:
    """Move boxes `[..., K]` into their padded image, and return them with its (height, width).

    Raises:
        ValueError: a border that mirrors the image shows objects again, for which there are no boxes.
    """
    if padding_mode not in ("constant", "edge"):
        raise ValueError(f"padding_mode: expected constant or edge for boxes, got {padding_mode!r}")
    left, top, size = _padded(canvas_size, padding)
    return scale_boxes(bounding_boxes, format, (1, left), (1, top), size, clamping_mode), size


def pad_keypoints(
    keypoints: Tensor, canvas_size: tuple[int, int], padding: int | Sequence[int], padding_mode: str = "constant"
) -> tuple[Tensor, tuple[int, int]]:
    """Move keypoints `[..., 2]` into their padded image, and return them with its (height, width).

    Raises:
        ValueError: a border that mirrors the image shows objects again, for which there are no keypoints.
    """
    if padding_mode not in ("constant", "edge"):
        raise ValueError(f"padding_mode: expected constant or edge for keypoints, got {padding_mode!r}")
    left, top, size = _padded(canvas_size, padding)
    return scale_keypoints(keypoints, (1, left), (1, top)), size


def _surround(image: Image, padding: tuple[int, int, int, int], fill: Fill) -> Image:
    import PIL.Image

    left, top, right, bottom = padding
    width, height = image.width + left + right, image.height + top + bottom
    if width < 0 or height < 0:
        raise ValueError(f"padding: {padding} takes away more than the image of {image.height} x {image.width} has")
    values = [0] if fill is None else [int(fill)] if isinstance(fill, (int, float)) else [int(value) for value in fill]
    bands = 1 if image.mode == "L" else len(image.mode)
    if len(values) == 1:
        values = values * bands
    if len(values) != bands:
        raise ValueError(f"fill: expected 1 value or {bands} for an image of mode {image.mode}, got {fill!r}")
    result = PIL.Image.new(image.mode, (width, height), tuple(values) if bands > 1 else values[0])
    result.paste(image, (left, top))
    return result


def _pad_pil(image: Image, padding: int | Sequence[int], fill: Fill = None, padding_mode: str = "constant") -> Image:
    import numpy as np
    import PIL.Image

    if padding_mode == "constant" and image.mode in ("L", "RGB", "RGBA"):
        return _surround(image, parse_padding(padding), fill)
    pixels = np.asarray(image)
    planes = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
    border = fill if fill is None or isinstance(fill, (int, float)) else list(fill)
    if isinstance(border, list) and len(border) != planes.shape[0]:
        raise ValueError(f"fill: expected 1 value or {planes.shape[0]} for an image of mode {image.mode}, got {fill!r}")
    padded = pad_image(torch.from_numpy(np.array(planes)), padding, border, padding_mode).numpy()
    result = PIL.Image.fromarray(np.ascontiguousarray(padded[0] if pixels.ndim == 2 else padded.transpose(1, 2, 0)))
    if image.mode == "P":
        palette = image.getpalette()
        result = result.convert("P") if result.mode != "P" and palette is None else result
        if palette is not None:
            result.putpalette(palette)
    return result


pad = functional(
    pad_image,
    mask=pad_mask,
    boxes=pad_bounding_boxes,
    keypoints=pad_keypoints,
    pil=_pad_pil,
)
