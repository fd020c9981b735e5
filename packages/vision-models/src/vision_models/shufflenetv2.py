"""ShuffleNetV2.

Paper: Ma et al., "ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design",
https://arxiv.org/abs/1807.11164.
"""

# ruff: noqa: N801  (the published names of the weights)

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from vision_models._build import build
from vision_models._download import Report
from vision_models._registry import register_model
from vision_models._weights import WeightsEnum, published

__all__ = [
    "ShuffleNetV2",
    "ShuffleNet_V2_X0_5_Weights",
    "ShuffleNet_V2_X1_0_Weights",
    "ShuffleNet_V2_X1_5_Weights",
    "ShuffleNet_V2_X2_0_Weights",
    "shufflenet_v2_x0_5",
    "shufflenet_v2_x1_0",
    "shufflenet_v2_x1_5",
    "shufflenet_v2_x2_0",
]


def channel_shuffle(x: Tensor, groups: int) -> Tensor:
    """Interleave the channels of ``groups`` equal groups: ``(B, C, H, W)`` of the same shape."""
    batch, channels, height, width = x.shape
    x = x.view(batch, groups, channels // groups, height, width).transpose(1, 2)
    return x.reshape(batch, channels, height, width)


def _conv(inp: int, oup: int) -> list[nn.Module]:
    return [nn.Conv2d(inp, oup, kernel_size=1, bias=False), nn.BatchNorm2d(oup), nn.ReLU(inplace=True)]


def _depthwise(channels: int, stride: int) -> list[nn.Module]:
    conv = nn.Conv2d(channels, channels, kernel_size=3, stride=stride, padding=1, groups=channels, bias=False)
    return [conv, nn.BatchNorm2d(channels)]


class InvertedResidual(nn.Module):
    """Two branches of equal width, then a channel shuffle.

    At stride 1 the branches take one half of the channels each and the first passes its half on; at stride 2 both take
    all channels.

    Args:
        inp: channels of the input.
        oup: channels of the output, an even number; equal to ``inp`` at stride 1.
        stride: 1 or 2.
    """

    def __init__(self, inp: int, oup: int, stride: int) -> None:
        super().__init__()
        if stride not in (1, 2):
            raise ValueError(f"stride: expected 1 or 2, got {stride}")
        if oup % 2 != 0 or (stride == 1 and inp != oup):
            raise ValueError(f"oup: expected an even number, equal to inp ({inp}) at stride 1, got {oup}")
        half = oup // 2
        self.stride = stride
        self.branch1 = nn.Sequential(*_depthwise(inp, stride), *_conv(inp, half)) if stride > 1 else nn.Sequential()
        self.branch2 = nn.Sequential(
            *_conv(inp if stride > 1 else half, half), *_depthwise(half, stride), *_conv(half, half)
        )

    def forward(self, x: Tensor) -> Tensor:
        if self.stride == 1:
            kept, used = x.chunk(2, dim=1)
            out = torch.cat((kept, self.branch2(used)), dim=1)
        else:
            out = torch.cat((self.branch1(x), self.branch2(x)), dim=1)
        return channel_shuffle(out, 2)


class ShuffleNetV2(nn.Module):
    """The network: stem, three stages, last convolution, global average, linear classifier.

    Input ``(B, 3, H, W)``, output logits ``(B, num_classes)``.

    Args:
        stages_repeats: blocks of the three stages.
        stages_out_channels: channels of the stem, the three stages and the last convolution.
        num_classes: number of logits.
        inverted_residual: makes a block from its input channels, output channels and stride.

    Raises:
        ValueError: not three repeats or not five numbers of channels.

    Examples:
        >>> import torch
        >>> from vision_models import ShuffleNetV2
        >>> ShuffleNetV2([1, 1, 1], [8, 16, 32, 64, 64], num_classes=5).eval()(torch.zeros(2, 3, 32, 32)).shape
        torch.Size([2, 5])
    """

    def __init__(
        self,
        stages_repeats: Sequence[int],
        stages_out_channels: Sequence[int],
        num_classes: int = 1000,
        inverted_residual: Callable[..., nn.Module] = InvertedResidual,
    ) -> None:
        super().__init__()
        if len(stages_repeats) != 3:
            raise ValueError(f"stages_repeats: expected 3 numbers, got {stages_repeats!r}")
        if len(stages_out_channels) != 5:
            raise ValueError(f"stages_out_channels: expected 5 numbers, got {stages_out_channels!r}")
        stem, last = stages_out_channels[0], stages_out_channels[-1]
        self.conv1 = nn.Sequential(
            nn.Conv2d(3, stem, kernel_size=3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(stem),
            nn.ReLU(inplace=True),
        )
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        stages = []
        for i, repeats in enumerate(stages_repeats):
            inp, oup = stages_out_channels[i], stages_out_channels[i + 1]
            blocks = [inverted_residual(inp, oup, 2), *(inverted_residual(oup, oup, 1) for _ in range(repeats - 1))]
            stages.append(nn.Sequential(*blocks))
        self.stage2, self.stage3, self.stage4 = stages
        self.conv5 = nn.Sequential(*_conv(stages_out_channels[-2], last))
        self.fc = nn.Linear(last, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.conv1(x))  # (B, C1, H/4, W/4)
        x = self.stage2(x)
        x = self.stage3(x)
        x = self.stage4(x)  # (B, C4, H/32, W/32)
        x = self.conv5(x).mean([2, 3])  # (B, C5)
        return self.fc(x)


_card = published("shufflenetv2")


class ShuffleNet_V2_X0_5_Weights(WeightsEnum):
    """Weights of :func:`shufflenet_v2_x0_5`."""

    IMAGENET1K_V1 = _card("shufflenet_v2_x0_5", "IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class ShuffleNet_V2_X1_0_Weights(WeightsEnum):
    """Weights of :func:`shufflenet_v2_x1_0`."""

    IMAGENET1K_V1 = _card("shufflenet_v2_x1_0", "IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class ShuffleNet_V2_X1_5_Weights(WeightsEnum):
    """Weights of :func:`shufflenet_v2_x1_5`."""

    IMAGENET1K_V1 = _card("shufflenet_v2_x1_5", "IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class ShuffleNet_V2_X2_0_Weights(WeightsEnum):
    """Weights of :func:`shufflenet_v2_x2_0`."""

    IMAGENET1K_V1 = _card("shufflenet_v2_x2_0", "IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


def _shufflenet(
    channels: tuple[int, int, int, int, int], weights: WeightsEnum | None, progress: Report, kwargs: dict[str, Any]
) -> ShuffleNetV2:
    return build(ShuffleNetV2, weights, progress, (4, 8, 4), channels, **kwargs)


@register_model(weights=ShuffleNet_V2_X0_5_Weights)
def shufflenet_v2_x0_5(
    *, weights: ShuffleNet_V2_X0_5_Weights | str | None = None, progress: Report = True, **kwargs: Any
) -> ShuffleNetV2:
    """ShuffleNetV2 of width 0.5 (https://arxiv.org/abs/1807.11164).

    Args:
        weights: published weights to load, a member of :class:`ShuffleNet_V2_X0_5_Weights` or its name.
        progress: how the download is reported, see :meth:`WeightsEnum.get_state_dict`.
        **kwargs: for :class:`ShuffleNetV2`.

    Examples:
        >>> import torch
        >>> from vision_models import shufflenet_v2_x0_5
        >>> shufflenet_v2_x0_5(num_classes=10).eval()(torch.zeros(1, 3, 64, 64)).shape
        torch.Size([1, 10])
    """
    return build(
        ShuffleNetV2, ShuffleNet_V2_X0_5_Weights.verify(weights), progress, (4, 8, 4), (24, 48, 96, 192, 1024), **kwargs
    )


@register_model(weights=ShuffleNet_V2_X1_0_Weights)
def shufflenet_v2_x1_0(
    *, weights: ShuffleNet_V2_X1_0_Weights | str | None = None, progress: Report = True, **kwargs: Any
) -> ShuffleNetV2:
    """ShuffleNetV2 of width 1.0 (https://arxiv.org/abs/1807.11164).

    Arguments as for :func:`shufflenet_v2_x0_5`, e.g. ``shufflenet_v2_x1_0(weights="DEFAULT")``.
    """
    return build(
        ShuffleNetV2,
        ShuffleNet_V2_X1_0_Weights.verify(weights),
        progress,
        (4, 8, 4),
        (24, 116, 232, 464, 1024),
        **kwargs,
    )


@register_model(weights=ShuffleNet_V2_X1_5_Weights)
def shufflenet_v2_x1_5(
    *, weights: ShuffleNet_V2_X1_5_Weights | str | None = None, progress: Report = True, **kwargs: Any
) -> ShuffleNetV2:
    """ShuffleNetV2 of width 1.5 (https://arxiv.org/abs/1807.11164).

    Arguments as for :func:`shufflenet_v2_x0_5`, e.g. ``shufflenet_v2_x1_5(weights="DEFAULT")``.
    """
    return build(
        ShuffleNetV2,
        ShuffleNet_V2_X1_5_Weights.verify(weights),
        progress,
        (4, 8, 4),
        (24, 176, 352, 704, 1024),
        **kwargs,
    )


@register_model(weights=ShuffleNet_V2_X2_0_Weights)
def shufflenet_v2_x2_0(
    *, weights: ShuffleNet_V2_X2_0_Weights | str | None = None, progress: Report = True, **kwargs: Any
) -> ShuffleNetV2:
    """ShuffleNetV2 of width 2.0 (https://arxiv.org/abs/1807.11164).

    Arguments as for :func:`shufflenet_v2_x0_5`, e.g. ``shufflenet_v2_x2_0(weights="DEFAULT")``.
    """
    return build(
        ShuffleNetV2,
        ShuffleNet_V2_X2_0_Weights.verify(weights),
        progress,
        (4, 8, 4),
        (24, 244, 488, 976, 2048),
        **kwargs,
    )
