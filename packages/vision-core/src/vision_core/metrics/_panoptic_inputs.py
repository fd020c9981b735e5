"""Reads maps of segments, and counts the pixels that two of them share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from vision_core import _native
from vision_core.metrics._columns import Array

__all__ = ["VOID", "Segments", "check_known", "read_segments", "segment_pairs"]

VOID = -1
_INSTANCES = 2**32  # an id is category * this + instance


@dataclass(frozen=True)
class Segments:
    """The segments of an image.

    Attributes:
        ids: `[H, W]` int64: the segment of each pixel, VOID where there is none.
        categories: of each segment.
        crowds: which segments are crowds.
    """

    ids: Array
    categories: Mapping[int, int]
    crowds: frozenset[int]


def read_segments(image: Mapping[str, Any] | Tensor, where: str, things: set[int], stuff: set[int]) -> Segments:
    """Read the segments of an image.

    Args:
        image: `{"segmentation", "segments_info"}` of COCO's panoptic format, or `[H, W, 2]` category and instance.
        where: names the image in errors.
        things: categories of things.
        stuff: categories of stuff.

    Returns:
        The segments.

    Raises:
        TypeError: maps that are no integers.
        ValueError: other shapes, segments or categories that are unknown.
    """
    if isinstance(image, Mapping):
        return _from_dictionary(image, where, things | stuff)
    pairs = _integers(image, where)
    if pairs.ndim != 3 or pairs.shape[2] != 2:
        raise ValueError(f"{where}: expected [H, W, 2], category and instance, got {list(pairs.shape)}")
    categories, instances = pairs[..., 0], pairs[..., 1]
    of_things = np.isin(categories, list(things))
    if of_things.any() and not (instances[of_things].min() >= 0 and instances[of_things].max() < _INSTANCES):
        raise ValueError(f"{where}: expected instances in 0..2^32 - 1, got {instances[of_things].min()}")
    names = sorted(things | stuff)
    places = np.searchsorted(names, categories).clip(max=len(names) - 1)
    known = np.array(names)[places] == categories
    ids = np.where(known, places * _INSTANCES + np.where(of_things, instances, 0), VOID)
    return Segments(ids, _CategoryOfId(names), frozenset())


class _CategoryOfId(Mapping[int, int]):
    """The category that stands in an id."""

    def __init__(self, names: list[int]) -> None:
        self._names = names

    def __getitem__(self, segment: int) -> int:
        return self._names[segment // _INSTANCES]

    def __iter__(self) -> Any:
        return iter(range(len(self)))

    def __len__(self) -> int:
        return len(self._names)


def _from_dictionary(image: Mapping[str, Any], where: str, known: set[int]) -> Segments:
    for key in ("segmentation", "segments_info"):
        if key not in image:
            raise ValueError(f"{where}: has no {key!r}, only {sorted(image)}")
    ids = _integers(image["segmentation"], f"{where}['segmentation']")
    if ids.ndim != 2:
        raise ValueError(f"{where}['segmentation']: expected [H, W] segment ids, got {list(ids.shape)}")
    categories: dict[int, int] = {}
    crowds = set()
    for info in image["segments_info"]:
        segment, category = int(info["id"]), int(info["category_id"])
        if category not in known:
            raise ValueError(f"{where}['segments_info']: category {category} is neither of things nor of stuff")
        if segment <= 0 or segment in categories:
            what = f"{segment} is void" if segment <= 0 else f"{segment} comes twice"
            raise ValueError(f"{where}['segments_info']: expected different ids above 0, {what}")
        categories[segment] = category
        if info.get("iscrowd"):
            crowds.add(segment)
    return Segments(np.where(ids <= 0, VOID, ids), categories, frozenset(crowds))


def check_known(segments: set[int], categories: Mapping[int, int], where: str) -> None:
    """Check that a map has no segments but those that have a category.

    Raises:
        ValueError: naming those that have none.
    """
    unknown = sorted(segment for segment in segments if segment != VOID and segment not in categories)
    if unknown:
        raise ValueError(f"{where}['segmentation']: segments {unknown[:8]} are not in 'segments_info'")


def _integers(value: Any, where: str) -> Array:
    array = value.detach().cpu().numpy() if isinstance(value, Tensor) else np.asarray(value)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{where}: expected integers, got {array.dtype}")
    return array.astype(np.int64)


def segment_pairs(a: Array, b: Array) -> list[tuple[int, int, int]]:
    """Count the pixels that each segment of `a` shares with each of `b`.

    Args:
        a: `[H, W]` int64 ids.
        b: `[H, W]` int64 ids.

    Returns:
        Id in `a`, id in `b` and number of pixels of each pair that occurs.
    """
    if _native.module is not None:
        a, b = np.ascontiguousarray(a), np.ascontiguousarray(b)
        return _native.module.segment_pairs(a.ctypes.data, b.ctypes.data, a.size)
    (of_a, at_a), (of_b, at_b) = (np.unique(ids.ravel(), return_inverse=True) for ids in (a, b))
    cells, pixels = np.unique(at_a.ravel() * len(of_b) + at_b.ravel(), return_counts=True)
    rows, columns = np.divmod(cells, max(len(of_b), 1))
    return list(zip(of_a[rows].tolist(), of_b[columns].tolist(), pixels.tolist(), strict=True))
