"""Batches taken apart, so that each sample gets random numbers of its own, and put together again."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from vision_core.transforms._sample import Sample
from vision_core.tv_tensors import BoundingBoxes, TVTensor, Video
from vision_core.tv_tensors._base import plain

__all__ = ["merge", "split"]


def _batch_size(leaves: list[Any]) -> int | None:
    for leaf in leaves:
        if isinstance(leaf, Tensor) and leaf.ndim >= (5 if isinstance(leaf, Video) else 4):
            return leaf.shape[0]
    return None


def split(sample: Sample) -> list[Sample] | None:
    """Take a batch apart into samples with the chosen leaves, or return None if it is no batch.

    A leaf `[N, ...]` gives each sample one entry. Boxes whose number differs come as N leaves, one for each sample.

    Raises:
        ValueError: a leaf that can be shared out in neither way.
    """
    chosen = sample.chosen()
    size = _batch_size([sample.leaves[i] for i in chosen])
    if size is None:
        return None
    shared = [i for i in chosen if not _is_single(sample.leaves[i], size)]
    by_type: dict[type, list[int]] = {}
    for i in chosen:
        if i not in shared:
            by_type.setdefault(type(sample.leaves[i]), []).append(i)
    for kind, single in by_type.items():
        if len(single) % size:
            raise ValueError(
                f"per_sample: expected {kind.__name__} [{size}, ...], or one for each of the {size} samples; got "
                f"{len(single)} with shapes {[tuple(sample.leaves[i].shape) for i in single]}"
            )
    parts = []
    for number in range(size):
        own = []
        for single in by_type.values():
            count = len(single) // size
            own += single[number * count : (number + 1) * count]
        parts.append(sample.part([(i, number if i in shared else None) for i in chosen if i in shared or i in own]))
    return parts


def _is_single(leaf: Any, size: int) -> bool:
    """Whether a leaf belongs to one sample, not to the batch."""
    if not isinstance(leaf, Tensor) or (isinstance(leaf, BoundingBoxes) and leaf.ndim == 2):
        return True
    return leaf.ndim == 0 or leaf.shape[0] != size


def merge(sample: Sample, parts: list[Sample]) -> None:
    """Put the leaves of the parts back into the batch that they were taken from.

    Raises:
        ValueError: results of different shapes.
    """
    gathered: dict[int, list[Any]] = {}
    for part in parts:
        for (position, number), leaf in zip(part.origins, part.leaves, strict=True):
            if number is None:
                sample.leaves[position] = leaf
            else:
                gathered.setdefault(position, []).append(leaf)
    for position, leaves in gathered.items():
        sample.leaves[position] = _stack(leaves)


def _stack(leaves: list[Any]) -> Any:
    shapes = {tuple(leaf.shape) for leaf in leaves}
    if len(shapes) > 1:
        raise ValueError(
            f"per_sample: the results have different shapes, {sorted(shapes)}; use a transform with a fixed size, or "
            "pass the samples one by one"
        )
    if isinstance(leaves[0], TVTensor):
        return type(leaves[0]).wrap(torch.stack([plain(leaf) for leaf in leaves]), leaves[0])
    return torch.stack(leaves)
