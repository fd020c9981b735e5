"""Mean intersection over union of semantic segmentation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from vision_core.metrics._confusion_matrix import ConfusionMatrix, confusion_matrix
from vision_core.metrics._metric import Metric

__all__ = ["MeanIoU", "MeanIoUResult", "mean_iou"]


@dataclass(frozen=True)
class MeanIoUResult:
    """What `MeanIoU.compute` returns; every value is in 0..1, NaN where no pixel says anything.

    Attributes:
        mean_iou: mean of `iou` over the classes that occur in predictions or targets.
        pixel_accuracy: share of pixels of the right class.
        mean_accuracy: mean of `accuracy` over the classes that occur in targets.
        iou: `[C]` float64: intersection over union of each class.
        dice: `[C]` float64: 2 * intersection / (predicted + true pixels) of each class, the F1 score of its pixels.
        accuracy: `[C]` float64: share of the pixels of each true class that were found.
    """

    mean_iou: float
    pixel_accuracy: float
    mean_accuracy: float
    iou: Tensor
    dice: Tensor
    accuracy: Tensor


class MeanIoU(Metric[MeanIoUResult]):
    """Mean IoU over a data set: intersections and unions are summed over all images before they are divided.

    Everingham et al., "The PASCAL Visual Object Classes Challenge", IJCV 2010, section 4.3.

    Args:
        num_classes: C.
        ignore_index: pixels of this target are left out; the usual one of segmentation data is 255.

    Examples:
        >>> import torch
        >>> metric = MeanIoU(num_classes=2, ignore_index=255)
        >>> metric.update(torch.tensor([[0, 1], [1, 1]]), torch.tensor([[0, 0], [1, 255]]))
        >>> metric.compute().mean_iou
        0.5
    """

    def __init__(self, num_classes: int, *, ignore_index: int | None = None) -> None:
        self._matrix = ConfusionMatrix(num_classes, ignore_index=ignore_index)

    def settings(self) -> dict[str, object]:
        """Return the arguments of the metric."""
        return {"num_classes": self._matrix.num_classes, "ignore_index": self._matrix.ignore_index}

    def reset(self) -> None:
        """Forget all images."""
        self._matrix.reset()

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Take in a batch.

        Args:
            preds: class indices of the shape of `target`, or scores `[N, C, H, W]` whose largest counts.
            target: `[N, H, W]` class indices.

        Raises:
            TypeError: labels that are no integers.
            ValueError: shapes that do not fit, a class out of range.
        """
        self._matrix.update(preds, target)

    def merge(self, other: Self) -> None:
        """Take in the images of another metric."""
        self.check_mergeable(other)
        self._matrix.merge(other._matrix)

    def compute(self) -> MeanIoUResult:
        """Return the mean and what it is made of."""
        return _from_matrix(self._matrix.compute())


def mean_iou(preds: Tensor, target: Tensor, num_classes: int, ignore_index: int | None = None) -> float:
    """Return the mean IoU of one batch.

    Args:
        preds: class indices of the shape of `target`, or scores `[N, C, H, W]` whose largest counts.
        target: `[N, H, W]` class indices.
        num_classes: C.
        ignore_index: pixels of this target are left out.

    Returns:
        The mean over the classes that occur in `preds` or `target`; NaN if nothing counts.

    Raises:
        TypeError: labels that are no integers.
        ValueError: shapes that do not fit, a class out of range.

    Examples:
        >>> import torch
        >>> mean_iou(torch.tensor([0, 1, 1]), torch.tensor([0, 0, 1]), num_classes=2)
        0.5
    """
    return _from_matrix(confusion_matrix(preds, target, num_classes, ignore_index).cpu()).mean_iou


def _from_matrix(counts: Tensor) -> MeanIoUResult:
    counts = counts.to(torch.float64)
    hit, true, predicted = counts.diagonal(), counts.sum(1), counts.sum(0)
    iou = hit / (true + predicted - hit)  # 0 / 0 = NaN: the class does not occur
    accuracy = hit / true
    return MeanIoUResult(
        mean_iou=float(iou.nanmean()),
        pixel_accuracy=float(hit.sum() / counts.sum()),
        mean_accuracy=float(accuracy.nanmean()),
        iou=iou,
        dice=2 * hit / (true + predicted),
        accuracy=accuracy,
    )
