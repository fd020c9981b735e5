"""Batches taken apart, so that each sample gets random numbers of its own, and put together again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from vision_core.transforms._sample import ROLES, Sample
from vision_core.tv_tensors import BoundingBoxes, TVTensor, Video
from vision_core.tv_tensors._base import plain, take_type

__all__ = ["merge", "retype", "run_alike", "split"]

_COMPARED = (bool, float, int, str, type(None))  # other values may have no single answer to `==`

_SMALL = 1 << 14  # values of a sample; above, picking some out and putting them back costs more than calls


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
    entries = {i: _entries(sample.leaves[i]) for i in shared}
    parts = []
    for number in range(size):
        own = set(shared)
        for single in by_type.values():
            count = len(single) // size
            own.update(single[number * count : (number + 1) * count])
        positions = [i for i in chosen if i in own]
        origins = [(i, number if i in entries else None) for i in positions]
        parts.append(
            Sample.part(origins, [entries[i][number] if i in entries else sample.leaves[i] for i in positions])
        )
    return parts


def _entries(leaf: Any) -> list[Any]:
    if not isinstance(leaf, TVTensor):
        return list(leaf.unbind(0))
    return [retype(entry, leaf) for entry in plain(leaf).unbind(0)]


def retype(tensor: Tensor, like: TVTensor) -> TVTensor:
    """Give a tensor that nobody else holds the type and the metadata of `like`."""
    kind = type(like)
    return take_type(tensor, kind, like) if kind in ROLES else kind.wrap(tensor, like)


def run_alike(sample: Sample, parts: list[Sample], params: list[Any], transform: Callable[[Any, Any], Any]) -> None:
    """Transform the samples of a batch: in one call where all that change do so by the same params, else one by one.

    Args:
        sample: the batch; its leaves are replaced.
        parts: what `split` made of it.
        params: for each part, None to leave it as it is.
        transform: does to a batch what it does to each of its samples.
    """
    numbers = [number for number, own in enumerate(params) if own is not None]
    if not numbers:
        return
    first = params[numbers[0]]
    small = max(leaf.numel() for leaf in parts[0].leaves if isinstance(leaf, Tensor)) <= _SMALL
    if (
        (small or len(numbers) == len(parts))
        and all(_same(params[number], first) for number in numbers)
        and _run_together(sample, parts, numbers, lambda leaf: transform(leaf, first))
    ):
        return
    for number in numbers:
        parts[number].leaves = [transform(leaf, params[number]) for leaf in parts[number].leaves]
    merge(sample, parts)


def _same(first: dict[str, Any], second: dict[str, Any]) -> bool:
    return first is second or (
        first.keys() == second.keys()
        and all(type(value) in _COMPARED and value == second[name] for name, value in first.items())
    )


def _run_together(sample: Sample, parts: list[Sample], numbers: list[int], transform: Callable[[Any], Any]) -> bool:
    """Transform the samples of these numbers in one call; False, and nothing done, if the results have no place."""
    results: dict[int, Any] = {}
    for position in (position for position, number in parts[0].origins if number is not None):
        leaf = sample.leaves[position]
        if len(numbers) == len(parts):
            results[position] = transform(leaf)
            continue
        batch = plain(leaf) if isinstance(leaf, TVTensor) else leaf
        index = torch.tensor(numbers, device=batch.device)
        picked = batch.index_select(0, index)
        changed = transform(retype(picked, leaf) if isinstance(leaf, TVTensor) else picked)
        if (
            changed.shape[1:] != batch.shape[1:]
            or changed.dtype != batch.dtype
            or _metadata(changed) != _metadata(leaf)
        ):
            return False
        changed = plain(changed) if isinstance(changed, TVTensor) else changed
        entries = list(batch.unbind(0))
        for number, entry in zip(numbers, changed.unbind(0), strict=True):
            entries[number] = entry
        merged = torch.stack(entries)
        results[position] = retype(merged, leaf) if isinstance(leaf, TVTensor) else merged
    for number in numbers:
        for (position, entry), leaf in zip(parts[number].origins, parts[number].leaves, strict=True):
            if entry is None:
                results[position] = transform(leaf)
    for position, result in results.items():
        sample.leaves[position] = result
    return True


def _metadata(leaf: Any) -> list[Any]:
    return [getattr(leaf, name) for name in leaf._metadata] if isinstance(leaf, TVTensor) else []


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
