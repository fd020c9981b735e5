"""Boxes as kernels read them: plain, dense, in a precision that kernels have."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["contiguous_batch", "contiguous_float"]


def contiguous_float(boxes: Tensor, columns: int) -> Tensor | None:
    """Return a plain `[N, columns]` CPU tensor as kernels read it, or None for all others.

    Half precision becomes float32. Integers, batches, other devices, subclasses and tensors that need a gradient are
    left to the reference, and so are wrong shapes, for which it raises.
    """
    if type(boxes) is not Tensor or not boxes.is_cpu or (boxes.requires_grad and torch.is_grad_enabled()):
        return None
    if boxes.dim() != 2 or boxes.shape[1] != columns:
        return None
    if boxes.dtype is not torch.float32 and boxes.dtype is not torch.float64:
        if boxes.dtype is not torch.float16 and boxes.dtype is not torch.bfloat16:
            return None
        boxes = boxes.to(torch.float32)
    return boxes if boxes.is_contiguous() else boxes.contiguous()


def contiguous_batch(boxes: Tensor, columns: int | None) -> Tensor | None:
    """Return a plain float32 or float64 `[..., columns]` CPU tensor as kernels read it, or None for all others.

    Without a number of columns there are two at least.
    """
    dtype = boxes.dtype
    if dtype is not torch.float32 and dtype is not torch.float64:
        return None
    if type(boxes) is not Tensor or not boxes.is_cpu or (boxes.requires_grad and torch.is_grad_enabled()):
        return None
    shape = boxes.shape
    if not shape or (shape[-1] < 2 if columns is None else shape[-1] != columns):
        return None
    return boxes if boxes.is_contiguous() else boxes.contiguous()
