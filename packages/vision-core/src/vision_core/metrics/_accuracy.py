"""Top-k accuracy of classification."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import torch
from torch import Tensor

from vision_core.metrics._labels import check_labels
from vision_core.metrics._metric import Metric

__all__ = ["Accuracy", "accuracy"]


def accuracy(output: Tensor, target: Tensor, topk: Sequence[int] = (1,)) -> list[Tensor]:
    """Return for each k the percentage of samples whose class is among the k highest scores.

    This is the function of the usual training scripts, hence percent; the metrics of this module give fractions.

    Args:
        output: `[N, C]` scores: logits or probabilities. Of equal scores the lower class is the higher one; NaN is
            higher than all, and never right.
        target: `[N]` class indices, or `[N, C]` soft labels, of which the largest counts.
        topk: the values of k, each in 1..C.

    Returns:
        For each k a scalar float32 tensor in 0..100, on the device of `output`. NaN for no samples.

    Raises:
        ValueError: shapes that do not fit, k or a class out of range.

    Examples:
        >>> import torch
        >>> output = torch.tensor([[0.1, 0.7, 0.2], [0.5, 0.2, 0.3]])
        >>> [value.item() for value in accuracy(output, torch.tensor([1, 2]), topk=(1, 2))]
        [50.0, 100.0]
    """
    ranks = _ranks(output, target, topk, None)
    return [100 * (ranks < k).to(torch.float32).mean() for k in topk]


class Accuracy(Metric[dict[str, float]]):
    """Top-k accuracy over a data set.

    Args:
        topk: the values of k.
        ignore_index: targets with this value are left out.

    Examples:
        >>> import torch
        >>> metric = Accuracy(topk=(1, 2))
        >>> metric.update(torch.tensor([[0.1, 0.7, 0.2], [0.5, 0.2, 0.3]]), torch.tensor([1, 2]))
        >>> metric.compute()
        {'acc@1': 0.5, 'acc@2': 1.0}
    """

    def __init__(self, topk: Sequence[int] = (1,), *, ignore_index: int | None = None) -> None:
        if not topk or any(k < 1 for k in topk):
            raise ValueError(f"topk: expected numbers from 1 up, got {tuple(topk)}")
        self.topk = tuple(int(k) for k in topk)
        self.ignore_index = ignore_index
        self.reset()

    def settings(self) -> dict[str, object]:
        """Return the arguments of the metric."""
        return {"topk": self.topk, "ignore_index": self.ignore_index}

    def reset(self) -> None:
        """Forget all samples."""
        self._correct = [0] * len(self.topk)
        self._count = 0

    def update(self, output: Tensor, target: Tensor) -> None:
        """Take in a batch.

        Args:
            output: `[N, C]` or `[N, C, ...]` scores, see `accuracy`.
            target: `[N]` or `[N, ...]` class indices; or, for `[N, C]`, soft labels of that shape.

        Raises:
            ValueError: shapes that do not fit, k or a class out of range.
        """
        ranks = _ranks(output, target, self.topk, self.ignore_index)
        limits = torch.tensor(self.topk, device=ranks.device)
        counts = (ranks < limits[:, None]).sum(1).tolist()
        self._correct = [a + b for a, b in zip(self._correct, counts, strict=True)]
        self._count += ranks.numel()

    def merge(self, other: Self) -> None:
        """Take in the samples of another metric."""
        self.check_mergeable(other)
        self._correct = [a + b for a, b in zip(self._correct, other._correct, strict=True)]
        self._count += other._count

    def compute(self) -> dict[str, float]:
        """Return `{"acc@1": fraction, ...}` in 0..1; NaN without samples."""
        return {
            f"acc@{k}": correct / self._count if self._count else float("nan")
            for k, correct in zip(self.topk, self._correct, strict=True)
        }


def _ranks(output: Tensor, target: Tensor, topk: Sequence[int], ignore_index: int | None) -> Tensor:
    """Return how many classes stand before the right one, for each sample that counts: `[samples]`."""
    if output.ndim < 2 or not output.is_floating_point():
        raise ValueError(
            f"output: expected floating-point scores [N, C, ...], got {output.dtype} {tuple(output.shape)}"
        )
    classes = output.shape[1]
    if any(not 1 <= k <= classes for k in topk):
        raise ValueError(f"topk: expected numbers in 1..{classes}, the number of classes, got {tuple(topk)}")
    if output.ndim == 2 and target.shape == output.shape:
        target = target.argmax(1)
    labels_shape = (output.shape[0], *output.shape[2:])
    if tuple(target.shape) != labels_shape:
        raise ValueError(
            f"target: expected class indices {labels_shape} for output {tuple(output.shape)}, got {tuple(target.shape)}"
        )
    output, target = output.detach().movedim(1, -1).reshape(-1, classes), target.detach().reshape(-1).to(output.device)
    if ignore_index is not None:
        counted = target != ignore_index
        output, target = output[counted], target[counted]
    check_labels(target, classes, "target")
    right = target.to(torch.int64)[:, None]
    score = output.gather(1, right)
    # `not <=` counts NaN as higher, as sorting does; a NaN of the right class is before nobody.
    before = ~(output <= score)
    before |= (output == score) & (torch.arange(classes, device=output.device) < right)
    return before.sum(1)
