"""Layers that several families share."""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

__all__ = ["Conv2dNormActivation", "SqueezeExcitation", "StochasticDepth", "initialise_convolutions", "make_divisible"]


def make_divisible(channels: float, divisor: int = 8, minimum: int | None = None) -> int:
    """Round a number of channels to a multiple of ``divisor`` without going below 90 % of it.

    Source: the MobileNet papers' reference code (https://arxiv.org/abs/1801.04381, section 4).

    Args:
        channels: the wanted number, often scaled by a width multiplier.
        divisor: what the result is a multiple of.
        minimum: the smallest result, ``divisor`` by default.

    Examples:
        >>> make_divisible(37.0), make_divisible(19.0)
        (40, 24)
    """
    rounded = max(minimum or divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded if rounded >= 0.9 * channels else rounded + divisor


class Conv2dNormActivation(nn.Sequential):
    """A convolution, then a normalisation, then an activation.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        kernel_size: of the convolution.
        stride: of the convolution.
        padding: keeps the size at stride 1 by default.
        groups: of the convolution.
        norm_layer: makes the normalisation for a number of channels; ``None`` leaves it out.
        activation_layer: makes the activation; ``None`` leaves it out.
        dilation: of the convolution.
        inplace: whether the activation works in place; ``None`` for activations without that argument.
        bias: of the convolution; by default where there is no normalisation.

    Examples:
        >>> import torch
        >>> Conv2dNormActivation(3, 8, stride=2)(torch.zeros(1, 3, 16, 16)).shape
        torch.Size([1, 8, 8, 8])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 3,
        stride: int = 1,
        padding: int | None = None,
        groups: int = 1,
        norm_layer: Callable[..., nn.Module] | None = nn.BatchNorm2d,
        activation_layer: Callable[..., nn.Module] | None = nn.ReLU,
        dilation: int = 1,
        inplace: bool | None = True,
        bias: bool | None = None,
    ) -> None:
        if padding is None:
            padding = (kernel_size - 1) // 2 * dilation
        if bias is None:
            bias = norm_layer is None
        layers: list[nn.Module] = [
            nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias)
        ]
        if norm_layer is not None:
            layers.append(norm_layer(out_channels))
        if activation_layer is not None:
            arguments: dict[str, Any] = {} if inplace is None else {"inplace": inplace}
            layers.append(activation_layer(**arguments))
        super().__init__(*layers)
        self.out_channels = out_channels


class SqueezeExcitation(nn.Module):
    """Rescales each channel by a gate computed from the channels' means (https://arxiv.org/abs/1709.01507).

    Args:
        input_channels: channels of input and output.
        squeeze_channels: channels between the two layers of the gate.
        activation: makes the activation between them.
        scale_activation: makes the gate's own activation.

    Examples:
        >>> import torch
        >>> SqueezeExcitation(8, 2)(torch.zeros(1, 8, 4, 4)).shape
        torch.Size([1, 8, 4, 4])
    """

    def __init__(
        self,
        input_channels: int,
        squeeze_channels: int,
        activation: Callable[[], nn.Module] = nn.ReLU,
        scale_activation: Callable[[], nn.Module] = nn.Sigmoid,
    ) -> None:
        super().__init__()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(input_channels, squeeze_channels, 1)
        self.fc2 = nn.Conv2d(squeeze_channels, input_channels, 1)
        self.activation = activation()
        self.scale_activation = scale_activation()

    def forward(self, x: Tensor) -> Tensor:
        scale = self.fc2(self.activation(self.fc1(self.avgpool(x))))  # (B, C, 1, 1)
        return self.scale_activation(scale) * x


class StochasticDepth(nn.Module):
    """While training, replaces a residual branch by zero for randomly chosen samples (https://arxiv.org/abs/1603.09382).

    What is kept is divided by the probability of keeping it, so that the expected value stays.

    Args:
        p: probability of zeroing, 0 to 1.
        mode: ``"row"`` draws for each sample, ``"batch"`` once.

    Raises:
        ValueError: ``p`` is out of range or ``mode`` unknown.

    Examples:
        >>> import torch
        >>> StochasticDepth(0.5).eval()(torch.ones(2, 1))
        tensor([[1.],
                [1.]])
    """

    def __init__(self, p: float, mode: str = "row") -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"p: expected a probability from 0 to 1, got {p}")
        if mode not in ("row", "batch"):
            raise ValueError(f"mode: expected 'row' or 'batch', got {mode!r}")
        self.p = p
        self.mode = mode

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0.0:
            return x
        shape = [x.shape[0] if self.mode == "row" else 1] + [1] * (x.ndim - 1)
        kept = x.new_empty(shape).bernoulli_(1.0 - self.p)
        if self.p < 1.0:
            kept = kept / (1.0 - self.p)
        return x * kept

    def extra_repr(self) -> str:
        return f"p={self.p}, mode={self.mode!r}"


def initialise_convolutions(model: nn.Module) -> None:
    """He initialisation (https://arxiv.org/abs/1502.01852) of convolutions; normalisations begin as the identity."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, (nn.BatchNorm2d, nn.GroupNorm)) and module.affine:
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
