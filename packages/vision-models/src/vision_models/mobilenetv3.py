"""MobileNetV3, large and small.

Paper: Howard et al., "Searching for MobileNetV3", https://arxiv.org/abs/1905.02244 (tables 1 and 2).
"""

# ruff: noqa: N801  (the published names of the weights)

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from vision_models._build import build
from vision_models._download import Report
from vision_models._layers import Conv2dNormActivation, SqueezeExcitation, initialise_convolutions, make_divisible
from vision_models._registry import register_model
from vision_models._weights import WeightsEnum, published

__all__ = [
    "MobileNetV3",
    "MobileNet_V3_Large_Weights",
    "MobileNet_V3_Small_Weights",
    "mobilenet_v3_large",
    "mobilenet_v3_small",
]

Norm = Callable[[int], nn.Module]
_GATE = partial(SqueezeExcitation, scale_activation=nn.Hardsigmoid)


class InvertedResidualConfig:
    """One row of the paper's tables.

    Args:
        input_channels: channels of the input.
        kernel: size of the depthwise convolution.
        expanded_channels: channels inside the block.
        out_channels: channels of the output.
        use_se: whether the block has a squeeze-and-excitation gate.
        activation: ``"RE"`` (ReLU) or ``"HS"`` (hard swish).
        stride: of the block.
        dilation: of the depthwise convolution; above 1 the block keeps the resolution.
        width_mult: multiplies all channels, which are then rounded to multiples of 8.

    Raises:
        ValueError: an unknown activation or a ``width_mult`` that is not positive.
    """

    def __init__(
        self,
        input_channels: int,
        kernel: int,
        expanded_channels: int,
        out_channels: int,
        use_se: bool,
        activation: str,
        stride: int,
        dilation: int,
        width_mult: float,
    ) -> None:
        if activation not in ("RE", "HS"):
            raise ValueError(f"activation: expected 'RE' (ReLU) or 'HS' (hard swish), got {activation!r}")
        self.input_channels = self.adjust_channels(input_channels, width_mult)
        self.kernel = kernel
        self.expanded_channels = self.adjust_channels(expanded_channels, width_mult)
        self.out_channels = self.adjust_channels(out_channels, width_mult)
        self.use_se = use_se
        self.use_hs = activation == "HS"
        self.stride = stride
        self.dilation = dilation

    @staticmethod
    def adjust_channels(channels: int, width_mult: float) -> int:
        """``channels * width_mult`` as a multiple of 8."""
        if width_mult <= 0:
            raise ValueError(f"width_mult: expected a positive number, got {width_mult}")
        return make_divisible(channels * width_mult)


class InvertedResidual(nn.Module):
    """Widen, convolve each channel, gate, narrow; with a shortcut where the shape stays.

    Args:
        cnf: the block's row.
        norm_layer: makes a normalisation for a number of channels.
        se_layer: makes the gate from its channels and its squeezed channels.
    """

    def __init__(
        self,
        cnf: InvertedResidualConfig,
        norm_layer: Norm,
        se_layer: Callable[..., nn.Module] = _GATE,
    ) -> None:
        super().__init__()
        if cnf.stride not in (1, 2):
            raise ValueError(f"stride: expected 1 or 2, got {cnf.stride}")
        activation = nn.Hardswish if cnf.use_hs else nn.ReLU
        conv = partial(Conv2dNormActivation, norm_layer=norm_layer)
        layers: list[nn.Module] = []
        if cnf.expanded_channels != cnf.input_channels:
            layers.append(conv(cnf.input_channels, cnf.expanded_channels, 1, activation_layer=activation))
        layers.append(
            conv(
                cnf.expanded_channels,
                cnf.expanded_channels,
                cnf.kernel,
                stride=1 if cnf.dilation > 1 else cnf.stride,
                dilation=cnf.dilation,
                groups=cnf.expanded_channels,
                activation_layer=activation,
            )
        )
        if cnf.use_se:
            layers.append(se_layer(cnf.expanded_channels, make_divisible(cnf.expanded_channels // 4)))
        layers.append(conv(cnf.expanded_channels, cnf.out_channels, 1, activation_layer=None))
        self.block = nn.Sequential(*layers)
        self.use_res_connect = cnf.stride == 1 and cnf.input_channels == cnf.out_channels
        self.out_channels = cnf.out_channels

    def forward(self, x: Tensor) -> Tensor:
        out = self.block(x)
        if self.use_res_connect:
            out += x
        return out


class MobileNetV3(nn.Module):
    """The network: stem, inverted residual blocks, last convolution, global average, two-layer classifier.

    Input ``(B, 3, H, W)``, output logits ``(B, num_classes)``.

    Args:
        inverted_residual_setting: one :class:`InvertedResidualConfig` per block.
        last_channel: width of the classifier's hidden layer.
        num_classes: number of logits.
        block: makes a block from its row and ``norm_layer``.
        norm_layer: makes a normalisation for a number of channels; by default batch normalisation with
            ``eps=0.001`` and ``momentum=0.01``.
        dropout: probability of zeroing a hidden feature while training.

    Raises:
        ValueError: ``inverted_residual_setting`` is empty.
        TypeError: it holds something else than rows.

    Examples:
        >>> import torch
        >>> from vision_models.mobilenetv3 import InvertedResidualConfig, MobileNetV3
        >>> rows = [InvertedResidualConfig(16, 3, 64, 24, True, "HS", 2, 1, 1.0)]
        >>> MobileNetV3(rows, last_channel=32, num_classes=5).eval()(torch.zeros(2, 3, 32, 32)).shape
        torch.Size([2, 5])
    """

    def __init__(
        self,
        inverted_residual_setting: Sequence[InvertedResidualConfig],
        last_channel: int,
        num_classes: int = 1000,
        block: Callable[..., nn.Module] | None = None,
        norm_layer: Norm | None = None,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        rows = list(inverted_residual_setting)
        if not rows:
            raise ValueError("inverted_residual_setting: expected at least one row, got none")
        if not all(isinstance(row, InvertedResidualConfig) for row in rows):
            raise TypeError(f"inverted_residual_setting: expected InvertedResidualConfig rows, got {rows!r}")
        make_block = block or InvertedResidual
        norm = norm_layer or partial(nn.BatchNorm2d, eps=0.001, momentum=0.01)
        conv = partial(Conv2dNormActivation, norm_layer=norm, activation_layer=nn.Hardswish)
        narrow, wide = rows[-1].out_channels, 6 * rows[-1].out_channels
        self.features = nn.Sequential(
            conv(3, rows[0].input_channels, 3, stride=2),
            *(make_block(row, norm) for row in rows),
            conv(narrow, wide, 1),
        )
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(
            nn.Linear(wide, last_channel),
            nn.Hardswish(inplace=True),
            nn.Dropout(p=dropout, inplace=True),
            nn.Linear(last_channel, num_classes),
        )
        self._initialise()

    def _initialise(self) -> None:
        initialise_convolutions(self)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, 0, 0.01)
                nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = self.features(x)  # (B, C, H/32, W/32)
        x = torch.flatten(self.avgpool(x), 1)  # (B, C)
        return self.classifier(x)


# input, kernel, expanded, output, gate, activation, stride; rows of the last stage, which `reduced_tail` halves and
# `dilated` keeps at stride 16, stand apart.
_LARGE = (
    (16, 3, 16, 16, False, "RE", 1),
    (16, 3, 64, 24, False, "RE", 2),
    (24, 3, 72, 24, False, "RE", 1),
    (24, 5, 72, 40, True, "RE", 2),
    (40, 5, 120, 40, True, "RE", 1),
    (40, 5, 120, 40, True, "RE", 1),
    (40, 3, 240, 80, False, "HS", 2),
    (80, 3, 200, 80, False, "HS", 1),
    (80, 3, 184, 80, False, "HS", 1),
    (80, 3, 184, 80, False, "HS", 1),
    (80, 3, 480, 112, True, "HS", 1),
    (112, 3, 672, 112, True, "HS", 1),
)
_SMALL = (
    (16, 3, 16, 16, True, "RE", 2),
    (16, 3, 72, 24, False, "RE", 2),
    (24, 3, 88, 24, False, "RE", 1),
    (24, 5, 96, 40, True, "HS", 2),
    (40, 5, 240, 40, True, "HS", 1),
    (40, 5, 240, 40, True, "HS", 1),
    (40, 5, 120, 48, True, "HS", 1),
    (48, 5, 144, 48, True, "HS", 1),
)


def _settings(
    rows: tuple[tuple[int, int, int, int, bool, str, int], ...],
    tail: tuple[int, int, int, int],
    last_channel: int,
    width_mult: float,
    reduced_tail: bool,
    dilated: bool,
) -> tuple[list[InvertedResidualConfig], int]:
    """All rows of a variant, and the classifier's width; ``tail`` is input, first expansion, expansion and output."""
    divisor, dilation = (2 if reduced_tail else 1), (2 if dilated else 1)
    entry, widen, expanded, narrow = tail[0], tail[1], tail[2] // divisor, tail[3] // divisor
    row = partial(InvertedResidualConfig, width_mult=width_mult)
    settings = [row(*values, dilation=1) for values in rows]
    settings.append(row(entry, 5, widen, narrow, True, "HS", 2, dilation))
    settings += [row(narrow, 5, expanded, narrow, True, "HS", 1, dilation) for _ in range(2)]
    return settings, InvertedResidualConfig.adjust_channels(last_channel // divisor, width_mult)


_card = published("mobilenetv3")


class MobileNet_V3_Large_Weights(WeightsEnum):
    """Weights of :func:`mobilenet_v3_large`."""

    IMAGENET1K_V1 = _card("mobilenet_v3_large", "IMAGENET1K_V1")
    IMAGENET1K_V2 = _card("mobilenet_v3_large", "IMAGENET1K_V2")
    DEFAULT = IMAGENET1K_V2


class MobileNet_V3_Small_Weights(WeightsEnum):
    """Weights of :func:`mobilenet_v3_small`."""

    IMAGENET1K_V1 = _card("mobilenet_v3_small", "IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


@register_model(weights=MobileNet_V3_Large_Weights)
def mobilenet_v3_large(
    *,
    weights: MobileNet_V3_Large_Weights | str | None = None,
    progress: Report = True,
    width_mult: float = 1.0,
    reduced_tail: bool = False,
    dilated: bool = False,
    **kwargs: Any,
) -> MobileNetV3:
    """MobileNetV3-Large (https://arxiv.org/abs/1905.02244, table 1).

    Args:
        weights: published weights to load, a member of :class:`MobileNet_V3_Large_Weights` or its name.
        progress: how the download is reported, see :meth:`WeightsEnum.get_state_dict`.
        width_mult: multiplies the channels of all layers.
        reduced_tail: halve the channels of the last stage (section 6.4 of the paper).
        dilated: keep the last stage at stride 16 by dilation, for dense prediction.
        **kwargs: for :class:`MobileNetV3`.

    Examples:
        >>> import torch
        >>> from vision_models import mobilenet_v3_large
        >>> mobilenet_v3_large(num_classes=10).eval()(torch.zeros(1, 3, 64, 64)).shape
        torch.Size([1, 10])
    """
    settings, last = _settings(_LARGE, (112, 672, 960, 160), 1280, width_mult, reduced_tail, dilated)
    return build(MobileNetV3, MobileNet_V3_Large_Weights.verify(weights), progress, settings, last, **kwargs)


@register_model(weights=MobileNet_V3_Small_Weights)
def mobilenet_v3_small(
    *,
    weights: MobileNet_V3_Small_Weights | str | None = None,
    progress: Report = True,
    width_mult: float = 1.0,
    reduced_tail: bool = False,
    dilated: bool = False,
    **kwargs: Any,
) -> MobileNetV3:
    """MobileNetV3-Small (https://arxiv.org/abs/1905.02244, table 2).

    The arguments are those of :func:`mobilenet_v3_large`, e.g. ``mobilenet_v3_small(weights="IMAGENET1K_V1")``.
    """
    settings, last = _settings(_SMALL, (48, 288, 576, 96), 1024, width_mult, reduced_tail, dilated)
    return build(MobileNetV3, MobileNet_V3_Small_Weights.verify(weights), progress, settings, last, **kwargs)
