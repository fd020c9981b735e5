"""A faster gradient for depthwise convolutions, which are half the cost of an X3D training step on a CPU.

The gradient of a convolution of stride 1 with respect to its input is itself a convolution, with the kernel mirrored.
The forward kernel of oneDNN runs it an order of magnitude faster than its general backward-data kernel.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["FastDepthwiseConv3d", "with_fast_depthwise"]


class _DepthwiseConv3d(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, padding: tuple[int, ...]) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.padding = padding
        return torch.conv3d(x, weight, None, 1, padding, 1, weight.shape[0])

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        x, weight = ctx.saved_tensors
        grad, padding, groups = grad_outputs[0], ctx.padding, weight.shape[0]
        grad_x = grad_weight = None
        if ctx.needs_input_grad[0]:
            grad_x = torch.conv3d(grad, weight.flip(2, 3, 4), None, 1, padding, 1, groups)
        if ctx.needs_input_grad[1]:
            settings = ([1, 1, 1], list(padding), [1, 1, 1], False, [0, 0, 0], groups, [False, True, False])
            grad_weight = torch.ops.aten.convolution_backward(grad, x, weight, None, *settings)[1]
        return grad_x, grad_weight, None


class FastDepthwiseConv3d(nn.Conv3d):
    """A depthwise ``Conv3d`` of stride 1 that keeps the size, with the faster gradient."""

    def forward(self, input: Tensor) -> Tensor:
        """Convolve ``[N, C, T, H, W]``."""
        return _DepthwiseConv3d.apply(input, self.weight, self.padding)


def with_fast_depthwise(model: nn.Module) -> nn.Module:
    """Give the depthwise convolutions of a network, where it applies, the faster gradient.

    The parameters are the same objects under the same names, so the state dict fits the unchanged network.

    Args:
        model: Any network; changed in place.

    Returns:
        The same network.
    """
    for module in model.modules():
        if type(module) is nn.Conv3d and _applies(module):
            module.__class__ = FastDepthwiseConv3d
    return model


def _applies(conv: nn.Conv3d) -> bool:
    same_size = conv.padding == tuple(size // 2 for size in conv.kernel_size) and all(s % 2 for s in conv.kernel_size)
    plain = set(conv.stride) == {1} and set(conv.dilation) == {1} and conv.bias is None
    return conv.groups == conv.in_channels == conv.out_channels and plain and same_size and conv.padding_mode == "zeros"
