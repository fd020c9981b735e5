"""Checks of class indices."""

from __future__ import annotations

from torch import Tensor

__all__ = ["check_labels"]


def check_labels(labels: Tensor, num_classes: int, argument: str) -> None:
    """Check that all labels are integers in 0..num_classes - 1.

    Args:
        labels: of any shape.
        num_classes: how many classes there are.
        argument: the name for the error.

    Raises:
        TypeError: floating-point labels.
        ValueError: a label out of range.
    """
    if labels.is_floating_point() or labels.is_complex():
        raise TypeError(f"{argument}: expected integer class indices, got {labels.dtype}")
    if labels.numel() == 0:
        return
    low, high = (int(value) for value in labels.aminmax())
    if low < 0 or high >= num_classes:
        wrong = low if low < 0 else high
        raise ValueError(
            f"{argument}: class {wrong} is out of range, expected 0..{num_classes - 1}; pass ignore_index={wrong} "
            "if it marks what does not count"
        )
