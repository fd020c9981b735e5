"""State of metrics that compare what was found in images with what there is: two tables, and ids of the images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vision_core.metrics._columns import Array, Column, InstanceTable

__all__ = ["ImageTables", "concatenated", "counts_of", "image_ids_of"]


class ImageTables:
    """Detections and ground truths of images, and the ids of the images if they have some.

    Args:
        detections: columns of the detections: name to dtype and shape of a row.
        truths: columns of the ground truths.
    """

    def __init__(self, detections: Mapping[str, tuple[Any, ...]], truths: Mapping[str, tuple[Any, ...]]) -> None:
        self.detections, self.truths = InstanceTable(detections), InstanceTable(truths)
        self._ids: Column | None = None

    def __len__(self) -> int:
        return len(self.truths.counts.values)

    def add(
        self,
        ids: Array | None,
        detection_counts: Array,
        detections: Mapping[str, Array],
        truth_counts: Array,
        truths: Mapping[str, Array],
    ) -> None:
        """Add images.

        Args:
            ids: of the images, or None.
            detection_counts: how many detections each has.
            detections: their columns.
            truth_counts: how many ground truths each has.
            truths: their columns.

        Raises:
            ValueError: if the images so far have ids and these do not, or the other way round.
        """
        self._add_ids(ids)
        self.detections.append(detection_counts, detections)
        self.truths.append(truth_counts, truths)

    def extend(self, other: ImageTables) -> None:
        """Add all images of another one."""
        if len(other):
            self._add_ids(None if other._ids is None else other._ids.values)
            self.detections.extend(other.detections)
            self.truths.extend(other.truths)

    def order(self) -> Array:
        """Return the images that count: in the order of ids, each id once; without ids as they came."""
        return np.arange(len(self)) if self._ids is None else np.unique(self._ids.values, return_index=True)[1]

    def _add_ids(self, ids: Array | None) -> None:
        if len(self) and (ids is None) != (self._ids is None):
            raise ValueError("targets: some images have an image_id and others do not; give it to all or to none")
        if ids is not None:
            self._ids = self._ids or Column(np.int64)
            self._ids.append(ids)


def image_ids_of(targets: Sequence[Mapping[str, Any]]) -> Array | None:
    """Return the `image_id` of each target, None if they have none.

    Raises:
        ValueError: if only some have one.
    """
    given = ["image_id" in target for target in targets]
    if not any(given):
        return None
    if not all(given):
        raise ValueError(f"targets[{given.index(False)}]: has no 'image_id', others have; give it to all or to none")
    return np.array([int(target["image_id"]) for target in targets], np.int64)


def counts_of(images: Sequence[Mapping[str, Array]]) -> Array:
    """Return how many instances each image has."""
    return np.array([len(image["labels"]) for image in images], np.int64)


def concatenated(images: Sequence[Mapping[str, Array]]) -> Mapping[str, Array]:
    """Return the columns of all images, one after the other; there is at least one."""
    if len(images) == 1:
        return images[0]
    return {name: np.concatenate([image[name] for image in images]) for name in images[0]}
