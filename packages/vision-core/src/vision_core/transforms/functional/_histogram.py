"""Values spread over the whole range: autocontrast and equalize."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from vision_core import _pixels
from vision_core.transforms.functional._dispatch import functional, video_kernel
from vision_core.transforms.functional._dtype import to_dtype_image
from vision_core.transforms.functional._values import check_channels, from_working, max_value, to_working

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = [
    "autocontrast",
    "autocontrast_image",
    "autocontrast_video",
    "equalize",
    "equalize_image",
    "equalize_video",
]


def autocontrast_image(image: Tensor) -> Tensor:
    """Stretch each channel so that its smallest value becomes black and its largest white.

    Args:
        image: `[..., 1 or 3, H, W]`, any dtype; each image of a batch by itself.

    Returns:
        The same shape and dtype; channels of one value stay.

    Raises:
        TypeError: another number of channels.

    Examples:
        >>> import torch
        >>> autocontrast_image(torch.tensor([[[0.25, 0.5, 0.75]]])).tolist()
        [[[0.0, 0.5, 1.0]]]
    """
    check_channels(image)
    if image.numel() == 0:
        return image
    native = _pixels.autocontrast(image)
    if native is not None:
        return native
    values = to_working(image)
    low, high = values.amin(dim=(-2, -1), keepdim=True), values.amax(dim=(-2, -1), keepdim=True)
    step = (high - low) * (1.0 / max_value(image.dtype))
    flat = step == 0
    stretched = values.sub(low.masked_fill(flat, 0.0)).div_(step.masked_fill(flat, 1.0))
    return from_working(stretched, image.dtype)


def _autocontrast_pil(image: Image) -> Image:
    from PIL import ImageOps

    return ImageOps.autocontrast(image)


def equalize_image(image: Tensor) -> Tensor:
    """Spread the values of each channel so that all of them are about equally frequent.

    The histogram has 256 bins; other dtypes than uint8 go through uint8 and back.

    Args:
        image: `[..., H, W]`, integer or floating point in 0..1; each channel of each image by itself.

    Returns:
        The same shape and dtype.

    Examples:
        >>> import torch
        >>> equalize_image(torch.arange(4, dtype=torch.uint8).repeat(1, 200, 1))[0, 0].tolist()
        [0, 100, 200, 255]
    """
    if image.numel() == 0:
        return image
    levels = to_dtype_image(image, torch.uint8, scale=True)
    native = _pixels.equalize(levels)
    if native is not None:
        return to_dtype_image(native, image.dtype, scale=True)
    planes = levels.flatten(-2).reshape(-1, levels.shape[-2] * levels.shape[-1]).long()
    histogram = planes.new_zeros(planes.shape[0], 256).scatter_add_(1, planes, torch.ones_like(planes))
    table = _equalizing_table(histogram)
    equal = table.gather(1, planes).to(torch.uint8).view(levels.shape)
    return to_dtype_image(equal, image.dtype, scale=True)


def _equalizing_table(histogram: Tensor) -> Tensor:
    """The new value for each of 256 values, for each row of `histogram`; int64 `[N, 256]`.

    Every step of the result holds an equal share of the pixels that do not have the channel's largest value.
    """
    brightest = 255 - (histogram != 0).flip(1).to(torch.uint8).argmax(1, keepdim=True)
    share = (histogram.sum(1, keepdim=True) - histogram.gather(1, brightest)).div(255, rounding_mode="floor")
    below = histogram.cumsum(1) - histogram
    table = (below + share // 2).div(share.clamp(min=1), rounding_mode="floor").clamp_(max=255)
    unchanged = torch.arange(256, device=histogram.device).expand_as(table)
    return torch.where(share == 0, unchanged, table)  # fewer than 255 pixels, or one value: nothing to spread


def _equalize_pil(image: Image) -> Image:
    from PIL import ImageOps

    return ImageOps.equalize(image)


autocontrast_video = video_kernel(autocontrast_image)
equalize_video = video_kernel(equalize_image)
autocontrast = functional(autocontrast_image, pil=_autocontrast_pil)
equalize = functional(equalize_image, pil=_equalize_pil)
