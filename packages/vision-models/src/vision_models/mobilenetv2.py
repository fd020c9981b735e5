"""MobileNetV2.

Paper: Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", https://arxiv.org/abs/1801.04381.
"""

# ruff: noqa: N801  (the published names of the weights)

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vision_models._build import build
from vision_models._download import Report
from vision_models._layers import Conv2dNormActivation, initialise_convolutions, make_divisible
from vision_models._registry import register_model
from vision_models._weights import WeightsEnum, published

__all__ = [
    "MobileNetV2",
    "MobileNet_V2_Weights",
    "mobilenet_v2",
]


Norm = Callable[[int], nn.Module]

# The paper's table 2: expansion, output channels, repeats, stride of the first.
_ROWS = (
    (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
)  # fmt: skip


class InvertedResidual(nn.Module):
    """Widen, convolve each channel, narrow without an activation; with a shortcut where the shape stays.

    Args:
        inp: channels of the input.
        oup: channels of the output.
        stride: 1 or 2.
        expand_ratio: how much wider the inside is.
        norm_layer: makes a normalisation for a number of channels.
    """

    def __init__(self, inp: int, oup: int, stride: int, expand_ratio: int, norm_layer: Norm | None = None) -> None:
        super().__init__()
        if stride not in (1, 2):
            raise ValueError(f"stride: expected 1 or 2, got {stride}")
        norm = norm_layer or nn.BatchNorm2d
        conv = partial(Conv2dNormActivation, norm_layer=norm, activation_layer=nn.ReLU6)
        hidden = round(inp * expand_ratio)
        widen = [conv(inp, hidden, 1)] if expand_ratio != 1 else []
        self.conv = nn.Sequential(
            *widen,
            conv(hidden, hidden, 3, stride=stride, groups=hidden),
            nn.Conv2d(hidden, oup, 1, bias=False),
            norm(oup),
        )
        self.use_res_connect = stride == 1 and inp == oup
        self.out_channels = oup

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(x) if self.use_res_connect else self.conv(x)


class MobileNetV2(nn.Module):
    """The network: stem, inverted residual blocks, last convolution, global average, linear classifier.

    Input ``(B, 3, H, W)``, output logits ``(B, num_classes)``.

    Args:
        num_classes: number of logits.
        width_mult: multiplies the channels of all layers; the last convolution never gets narrower.
        inverted_residual_setting: rows of expansion, output channels, repeats, stride; the paper's by default.
        round_nearest: channels are multiples of this.
        block: makes a block; arguments as :class:`InvertedResidual`.
        norm_layer: makes a normalisation for a number of channels; batch normalisation by default.
        dropout: probability of zeroing a feature before the classifier while training.

    Raises:
        ValueError: a row without four numbers, or a ``width_mult`` that is not positive.

    Examples:
        >>> import torch
        >>> from vision_models import MobileNetV2
        >>> MobileNetV2(num_classes=5, width_mult=0.5).eval()(torch.zeros(2, 3, 64, 64)).shape
        torch.Size([2, 5])
    """

    def __init__(
        self,
        num_classes: int = 1000,
        width_mult: float = 1.0,
        inverted_residual_setting: Sequence[Sequence[int]] | None = None,
        round_nearest: int = 8,
        block: Callable[..., nn.Module] | None = None,
        norm_layer: Norm | None = None,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        rows = _ROWS if inverted_residual_setting is None else inverted_residual_setting
        if not rows or any(len(row) != 4 for row in rows):
            raise ValueError(f"inverted_residual_setting: rows of expansion, channels, repeats, stride; got {rows}")
        if width_mult <= 0:
            raise ValueError(f"width_mult: expected a positive number, got {width_mult}")
        make_block = block or InvertedResidual
        norm = norm_layer or nn.BatchNorm2d
        conv = partial(Conv2dNormActivation, norm_layer=norm, activation_layer=nn.ReLU6)
        channels = make_divisible(32 * width_mult, round_nearest)
        self.last_channel = make_divisible(1280 * max(1.0, width_mult), round_nearest)
        layers: list[nn.Module] = [conv(3, channels, stride=2)]
        for expansion, wanted, repeats, stride in rows:
            out = make_divisible(wanted * width_mult, round_nearest)
            for i in range(repeats):
                layers.append(make_block(channels, out, 1 if i else stride, expand_ratio=expansion, norm_layer=norm))
                channels = out
        layers.append(conv(channels, self.last_channel, 1))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Dropout(p=dropout), nn.Linear(self.last_channel, num_classes))
        initialise_convolutions(self)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, 0, 0.01)
                nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = self.features(x)  # (B, last_channel, H/32, W/32)
        x = torch.flatten(F.adaptive_avg_pool2d(x, (1, 1)), 1)  # (B, last_channel)
        return self.classifier(x)


_card = published("mobilenetv2")


class MobileNet_V2_Weights(WeightsEnum):
    """Weights of :func:`mobilenet_v2`."""

    IMAGENET1K_V1 = _card("mobilenet_v2", "IMAGENET1K_V1")
    IMAGENET1K_V2 = _card("mobilenet_v2", "IMAGENET1K_V2")
    DEFAULT = IMAGENET1K_V2


@register_model(weights=MobileNet_V2_Weights)
def mobilenet_v2(
    *, weights: MobileNet_V2_Weights | str | None = None, progress: Report = True, **kwargs: Any
) -> MobileNetV2:
    """MobileNetV2 (https://arxiv.org/abs/1801.04381).

    Args:
        weights: published weights to load, a member of :class:`MobileNet_V2_Weights` or its name.
        progress: how the download is reported, see :meth:`WeightsEnum.get_state_dict`.
        **kwargs: for :class:`MobileNetV2`.

    Examples:
        >>> import torch
        >>> from vision_models import mobilenet_v2
        >>> mobilenet_v2(num_classes=10).eval()(torch.zeros(1, 3, 64, 64)).shape
        torch.Size([1, 10])
    """
    return build(MobileNetV2, MobileNet_V2_Weights.verify(weights), progress, **kwargs)
