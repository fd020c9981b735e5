"""Checks of batches: a dictionary for each image, in predictions and in targets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["check_batches"]


def check_batches(preds: Any, targets: Any) -> None:
    """Check that predictions and targets are sequences of one length.

    Raises:
        TypeError: a dictionary in place of a sequence of them.
        ValueError: different lengths.
    """
    for name, batch in (("preds", preds), ("targets", targets)):
        if isinstance(batch, Mapping):
            raise TypeError(f"{name}: expected a dictionary for each image, got one dictionary; pass [{name}]")
    if len(preds) != len(targets):
        raise ValueError(f"preds, targets: expected as many images in both, got {len(preds)} and {len(targets)}")
