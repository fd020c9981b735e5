"""SqueezeNet.

Paper: Iandola et al., "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size",
https://arxiv.org/abs/1602.07360; version 1.1 is the authors' own faster variant.
"""

# ruff: noqa: N801  (the published names of the weights)

from typing import Any

import torch
from torch import Tensor, nn

from vision_models._build import build
from vision_models._download import Report
from vision_models._registry import register_model
from vision_models._weights import WeightsEnum, published

__all__ = [
    "SqueezeNet",
    "SqueezeNet1_0_Weights",
    "SqueezeNet1_1_Weights",
    "squeezenet1_0",
    "squeezenet1_1",
]


class Fire(nn.Module):
    """Narrow with a 1x1 convolution, then widen with 1x1 and 3x3 ones side by side.

    Args:
        inplanes: channels of the input.
        squeeze_planes: channels between.
        expand1x1_planes: channels of the output from the 1x1 convolution.
        expand3x3_planes: channels of the output from the 3x3 convolution.
    """

    def __init__(self, inplanes: int, squeeze_planes: int, expand1x1_planes: int, expand3x3_planes: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(inplanes, squeeze_planes, kernel_size=1)
        self.squeeze_activation = nn.ReLU(inplace=True)
        self.expand1x1 = nn.Conv2d(squeeze_planes, expand1x1_planes, kernel_size=1)
        self.expand1x1_activation = nn.ReLU(inplace=True)
        self.expand3x3 = nn.Conv2d(squeeze_planes, expand3x3_planes, kernel_size=3, padding=1)
        self.expand3x3_activation = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        x = self.squeeze_activation(self.squeeze(x))
        ones = self.expand1x1_activation(self.expand1x1(x))
        threes = self.expand3x3_activation(self.expand3x3(x))
        return torch.cat([ones, threes], 1)


# Stem width and kernel; then for each stage, which begins with pooling, its Fire modules (squeeze, half of the output).
_VERSIONS = {
    "1_0": (96, 7, (((16, 64), (16, 64), (32, 128)), ((32, 128), (48, 192), (48, 192), (64, 256)), ((64, 256),))),
    "1_1": (64, 3, (((16, 64), (16, 64)), ((32, 128), (32, 128)), ((48, 192), (48, 192), (64, 256), (64, 256)))),
}


class SqueezeNet(nn.Module):
    """The network: stem, Fire modules, a 1x1 convolution as classifier, global average.

    Input ``(B, 3, H, W)``, output logits ``(B, num_classes)`` (not negative: the last convolution has a ReLU).

    Args:
        version: ``"1_0"`` or ``"1_1"``.
        num_classes: number of logits.
        dropout: probability of zeroing a feature before the classifier while training.

    Raises:
        ValueError: an unknown version.

    Examples:
        >>> import torch
        >>> from vision_models import SqueezeNet
        >>> SqueezeNet("1_1", num_classes=5)(torch.zeros(2, 3, 64, 64)).shape
        torch.Size([2, 5])
    """

    def __init__(self, version: str = "1_0", num_classes: int = 1000, dropout: float = 0.5) -> None:
        super().__init__()
        if version not in _VERSIONS:
            raise ValueError(f"version: expected '1_0' or '1_1', got {version!r}")
        channels, kernel, stages = _VERSIONS[version]
        layers: list[nn.Module] = [nn.Conv2d(3, channels, kernel_size=kernel, stride=2), nn.ReLU(inplace=True)]
        for stage in stages:
            layers.append(nn.MaxPool2d(kernel_size=3, stride=2, ceil_mode=True))
            for squeeze, half in stage:
                layers.append(Fire(channels, squeeze, half, half))
                channels = 2 * half
        self.features = nn.Sequential(*layers)
        final_conv = nn.Conv2d(channels, num_classes, kernel_size=1)
        self.classifier = nn.Sequential(
            nn.Dropout(p=dropout), final_conv, nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d((1, 1))
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                if module is final_conv:
                    nn.init.normal_(module.weight, mean=0.0, std=0.01)
                else:
                    nn.init.kaiming_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = self.classifier(self.features(x))  # (B, num_classes, 1, 1)
        return torch.flatten(x, 1)


_card = published("squeezenet")


class SqueezeNet1_0_Weights(WeightsEnum):
    """Weights of :func:`squeezenet1_0`."""

    IMAGENET1K_V1 = _card("squeezenet1_0", "IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class SqueezeNet1_1_Weights(WeightsEnum):
    """Weights of :func:`squeezenet1_1`."""

    IMAGENET1K_V1 = _card("squeezenet1_1", "IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


@register_model(weights=SqueezeNet1_0_Weights)
def squeezenet1_0(
    *, weights: SqueezeNet1_0_Weights | str | None = None, progress: Report = True, **kwargs: Any
) -> SqueezeNet:
    """SqueezeNet 1.0 (https://arxiv.org/abs/1602.07360).

    Args:
        weights: published weights to load, a member of :class:`SqueezeNet1_0_Weights` or its name.
        progress: how the download is reported, see :meth:`WeightsEnum.get_state_dict`.
        **kwargs: for :class:`SqueezeNet`.

    Examples:
        >>> import torch
        >>> from vision_models import squeezenet1_0
        >>> squeezenet1_0(num_classes=10).eval()(torch.zeros(1, 3, 64, 64)).shape
        torch.Size([1, 10])
    """
    return build(SqueezeNet, SqueezeNet1_0_Weights.verify(weights), progress, "1_0", **kwargs)


@register_model(weights=SqueezeNet1_1_Weights)
def squeezenet1_1(
    *, weights: SqueezeNet1_1_Weights | str | None = None, progress: Report = True, **kwargs: Any
) -> SqueezeNet:
    """SqueezeNet 1.1 (https://arxiv.org/abs/1602.07360).

    Arguments as for :func:`squeezenet1_0`, e.g. ``squeezenet1_1(weights="DEFAULT")``.
    """
    return build(SqueezeNet, SqueezeNet1_1_Weights.verify(weights), progress, "1_1", **kwargs)
