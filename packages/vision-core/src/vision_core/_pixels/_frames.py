"""What lies outside of the frames of an image, filled."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from vision_core import _native
from vision_core._pixels._memory import describe

__all__ = ["fill_outside"]


def fill_outside(image: Tensor, inside: Sequence[float], fill: Sequence[int]) -> Tensor:
    """Fill the pixels outside of half-planes, in place where `image` has rows that kernels take.

    Args:
        image: uint8 `[..., C, H, W]` to which the kernels apply.
        inside: `a, b, c` for each half-plane: the pixel in column `x` and row `y` is inside of it if
            `a (x + 0.5) + b (y + 0.5) + c >= 0`.
        fill: a value for each channel, 0..255.

    Returns:
        The filled image.

    Examples:
        >>> import torch
        >>> from vision_core import _native
        >>> row = torch.full((1, 1, 3), 7, dtype=torch.uint8)
        >>> _native.module is None or fill_outside(row, [1.0, 0.0, -1.0], [0]).flatten().tolist() == [0, 7, 7]
        True
    """
    source, layout = describe(image)
    _native.module.fill_outside_u8(source.data_ptr(), layout, list(inside), list(fill), torch.get_num_threads())
    return image if source.data_ptr() == image.data_ptr() else source.reshape(image.shape)
