"""Leaves out detections that can never count, so that the state of a metric is bounded."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vision_core.metrics._columns import Array, ranges

__all__ = ["best_detections"]


def best_detections(
    columns: dict[str, Array], limit: int, classes: Sequence[int] | None, *, class_agnostic: bool
) -> dict[str, Array]:
    """Keep the detections in one image that can be among the `limit` best of their class.

    Args:
        columns: of the detections in an image, see `InstanceTable`.
        limit: how many count in a class, or in the image if it is `class_agnostic`.
        classes: the labels that are evaluated, None for all.
        class_agnostic: all classes are one.

    Returns:
        The columns of those that stay, in the order in which they came.
    """
    scores, labels = columns["scores"], columns["labels"]
    if len(scores) <= limit:
        return columns
    order = np.lexsort((labels, -scores) if class_agnostic else (-scores, labels))  # stable; the last key is the first
    if classes is not None:
        order = order[np.isin(labels[order], classes)]
    rank = np.arange(len(order))
    if not class_agnostic:
        rank = rank - np.searchsorted(labels[order], labels[order])
    kept = np.sort(order[rank < limit])
    out = {name: column[kept] for name, column in columns.items() if name != "texts"}
    if "texts" in columns:
        lengths = columns["text_lengths"]
        out["texts"] = columns["texts"][ranges((np.cumsum(lengths) - lengths)[kept], lengths[kept])]
    return out
