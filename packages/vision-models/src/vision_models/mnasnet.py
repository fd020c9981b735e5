"""MNASNet-B1.

Paper: Tan et al., "MnasNet: Platform-Aware Neural Architecture Search for Mobile", https://arxiv.org/abs/1807.11626.
"""

# ruff: noqa: N801  (the published names of the weights)

from functools import partial
from typing import Any

from torch import Tensor, nn

from vision_models._build import build
from vision_models._download import Report
from vision_models._layers import initialise_convolutions, make_divisible
from vision_models._registry import register_model
from vision_models._weights import WeightsEnum, published

__all__ = [
    "MNASNet",
    "MNASNet0_5_Weights",
    "MNASNet0_75_Weights",
    "MNASNet1_0_Weights",
    "MNASNet1_3_Weights",
    "mnasnet0_5",
    "mnasnet0_75",
    "mnasnet1_0",
    "mnasnet1_3",
]


_norm = partial(nn.BatchNorm2d, momentum=3e-4)  # the paper's decay of 0.9997

# Kernel, stride, expansion and repeats of the stages.
_ROWS = ((3, 2, 3, 3), (5, 2, 3, 3), (5, 2, 6, 3), (3, 1, 6, 2), (5, 2, 6, 4), (3, 1, 6, 1))


class InvertedResidual(nn.Module):
    """Widen, convolve each channel, narrow without an activation; with a shortcut where the shape stays.

    Args:
        in_ch: channels of the input.
        out_ch: channels of the output.
        kernel_size: of the depthwise convolution.
        stride: 1 or 2.
        expansion_factor: how much wider the inside is.
    """

    def __init__(self, in_ch: int, out_ch: int, kernel_size: int, stride: int, expansion_factor: int) -> None:
        super().__init__()
        inside = in_ch * expansion_factor
        self.apply_residual = in_ch == out_ch and stride == 1
        self.layers = nn.Sequential(
            nn.Conv2d(in_ch, inside, 1, bias=False),
            _norm(inside),
            nn.ReLU(inplace=True),
            nn.Conv2d(inside, inside, kernel_size, padding=kernel_size // 2, stride=stride, groups=inside, bias=False),
            _norm(inside),
            nn.ReLU(inplace=True),
            nn.Conv2d(inside, out_ch, 1, bias=False),
            _norm(out_ch),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x) + x if self.apply_residual else self.layers(x)


class MNASNet(nn.Module):
    """The network: separable stem, inverted residual stages, last convolution, global average, linear classifier.

    Input ``(B, 3, H, W)``, output logits ``(B, num_classes)``.

    Args:
        alpha: multiplies the channels of all layers but the last convolution.
        num_classes: number of logits.
        dropout: probability of zeroing a feature before the classifier while training.

    Raises:
        ValueError: ``alpha`` is not positive.

    Examples:
        >>> import torch
        >>> from vision_models import MNASNet
        >>> MNASNet(0.5, num_classes=5).eval()(torch.zeros(2, 3, 64, 64)).shape
        torch.Size([2, 5])
    """

    def __init__(self, alpha: float, num_classes: int = 1000, dropout: float = 0.2) -> None:
        super().__init__()
        if alpha <= 0:
            raise ValueError(f"alpha: expected a positive number, got {alpha}")
        self.alpha = alpha
        stem, first, *widths = [make_divisible(width * alpha) for width in (32, 16, 24, 40, 80, 96, 192, 320)]
        layers: list[nn.Module] = [
            nn.Conv2d(3, stem, 3, padding=1, stride=2, bias=False),
            _norm(stem),
            nn.ReLU(inplace=True),
            nn.Conv2d(stem, stem, 3, padding=1, groups=stem, bias=False),
            _norm(stem),
            nn.ReLU(inplace=True),
            nn.Conv2d(stem, first, 1, bias=False),
            _norm(first),
        ]
        channels = first
        for width, (kernel, stride, expansion, repeats) in zip(widths, _ROWS, strict=True):
            blocks = [InvertedResidual(channels, width, kernel, stride, expansion)]
            blocks += [InvertedResidual(width, width, kernel, 1, expansion) for _ in range(repeats - 1)]
            layers.append(nn.Sequential(*blocks))
            channels = width
        layers += [nn.Conv2d(channels, 1280, 1, bias=False), _norm(1280), nn.ReLU(inplace=True)]
        self.layers = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Dropout(p=dropout, inplace=True), nn.Linear(1280, num_classes))
        initialise_convolutions(self)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.kaiming_uniform_(module.weight, mode="fan_out", nonlinearity="sigmoid")
                nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = self.layers(x).mean([2, 3])  # (B, 1280)
        return self.classifier(x)


_card = published("mnasnet")


class MNASNet0_5_Weights(WeightsEnum):
    """Weights of :func:`mnasnet0_5`."""

    IMAGENET1K_V1 = _card("mnasnet0_5", "IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class MNASNet0_75_Weights(WeightsEnum):
    """Weights of :func:`mnasnet0_75`."""

    IMAGENET1K_V1 = _card("mnasnet0_75", "IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class MNASNet1_0_Weights(WeightsEnum):
    """Weights of :func:`mnasnet1_0`."""

    IMAGENET1K_V1 = _card("mnasnet1_0", "IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class MNASNet1_3_Weights(WeightsEnum):
    """Weights of :func:`mnasnet1_3`."""

    IMAGENET1K_V1 = _card("mnasnet1_3", "IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


@register_model(weights=MNASNet0_5_Weights)
def mnasnet0_5(*, weights: MNASNet0_5_Weights | str | None = None, progress: Report = True, **kwargs: Any) -> MNASNet:
    """MNASNet-B1 of width 0.5 (https://arxiv.org/abs/1807.11626).

    Args:
        weights: published weights to load, a member of :class:`MNASNet0_5_Weights` or its name.
        progress: how the download is reported, see :meth:`WeightsEnum.get_state_dict`.
        **kwargs: for :class:`MNASNet`.

    Examples:
        >>> import torch
        >>> from vision_models import mnasnet0_5
        >>> mnasnet0_5(num_classes=10).eval()(torch.zeros(1, 3, 64, 64)).shape
        torch.Size([1, 10])
    """
    return build(MNASNet, MNASNet0_5_Weights.verify(weights), progress, 0.5, **kwargs)


@register_model(weights=MNASNet0_75_Weights)
def mnasnet0_75(*, weights: MNASNet0_75_Weights | str | None = None, progress: Report = True, **kwargs: Any) -> MNASNet:
    """MNASNet-B1 of width 0.75 (https://arxiv.org/abs/1807.11626).

    Arguments as for :func:`mnasnet0_5`, e.g. ``mnasnet0_75(weights="DEFAULT")``.
    """
    return build(MNASNet, MNASNet0_75_Weights.verify(weights), progress, 0.75, **kwargs)


@register_model(weights=MNASNet1_0_Weights)
def mnasnet1_0(*, weights: MNASNet1_0_Weights | str | None = None, progress: Report = True, **kwargs: Any) -> MNASNet:
    """MNASNet-B1 of width 1.0 (https://arxiv.org/abs/1807.11626).

    Arguments as for :func:`mnasnet0_5`, e.g. ``mnasnet1_0(weights="DEFAULT")``.
    """
    return build(MNASNet, MNASNet1_0_Weights.verify(weights), progress, 1.0, **kwargs)


@register_model(weights=MNASNet1_3_Weights)
def mnasnet1_3(*, weights: MNASNet1_3_Weights | str | None = None, progress: Report = True, **kwargs: Any) -> MNASNet:
    """MNASNet-B1 of width 1.3 (https://arxiv.org/abs/1807.11626).

    Arguments as for :func:`mnasnet0_5`, e.g. ``mnasnet1_3(weights="DEFAULT")``.
    """
    return build(MNASNet, MNASNet1_3_Weights.verify(weights), progress, 1.3, **kwargs)
