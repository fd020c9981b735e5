"""The focal loss of dense detectors."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["sigmoid_focal_loss"]


def sigmoid_focal_loss(
    inputs: Tensor, targets: Tensor, alpha: float = 0.25, gamma: float = 2, reduction: str = "none"
) -> Tensor:
    """Binary cross entropy that counts less what is classified well already.

    `alpha_t * (1 - p_t) ** gamma * cross entropy`, where `p_t` is the probability of the true class: Lin et al., "Focal
    Loss for Dense Object Detection", ICCV 2017, equation 5. Differentiable with respect to both tensors.

    Args:
        inputs: logits, of any shape.
        targets: the same shape: 0 or 1, or between them for soft labels.
        alpha: weight of class 1, that of class 0 is 1 - alpha; -1 for no weights.
        gamma: how much less the well classified count.
        reduction: "none", "mean" or "sum".

    Returns:
        The shape of `inputs`, or `[]` with a reduction.

    Raises:
        ValueError: `alpha` outside of 0 to 1 other than -1, or an unknown reduction.

    Examples:
        >>> import torch
        >>> sigmoid_focal_loss(torch.tensor([0.0, 8.0]), torch.tensor([1.0, 1.0]), reduction="sum").item() > 0.04
        True
    """
    if alpha != -1 and (alpha < 0 or alpha > 1):
        raise ValueError(f"alpha: expected a weight from 0 to 1, or -1 for none, got {alpha}")
    if reduction != "none" and reduction != "mean" and reduction != "sum":
        raise ValueError(f"reduction: expected none, mean or sum, got {reduction}")
    p = torch.sigmoid(inputs)
    missing = torch.addcmul(p + targets, p, targets, value=-2)  # 1 - p_t
    loss = F.binary_cross_entropy_with_logits(inputs, targets, reduction="none")
    loss = loss * (missing * missing if gamma == 2 else missing**gamma)
    if alpha >= 0:
        loss = loss * (targets * (2 * alpha - 1) + (1 - alpha))
    if reduction == "mean":
        return loss.mean()
    return loss.sum() if reduction == "sum" else loss
