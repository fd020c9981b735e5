"""EfficientNet and EfficientNetV2.

Papers: Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
https://arxiv.org/abs/1905.11946; Tan and Le, "EfficientNetV2: Smaller Models and Faster Training",
https://arxiv.org/abs/2104.00298.
"""

# ruff: noqa: N801  (the published names of the weights)

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from vision_models._build import build
from vision_models._download import Report
from vision_models._layers import Conv2dNormActivation, initialise_convolutions
from vision_models._mbconv import FusedMBConvConfig, MBConvConfig
from vision_models._registry import register_model
from vision_models._weights import WeightsEnum, published

__all__ = [
    "EfficientNet",
    "EfficientNet_B0_Weights",
    "EfficientNet_B1_Weights",
    "EfficientNet_B2_Weights",
    "EfficientNet_B3_Weights",
    "EfficientNet_B4_Weights",
    "EfficientNet_B5_Weights",
    "EfficientNet_B6_Weights",
    "EfficientNet_B7_Weights",
    "EfficientNet_V2_L_Weights",
    "EfficientNet_V2_M_Weights",
    "EfficientNet_V2_S_Weights",
    "efficientnet_b0",
    "efficientnet_b1",
    "efficientnet_b2",
    "efficientnet_b3",
    "efficientnet_b4",
    "efficientnet_b5",
    "efficientnet_b6",
    "efficientnet_b7",
    "efficientnet_v2_l",
    "efficientnet_v2_m",
    "efficientnet_v2_s",
]


Norm = Callable[[int], nn.Module]


class EfficientNet(nn.Module):
    """The network: stem, stages, last convolution, global average, linear classifier.

    Input ``(B, 3, H, W)``, output logits ``(B, num_classes)``.

    Args:
        inverted_residual_setting: one configuration per stage.
        dropout: probability of zeroing a feature before the classifier while training.
        stochastic_depth_prob: probability of leaving a block out; grows linearly from 0 at the first block.
        num_classes: number of logits.
        norm_layer: makes a normalisation for a number of channels; batch normalisation by default.
        last_channel: channels of the last convolution; four times the last stage's by default.

    Raises:
        ValueError: ``inverted_residual_setting`` is empty.
        TypeError: it holds something else than configurations.

    Examples:
        >>> import torch
        >>> from vision_models.efficientnet import EfficientNet, MBConvConfig
        >>> stages = [MBConvConfig(1, 3, 1, 16, 16, 1), MBConvConfig(4, 3, 2, 16, 24, 2)]
        >>> EfficientNet(stages, dropout=0.2, num_classes=5).eval()(torch.zeros(2, 3, 32, 32)).shape
        torch.Size([2, 5])
    """

    def __init__(
        self,
        inverted_residual_setting: Sequence[MBConvConfig],
        dropout: float,
        stochastic_depth_prob: float = 0.2,
        num_classes: int = 1000,
        norm_layer: Norm | None = None,
        last_channel: int | None = None,
    ) -> None:
        super().__init__()
        settings = list(inverted_residual_setting)
        if not settings:
            raise ValueError("inverted_residual_setting: expected at least one stage, got none")
        if not all(isinstance(setting, MBConvConfig) for setting in settings):
            raise TypeError(f"inverted_residual_setting: expected MBConvConfig or FusedMBConvConfig, got {settings!r}")
        norm = norm_layer or nn.BatchNorm2d
        conv = partial(Conv2dNormActivation, norm_layer=norm, activation_layer=nn.SiLU)
        total = sum(setting.num_layers for setting in settings)
        layers: list[nn.Module] = [conv(3, settings[0].input_channels, stride=2)]
        index = 0
        for setting in settings:
            blocks = []
            for i in range(setting.num_layers):
                cnf = setting if i == 0 else setting.following()
                blocks.append(setting.block(cnf, stochastic_depth_prob * index / total, norm))
                index += 1
            layers.append(nn.Sequential(*blocks))
        narrow = settings[-1].out_channels
        wide = 4 * narrow if last_channel is None else last_channel
        layers.append(conv(narrow, wide, 1))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Dropout(p=dropout, inplace=True), nn.Linear(wide, num_classes))
        initialise_convolutions(self)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                bound = 1.0 / math.sqrt(module.out_features)
                nn.init.uniform_(module.weight, -bound, bound)
                nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = self.features(x)  # (B, C, H/32, W/32)
        x = torch.flatten(self.avgpool(x), 1)  # (B, C)
        return self.classifier(x)


# Expansion, kernel, stride, input and output channels, blocks; "f" marks fused blocks.
_B0 = (
    ("", 1, 3, 1, 32, 16, 1), ("", 6, 3, 2, 16, 24, 2), ("", 6, 5, 2, 24, 40, 2), ("", 6, 3, 2, 40, 80, 3),
    ("", 6, 5, 1, 80, 112, 3), ("", 6, 5, 2, 112, 192, 4), ("", 6, 3, 1, 192, 320, 1),
)  # fmt: skip
_V2_S = (
    ("f", 1, 3, 1, 24, 24, 2), ("f", 4, 3, 2, 24, 48, 4), ("f", 4, 3, 2, 48, 64, 4), ("", 4, 3, 2, 64, 128, 6),
    ("", 6, 3, 1, 128, 160, 9), ("", 6, 3, 2, 160, 256, 15),
)  # fmt: skip
_V2_M = (
    ("f", 1, 3, 1, 24, 24, 3), ("f", 4, 3, 2, 24, 48, 5), ("f", 4, 3, 2, 48, 80, 5), ("", 4, 3, 2, 80, 160, 7),
    ("", 6, 3, 1, 160, 176, 14), ("", 6, 3, 2, 176, 304, 18), ("", 6, 3, 1, 304, 512, 5),
)  # fmt: skip
_V2_L = (
    ("f", 1, 3, 1, 32, 32, 4), ("f", 4, 3, 2, 32, 64, 7), ("f", 4, 3, 2, 64, 96, 7), ("", 4, 3, 2, 96, 192, 10),
    ("", 6, 3, 1, 192, 224, 19), ("", 6, 3, 2, 224, 384, 25), ("", 6, 3, 1, 384, 640, 7),
)  # fmt: skip


_card = published("efficientnet")


class EfficientNet_B0_Weights(WeightsEnum):
    """Weights of :func:`efficientnet_b0`."""

    IMAGENET1K_V1 = _card("efficientnet_b0", "IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class EfficientNet_B1_Weights(WeightsEnum):
    """Weights of :func:`efficientnet_b1`."""

    IMAGENET1K_V1 = _card("efficientnet_b1", "IMAGENET1K_V1")
    IMAGENET1K_V2 = _card("efficientnet_b1", "IMAGENET1K_V2")
    DEFAULT = IMAGENET1K_V2


class EfficientNet_B2_Weights(WeightsEnum):
    """Weights of :func:`efficientnet_b2`."""

    IMAGENET1K_V1 = _card("efficientnet_b2", "IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class EfficientNet_B3_Weights(WeightsEnum):
    """Weights of :func:`efficientnet_b3`."""

    IMAGENET1K_V1 = _card("efficientnet_b3", "IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class EfficientNet_B4_Weights(WeightsEnum):
    """Weights of :func:`efficientnet_b4`."""

    IMAGENET1K_V1 = _card("efficientnet_b4", "IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class EfficientNet_B5_Weights(WeightsEnum):
    """Weights of :func:`efficientnet_b5`."""

    IMAGENET1K_V1 = _card("efficientnet_b5", "IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class EfficientNet_B6_Weights(WeightsEnum):
    """Weights of :func:`efficientnet_b6`."""

    IMAGENET1K_V1 = _card("efficientnet_b6", "IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class EfficientNet_B7_Weights(WeightsEnum):
    """Weights of :func:`efficientnet_b7`."""

    IMAGENET1K_V1 = _card("efficientnet_b7", "IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class EfficientNet_V2_S_Weights(WeightsEnum):
    """Weights of :func:`efficientnet_v2_s`."""

    IMAGENET1K_V1 = _card("efficientnet_v2_s", "IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class EfficientNet_V2_M_Weights(WeightsEnum):
    """Weights of :func:`efficientnet_v2_m`."""

    IMAGENET1K_V1 = _card("efficientnet_v2_m", "IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class EfficientNet_V2_L_Weights(WeightsEnum):
    """Weights of :func:`efficientnet_v2_l`."""

    IMAGENET1K_V1 = _card("efficientnet_v2_l", "IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


_slow_norm = partial(nn.BatchNorm2d, eps=0.001, momentum=0.01)


def _v1(
    width: float,
    depth: float,
    dropout: float,
    weights: WeightsEnum | None,
    progress: Report,
    norm: Norm,
    kwargs: dict[str, Any],
) -> EfficientNet:
    settings = [MBConvConfig(*row[1:], width_mult=width, depth_mult=depth) for row in _B0]
    return build(EfficientNet, weights, progress, settings, **({"dropout": dropout, "norm_layer": norm} | kwargs))


def _v2(
    rows: tuple[tuple[str, int, int, int, int, int, int], ...],
    dropout: float,
    weights: WeightsEnum | None,
    progress: Report,
    kwargs: dict[str, Any],
) -> EfficientNet:
    settings = [(FusedMBConvConfig if row[0] else MBConvConfig)(*row[1:]) for row in rows]
    defaults = {"dropout": dropout, "norm_layer": partial(nn.BatchNorm2d, eps=0.001), "last_channel": 1280}
    return build(EfficientNet, weights, progress, settings, **(defaults | kwargs))


@register_model(weights=EfficientNet_B0_Weights)
def efficientnet_b0(
    *, weights: EfficientNet_B0_Weights | str | None = None, progress: Report = True, **kwargs: Any
) -> EfficientNet:
    """EfficientNet-B0 (https://arxiv.org/abs/1905.11946).

    Args:
        weights: published weights to load, a member of :class:`EfficientNet_B0_Weights` or its name.
        progress: how the download is reported, see :meth:`WeightsEnum.get_state_dict`.
        **kwargs: for :class:`EfficientNet`.

    Examples:
        >>> import torch
        >>> from vision_models import efficientnet_b0
        >>> efficientnet_b0(num_classes=10).eval()(torch.zeros(1, 3, 64, 64)).shape
        torch.Size([1, 10])
    """
    return _v1(1.0, 1.0, 0.2, EfficientNet_B0_Weights.verify(weights), progress, nn.BatchNorm2d, kwargs)


@register_model(weights=EfficientNet_B1_Weights)
def efficientnet_b1(
    *, weights: EfficientNet_B1_Weights | str | None = None, progress: Report = True, **kwargs: Any
) -> EfficientNet:
    """EfficientNet-B1 (https://arxiv.org/abs/1905.11946).

    Arguments as for :func:`efficientnet_b0`, e.g. ``efficientnet_b1(weights="DEFAULT")``.
    """
    return _v1(1.0, 1.1, 0.2, EfficientNet_B1_Weights.verify(weights), progress, nn.BatchNorm2d, kwargs)


@register_model(weights=EfficientNet_B2_Weights)
def efficientnet_b2(
    *, weights: EfficientNet_B2_Weights | str | None = None, progress: Report = True, **kwargs: Any
) -> EfficientNet:
    """EfficientNet-B2 (https://arxiv.org/abs/1905.11946).

    Arguments as for :func:`efficientnet_b0`, e.g. ``efficientnet_b2(weights="DEFAULT")``.
    """
    return _v1(1.1, 1.2, 0.3, EfficientNet_B2_Weights.verify(weights), progress, nn.BatchNorm2d, kwargs)


@register_model(weights=EfficientNet_B3_Weights)
def efficientnet_b3(
    *, weights: EfficientNet_B3_Weights | str | None = None, progress: Report = True, **kwargs: Any
) -> EfficientNet:
    """EfficientNet-B3 (https://arxiv.org/abs/1905.11946).

    Arguments as for :func:`efficientnet_b0`, e.g. ``efficientnet_b3(weights="DEFAULT")``.
    """
    return _v1(1.2, 1.4, 0.3, EfficientNet_B3_Weights.verify(weights), progress, nn.BatchNorm2d, kwargs)


@register_model(weights=EfficientNet_B4_Weights)
def efficientnet_b4(
    *, weights: EfficientNet_B4_Weights | str | None = None, progress: Report = True, **kwargs: Any
) -> EfficientNet:
    """EfficientNet-B4 (https://arxiv.org/abs/1905.11946).

    Arguments as for :func:`efficientnet_b0`, e.g. ``efficientnet_b4(weights="DEFAULT")``.
    """
    return _v1(1.4, 1.8, 0.4, EfficientNet_B4_Weights.verify(weights), progress, nn.BatchNorm2d, kwargs)


@register_model(weights=EfficientNet_B5_Weights)
def efficientnet_b5(
    *, weights: EfficientNet_B5_Weights | str | None = None, progress: Report = True, **kwargs: Any
) -> EfficientNet:
    """EfficientNet-B5 (https://arxiv.org/abs/1905.11946).

    Arguments as for :func:`efficientnet_b0`, e.g. ``efficientnet_b5(weights="DEFAULT")``.
    """
    return _v1(1.6, 2.2, 0.4, EfficientNet_B5_Weights.verify(weights), progress, _slow_norm, kwargs)


@register_model(weights=EfficientNet_B6_Weights)
def efficientnet_b6(
    *, weights: EfficientNet_B6_Weights | str | None = None, progress: Report = True, **kwargs: Any
) -> EfficientNet:
    """EfficientNet-B6 (https://arxiv.org/abs/1905.11946).

    Arguments as for :func:`efficientnet_b0`, e.g. ``efficientnet_b6(weights="DEFAULT")``.
    """
    return _v1(1.8, 2.6, 0.5, EfficientNet_B6_Weights.verify(weights), progress, _slow_norm, kwargs)


@register_model(weights=EfficientNet_B7_Weights)
def efficientnet_b7(
    *, weights: EfficientNet_B7_Weights | str | None = None, progress: Report = True, **kwargs: Any
) -> EfficientNet:
    """EfficientNet-B7 (https://arxiv.org/abs/1905.11946).

    Arguments as for :func:`efficientnet_b0`, e.g. ``efficientnet_b7(weights="DEFAULT")``.
    """
    return _v1(2.0, 3.1, 0.5, EfficientNet_B7_Weights.verify(weights), progress, _slow_norm, kwargs)


@register_model(weights=EfficientNet_V2_S_Weights)
def efficientnet_v2_s(
    *, weights: EfficientNet_V2_S_Weights | str | None = None, progress: Report = True, **kwargs: Any
) -> EfficientNet:
    """EfficientNetV2-S (https://arxiv.org/abs/2104.00298).

    Arguments as for :func:`efficientnet_b0`, e.g. ``efficientnet_v2_s(weights="DEFAULT")``.
    """
    return _v2(_V2_S, 0.2, EfficientNet_V2_S_Weights.verify(weights), progress, kwargs)


@register_model(weights=EfficientNet_V2_M_Weights)
def efficientnet_v2_m(
    *, weights: EfficientNet_V2_M_Weights | str | None = None, progress: Report = True, **kwargs: Any
) -> EfficientNet:
    """EfficientNetV2-M (https://arxiv.org/abs/2104.00298).

    Arguments as for :func:`efficientnet_b0`, e.g. ``efficientnet_v2_m(weights="DEFAULT")``.
    """
    return _v2(_V2_M, 0.3, EfficientNet_V2_M_Weights.verify(weights), progress, kwargs)


@register_model(weights=EfficientNet_V2_L_Weights)
def efficientnet_v2_l(
    *, weights: EfficientNet_V2_L_Weights | str | None = None, progress: Report = True, **kwargs: Any
) -> EfficientNet:
    """EfficientNetV2-L (https://arxiv.org/abs/2104.00298).

    Arguments as for :func:`efficientnet_b0`, e.g. ``efficientnet_v2_l(weights="DEFAULT")``.
    """
    return _v2(_V2_L, 0.4, EfficientNet_V2_L_Weights.verify(weights), progress, kwargs)
