"""Mirror images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from vision_core.transforms.functional._dispatch import functional

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["hflip", "horizontal_flip", "horizontal_flip_image", "vertical_flip", "vertical_flip_image", "vflip"]


def horizontal_flip_image(image: Tensor) -> Tensor:
    """Mirror images left to right.

    Args:
        image: `[..., H, W]`, any dtype.

    Returns:
        The same shape and dtype.

    Examples:
        >>> import torch
        >>> horizontal_flip_image(torch.tensor([[[1, 2, 3]]])).tolist()
        [[[3, 2, 1]]]
    """
    return image.flip(-1)


def vertical_flip_image(image: Tensor) -> Tensor:
    """Turn images upside down.

    Args:
        image: `[..., H, W]`, any dtype.

    Returns:
        The same shape and dtype.

    Examples:
        >>> import torch
        >>> vertical_flip_image(torch.tensor([[[1], [2]]])).tolist()
        [[[2], [1]]]
    """
    return image.flip(-2)


def _horizontal_flip_pil(image: Image) -> Image:
    from PIL.Image import Transpose

    return image.transpose(Transpose.FLIP_LEFT_RIGHT)


def _vertical_flip_pil(image: Image) -> Image:
    from PIL.Image import Transpose

    return image.transpose(Transpose.FLIP_TOP_BOTTOM)


horizontal_flip = hflip = functional(horizontal_flip_image, pil=_horizontal_flip_pil)
vertical_flip = vflip = functional(vertical_flip_image, pil=_vertical_flip_pil)
