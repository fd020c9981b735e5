"""The short way to a kernel, past the dispatcher of torch, for calls that nobody but the kernel needs to see.

A call through `torch.ops` costs 3 us, and 10 us and more with a gradient registered: more than small inputs take to
compute. It is needed where something stands between the caller and the kernel.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.autograd import forward_ad

__all__ = ["is_transformed", "runs_directly"]

_interpreters = torch._C._functorch.peek_interpreter_stack  # type: ignore[attr-defined]
_modes = torch._C._len_torch_dispatch_stack
_function_modes = torch._C._len_torch_function_stack
_tracing = torch._C._get_tracing_state
_profiling = torch.autograd._profiler_enabled  # type: ignore[attr-defined]
_compiling = torch.compiler.is_compiling


def runs_directly(first: Tensor, second: Tensor) -> bool:
    """Whether an operator on these tensors may call its kernel itself.

    True for plain dense tensors of the CPU while nothing is compiled, traced, transformed (`torch.func`), profiled or
    intercepted by a mode. Gradients in reverse mode are the caller's matter.

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
        not _compiling()
        and type(first) is Tensor
        and type(second) is Tensor
        and _function_modes() == 0
        and _modes() == 0
        and _interpreters() is None
        and first.is_cpu
        and second.is_cpu
        and first.layout is torch.strided
        and second.layout is torch.strided
        and forward_ad._current_level < 0
        and _tracing() is None
        and not _profiling()
    )


def is_transformed() -> bool:
    """Whether a transformation of `torch.func` is at work, outside of `torch.compile`.

    The gradients that `torch.library` registers know nothing of these; a `torch.autograd.Function` does.

    Examples:
        >>> is_transformed()
        False
    """
    return not _compiling() and _interpreters() is not None
