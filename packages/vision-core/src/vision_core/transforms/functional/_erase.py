"""A rectangle of an image overwritten."""

from __future__ import annotations

from torch import Tensor

from vision_core.transforms.functional._dispatch import functional, video_kernel

__all__ = [
    "erase",
    "erase_image",
    "erase_video",
]


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


erase_video = video_kernel(erase_image)
erase = functional(erase_image)
