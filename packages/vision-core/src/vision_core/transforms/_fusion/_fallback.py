"""Changes of colour one after the other, for images that the pass over pixels does not take."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from vision_core import _pixels
from vision_core._pixels._pass import PassStep
from vision_core.transforms.functional._color_chain import adjust_colors_image
from vision_core.transforms.functional._dtype import to_dtype_image
from vision_core.transforms.functional._grayscale import permute_channels_image, rgb_to_grayscale_image
from vision_core.transforms.functional._normalize import normalize_image

__all__ = ["one_by_one"]


def one_by_one(
    image: Tensor,
    steps: Sequence[PassStep],
    dtype: torch.dtype | None,
    mean: Sequence[float] | None,
    std: Sequence[float] | None,
    planar: bool,
) -> Tensor:
    """Return what `_pixels.pixel_pass` would, without mirroring; `dtype`: of values in 0..1, None keeps bytes."""
    for step in steps:
        if step[0] == "table":
            table = torch.frombuffer(bytearray(step[1]), dtype=torch.uint8)
            looked_up = _pixels.apply_lut(image, table)
            image = table[image.long()] if looked_up is None else looked_up
        elif step[0] == "gray":
            image = rgb_to_grayscale_image(image, 3)
        elif step[0] == "order":
            image = permute_channels_image(image, step[1])
        else:
            image = adjust_colors_image(image, [step])  # type: ignore[list-item]
    if dtype is not None:
        image = to_dtype_image(image, dtype, scale=True)
        image = image.contiguous() if planar else image
    if mean is not None and std is not None:
        image = normalize_image(image, mean, std)
    return image
