"""When an operator may skip torch's dispatcher.

A call through the dispatcher into Python costs 1.5 us, more than the work on a few boxes. It may be left out when
nothing would watch or change the call: no tracing, compiling, profiling, `torch.func` transform or mode.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.autograd import forward_ad

__all__ = ["contiguous_batch", "contiguous_float", "nothing_watches"]

_is_dynamo_compiling = torch.compiler.is_dynamo_compiling
try:
    _is_tracing = torch._C._is_tracing
    _dispatch_modes = torch._C._len_torch_dispatch_stack
    _function_modes = torch._C._len_torch_function_stack
    _transform_level = torch._C._functorch.maybe_current_level  # pyright: ignore[reportAttributeAccessIssue]
    _profiler_enabled = torch.autograd._profiler_enabled  # pyright: ignore[reportPrivateImportUsage]
    _can_tell = hasattr(forward_ad, "_current_level")
except AttributeError:  # these names are private: a torch without one of them costs 2 us a call, and nothing else
    _can_tell = False


def nothing_watches() -> bool:
    """Return whether a call on plain tensors may go past the dispatcher, straight to a kernel."""
    return not (
        _is_dynamo_compiling()
        or not _can_tell
        or _is_tracing()
        or _dispatch_modes()
        or _function_modes()
        or _transform_level() is not None
        or forward_ad._current_level >= 0
        or _profiler_enabled()
    )


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


def contiguous_batch(boxes: Tensor, columns: int) -> Tensor | None:
    """Return a plain float32 or float64 `[..., columns]` CPU tensor as kernels read it, or None for all others."""
    dtype = boxes.dtype
    if dtype is not torch.float32 and dtype is not torch.float64:
        return None
    if type(boxes) is not Tensor or not boxes.is_cpu or (boxes.requires_grad and torch.is_grad_enabled()):
        return None
    shape = boxes.shape
    if not shape or shape[-1] != columns:
        return None
    return boxes if boxes.is_contiguous() else boxes.contiguous()
