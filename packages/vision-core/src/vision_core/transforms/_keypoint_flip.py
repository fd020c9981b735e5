"""Keypoints that change sides when a picture is mirrored: the left hand becomes the right one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from vision_core.transforms import functional as F
from vision_core.transforms._random import RandomTransform
from vision_core.transforms.functional._dispatch import find_kernel
from vision_core.tv_tensors import KeyPoints
from vision_core.tv_tensors._base import plain

__all__ = ["COCO_KEYPOINT_PAIRS", "RandomHorizontalFlipKeypoints", "swap_keypoints"]

# Eyes, ears, shoulders, elbows, wrists, hips, knees and ankles of the 17 keypoints of COCO.
COCO_KEYPOINT_PAIRS = ((1, 2), (3, 4), (5, 6), (7, 8), (9, 10), (11, 12), (13, 14), (15, 16))


def swap_keypoints(keypoints: Tensor, pairs: Sequence[tuple[int, int]] = COCO_KEYPOINT_PAIRS) -> Tensor:
    """Exchange the keypoints of each pair.

    Args:
        keypoints: `[..., K, 2 or 3]`.
        pairs: numbers of left and right keypoints.

    Returns:
        The same shape, type and dtype.

    Raises:
        ValueError: a number outside 0..K-1, or one that occurs twice.

    Examples:
        >>> import torch
        >>> swap_keypoints(torch.tensor([[0, 0], [1, 1], [2, 2]]), [(1, 2)]).tolist()
        [[0, 0], [2, 2], [1, 1]]
    """
    count = keypoints.shape[-2]
    order = list(range(count))
    numbers = [number for pair in pairs for number in pair]
    if len(set(numbers)) != len(numbers) or not all(0 <= number < count for number in numbers):
        raise ValueError(f"pairs: expected each of 0..{count - 1} at most once, got {tuple(pairs)}")
    for left, right in pairs:
        order[left], order[right] = right, left
    if not isinstance(keypoints, KeyPoints):
        return keypoints[..., order, :]
    return KeyPoints.wrap(plain(keypoints)[..., order, :], keypoints)


class RandomHorizontalFlipKeypoints(RandomTransform):
    """Mirrors pictures left to right with probability `p`, and exchanges left and right keypoints.

    Args:
        pairs: numbers of left and right keypoints; those of COCO's persons unless said otherwise.
        p: probability, 0..1.
        generator: source of random numbers; torch's global one when None.
        per_sample: decide for each sample of a batch instead of once for all.

    Examples:
        >>> import torch
        >>> sample = {"image": torch.rand(3, 8, 10), "keypoints": torch.tensor([[[1.0, 4], [8, 4]]])}
        >>> RandomHorizontalFlipKeypoints([(0, 1)], p=1.0)(sample)["keypoints"].shape
        torch.Size([1, 2, 2])
    """

    def __init__(
        self,
        pairs: Sequence[tuple[int, int]] = COCO_KEYPOINT_PAIRS,
        p: float = 0.5,
        *,
        generator: torch.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(p, generator=generator, per_sample=per_sample)
        self.pairs = tuple((int(left), int(right)) for left, right in pairs)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Mirror one input."""
        kernel = find_kernel(F.horizontal_flip, inpt)
        flipped = inpt if kernel is None else kernel(inpt)
        return swap_keypoints(flipped, self.pairs) if isinstance(flipped, KeyPoints) else flipped

    def inverse_transform(self, inpt: Any, params: dict[str, Any], canvas_size: tuple[int, int]) -> Any:
        """Mirror back."""
        return self.transform(inpt, params)
