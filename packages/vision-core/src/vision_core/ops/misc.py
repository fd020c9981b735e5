"""Layers that many architectures share, under the import path of torchvision's module.

Their parameters have torchvision's names, so that published checkpoints load.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from itertools import repeat
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

__all__ = [
    "MLP",
    "Conv2dNormActivation",
    "Conv3dNormActivation",
    "ConvNormActivation",
    "FrozenBatchNorm2d",
    "Permute",
    "SqueezeExcitation",
    "interpolate",
]

Layer = Callable[..., nn.Module]


class FrozenBatchNorm2d(nn.Module):
    """Batch normalisation whose statistics and affine parameters do not change.

    Args:
        num_features: channels.
        eps: is added to the variance.

    Examples:
        >>> import torch
        >>> FrozenBatchNorm2d(3)(torch.ones(1, 3, 2, 2)).shape
        torch.Size([1, 3, 2, 2])
    """

    if TYPE_CHECKING:  # TorchScript cannot resolve annotations that stand here
        weight: Tensor
        bias: Tensor
        running_mean: Tensor
        running_var: Tensor

    def __init__(self, num_features: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.register_buffer("weight", torch.ones(num_features))
        self.register_buffer("bias", torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))

    def _load_from_state_dict(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        state_dict.pop(prefix + "num_batches_tracked", None)  # nn.BatchNorm2d has it
        super()._load_from_state_dict(
            state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
        )

    def forward(self, x: Tensor) -> Tensor:
        """Normalise `[N, C, H, W]`."""
        scale = self.weight * (self.running_var + self.eps).rsqrt()
        shift = self.bias - self.running_mean * scale
        return x * scale.reshape(1, -1, 1, 1) + shift.reshape(1, -1, 1, 1)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.weight.shape[0]}, eps={self.eps})"


class ConvNormActivation(nn.Sequential):
    """A convolution, a normalisation and an activation; use `Conv2dNormActivation` or `Conv3dNormActivation`.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output, also the attribute `out_channels`.
        kernel_size: taps in each direction.
        stride: distance of the output's positions.
        padding: zeros around the input; by default as many as keep its size at stride 1.
        groups: groups of channels that are convolved apart.
        norm_layer: makes the normalisation of so many channels; None for none.
        activation_layer: makes the activation; None for none.
        dilation: distance of taps.
        inplace: is passed to the activation unless it is None.
        bias: whether the convolution has one; by default it has where nothing normalises.
        conv_layer: makes the convolution.

    Examples:
        >>> len(Conv2dNormActivation(3, 8, activation_layer=None))
        2
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, ...] = 3,
        stride: int | tuple[int, ...] = 1,
        padding: int | tuple[int, ...] | str | None = None,
        groups: int = 1,
        norm_layer: Layer | None = nn.BatchNorm2d,
        activation_layer: Layer | None = nn.ReLU,
        dilation: int | tuple[int, ...] = 1,
        inplace: bool | None = True,
        bias: bool | None = None,
        conv_layer: Layer = nn.Conv2d,
    ) -> None:
        convolution = conv_layer(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            _same_padding(kernel_size, dilation) if padding is None else padding,
            dilation=dilation,
            groups=groups,
            bias=norm_layer is None if bias is None else bias,
        )
        layers = [convolution]
        if norm_layer is not None:
            layers.append(norm_layer(out_channels))
        if activation_layer is not None:
            layers.append(activation_layer(**({} if inplace is None else {"inplace": inplace})))
        super().__init__(*layers)
        self.out_channels = out_channels
        if type(self) is ConvNormActivation:
            warnings.warn(
                "ConvNormActivation is a base class: use Conv2dNormActivation or Conv3dNormActivation", stacklevel=2
            )


def _same_padding(kernel_size: int | Sequence[int], dilation: int | Sequence[int]) -> int | tuple[int, ...]:
    if isinstance(kernel_size, int) and isinstance(dilation, int):
        return (kernel_size - 1) // 2 * dilation
    kernels = repeat(kernel_size) if isinstance(kernel_size, int) else kernel_size
    dilations = repeat(dilation) if isinstance(dilation, int) else dilation
    return tuple((kernel - 1) // 2 * step for kernel, step in zip(kernels, dilations, strict=False))


class Conv2dNormActivation(ConvNormActivation):
    """A convolution of images, a normalisation and an activation; see `ConvNormActivation` for the arguments.

    Examples:
        >>> import torch
        >>> Conv2dNormActivation(3, 8, stride=2)(torch.zeros(2, 3, 6, 6)).shape
        torch.Size([2, 8, 3, 3])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int] = 3,
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] | str | None = None,
        groups: int = 1,
        norm_layer: Layer | None = nn.BatchNorm2d,
        activation_layer: Layer | None = nn.ReLU,
        dilation: int | tuple[int, int] = 1,
        inplace: bool | None = True,
        bias: bool | None = None,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, groups, norm_layer, activation_layer, dilation,
            inplace, bias, nn.Conv2d,
        )  # fmt: skip


class Conv3dNormActivation(ConvNormActivation):
    """A convolution of clips, a normalisation and an activation; see `ConvNormActivation` for the arguments.

    Examples:
        >>> import torch
        >>> Conv3dNormActivation(3, 8, kernel_size=(1, 3, 3))(torch.zeros(2, 3, 4, 6, 6)).shape
        torch.Size([2, 8, 4, 6, 6])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int, int] = 3,
        stride: int | tuple[int, int, int] = 1,
        padding: int | tuple[int, int, int] | str | None = None,
        groups: int = 1,
        norm_layer: Layer | None = nn.BatchNorm3d,
        activation_layer: Layer | None = nn.ReLU,
        dilation: int | tuple[int, int, int] = 1,
        inplace: bool | None = True,
        bias: bool | None = None,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, groups, norm_layer, activation_layer, dilation,
            inplace, bias, nn.Conv3d,
        )  # fmt: skip


class SqueezeExcitation(nn.Module):
    """Channels weighted by what the whole image looks like.

    Hu et al., "Squeeze-and-Excitation Networks", CVPR 2018, figure 1.

    Args:
        input_channels: channels of the image.
        squeeze_channels: channels between the two layers that compute the weights.
        activation: makes the activation between them.
        scale_activation: makes the activation of the weights.

    Examples:
        >>> import torch
        >>> SqueezeExcitation(8, 2)(torch.zeros(1, 8, 5, 5)).shape
        torch.Size([1, 8, 5, 5])
    """

    def __init__(
        self,
        input_channels: int,
        squeeze_channels: int,
        activation: Layer = nn.ReLU,
        scale_activation: Layer = nn.Sigmoid,
    ) -> None:
        super().__init__()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(input_channels, squeeze_channels, 1)
        self.fc2 = nn.Conv2d(squeeze_channels, input_channels, 1)
        self.activation = activation()
        self.scale_activation = scale_activation()

    def forward(self, input: Tensor) -> Tensor:
        """Weight the channels of `[N, C, H, W]`."""
        squeezed = self.activation(self.fc1(self.avgpool(input)))
        return self.scale_activation(self.fc2(squeezed)) * input


class MLP(nn.Sequential):
    """Linear layers, each but the last with a normalisation and an activation, each with dropout.

    Args:
        in_channels: features of the input.
        hidden_channels: features behind each layer.
        norm_layer: makes the normalisation of so many features; None for none.
        activation_layer: makes the activation.
        inplace: is passed to activation and dropout unless it is None.
        bias: whether the layers have one.
        dropout: probability of dropout.

    Examples:
        >>> import torch
        >>> MLP(4, [8, 2])(torch.zeros(3, 4)).shape
        torch.Size([3, 2])
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: list[int],
        norm_layer: Layer | None = None,
        activation_layer: Layer | None = nn.ReLU,
        inplace: bool | None = None,
        bias: bool = True,
        dropout: float = 0.0,
    ) -> None:
        settings: dict[str, Any] = {} if inplace is None else {"inplace": inplace}
        layers: list[nn.Module] = []
        features = in_channels
        for i, hidden in enumerate(hidden_channels):
            layers.append(nn.Linear(features, hidden, bias=bias))
            if i + 1 < len(hidden_channels):
                if norm_layer is not None:
                    layers.append(norm_layer(hidden))
                if activation_layer is not None:
                    layers.append(activation_layer(**settings))
            layers.append(nn.Dropout(dropout, **settings))
            features = hidden
        super().__init__(*layers)


class Permute(nn.Module):
    """Dimensions in another order.

    Args:
        dims: for each dimension of the result, which one of the input it is.

    Examples:
        >>> import torch
        >>> Permute([0, 2, 3, 1])(torch.zeros(1, 3, 4, 5)).shape
        torch.Size([1, 4, 5, 3])
    """

    def __init__(self, dims: list[int]) -> None:
        super().__init__()
        self.dims = dims

    def forward(self, x: Tensor) -> Tensor:
        """Return a view with the dimensions in the new order."""
        return torch.permute(x, self.dims)
