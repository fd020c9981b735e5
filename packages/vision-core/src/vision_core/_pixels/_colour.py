"""Changes of colour, which take the three channels of a pixel together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from vision_core import _native
from vision_core._pixels._memory import allocate, allocate_as, applies, describe

__all__ = ["adjust_hue", "adjust_saturation", "colour_chain", "rgb_to_grayscale"]

Step = tuple[Literal["brightness", "contrast", "saturation", "hue"], float]
_KINDS = {"brightness": 0, "contrast": 1, "saturation": 2, "hue": 3}


def colour_chain(image: Tensor, steps: Sequence[Step]) -> Tensor | None:
    """Change brightness, contrast, saturation and hue in one go, in any order.

    Between the steps values are rounded to 8 bits: the result is that of the steps one after the other.

    Args:
        image: uint8 `[..., 3, H, W]`.
        steps: name and factor, in the order in which they apply; hue's factor is in -0.5..0.5.

    Examples:
        >>> import torch
        >>> image = torch.zeros(3, 4, 4, dtype=torch.uint8)
        >>> changed = colour_chain(image, [("hue", 0.1), ("contrast", 1.2)])
    """
    if image.dim() < 3 or image.shape[-3] != 3 or not applies(image):
        return None
    source, layout = describe(image)
    result = allocate(image, layout)
    kinds, factors = [_KINDS[name] for name, _ in steps], [float(factor) for _, factor in steps]
    _native.module.colour_chain_u8(
        source.data_ptr(), layout, kinds, factors, result.data_ptr(), torch.get_num_threads()
    )
    return result


def adjust_saturation(image: Tensor, factor: float) -> Tensor | None:
    """Move colours away from (above 1) or towards (below 1) gray.

    Args:
        image: uint8 `[..., 3, H, W]`.
        factor: at least 0; 0 gives gray images, 1 changes nothing.
    """
    return colour_chain(image, (("saturation", factor),))


def adjust_hue(image: Tensor, factor: float) -> Tensor | None:
    """Turn the colour circle.

    Args:
        image: uint8 `[..., 3, H, W]`.
        factor: part of the circle, in -0.5..0.5.
    """
    return colour_chain(image, (("hue", factor),))


def rgb_to_grayscale(image: Tensor, num_output_channels: int = 1) -> Tensor | None:
    """Weigh red, green and blue to gray as ITU-R BT.601 does (0.2989, 0.587, 0.114), rounded down.

    Args:
        image: uint8 `[..., 3, H, W]`.
        num_output_channels: 1, or 3 for three equal channels.
    """
    if image.dim() < 3 or image.shape[-3] != 3 or not applies(image):
        return None
    source, layout = describe(image)
    result = allocate_as(image, layout, num_output_channels, image.shape[-2], image.shape[-1])
    _native.module.gray_u8(source.data_ptr(), layout, num_output_channels, result.data_ptr(), torch.get_num_threads())
    return result
