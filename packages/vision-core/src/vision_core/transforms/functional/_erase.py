"""A rectangle of an image overwritten."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from vision_core.transforms.functional._conversion import pil_to_tensor, to_pil_image
from vision_core.transforms.functional._dispatch import functional

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["erase", "erase_image"]


def erase_image(image: Tensor, i: int, j: int, h: int, w: int, v: Tensor, inplace: bool = False) -> Tensor:
    """Write `v` into a rectangle.

    Args:
        image: `[..., H, W]`, any dtype.
        i: top of the rectangle in pixels.
        j: left of the rectangle.
        h: height of the rectangle.
        w: width of the rectangle.
        v: what to write; any shape that broadcasts to `[..., h, w]`.
        inplace: write into `image` instead of a copy.

    Returns:
        The same shape and dtype; `image` itself with `inplace`.

    Examples:
        >>> import torch
        >>> erase_image(torch.ones(1, 2, 2), 0, 1, 2, 1, torch.zeros(1)).tolist()
        [[[1.0, 0.0], [1.0, 0.0]]]
    """
    erased = image if inplace else image.clone()
    erased[..., i : i + h, j : j + w] = v
    return erased


def _erase_pil(image: Image, i: int, j: int, h: int, w: int, v: Tensor, inplace: bool = False) -> Image:
    return to_pil_image(erase_image(pil_to_tensor(image), i, j, h, w, v), mode=image.mode)


erase = functional(erase_image, pil=_erase_pil)
