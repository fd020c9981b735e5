"""DenseNet.

Paper: Huang et al., "Densely Connected Convolutional Networks", https://arxiv.org/abs/1608.06993; keeping less for the
backward pass: Pleiss et al., "Memory-Efficient Implementation of DenseNets", https://arxiv.org/abs/1707.06990.
"""

# ruff: noqa: N801  (the published names of the weights)

import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from vision_models._build import build
from vision_models._download import Report
from vision_models._layers import initialise_convolutions
from vision_models._registry import register_model
from vision_models._weights import WeightsEnum, published

__all__ = [
    "DenseNet",
    "DenseNet121_Weights",
    "DenseNet161_Weights",
    "DenseNet169_Weights",
    "DenseNet201_Weights",
    "densenet121",
    "densenet161",
    "densenet169",
    "densenet201",
]


class DenseLayer(nn.Module):
    """Computes ``growth_rate`` new channels from all the earlier ones.

    Args:
        num_input_features: channels of all the inputs together.
        growth_rate: channels of the output.
        bn_size: the 1x1 convolution has ``bn_size * growth_rate`` channels.
        drop_rate: probability of zeroing an output value while training.
        memory_efficient: compute the concatenation again in the backward pass instead of keeping it.
    """

    def __init__(
        self, num_input_features: int, growth_rate: int, bn_size: int, drop_rate: float, memory_efficient: bool = False
    ) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(num_input_features)
        self.relu1 = nn.ReLU(inplace=True)
        self.conv1 = nn.Conv2d(num_input_features, bn_size * growth_rate, kernel_size=1, bias=False)
        self.norm2 = nn.BatchNorm2d(bn_size * growth_rate)
        self.relu2 = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(bn_size * growth_rate, growth_rate, kernel_size=3, padding=1, bias=False)
        self.drop_rate = float(drop_rate)
        self.memory_efficient = memory_efficient

    def bottleneck(self, features: list[Tensor]) -> Tensor:
        """Concatenate, normalise, 1x1 convolution."""
        return self.conv1(self.relu1(self.norm1(torch.cat(features, 1))))

    @torch.jit.unused
    def recomputed_bottleneck(self, features: list[Tensor]) -> Tensor:
        """The same, forgetting what the backward pass can compute again."""
        return checkpoint(lambda *inputs: self.bottleneck(list(inputs)), *features, use_reentrant=False)

    def forward(self, features: list[Tensor]) -> Tensor:
        if self.memory_efficient and self.training:
            out = self.recomputed_bottleneck(features)
        else:
            out = self.bottleneck(features)
        out = self.conv2(self.relu2(self.norm2(out)))
        if self.drop_rate > 0:
            out = F.dropout(out, p=self.drop_rate, training=self.training)
        return out


class DenseBlock(nn.ModuleDict):
    """Layers of which each sees the outputs of all before it.

    Args:
        num_layers: number of layers.
        num_input_features: channels of the input.
        bn_size: see :class:`DenseLayer`.
        growth_rate: see :class:`DenseLayer`.
        drop_rate: see :class:`DenseLayer`.
        memory_efficient: see :class:`DenseLayer`.
    """

    def __init__(
        self,
        num_layers: int,
        num_input_features: int,
        bn_size: int,
        growth_rate: int,
        drop_rate: float,
        memory_efficient: bool = False,
    ) -> None:
        super().__init__()
        for i in range(num_layers):
            width = num_input_features + i * growth_rate
            self[f"denselayer{i + 1}"] = DenseLayer(width, growth_rate, bn_size, drop_rate, memory_efficient)

    def forward(self, x: Tensor) -> Tensor:
        features = [x]
        for layer in self.values():
            features.append(layer(features))
        return torch.cat(features, 1)


def _transition(inputs: int, outputs: int) -> nn.Sequential:
    """Narrow and halve the resolution."""
    layers = OrderedDict[str, nn.Module]()
    layers["norm"] = nn.BatchNorm2d(inputs)
    layers["relu"] = nn.ReLU(inplace=True)
    layers["conv"] = nn.Conv2d(inputs, outputs, kernel_size=1, bias=False)
    layers["pool"] = nn.AvgPool2d(kernel_size=2, stride=2)
    return nn.Sequential(layers)


class DenseNet(nn.Module):
    """The network: stem, dense blocks with transitions between, global average, linear classifier.

    Input ``(B, 3, H, W)``, at least 29 pixels high and wide, output logits ``(B, num_classes)``.

    Args:
        growth_rate: channels that each layer adds.
        block_config: layers per block.
        num_init_features: channels of the stem.
        bn_size: width of a layer's bottleneck in units of ``growth_rate``.
        drop_rate: probability of zeroing an output value of a layer while training.
        num_classes: number of logits.
        memory_efficient: compute concatenations again in the backward pass; slower, much less memory.

    Raises:
        ValueError: ``block_config`` is empty.

    Examples:
        >>> import torch
        >>> from vision_models import DenseNet
        >>> DenseNet(8, (2, 2), 16, num_classes=5).eval()(torch.zeros(2, 3, 32, 32)).shape
        torch.Size([2, 5])
    """

    def __init__(
        self,
        growth_rate: int = 32,
        block_config: Sequence[int] = (6, 12, 24, 16),
        num_init_features: int = 64,
        bn_size: int = 4,
        drop_rate: float = 0,
        num_classes: int = 1000,
        memory_efficient: bool = False,
    ) -> None:
        super().__init__()
        if not block_config:
            raise ValueError("block_config: expected the number of layers of at least one block, got none")
        layers = OrderedDict[str, nn.Module]()
        layers["conv0"] = nn.Conv2d(3, num_init_features, kernel_size=7, stride=2, padding=3, bias=False)
        layers["norm0"] = nn.BatchNorm2d(num_init_features)
        layers["relu0"] = nn.ReLU(inplace=True)
        layers["pool0"] = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        width = num_init_features
        for i, count in enumerate(block_config, start=1):
            layers[f"denseblock{i}"] = DenseBlock(count, width, bn_size, growth_rate, drop_rate, memory_efficient)
            width += count * growth_rate
            if i < len(block_config):
                layers[f"transition{i}"] = _transition(width, width // 2)
                width //= 2
        layers["norm5"] = nn.BatchNorm2d(width)
        self.features = nn.Sequential(layers)
        self.classifier = nn.Linear(width, num_classes)
        initialise_convolutions(self)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)  # this family: by the inputs
        nn.init.zeros_(self.classifier.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.features(x), inplace=True)  # (B, C, H/32, W/32)
        x = torch.flatten(F.adaptive_avg_pool2d(x, (1, 1)), 1)  # (B, C)
        return self.classifier(x)


_card = published("densenet")


class DenseNet121_Weights(WeightsEnum):
    """Weights of :func:`densenet121`."""

    IMAGENET1K_V1 = _card("densenet121", "IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class DenseNet161_Weights(WeightsEnum):
    """Weights of :func:`densenet161`."""

    IMAGENET1K_V1 = _card("densenet161", "IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class DenseNet169_Weights(WeightsEnum):
    """Weights of :func:`densenet169`."""

    IMAGENET1K_V1 = _card("densenet169", "IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class DenseNet201_Weights(WeightsEnum):
    """Weights of :func:`densenet201`."""

    IMAGENET1K_V1 = _card("densenet201", "IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


def _renamed(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The published checkpoints write ``norm.1`` for what is ``norm1`` today."""
    return {re.sub(r"(denselayer\d+\.(?:norm|conv))\.([12])\.", r"\1\2.", key): value for key, value in state.items()}


def _densenet(
    growth_rate: int,
    block_config: tuple[int, int, int, int],
    stem: int,
    weights: WeightsEnum | None,
    progress: Report,
    kwargs: dict[str, Any],
) -> DenseNet:
    return build(DenseNet, weights, progress, growth_rate, block_config, stem, convert=_renamed, **kwargs)


@register_model(weights=DenseNet121_Weights)
def densenet121(
    *, weights: DenseNet121_Weights | str | None = None, progress: Report = True, **kwargs: Any
) -> DenseNet:
    """DenseNet-121 (https://arxiv.org/abs/1608.06993).

    Args:
        weights: published weights to load, a member of :class:`DenseNet121_Weights` or its name.
        progress: how the download is reported, see :meth:`WeightsEnum.get_state_dict`.
        **kwargs: for :class:`DenseNet`.

    Examples:
        >>> import torch
        >>> from vision_models import densenet121
        >>> densenet121(num_classes=10).eval()(torch.zeros(1, 3, 64, 64)).shape
        torch.Size([1, 10])
    """
    return _densenet(32, (6, 12, 24, 16), 64, DenseNet121_Weights.verify(weights), progress, kwargs)


@register_model(weights=DenseNet161_Weights)
def densenet161(
    *, weights: DenseNet161_Weights | str | None = None, progress: Report = True, **kwargs: Any
) -> DenseNet:
    """DenseNet-161 (https://arxiv.org/abs/1608.06993).

    Arguments as for :func:`densenet121`, e.g. ``densenet161(weights="DEFAULT")``.
    """
    return _densenet(48, (6, 12, 36, 24), 96, DenseNet161_Weights.verify(weights), progress, kwargs)


@register_model(weights=DenseNet169_Weights)
def densenet169(
    *, weights: DenseNet169_Weights | str | None = None, progress: Report = True, **kwargs: Any
) -> DenseNet:
    """DenseNet-169 (https://arxiv.org/abs/1608.06993).

    Arguments as for :func:`densenet121`, e.g. ``densenet169(weights="DEFAULT")``.
    """
    return _densenet(32, (6, 12, 32, 32), 64, DenseNet169_Weights.verify(weights), progress, kwargs)


@register_model(weights=DenseNet201_Weights)
def densenet201(
    *, weights: DenseNet201_Weights | str | None = None, progress: Report = True, **kwargs: Any
) -> DenseNet:
    """DenseNet-201 (https://arxiv.org/abs/1608.06993).

    Arguments as for :func:`densenet121`, e.g. ``densenet201(weights="DEFAULT")``.
    """
    return _densenet(32, (6, 12, 48, 32), 64, DenseNet201_Weights.verify(weights), progress, kwargs)
