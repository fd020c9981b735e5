"""Symmetries of space and time as augmentation: they change the action in a known way, so the label goes along.

Played backwards, what moved left moves right and what came closer goes away. Mirrored, left and right swap and turns
change direction. With rows and columns swapped as well, each video stands for sixteen.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from examples.demo.actions import FLIP_X, FLIP_Y, REVERSE_TIME, TRANSPOSE

__all__ = ["apply_symmetry", "random_symmetries"]


def apply_symmetry(
    clip: Tensor, label: int, *, reverse: bool, flip_x: bool, flip_y: bool, transpose: bool
) -> tuple[Tensor, int]:
    """Transform one square clip and its label.

    Args:
        clip: ``[C, T, S, S]``.
        label: Index of its action.
        reverse: Play it backwards.
        flip_x: Swap left and right.
        flip_y: Swap top and bottom.
        transpose: Swap rows and columns, after the flips.

    Returns:
        The clip (a view or a copy) and its new label.

    Example:
        >>> apply_symmetry(torch.rand(3, 4, 8, 8), 0, reverse=True, flip_x=False, flip_y=False, transpose=False)[1]
        1
    """
    if reverse:
        clip, label = clip.flip(1), REVERSE_TIME[label]
    if flip_x:
        clip, label = clip.flip(3), FLIP_X[label]
    if flip_y:
        clip, label = clip.flip(2), FLIP_Y[label]
    if transpose:
        clip, label = clip.transpose(2, 3), TRANSPOSE[label]
    return clip, label


def random_symmetries(clips: Tensor, labels: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """Transform each clip of a batch by its own random symmetry.

    Args:
        clips: ``[N, C, T, S, S]``.
        labels: ``[N]``, int64.
        generator: Source of randomness.

    Returns:
        New tensors of the same shapes.
    """
    coins = torch.randint(0, 2, (len(clips), 4), generator=generator, dtype=torch.bool).tolist()
    new_clips, new_labels = torch.empty_like(clips), torch.empty_like(labels)
    for i, (reverse, flip_x, flip_y, transpose) in enumerate(coins):
        new_clips[i], new_labels[i] = apply_symmetry(
            clips[i], int(labels[i]), reverse=reverse, flip_x=flip_x, flip_y=flip_y, transpose=transpose
        )
    return new_clips, new_labels
