"""VGG.

Paper: Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition",
https://arxiv.org/abs/1409.1556 (table 1, configurations A, B, D and E).
"""

# ruff: noqa: N801  (the published names of the weights)

from typing import Any

import torch
from torch import Tensor, nn

from vision_models._build import build
from vision_models._download import Report
from vision_models._layers import initialise_convolutions
from vision_models._registry import register_model
from vision_models._weights import WeightsEnum, published

__all__ = [
    "VGG",
    "VGG11_BN_Weights",
    "VGG11_Weights",
    "VGG13_BN_Weights",
    "VGG13_Weights",
    "VGG16_BN_Weights",
    "VGG16_Weights",
    "VGG19_BN_Weights",
    "VGG19_Weights",
    "vgg11",
    "vgg11_bn",
    "vgg13",
    "vgg13_bn",
    "vgg16",
    "vgg16_bn",
    "vgg19",
    "vgg19_bn",
]


# Convolutions of each stage; a stage ends with pooling.
_STAGES = {
    11: ((64,), (128,), (256, 256), (512, 512), (512, 512)),
    13: ((64, 64), (128, 128), (256, 256), (512, 512), (512, 512)),
    16: ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512)),
    19: ((64, 64), (128, 128), (256,) * 4, (512,) * 4, (512,) * 4),
}


class VGG(nn.Module):
    """The network: stacked 3x3 convolutions, average to 7x7, three-layer classifier.

    Input ``(B, 3, H, W)``, at least 32 pixels high and wide, output logits ``(B, num_classes)``.

    Args:
        features: maps images to ``(B, 512, h, w)``.
        num_classes: number of logits.
        init_weights: initialise as published; otherwise the layers keep torch's own initialisation, which is faster
            where weights are loaded anyway.
        dropout: probability of zeroing a hidden feature of the classifier while training.

    Examples:
        >>> import torch
        >>> from vision_models import VGG
        >>> features = torch.nn.Conv2d(3, 512, 3, stride=4)
        >>> VGG(features, num_classes=5, init_weights=False)(torch.zeros(2, 3, 32, 32)).shape
        torch.Size([2, 5])
    """

    def __init__(
        self, features: nn.Module, num_classes: int = 1000, init_weights: bool = True, dropout: float = 0.5
    ) -> None:
        super().__init__()
        self.features = features
        self.avgpool = nn.AdaptiveAvgPool2d((7, 7))
        self.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(p=dropout),
            nn.Linear(4096, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(p=dropout),
            nn.Linear(4096, num_classes),
        )
        if init_weights:
            initialise_convolutions(self)
            for module in self.modules():
                if isinstance(module, nn.Linear):
                    nn.init.normal_(module.weight, 0, 0.01)
                    nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = self.avgpool(self.features(x))  # (B, 512, 7, 7)
        return self.classifier(torch.flatten(x, 1))


_card = published("vgg")


class VGG11_Weights(WeightsEnum):
    """Weights of :func:`vgg11`."""

    IMAGENET1K_V1 = _card("vgg11", "IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class VGG11_BN_Weights(WeightsEnum):
    """Weights of :func:`vgg11_bn`."""

    IMAGENET1K_V1 = _card("vgg11_bn", "IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class VGG13_Weights(WeightsEnum):
    """Weights of :func:`vgg13`."""

    IMAGENET1K_V1 = _card("vgg13", "IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class VGG13_BN_Weights(WeightsEnum):
    """Weights of :func:`vgg13_bn`."""

    IMAGENET1K_V1 = _card("vgg13_bn", "IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class VGG16_Weights(WeightsEnum):
    """Weights of :func:`vgg16`."""

    IMAGENET1K_V1 = _card("vgg16", "IMAGENET1K_V1")
    IMAGENET1K_FEATURES = _card("vgg16", "IMAGENET1K_FEATURES")
    DEFAULT = IMAGENET1K_V1


class VGG16_BN_Weights(WeightsEnum):
    """Weights of :func:`vgg16_bn`."""

    IMAGENET1K_V1 = _card("vgg16_bn", "IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class VGG19_Weights(WeightsEnum):
    """Weights of :func:`vgg19`."""

    IMAGENET1K_V1 = _card("vgg19", "IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class VGG19_BN_Weights(WeightsEnum):
    """Weights of :func:`vgg19_bn`."""

    IMAGENET1K_V1 = _card("vgg19_bn", "IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


def _features(depth: int, batch_norm: bool) -> nn.Sequential:
    layers: list[nn.Module] = []
    channels = 3
    for stage in _STAGES[depth]:
        for width in stage:
            layers.append(nn.Conv2d(channels, width, kernel_size=3, padding=1))
            if batch_norm:
                layers.append(nn.BatchNorm2d(width))
            layers.append(nn.ReLU(inplace=True))
            channels = width
        layers.append(nn.MaxPool2d(kernel_size=2, stride=2))
    return nn.Sequential(*layers)


def _vgg(depth: int, batch_norm: bool, weights: WeightsEnum | None, progress: Report, kwargs: dict[str, Any]) -> VGG:
    if weights is not None:
        kwargs.setdefault("init_weights", False)
    return build(VGG, weights, progress, _features(depth, batch_norm), **kwargs)


@register_model(weights=VGG11_Weights)
def vgg11(*, weights: VGG11_Weights | str | None = None, progress: Report = True, **kwargs: Any) -> VGG:
    """VGG-11 (https://arxiv.org/abs/1409.1556).

    Args:
        weights: published weights to load, a member of :class:`VGG11_Weights` or its name.
        progress: how the download is reported, see :meth:`WeightsEnum.get_state_dict`.
        **kwargs: for :class:`VGG`.

    Examples:
        >>> import torch
        >>> from vision_models import vgg11
        >>> vgg11(num_classes=10).eval()(torch.zeros(1, 3, 64, 64)).shape
        torch.Size([1, 10])
    """
    return _vgg(11, False, VGG11_Weights.verify(weights), progress, kwargs)


@register_model(weights=VGG11_BN_Weights)
def vgg11_bn(*, weights: VGG11_BN_Weights | str | None = None, progress: Report = True, **kwargs: Any) -> VGG:
    """VGG-11 with batch normalisation (https://arxiv.org/abs/1409.1556).

    Arguments as for :func:`vgg11`, e.g. ``vgg11_bn(weights="DEFAULT")``.
    """
    return _vgg(11, True, VGG11_BN_Weights.verify(weights), progress, kwargs)


@register_model(weights=VGG13_Weights)
def vgg13(*, weights: VGG13_Weights | str | None = None, progress: Report = True, **kwargs: Any) -> VGG:
    """VGG-13 (https://arxiv.org/abs/1409.1556).

    Arguments as for :func:`vgg11`, e.g. ``vgg13(weights="DEFAULT")``.
    """
    return _vgg(13, False, VGG13_Weights.verify(weights), progress, kwargs)


@register_model(weights=VGG13_BN_Weights)
def vgg13_bn(*, weights: VGG13_BN_Weights | str | None = None, progress: Report = True, **kwargs: Any) -> VGG:
    """VGG-13 with batch normalisation (https://arxiv.org/abs/1409.1556).

    Arguments as for :func:`vgg11`, e.g. ``vgg13_bn(weights="DEFAULT")``.
    """
    return _vgg(13, True, VGG13_BN_Weights.verify(weights), progress, kwargs)


@register_model(weights=VGG16_Weights)
def vgg16(*, weights: VGG16_Weights | str | None = None, progress: Report = True, **kwargs: Any) -> VGG:
    """VGG-16 (https://arxiv.org/abs/1409.1556).

    Arguments as for :func:`vgg11`, e.g. ``vgg16(weights="DEFAULT")``.
    """
    return _vgg(16, False, VGG16_Weights.verify(weights), progress, kwargs)


@register_model(weights=VGG16_BN_Weights)
def vgg16_bn(*, weights: VGG16_BN_Weights | str | None = None, progress: Report = True, **kwargs: Any) -> VGG:
    """VGG-16 with batch normalisation (https://arxiv.org/abs/1409.1556).

    Arguments as for :func:`vgg11`, e.g. ``vgg16_bn(weights="DEFAULT")``.
    """
    return _vgg(16, True, VGG16_BN_Weights.verify(weights), progress, kwargs)


@register_model(weights=VGG19_Weights)
def vgg19(*, weights: VGG19_Weights | str | None = None, progress: Report = True, **kwargs: Any) -> VGG:
    """VGG-19 (https://arxiv.org/abs/1409.1556).

    Arguments as for :func:`vgg11`, e.g. ``vgg19(weights="DEFAULT")``.
    """
    return _vgg(19, False, VGG19_Weights.verify(weights), progress, kwargs)


@register_model(weights=VGG19_BN_Weights)
def vgg19_bn(*, weights: VGG19_BN_Weights | str | None = None, progress: Report = True, **kwargs: Any) -> VGG:
    """VGG-19 with batch normalisation (https://arxiv.org/abs/1409.1556).

    Arguments as for :func:`vgg11`, e.g. ``vgg19_bn(weights="DEFAULT")``.
    """
    return _vgg(19, True, VGG19_BN_Weights.verify(weights), progress, kwargs)
