"""What turns each value of an image into another one, by a table of 256 values."""

from __future__ import annotations

import torch
from torch import Tensor

from vision_core import _native
from vision_core._pixels._memory import allocate, applies, describe

__all__ = [
    "add_noise",
    "adjust_brightness",
    "adjust_contrast",
    "adjust_gamma",
    "apply_lut",
    "autocontrast",
    "equalize",
    "histogram",
    "invert",
    "posterize",
    "solarize",
]

# numbers of the native kernel
_BRIGHTNESS, _CONTRAST, _GAMMA, _SOLARIZE, _POSTERIZE, _AUTOCONTRAST, _EQUALIZE = range(7)


def _point(image: Tensor, kind: int, first: float = 0.0, second: float = 0.0) -> Tensor | None:
    if not applies(image):
        return None
    source, layout = describe(image)
    result = allocate(image, layout)
    _native.module.point_u8(source.data_ptr(), layout, kind, first, second, result.data_ptr(), torch.get_num_threads())
    return result


def adjust_brightness(image: Tensor, factor: float) -> Tensor | None:
    """Multiply all values by `factor`, cut to 0..255 and round down, as torchvision does.

    Args:
        image: uint8 `[..., C, H, W]`.
        factor: at least 0; 1 changes nothing.

    Examples:
        >>> import torch
        >>> brighter = adjust_brightness(torch.full((3, 4, 4), 100, dtype=torch.uint8), 1.5)
    """
    return _point(image, _BRIGHTNESS, factor)


def adjust_contrast(image: Tensor, factor: float) -> Tensor | None:
    """Move all values away from (above 1) or towards (below 1) the mean of the gray image.

    Args:
        image: uint8 `[..., C, H, W]` with 1 or 3 channels; each image has a mean of its own.
        factor: at least 0; 1 changes nothing.
    """
    if image.dim() < 3 or image.shape[-3] not in (1, 3):
        return None
    return _point(image, _CONTRAST, factor)


def adjust_gamma(image: Tensor, gamma: float, gain: float = 1.0) -> Tensor | None:
    """Raise values, as parts of 255, to the power of `gamma` and multiply them by `gain`.

    Args:
        image: uint8 `[..., C, H, W]`.
        gamma: at least 0.
        gain: a factor.
    """
    return _point(image, _GAMMA, gamma, gain)


def invert(image: Tensor) -> Tensor | None:
    """Return 255 minus the values of uint8 `[..., C, H, W]`; torch's own operator is at memory speed already."""
    return image.bitwise_not() if image.dtype == torch.uint8 else None


def solarize(image: Tensor, threshold: float) -> Tensor | None:
    """Invert the values from `threshold` on, in uint8 `[..., C, H, W]`."""
    return _point(image, _SOLARIZE, threshold)


def posterize(image: Tensor, bits: int) -> Tensor | None:
    """Keep the `bits` highest bits (0 to 8) of the values of uint8 `[..., C, H, W]`."""
    return _point(image, _POSTERIZE, float(bits))


def autocontrast(image: Tensor) -> Tensor | None:
    """Stretch each channel of uint8 `[..., C, H, W]` so that its darkest value becomes 0, its brightest 255."""
    return _point(image, _AUTOCONTRAST)


def equalize(image: Tensor) -> Tensor | None:
    """Spread the values of each channel of uint8 `[..., C, H, W]` so that all are about equally frequent."""
    return _point(image, _EQUALIZE)


def apply_lut(image: Tensor, table: Tensor) -> Tensor | None:
    """Look every value up in a table.

    Args:
        image: uint8 `[..., C, H, W]`.
        table: uint8 `[256]`, or `[C, 256]` with a table for each channel.
    """
    if not applies(image) or type(table) is not Tensor or table.dtype != torch.uint8 or not table.is_cpu:
        return None
    tables = table.contiguous()
    if tables.shape != (256,) and tables.shape != (image.shape[-3], 256):
        raise ValueError(f"table: expected [256] or [{image.shape[-3]}, 256], got {list(table.shape)}")
    source, layout = describe(image)
    result = allocate(image, layout)
    _native.module.lut_u8(
        source.data_ptr(), layout, tables.data_ptr(), tables.dim() == 2, result.data_ptr(), torch.get_num_threads()
    )
    return result


def add_noise(image: Tensor, noise: Tensor, scale: float, shift: float, clip: bool) -> Tensor | None:
    """Add `noise * scale + shift`, cut to whole steps towards 0, to the values of an image.

    Args:
        image: uint8 `[..., C, H, W]`.
        noise: float32 of the same shape, contiguous.
        scale: a factor.
        shift: steps to add.
        clip: cut off at 0 and 255, else values wrap around.

    Returns:
        The same shape; None also where image and noise do not lie in memory in the same order.
    """
    if not applies(image) or not applies(noise, torch.float32) or image.shape != noise.shape:
        return None
    if not image.is_contiguous() or not noise.is_contiguous():
        return None
    result = torch.empty_like(image)
    _native.module.add_noise_u8(
        image.data_ptr(),
        noise.data_ptr(),
        image.numel(),
        scale,
        shift,
        clip,
        result.data_ptr(),
        torch.get_num_threads(),
    )
    return result


def histogram(image: Tensor) -> Tensor | None:
    """Count the values of each channel: int64 `[..., C, 256]` from uint8 `[..., C, H, W]`."""
    if not applies(image):
        return None
    source, layout = describe(image)
    bins = torch.empty((*image.shape[:-2], 256), dtype=torch.int64)
    _native.module.histogram_u8(source.data_ptr(), layout, bins.data_ptr(), torch.get_num_threads())
    return bins
