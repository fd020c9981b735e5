"""Transforms that mirror images, and with them boxes, masks and keypoints."""

from __future__ import annotations

from typing import Any

from vision_core.transforms import functional as F
from vision_core.transforms._random import RandomTransform

__all__ = ["RandomHorizontalFlip", "RandomVerticalFlip"]


class RandomHorizontalFlip(RandomTransform, operation=F.horizontal_flip):
    """Mirrors images left to right with probability `p`.

    Args:
        p: probability, 0..1.
        generator: source of random numbers; torch's global one when None.
        per_sample: decide for each sample of a batch instead of once for all.

    Examples:
        >>> import torch
        >>> RandomHorizontalFlip(1.0)(torch.tensor([[[1, 2]]])).tolist()
        [[[2, 1]]]
    """

    def inverse_transform(self, inpt: Any, params: dict[str, Any], canvas_size: tuple[int, int]) -> Any:
        """Mirror again."""
        return self.call(F.horizontal_flip, inpt)


class RandomVerticalFlip(RandomTransform, operation=F.vertical_flip):
    """Turns images upside down with probability `p`.

    Args:
        p: probability, 0..1.
        generator: source of random numbers; torch's global one when None.
        per_sample: decide for each sample of a batch instead of once for all.

    Examples:
        >>> import torch
        >>> RandomVerticalFlip(1.0)(torch.tensor([[[1], [2]]])).tolist()
        [[[2], [1]]]
    """

    def inverse_transform(self, inpt: Any, params: dict[str, Any], canvas_size: tuple[int, int]) -> Any:
        """Turn again."""
        return self.call(F.vertical_flip, inpt)
