"""The blocks of EfficientNet and EfficientNetV2, and the configuration of a stage of them."""

import copy
import math
from collections.abc import Callable
from functools import partial

from torch import Tensor, nn

from vision_models._layers import Conv2dNormActivation, SqueezeExcitation, StochasticDepth, make_divisible

__all__ = ["FusedMBConv", "FusedMBConvConfig", "MBConv", "MBConvConfig"]

Norm = Callable[[int], nn.Module]


class MBConvConfig:
    """One stage of inverted residual blocks, scaled in width and depth.

    Args:
        expand_ratio: how much wider the inside of a block is.
        kernel: size of the depthwise convolution.
        stride: of the stage's first block.
        input_channels: of the stage, before ``width_mult``.
        out_channels: of the stage, before ``width_mult``.
        num_layers: number of blocks, before ``depth_mult``.
        width_mult: multiplies channels, which are rounded to multiples of 8.
        depth_mult: multiplies the number of blocks, which is rounded up.
        block: makes a block; :class:`MBConv` by default.
    """

    def __init__(
        self,
        expand_ratio: float,
        kernel: int,
        stride: int,
        input_channels: int,
        out_channels: int,
        num_layers: int,
        width_mult: float = 1.0,
        depth_mult: float = 1.0,
        block: Callable[..., nn.Module] | None = None,
    ) -> None:
        if stride not in (1, 2):
            raise ValueError(f"stride: expected 1 or 2, got {stride}")
        self.expand_ratio = expand_ratio
        self.kernel = kernel
        self.stride = stride
        self.input_channels = self.adjust_channels(input_channels, width_mult)
        self.out_channels = self.adjust_channels(out_channels, width_mult)
        self.num_layers = math.ceil(num_layers * depth_mult)
        self.block: Callable[..., nn.Module] = block or MBConv

    @staticmethod
    def adjust_channels(channels: int, width_mult: float) -> int:
        """``channels * width_mult`` as a multiple of 8."""
        return make_divisible(channels * width_mult)

    @property
    def expanded_channels(self) -> int:
        """Channels inside a block."""
        return self.adjust_channels(self.input_channels, self.expand_ratio)

    def following(self) -> "MBConvConfig":
        """The configuration of the blocks after the first."""
        other = copy.copy(self)
        other.input_channels, other.stride = self.out_channels, 1
        return other


class FusedMBConvConfig(MBConvConfig):
    """One stage of EfficientNetV2 whose blocks widen and convolve at once; never scaled.

    Args:
        expand_ratio: how much wider the inside of a block is.
        kernel: size of the convolution.
        stride: of the stage's first block.
        input_channels: of the stage.
        out_channels: of the stage.
        num_layers: number of blocks.
        block: makes a block; :class:`FusedMBConv` by default.
    """

    def __init__(
        self,
        expand_ratio: float,
        kernel: int,
        stride: int,
        input_channels: int,
        out_channels: int,
        num_layers: int,
        block: Callable[..., nn.Module] | None = None,
    ) -> None:
        make = block or FusedMBConv
        super().__init__(expand_ratio, kernel, stride, input_channels, out_channels, num_layers, block=make)


class MBConv(nn.Module):
    """Widen, convolve each channel, gate, narrow; with a shortcut where the shape stays.

    Args:
        cnf: the block's configuration.
        stochastic_depth_prob: probability of leaving the branch out while training.
        norm_layer: makes a normalisation for a number of channels.
        se_layer: makes the gate from its channels and its squeezed channels.
    """

    def __init__(
        self,
        cnf: MBConvConfig,
        stochastic_depth_prob: float,
        norm_layer: Norm,
        se_layer: Callable[..., nn.Module] = SqueezeExcitation,
    ) -> None:
        super().__init__()
        inside = cnf.expanded_channels
        conv = partial(Conv2dNormActivation, norm_layer=norm_layer, activation_layer=nn.SiLU)
        widen = [conv(cnf.input_channels, inside, 1)] if inside != cnf.input_channels else []
        self.block = nn.Sequential(
            *widen,
            conv(inside, inside, cnf.kernel, stride=cnf.stride, groups=inside),
            se_layer(inside, max(1, cnf.input_channels // 4), activation=partial(nn.SiLU, inplace=True)),
            conv(inside, cnf.out_channels, 1, activation_layer=None),
        )
        self.use_res_connect = cnf.stride == 1 and cnf.input_channels == cnf.out_channels
        self.stochastic_depth = StochasticDepth(stochastic_depth_prob, "row")
        self.out_channels = cnf.out_channels

    def forward(self, x: Tensor) -> Tensor:
        out = self.block(x)
        if self.use_res_connect:
            out = self.stochastic_depth(out) + x
        return out


class FusedMBConv(nn.Module):
    """Widen with a full convolution, narrow; with a shortcut where the shape stays.

    Args:
        cnf: the block's configuration.
        stochastic_depth_prob: probability of leaving the branch out while training.
        norm_layer: makes a normalisation for a number of channels.
    """

    def __init__(self, cnf: MBConvConfig, stochastic_depth_prob: float, norm_layer: Norm) -> None:
        super().__init__()
        inside = cnf.expanded_channels
        conv = partial(Conv2dNormActivation, norm_layer=norm_layer, activation_layer=nn.SiLU)
        if inside != cnf.input_channels:
            layers = [
                conv(cnf.input_channels, inside, cnf.kernel, stride=cnf.stride),
                conv(inside, cnf.out_channels, 1, activation_layer=None),
            ]
        else:
            layers = [conv(cnf.input_channels, cnf.out_channels, cnf.kernel, stride=cnf.stride)]
        self.block = nn.Sequential(*layers)
        self.use_res_connect = cnf.stride == 1 and cnf.input_channels == cnf.out_channels
        self.stochastic_depth = StochasticDepth(stochastic_depth_prob, "row")
        self.out_channels = cnf.out_channels

    def forward(self, x: Tensor) -> Tensor:
        out = self.block(x)
        if self.use_res_connect:
            out = self.stochastic_depth(out) + x
        return out
