"""Transforms that make several images of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vision_core.transforms import functional as F
from vision_core.transforms._transform import Transform
from vision_core.transforms.functional._crop import two_sizes
from vision_core.tv_tensors import BoundingBoxes, KeyPoints, Mask

__all__ = ["FiveCrop", "TenCrop"]


class _SeveralCrops(Transform):
    def check_inputs(self, flat_inputs: list[Any]) -> None:
        """Refuse what belongs to one image only."""
        for leaf in flat_inputs:
            if isinstance(leaf, (BoundingBoxes, KeyPoints, Mask)):
                raise TypeError(
                    f"{type(self).__name__}: makes several images of one, so it takes no {type(leaf).__name__}"
                )

    def inverse_transform(self, inpt: Any, params: dict[str, Any], canvas_size: tuple[int, int]) -> Any:
        """Refuse."""
        raise TypeError(f"{type(self).__name__}: several images do not become one again")


class FiveCrop(_SeveralCrops, operation=F.five_crop):
    """Cuts the four corners and the middle out of images; each image becomes a tuple of five.

    Args:
        size: side of a square, or (height, width).

    Examples:
        >>> import torch
        >>> [part.shape[-2:] for part in FiveCrop(2)(torch.zeros(1, 4, 4))][0]
        torch.Size([2, 2])
    """

    size: int | Sequence[int]

    def __post_init__(self) -> None:
        self.size = tuple(two_sizes(self.size))


class TenCrop(_SeveralCrops, operation=F.ten_crop):
    """Cuts the four corners and the middle out of images and of the mirrored images; each becomes a tuple of ten.

    Args:
        size: side of a square, or (height, width).
        vertical_flip: mirror upside down instead of left to right.

    Examples:
        >>> import torch
        >>> len(TenCrop(2)(torch.zeros(1, 4, 4)))
        10
    """

    size: int | Sequence[int]
    vertical_flip: bool = False

    def __post_init__(self) -> None:
        self.size = tuple(two_sizes(self.size))
