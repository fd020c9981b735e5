"""Cross entropy with class weights as targets."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["SoftTargetCrossEntropyLoss"]


class SoftTargetCrossEntropyLoss(nn.Module):
    """Cross entropy of logits against rows of class weights, or class indices.

    Args:
        ignore_index: Class that is left out of every target: its column of weights, or class indices equal to it. A
            sample that is left without weight does not count.
        reduction: ``"mean"`` over the samples that count, ``"sum"``, or ``"none"`` for one loss per sample.
        normalize_targets: Divide each row of weights by its sum.

    Examples:
        >>> loss = SoftTargetCrossEntropyLoss()
        >>> loss(torch.zeros(1, 4), torch.tensor([[0.0, 0.5, 0.5, 0.0]]))
        tensor(1.3863)
    """

    def __init__(
        self,
        ignore_index: int = -100,
        reduction: Literal["mean", "sum", "none"] = "mean",
        normalize_targets: bool = True,
    ) -> None:
        super().__init__()
        if reduction not in ("mean", "sum", "none"):
            raise ValueError(f"reduction must be 'mean', 'sum' or 'none', got {reduction!r}")
        self._ignore_index = ignore_index
        self._reduction = reduction
        self._normalize_targets = normalize_targets

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss.

        Args:
            input: ``[N, classes]`` logits.
            target: ``[N, classes]`` weights, or ``[N]`` class indices.

        Returns:
            A scalar; ``[N]`` with ``reduction="none"``, 0 for samples that do not count.

        Raises:
            ValueError: When the shapes do not fit.
        """
        classes = input.shape[-1]
        counts = torch.ones(input.shape[:1], dtype=torch.bool, device=input.device)
        if target.ndim == 1:
            counts = target != self._ignore_index
            weights = F.one_hot(target.where(counts, torch.zeros_like(target)), classes).to(input.dtype)
        else:
            weights = target.to(input.dtype)
        if input.ndim != 2 or weights.shape != input.shape:
            raise ValueError(
                f"expected logits [N, classes] and weights of the same shape or indices [N], got shapes "
                f"{input.shape} and {target.shape}"
            )
        if target.ndim == 2:
            weights = weights * (torch.arange(classes, device=input.device) != self._ignore_index)
            counts = weights.sum(dim=1) > 0
        if self._normalize_targets:
            total = weights.sum(dim=1, keepdim=True)
            weights = weights / total.where(total > 0, torch.ones_like(total))
        loss = -(weights * F.log_softmax(input, dim=-1)).sum(dim=1) * counts
        if self._reduction == "none":
            return loss
        return loss.sum() / counts.sum().clamp(min=1) if self._reduction == "mean" else loss.sum()
