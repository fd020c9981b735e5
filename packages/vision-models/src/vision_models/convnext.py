"""ConvNeXt.

Paper: Liu et al., "A ConvNet for the 2020s", https://arxiv.org/abs/2201.03545.
"""

# ruff: noqa: N801  (the published names of the weights)

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vision_models._build import build
from vision_models._download import Report
from vision_models._layers import Conv2dNormActivation, StochasticDepth
from vision_models._registry import register_model
from vision_models._weights import WeightsEnum, published

__all__ = [
    "ConvNeXt",
    "ConvNeXt_Base_Weights",
    "ConvNeXt_Large_Weights",
    "ConvNeXt_Small_Weights",
    "ConvNeXt_Tiny_Weights",
    "convnext_base",
    "convnext_large",
    "convnext_small",
    "convnext_tiny",
]


Norm = Callable[[int], nn.Module]


class LayerNorm2d(nn.LayerNorm):
    """Layer normalisation over the channels of ``(B, C, H, W)``."""

    def forward(self, input: Tensor) -> Tensor:
        x = input.permute(0, 2, 3, 1)  # (B, H, W, C)
        x = F.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)
        return x.permute(0, 3, 1, 2)


class Permute(nn.Module):
    """Reorders axes.

    Args:
        dims: for each axis of the result, the input's axis.
    """

    def __init__(self, dims: list[int]) -> None:
        super().__init__()
        self.dims = dims

    def forward(self, x: Tensor) -> Tensor:
        return torch.permute(x, self.dims)


class CNBlock(nn.Module):
    """A 7x7 depthwise convolution and a two-layer perceptron on each pixel, scaled per channel, with a shortcut.

    Args:
        dim: channels.
        layer_scale: first value of the scale of the branch.
        stochastic_depth_prob: probability of leaving the branch out while training.
        norm_layer: makes a normalisation of the last axis; layer normalisation by default.
    """

    def __init__(
        self, dim: int, layer_scale: float, stochastic_depth_prob: float, norm_layer: Norm | None = None
    ) -> None:
        super().__init__()
        norm = norm_layer or partial(nn.LayerNorm, eps=1e-6)
        self.block = nn.Sequential(
            nn.Conv2d(dim, dim, kernel_size=7, padding=3, groups=dim),
            Permute([0, 2, 3, 1]),  # (B, H, W, C)
            norm(dim),
            nn.Linear(dim, 4 * dim),
            nn.GELU(),
            nn.Linear(4 * dim, dim),
            Permute([0, 3, 1, 2]),  # (B, C, H, W)
        )
        self.layer_scale = nn.Parameter(torch.full((dim, 1, 1), layer_scale))
        self.stochastic_depth = StochasticDepth(stochastic_depth_prob, "row")

    def forward(self, x: Tensor) -> Tensor:
        return self.stochastic_depth(self.layer_scale * self.block(x)) + x


@dataclass(frozen=True)
class CNBlockConfig:
    """One stage.

    Attributes:
        input_channels: channels of the stage.
        out_channels: channels after the reduction that follows it; ``None`` where none follows.
        num_layers: number of blocks.
    """

    input_channels: int
    out_channels: int | None
    num_layers: int


class ConvNeXt(nn.Module):
    """The network: patch stem, stages with reductions between, global average, normalised linear classifier.

    Input ``(B, 3, H, W)``, output logits ``(B, num_classes)``.

    Args:
        block_setting: one configuration per stage.
        stochastic_depth_prob: probability of leaving a block out; grows linearly from 0 at the first block.
        layer_scale: first value of the scale of the branches.
        num_classes: number of logits.
        block: makes a block from its channels, ``layer_scale`` and its probability.
        norm_layer: makes a normalisation of the channels of ``(B, C, H, W)``; layer normalisation by default.

    Raises:
        ValueError: ``block_setting`` is empty.
        TypeError: it holds something else than configurations.

    Examples:
        >>> import torch
        >>> from vision_models.convnext import CNBlockConfig, ConvNeXt
        >>> stages = [CNBlockConfig(16, 32, 1), CNBlockConfig(32, None, 2)]
        >>> ConvNeXt(stages, num_classes=5)(torch.zeros(2, 3, 32, 32)).shape
        torch.Size([2, 5])
    """

    def __init__(
        self,
        block_setting: Sequence[CNBlockConfig],
        stochastic_depth_prob: float = 0.0,
        layer_scale: float = 1e-6,
        num_classes: int = 1000,
        block: Callable[..., nn.Module] | None = None,
        norm_layer: Norm | None = None,
    ) -> None:
        super().__init__()
        settings = list(block_setting)
        if not settings:
            raise ValueError("block_setting: expected at least one stage, got none")
        if not all(isinstance(setting, CNBlockConfig) for setting in settings):
            raise TypeError(f"block_setting: expected CNBlockConfig, got {settings!r}")
        make_block = block or CNBlock
        norm = norm_layer or partial(LayerNorm2d, eps=1e-6)
        stem = settings[0].input_channels
        layers: list[nn.Module] = [
            Conv2dNormActivation(3, stem, 4, stride=4, padding=0, norm_layer=norm, activation_layer=None, bias=True)
        ]
        last = max(1, sum(setting.num_layers for setting in settings) - 1)
        index = 0
        for setting in settings:
            width = setting.input_channels
            blocks = []
            for _ in range(setting.num_layers):
                blocks.append(make_block(width, layer_scale, stochastic_depth_prob * index / last))
                index += 1
            layers.append(nn.Sequential(*blocks))
            if setting.out_channels is not None:
                layers.append(nn.Sequential(norm(width), nn.Conv2d(width, setting.out_channels, 2, stride=2)))
        width = settings[-1].out_channels or settings[-1].input_channels
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(norm(width), nn.Flatten(1), nn.Linear(width, num_classes))
        for module in self.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                nn.init.trunc_normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = self.avgpool(self.features(x))  # (B, C, 1, 1)
        return self.classifier(x)


_card = published("convnext")


class ConvNeXt_Tiny_Weights(WeightsEnum):
    """Weights of :func:`convnext_tiny`."""

    IMAGENET1K_V1 = _card("convnext_tiny", "IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class ConvNeXt_Small_Weights(WeightsEnum):
    """Weights of :func:`convnext_small`."""

    IMAGENET1K_V1 = _card("convnext_small", "IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class ConvNeXt_Base_Weights(WeightsEnum):
    """Weights of :func:`convnext_base`."""

    IMAGENET1K_V1 = _card("convnext_base", "IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class ConvNeXt_Large_Weights(WeightsEnum):
    """Weights of :func:`convnext_large`."""

    IMAGENET1K_V1 = _card("convnext_large", "IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


def _convnext(
    width: int, depth: int, drop: float, weights: WeightsEnum | None, progress: Report, kwargs: dict[str, Any]
) -> ConvNeXt:
    """Stages of 3, 3, ``depth`` and 3 blocks; the width doubles at each."""
    stages = [
        CNBlockConfig(width, 2 * width, 3),
        CNBlockConfig(2 * width, 4 * width, 3),
        CNBlockConfig(4 * width, 8 * width, depth),
        CNBlockConfig(8 * width, None, 3),
    ]
    kwargs.setdefault("stochastic_depth_prob", drop)
    return build(ConvNeXt, weights, progress, stages, **kwargs)


@register_model(weights=ConvNeXt_Tiny_Weights)
def convnext_tiny(
    *, weights: ConvNeXt_Tiny_Weights | str | None = None, progress: Report = True, **kwargs: Any
) -> ConvNeXt:
    """ConvNeXt-Tiny (https://arxiv.org/abs/2201.03545).

    Args:
        weights: published weights to load, a member of :class:`ConvNeXt_Tiny_Weights` or its name.
        progress: how the download is reported, see :meth:`WeightsEnum.get_state_dict`.
        **kwargs: for :class:`ConvNeXt`.

    Examples:
        >>> import torch
        >>> from vision_models import convnext_tiny
        >>> convnext_tiny(num_classes=10).eval()(torch.zeros(1, 3, 64, 64)).shape
        torch.Size([1, 10])
    """
    return _convnext(96, 9, 0.1, ConvNeXt_Tiny_Weights.verify(weights), progress, kwargs)


@register_model(weights=ConvNeXt_Small_Weights)
def convnext_small(
    *, weights: ConvNeXt_Small_Weights | str | None = None, progress: Report = True, **kwargs: Any
) -> ConvNeXt:
    """ConvNeXt-Small (https://arxiv.org/abs/2201.03545).

    Arguments as for :func:`convnext_tiny`, e.g. ``convnext_small(weights="DEFAULT")``.
    """
    return _convnext(96, 27, 0.4, ConvNeXt_Small_Weights.verify(weights), progress, kwargs)


@register_model(weights=ConvNeXt_Base_Weights)
def convnext_base(
    *, weights: ConvNeXt_Base_Weights | str | None = None, progress: Report = True, **kwargs: Any
) -> ConvNeXt:
    """ConvNeXt-Base (https://arxiv.org/abs/2201.03545).

    Arguments as for :func:`convnext_tiny`, e.g. ``convnext_base(weights="DEFAULT")``.
    """
    return _convnext(128, 27, 0.5, ConvNeXt_Base_Weights.verify(weights), progress, kwargs)


@register_model(weights=ConvNeXt_Large_Weights)
def convnext_large(
    *, weights: ConvNeXt_Large_Weights | str | None = None, progress: Report = True, **kwargs: Any
) -> ConvNeXt:
    """ConvNeXt-Large (https://arxiv.org/abs/2201.03545).

    Arguments as for :func:`convnext_tiny`, e.g. ``convnext_large(weights="DEFAULT")``.
    """
    return _convnext(192, 27, 0.5, ConvNeXt_Large_Weights.verify(weights), progress, kwargs)
