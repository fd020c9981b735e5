"""The confusion matrix, of classification and of semantic segmentation."""

from __future__ import annotations

from typing import Literal, Self

import torch
from torch import Tensor

from vision_core.metrics._labels import check_labels
from vision_core.metrics._metric import Metric

__all__ = ["ConfusionMatrix", "confusion_matrix"]

Normalize = Literal["true", "pred", "all"]


def confusion_matrix(preds: Tensor, target: Tensor, num_classes: int, ignore_index: int | None = None) -> Tensor:
    """Count how often each class was taken for each.

    Args:
        preds: class indices of the shape of `target`, or scores `[N, C, ...]` whose largest counts.
        target: `[N, ...]` class indices.
        num_classes: C.
        ignore_index: targets with this value are left out.

    Returns:
        `[C, C]` int64 on the device of `target`: row = true class, column = predicted class.

    Raises:
        TypeError: labels that are no integers.
        ValueError: shapes that do not fit, a class out of range.

    Examples:
        >>> import torch
        >>> confusion_matrix(torch.tensor([0, 1, 1]), torch.tensor([0, 0, 1]), num_classes=2).tolist()
        [[1, 1], [0, 1]]
    """
    preds, target = preds.detach(), target.detach()
    if preds.is_floating_point() and preds.ndim == target.ndim + 1:
        if preds.shape[1] != num_classes:
            raise ValueError(f"preds: expected scores [N, {num_classes}, ...], got {tuple(preds.shape)}")
        preds = preds.argmax(1)
    if preds.shape != target.shape:
        raise ValueError(
            f"preds, target: expected class indices of one shape (or scores [N, C, ...] and target [N, ...]), got "
            f"{tuple(preds.shape)} and {tuple(target.shape)}"
        )
    preds = preds.to(target.device)
    if ignore_index is not None:
        counted = target != ignore_index
        preds, target = preds[counted], target[counted]
    check_labels(target, num_classes, "target")
    check_labels(preds, num_classes, "preds")
    cells = target.reshape(-1).to(torch.int64) * num_classes + preds.reshape(-1)
    return torch.bincount(cells, minlength=num_classes * num_classes).reshape(num_classes, num_classes)


class ConfusionMatrix(Metric[Tensor]):
    """The confusion matrix over a data set.

    Args:
        num_classes: C.
        ignore_index: targets with this value are left out.
        normalize: None for counts; "true": each row sums to 1; "pred": each column; "all": the whole matrix.

    Examples:
        >>> import torch
        >>> metric = ConfusionMatrix(num_classes=2, normalize="true")
        >>> metric.update(torch.tensor([0, 1, 1]), torch.tensor([0, 0, 1]))
        >>> metric.compute().tolist()
        [[0.5, 0.5], [0.0, 1.0]]
    """

    def __init__(
        self, num_classes: int, *, ignore_index: int | None = None, normalize: Normalize | None = None
    ) -> None:
        if num_classes < 1:
            raise ValueError(f"num_classes: expected a number from 1 up, got {num_classes}")
        if normalize not in (None, "true", "pred", "all"):
            raise ValueError(f'normalize: expected None, "true", "pred" or "all", got {normalize!r}')
        self.num_classes = num_classes
        self.ignore_index = ignore_index
        self.normalize: Normalize | None = normalize
        self.reset()

    def settings(self) -> dict[str, object]:
        """Return the arguments of the metric."""
        return {"num_classes": self.num_classes, "ignore_index": self.ignore_index, "normalize": self.normalize}

    def reset(self) -> None:
        """Forget all samples."""
        self._counts = torch.zeros(self.num_classes, self.num_classes, dtype=torch.int64)

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Take in a batch, see `confusion_matrix`.

        Args:
            preds: class indices of the shape of `target`, or scores `[N, C, ...]`.
            target: `[N, ...]` class indices.

        Raises:
            TypeError: labels that are no integers.
            ValueError: shapes that do not fit, a class out of range.
        """
        self._counts += confusion_matrix(preds, target, self.num_classes, self.ignore_index).cpu()

    def merge(self, other: Self) -> None:
        """Take in the samples of another metric."""
        self.check_mergeable(other)
        self._counts += other._counts

    def compute(self) -> Tensor:
        """Return `[C, C]`, row = true class: int64 counts, or float64 shares (0 where there is nothing to share)."""
        if self.normalize is None:
            return self._counts.clone()
        dim = {"true": (1,), "pred": (0,), "all": (0, 1)}[self.normalize]
        whole = self._counts.sum(dim, keepdim=True).clamp(min=1)
        return self._counts.to(torch.float64) / whole
