"""Depthwise 3-D convolution that trains faster on CPUs."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.grad import conv3d_weight

__all__ = ["DepthwiseConv3d"]


class DepthwiseConv3d(nn.Conv3d):
    """A depthwise ``nn.Conv3d`` without bias and dilation, whose gradient is fast on CPUs.

    The gradient of the input is itself a depthwise convolution, of the output's gradient with the mirrored kernel. On
    CPUs torch has a fast kernel for that and a slow one for the gradient as such (about 15 times slower at X3D's sizes
    in ``channels_last_3d``), so in training mode this layer uses the former. Everywhere else, also when it is compiled,
    exported, scripted or traced, it is ``nn.Conv3d``, whose parameters it has.

    Args:
        channels: Channels of input and output.
        kernel_size: Kernel, (time, height, width).
        stride: Stride.
        padding: Padding.

    Examples:
        >>> DepthwiseConv3d(8, (3, 3, 3), (1, 2, 2), (1, 1, 1))(torch.rand(1, 8, 4, 6, 6)).shape
        torch.Size([1, 8, 4, 3, 3])
    """

    def __init__(
        self,
        channels: int,
        kernel_size: tuple[int, int, int],
        stride: tuple[int, int, int] = (1, 1, 1),
        padding: tuple[int, int, int] = (0, 0, 0),
    ) -> None:
        super().__init__(channels, channels, kernel_size, stride, padding, groups=channels, bias=False)

    def forward(self, input: Tensor) -> Tensor:
        """Map ``[N, C, T, H, W]`` to ``[N, C, T', H', W']``."""
        if not torch.jit.is_scripting():  # noqa: SIM102 # pyright: ignore[reportPrivateImportUsage]
            if self.training and _gains(input, self.weight):
                return _Depthwise.apply(input, self.weight, self.stride, self.padding)  # type: ignore[return-value]
        return self._conv_forward(input, self.weight, self.bias)


def _gains(x: Tensor, weight: Tensor) -> bool:
    return (
        isinstance(x, Tensor)
        and x.device.type == "cpu"
        and x.dtype == weight.dtype == torch.float32
        and torch.is_grad_enabled()
        and not torch.is_autocast_enabled("cpu")
        and not torch.compiler.is_compiling()
        and not torch.jit.is_tracing()  # pyright: ignore[reportPrivateImportUsage]
    )


class _Depthwise(torch.autograd.Function):
    """The convolution and its gradients, which are made of differentiable operators: it can be differentiated twice."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, weight: Tensor, stride: tuple[int, ...], padding: tuple[int, ...]) -> Tensor:
        return F.conv3d(x, weight, None, stride, padding, 1, weight.shape[0])

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        x, weight, ctx.stride, ctx.padding = inputs
        ctx.save_for_backward(x, weight)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        (grad,) = grads
        x, weight = ctx.saved_tensors
        grad_x = grad_weight = None
        if ctx.needs_input_grad[0]:
            grad_x = _input_gradient(grad, weight, x, ctx.stride, ctx.padding)
        if ctx.needs_input_grad[1]:
            grad_weight = conv3d_weight(x, weight.shape, grad, ctx.stride, ctx.padding, 1, weight.shape[0])  # pyright: ignore[reportPrivateImportUsage]
        return grad_x, grad_weight, None, None


def _input_gradient(
    grad: Tensor, weight: Tensor, x: Tensor, stride: tuple[int, ...], padding: tuple[int, ...]
) -> Tensor:
    """Convolve ``grad``, spread to the stride, with the mirrored kernel."""
    mirrored = weight.flip(2, 3, 4)
    kernel = weight.shape[2:]
    if all(s == 1 and k == 2 * p + 1 for s, k, p in zip(stride, kernel, padding, strict=True)):
        return F.conv3d(grad, mirrored, None, 1, padding, 1, weight.shape[0])
    size = [n + k - 1 for n, k in zip(x.shape[2:], kernel, strict=True)]
    spread = torch.zeros_like(grad[:, :, :1, :1, :1]).expand(-1, -1, *size)
    spread = spread.contiguous(memory_format=torch.channels_last_3d)
    slots = [
        slice(k - 1 - p, k - 1 - p + (n - 1) * s + 1, s)
        for k, p, n, s in zip(kernel, padding, grad.shape[2:], stride, strict=True)
    ]
    spread[:, :, slots[0], slots[1], slots[2]] = grad
    return F.conv3d(spread, mirrored, None, 1, 0, 1, weight.shape[0])
