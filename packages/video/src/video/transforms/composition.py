"""Transforms of samples (dictionaries), and transforms made of transforms."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

from video.transforms import functional as F

__all__ = ["ApplyTransformToKey", "Compose", "OpSampler", "RemoveKey", "UniformCropVideo"]


class Compose:
    """Transforms in a row.

    Examples:
        >>> Compose([Div255(), CenterCrop(2)])(torch.ones(3, 1, 4, 4)).shape
        torch.Size([3, 1, 2, 2])
    """

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        self.transforms = list(transforms)

    def __call__(self, x: Any) -> Any:
        """Apply all transforms."""
        for transform in self.transforms:
            x = transform(x)
        return x

    def __repr__(self) -> str:
        lines = "".join(f"\n    {transform}" for transform in self.transforms)
        return f"{type(self).__name__}({lines}\n)"


class ApplyTransformToKey:
    """Apply a transform to one entry of a sample; the given sample stays as it is.

    Args:
        key: The entry.
        transform: The transform.

    Examples:
        >>> ApplyTransformToKey("video", Div255())({"video": torch.tensor([255.0]), "label": 1})
        {'video': tensor([1.]), 'label': 1}
    """

    def __init__(self, key: str, transform: Callable[[Any], Any]) -> None:
        self._key = key
        self._transform = transform

    def __call__(self, x: dict[str, Any]) -> dict[str, Any]:
        """Return a sample with the entry transformed.

        Raises:
            KeyError: When the sample has no such entry.
        """
        if self._key not in x:
            raise KeyError(f"the sample has no entry {self._key!r}, only {sorted(x)}")
        return {**x, self._key: self._transform(x[self._key])}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._key!r}, {self._transform})"


class RemoveKey(nn.Module):
    """Remove an entry of a sample, if it is there; the given sample stays as it is.

    Args:
        key: The entry.
    """

    def __init__(self, key: str) -> None:
        super().__init__()
        self._key = key

    def forward(self, x: dict[str, Any]) -> dict[str, Any]:
        """Return a sample without the entry."""
        return {key: value for key, value in x.items() if key != self._key}


class OpSampler(nn.Module):
    """Apply some of a list of transforms, drawn at random.

    Args:
        transforms_list: The transforms.
        transforms_prob: Their weights; ``None`` for equal ones.
        num_sample_op: How many to apply.
        randomly_sample_depth: Apply a random number, from 1 to ``num_sample_op``.
        replacement: Whether a transform may be drawn twice.

    Raises:
        ValueError: When lengths, weights or numbers do not fit each other.

    Examples:
        >>> OpSampler([Div255()], num_sample_op=1)(torch.tensor(255.0))
        tensor(1.)
    """

    def __init__(
        self,
        transforms_list: Sequence[Callable[[Any], Any]],
        transforms_prob: Sequence[float] | None = None,
        num_sample_op: int = 1,
        randomly_sample_depth: bool = False,
        replacement: bool = False,
    ) -> None:
        super().__init__()
        n = len(transforms_list)
        weights = [1.0] * n if transforms_prob is None else list(transforms_prob)
        if n == 0 or len(weights) != n or min(weights) < 0 or not sum(weights) > 0:
            raise ValueError(f"expected transforms and a weight >= 0 for each, got {n} and weights {weights}")
        if num_sample_op < 1 or (not replacement and num_sample_op > sum(w > 0 for w in weights)):
            raise ValueError(f"cannot draw {num_sample_op} of {n} transforms: use replacement=True or fewer")
        self.transforms_list = list(transforms_list)
        self.transforms_prob = torch.tensor(weights, dtype=torch.float32)
        self.num_sample_op = num_sample_op
        self.randomly_sample_depth = randomly_sample_depth
        self.replacement = replacement

    def forward(self, x: Any) -> Any:
        """Apply the drawn transforms to ``x``."""
        depth = self.num_sample_op
        if self.randomly_sample_depth:
            depth = int(torch.randint(1, self.num_sample_op + 1, ()))
        for index in torch.multinomial(self.transforms_prob, depth, self.replacement).tolist():
            x = self.transforms_list[index](x)
        return x


class UniformCropVideo(nn.Module):
    """Cut the left, centre or right square out of a sample's clip, as its view's number says.

    Args:
        size: Side of the square in pixels.
        video_key: Entry of the clip.
        aug_index_key: Entry of the view's number, 0, 1 or 2.
    """

    def __init__(self, size: int, video_key: str = "video", aug_index_key: str = "aug_index") -> None:
        super().__init__()
        self._size = size
        self._video_key = video_key
        self._aug_index_key = aug_index_key

    def forward(self, x: dict[str, Any]) -> dict[str, Any]:
        """Return the sample with its clip cropped."""
        return {**x, self._video_key: F.uniform_crop(x[self._video_key], self._size, x[self._aug_index_key])}
