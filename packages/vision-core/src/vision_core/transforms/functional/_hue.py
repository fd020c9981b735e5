"""Hue: colours turned around the colour circle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from vision_core import _pixels
from vision_core.transforms.functional._dispatch import functional, video_kernel
from vision_core.transforms.functional._dtype import to_dtype_image
from vision_core.transforms.functional._values import check_channels

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = [
    "adjust_hue",
    "adjust_hue_image",
    "adjust_hue_video",
]


_CIRCLE = [*range(256), *range(256)]


def _check_factor(hue_factor: float) -> None:
    if not -0.5 <= hue_factor <= 0.5:
        raise ValueError(f"hue_factor: expected -0.5 to 0.5 (half a turn each way), got {hue_factor}")


def adjust_hue_image(image: Tensor, hue_factor: float) -> Tensor:
    """Turn the hue of all colours; saturation and value (HSV) stay.

    Args:
        image: `[..., 3 or 1, H, W]`, floating point in 0..1 or integer; gray images stay.
        hue_factor: part of a full turn, -0.5 to 0.5; 1/3 takes red to green.

    Returns:
        The same shape and dtype.

    Raises:
        ValueError: a factor outside -0.5..0.5.
        TypeError: another number of channels.
        RuntimeError: int32 and int64 images, whose values float32 cannot hold.

    Examples:
        >>> import torch
        >>> red = torch.tensor([255, 0, 0], dtype=torch.uint8).view(3, 1, 1)
        >>> adjust_hue_image(red, 0.5).flatten().tolist()
        [0, 255, 255]
    """
    _check_factor(hue_factor)
    if check_channels(image) == 1 or image.numel() == 0:
        return image
    native = _pixels.adjust_hue(image, hue_factor)
    if native is not None:
        return native
    colors = (
        image if image.dtype in (torch.float32, torch.float64) else to_dtype_image(image, torch.float32, scale=True)
    )
    return to_dtype_image(_turn(colors, hue_factor), image.dtype, scale=True)


def _turn(colors: Tensor, hue_factor: float) -> Tensor:
    red, green, blue = colors.unbind(-3)
    value = torch.maximum(torch.maximum(red, green), blue)
    chroma = value - torch.minimum(torch.minimum(red, green), blue)
    # Sixths of the circle from red: the strongest channel names the arc, the other two say where on it.
    divisor = torch.where(chroma == 0, torch.ones_like(chroma), chroma)
    on_red = (green - blue) / divisor
    on_green = (blue - red) / divisor + 2.0
    on_blue = (red - green) / divisor + 4.0
    sixths = torch.where(value == red, on_red, torch.where(value == green, on_green, on_blue)) + 6.0 * hue_factor
    # Each channel is at full value over two sixths, off over two, and rises or falls over one between.
    turned = []
    for start in (5.0, 3.0, 1.0):
        arc = torch.remainder(sixths + start, 6.0)
        turned.append(value - chroma * torch.minimum(arc, 4.0 - arc).clamp(0.0, 1.0))
    return torch.stack(turned, dim=-3)


def _adjust_hue_pil(image: Image, hue_factor: float) -> Image:
    import PIL.Image

    _check_factor(hue_factor)
    if image.mode in ("1", "L", "I", "F"):
        return image
    hue, saturation, value = image.convert("HSV").split()
    shift = int(hue_factor * 255) % 256
    turned = hue.point(_CIRCLE[shift : shift + 256])
    return PIL.Image.merge("HSV", (turned, saturation, value)).convert(image.mode)


adjust_hue_video = video_kernel(adjust_hue_image)
adjust_hue = functional(adjust_hue_image, pil=_adjust_hue_pil)
