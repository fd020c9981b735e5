"""The corners and the middle of images, for predictions averaged over them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from vision_core.transforms.functional._crop import center_of, crop_pil, regions, two_sizes
from vision_core.transforms.functional._dispatch import functional, video_kernel
from vision_core.transforms.functional._flip import (
    horizontal_flip_image,
    horizontal_flip_pil,
    vertical_flip_image,
    vertical_flip_pil,
)

__all__ = ["five_crop", "five_crop_image", "five_crop_video", "ten_crop", "ten_crop_image", "ten_crop_video"]


def five_crop_image(image: Tensor, size: int | Sequence[int]) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Cut the four corners and the middle out of images.

    Args:
        image: `[..., C, H, W]`, any dtype.
        size: of the parts: side of a square or `[height, width]`, not larger than the image.

    Returns:
        Upper left, upper right, lower left, lower right corner and the middle, each `[..., C, height, width]`.

    Raises:
        ValueError: the image is smaller.

    Examples:
        >>> import torch
        >>> [part.item() for part in five_crop_image(torch.arange(9).view(1, 3, 3), 1)]
        [0, 2, 6, 8, 4]
    """
    return _five(image, size)


def ten_crop_image(image: Tensor, size: int | Sequence[int], vertical_flip: bool = False) -> tuple[Tensor, ...]:
    """Cut the four corners and the middle out of images, and out of the mirrored images.

    Args:
        image: `[..., C, H, W]`, any dtype.
        size: of the parts: side of a square or `[height, width]`, not larger than the image.
        vertical_flip: mirror upside down instead of left to right.

    Returns:
        What `five_crop` returns for the images, then for the mirrored ones.

    Raises:
        ValueError: the image is smaller.

    Examples:
        >>> import torch
        >>> [part.item() for part in ten_crop_image(torch.arange(9).view(1, 3, 3), 1)]
        [0, 2, 6, 8, 4, 2, 0, 8, 6, 4]
    """
    mirrored = vertical_flip_image(image) if vertical_flip else horizontal_flip_image(image)
    return _five(image, size) + _five(mirrored, size)


def _five(image: Tensor, size: int | Sequence[int]) -> Any:
    full_height, full_width = image.shape[-2:]
    return tuple(regions(image, *_places(full_height, full_width, size)))


def _places(full_height: int, full_width: int, size: int | Sequence[int]) -> tuple[list[tuple[int, int]], int, int]:
    """Return (top, left) of the five parts, and the height and width of each."""
    height, width = two_sizes(size)
    if height > full_height or width > full_width:
        raise ValueError(f"size: expected no more than the image has, {full_height} x {full_width}, got {size!r}")
    bottom, right = full_height - height, full_width - width
    top, left, _, _ = center_of(full_height, full_width, (height, width))
    return [(0, 0), (0, right), (bottom, 0), (bottom, right), (top, left)], height, width


def _five_pil(image: Any, size: int | Sequence[int]) -> Any:
    places, height, width = _places(image.height, image.width, size)
    return tuple([crop_pil(image, top, left, height, width) for top, left in places])


def _ten_pil(image: Any, size: int | Sequence[int], vertical_flip: bool = False) -> Any:
    mirrored = vertical_flip_pil(image) if vertical_flip else horizontal_flip_pil(image)
    return _five_pil(image, size) + _five_pil(mirrored, size)


five_crop_video = video_kernel(five_crop_image)
ten_crop_video = video_kernel(ten_crop_image)
five_crop = functional(five_crop_image, pil=_five_pil)
ten_crop = functional(ten_crop_image, pil=_ten_pil)
