"""When an operator may skip torch's dispatcher.

A call through the dispatcher into Python costs 3 us, and 10 us and more with a gradient registered: more than the work
on a few boxes. It may be left out when nothing would watch or change the call.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.autograd import forward_ad

__all__ = ["is_transformed", "nothing_watches", "runs_directly"]

_is_compiling = torch.compiler.is_compiling
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
    """Return whether a call on plain tensors may go past the dispatcher, straight to a kernel.

    True while nothing is compiled, traced, transformed (`torch.func`), profiled, differentiated forwards or intercepted
    by a mode. Gradients in reverse mode are the caller's matter.

    Examples:
        >>> nothing_watches()
        True
    """
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


def runs_directly(first: Tensor, second: Tensor) -> bool:
    """Return whether an operator on these tensors may call its kernel itself: plain dense ones of the CPU, unwatched.

    Args:
        first: a tensor.
        second: another one.

    Examples:
        >>> import torch
        >>> runs_directly(torch.zeros(2), torch.zeros(3))
        True
        >>> runs_directly(torch.zeros(2, device="meta"), torch.zeros(3))
        False
    """
    return (
        nothing_watches()
        and type(first) is Tensor
        and type(second) is Tensor
        and first.is_cpu
        and second.is_cpu
        and first.layout is torch.strided
        and second.layout is torch.strided
    )


def is_transformed() -> bool:
    """Return whether a transformation of `torch.func` is at work, outside of `torch.compile`.

    The gradients that `torch.library` registers know nothing of these; a `torch.autograd.Function` does.

    Examples:
        >>> is_transformed()
        False
    """
    return _can_tell and not _is_compiling() and _transform_level() is not None
