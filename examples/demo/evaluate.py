"""Accuracy, confusion, and how closely one form of the network follows another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from examples.demo.actions import ACTIONS

__all__ = ["Agreement", "accuracy", "agreement", "confusion_matrix", "predict"]


@dataclass(frozen=True)
class Agreement:
    """How one network's logits compare with another's on the same clips.

    Attributes:
        largest_difference: Largest absolute difference of a logit over the largest absolute logit of the reference.
        same_top1: Share of the clips with the same first class, 0..1.
    """

    largest_difference: float
    same_top1: float


@torch.inference_mode()
def predict(
    model: Callable[[Tensor], Tensor], clips: Tensor, prepare: Callable[[Tensor], Tensor], batch_size: int = 16
) -> Tensor:
    """Run a network over clips.

    Args:
        model: Maps what ``prepare`` gives to logits ``[n, classes]``.
        clips: uint8 ``[N, 3, T, S, S]``.
        prepare: Makes the network's input.
        batch_size: Clips at a time.

    Returns:
        Logits ``[N, classes]``.
    """
    return torch.cat([model(prepare(part)).float() for part in clips.split(batch_size)])


def accuracy(logits: Tensor, labels: Tensor) -> float:
    """Share of the clips whose first class is right, 0..1.

    Example:
        >>> accuracy(torch.tensor([[0.0, 1.0], [1.0, 0.0]]), torch.tensor([1, 1]))
        0.5
    """
    return (logits.argmax(dim=1) == labels).double().mean().item()


def confusion_matrix(logits: Tensor, labels: Tensor) -> Tensor:
    """Count clips by true class (rows) and predicted class (columns), int64 ``[classes, classes]``."""
    classes = len(ACTIONS)
    return torch.bincount(labels * classes + logits.argmax(dim=1), minlength=classes * classes).view(classes, classes)


def agreement(logits: Tensor, reference: Tensor) -> Agreement:
    """Compare logits with those of the network that they stand for.

    Example:
        >>> agreement(torch.tensor([[1.0, 2.0]]), torch.tensor([[1.0, 2.0]]))
        Agreement(largest_difference=0.0, same_top1=1.0)
    """
    difference = (logits - reference).abs().max() / reference.abs().max()
    same = (logits.argmax(dim=1) == reference.argmax(dim=1)).double().mean()
    return Agreement(difference.item(), same.item())
