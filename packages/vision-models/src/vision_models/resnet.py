"""ResNet, ResNeXt and Wide ResNet.

Papers: He et al., "Deep Residual Learning for Image Recognition", https://arxiv.org/abs/1512.03385; Xie et al.,
"Aggregated Residual Transformations for Deep Neural Networks", https://arxiv.org/abs/1611.05431; Zagoruyko and
Komodakis, "Wide Residual Networks", https://arxiv.org/abs/1605.07146. A bottleneck strides in its 3x3 convolution
("v1.5"), as the published weights expect.
"""

# ruff: noqa: N801  (the published names of the weights)

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from vision_models._build import build
from vision_models._download import Report
from vision_models._layers import initialise_convolutions
from vision_models._registry import register_model
from vision_models._weights import WeightsEnum, published

__all__ = [
    "ResNeXt50_32X4D_Weights",
    "ResNeXt101_32X8D_Weights",
    "ResNeXt101_64X4D_Weights",
    "ResNet",
    "ResNet18_Weights",
    "ResNet34_Weights",
    "ResNet50_Weights",
    "ResNet101_Weights",
    "ResNet152_Weights",
    "Wide_ResNet50_2_Weights",
    "Wide_ResNet101_2_Weights",
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
    "resnext50_32x4d",
    "resnext101_32x8d",
    "resnext101_64x4d",
    "wide_resnet50_2",
    "wide_resnet101_2",
]

Norm = Callable[[int], nn.Module]


def _conv3x3(inplanes: int, planes: int, stride: int = 1, groups: int = 1, dilation: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inplanes, planes, 3, stride, padding=dilation, dilation=dilation, groups=groups, bias=False)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut (ResNet-18 and -34).

    Args:
        inplanes: channels of the input.
        planes: channels of the output.
        stride: of the first convolution.
        downsample: brings the input to the output's shape for the shortcut; ``None`` where it has that shape.
        groups: must be 1 here.
        base_width: must be 64 here.
        dilation: must be 1 here.
        norm_layer: makes a normalisation for a number of channels.
    """

    expansion: int = 1

    def __init__(
        self,
        inplanes: int,
        planes: int,
        stride: int = 1,
        downsample: nn.Module | None = None,
        groups: int = 1,
        base_width: int = 64,
        dilation: int = 1,
        norm_layer: Norm | None = None,
    ) -> None:
        super().__init__()
        if (groups, base_width, dilation) != (1, 64, 1):
            raise ValueError(
                f"BasicBlock has neither groups, widths nor dilation: expected groups=1, width_per_group=64 and "
                f"dilation=1, got {groups}, {base_width} and {dilation}; use Bottleneck (ResNet-50 and deeper)"
            )
        norm = norm_layer or nn.BatchNorm2d
        self.conv1 = _conv3x3(inplanes, planes, stride)
        self.bn1 = norm(planes)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = _conv3x3(planes, planes)
        self.bn2 = norm(planes)
        self.downsample = downsample
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += x if self.downsample is None else self.downsample(x)
        return self.relu(out)


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions and a shortcut (ResNet-50 and deeper, ResNeXt, Wide ResNet).

    Args:
        inplanes: channels of the input.
        planes: a quarter of the channels of the output.
        stride: of the 3x3 convolution.
        downsample: brings the input to the output's shape for the shortcut; ``None`` where it has that shape.
        groups: of the 3x3 convolution ("cardinality").
        base_width: width of a group where ``planes`` is 64.
        dilation: of the 3x3 convolution.
        norm_layer: makes a normalisation for a number of channels.
    """

    expansion: int = 4

    def __init__(
        self,
        inplanes: int,
        planes: int,
        stride: int = 1,
        downsample: nn.Module | None = None,
        groups: int = 1,
        base_width: int = 64,
        dilation: int = 1,
        norm_layer: Norm | None = None,
    ) -> None:
        super().__init__()
        norm = norm_layer or nn.BatchNorm2d
        width = planes * base_width // 64 * groups
        self.conv1 = nn.Conv2d(inplanes, width, 1, bias=False)
        self.bn1 = norm(width)
        self.conv2 = _conv3x3(width, width, stride, groups, dilation)
        self.bn2 = norm(width)
        self.conv3 = nn.Conv2d(width, planes * self.expansion, 1, bias=False)
        self.bn3 = norm(planes * self.expansion)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        out += x if self.downsample is None else self.downsample(x)
        return self.relu(out)


class ResNet(nn.Module):
    """The residual network: stem, four stages of blocks, global average, linear classifier.

    Input ``(B, 3, H, W)``, output logits ``(B, num_classes)``.

    Args:
        block: the kind of block, :class:`BasicBlock` or :class:`Bottleneck`.
        layers: blocks per stage, four numbers.
        num_classes: number of logits.
        zero_init_residual: start every residual branch at zero, so that each block begins as the identity
            (https://arxiv.org/abs/1706.02677).
        groups: groups of the 3x3 convolutions.
        width_per_group: width of a group in the first stage.
        replace_stride_with_dilation: for stages 2, 3 and 4, whether they keep the resolution and dilate instead.
        norm_layer: makes a normalisation for a number of channels; batch normalisation by default.

    Raises:
        ValueError: ``layers`` is not four numbers or ``replace_stride_with_dilation`` not three.

    Examples:
        >>> import torch
        >>> from vision_models.resnet import BasicBlock, ResNet
        >>> ResNet(BasicBlock, [1, 1, 1, 1], num_classes=5)(torch.zeros(2, 3, 64, 64)).shape
        torch.Size([2, 5])
    """

    def __init__(
        self,
        block: type[BasicBlock] | type[Bottleneck],
        layers: Sequence[int],
        num_classes: int = 1000,
        zero_init_residual: bool = False,
        groups: int = 1,
        width_per_group: int = 64,
        replace_stride_with_dilation: Sequence[bool] | None = None,
        norm_layer: Norm | None = None,
    ) -> None:
        super().__init__()
        if len(layers) != 4:
            raise ValueError(f"layers: expected the number of blocks of 4 stages, got {layers!r}")
        dilate = (False, False, False) if replace_stride_with_dilation is None else replace_stride_with_dilation
        if len(dilate) != 3:
            raise ValueError(
                f"replace_stride_with_dilation: expected 3 booleans (stages 2, 3 and 4) or None, got {dilate!r}"
            )
        norm = norm_layer or nn.BatchNorm2d
        self.inplanes = 64
        self.dilation = 1
        self.groups = groups
        self.base_width = width_per_group
        self.conv1 = nn.Conv2d(3, self.inplanes, kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1 = norm(self.inplanes)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        self.layer1 = self._stage(block, 64, layers[0], 1, False, norm)
        self.layer2 = self._stage(block, 128, layers[1], 2, dilate[0], norm)
        self.layer3 = self._stage(block, 256, layers[2], 2, dilate[1], norm)
        self.layer4 = self._stage(block, 512, layers[3], 2, dilate[2], norm)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(512 * block.expansion, num_classes)
        self._initialise(zero_init_residual)

    def _stage(
        self,
        block: type[BasicBlock] | type[Bottleneck],
        planes: int,
        blocks: int,
        stride: int,
        dilate: bool,
        norm: Norm,
    ) -> nn.Sequential:
        first_dilation = self.dilation  # the first block of a dilated stage still sees the old sampling grid
        if dilate:
            self.dilation *= stride
            stride = 1
        outplanes = planes * block.expansion
        downsample = None
        if stride != 1 or self.inplanes != outplanes:
            downsample = nn.Sequential(nn.Conv2d(self.inplanes, outplanes, 1, stride, bias=False), norm(outplanes))
        shape = (self.groups, self.base_width)
        stage = [block(self.inplanes, planes, stride, downsample, *shape, first_dilation, norm)]
        self.inplanes = outplanes
        stage += [block(outplanes, planes, 1, None, *shape, self.dilation, norm) for _ in range(1, blocks)]
        return nn.Sequential(*stage)

    def _initialise(self, zero_init_residual: bool) -> None:
        initialise_convolutions(self)
        if zero_init_residual:
            for block in (module for module in self.modules() if isinstance(module, (BasicBlock, Bottleneck))):
                last = block.bn3 if isinstance(block, Bottleneck) else block.bn2
                weight = getattr(last, "weight", None)
                if isinstance(weight, Tensor):
                    nn.init.zeros_(weight)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))  # (B, 64, H/4, W/4)
        x = self.layer1(x)
        x = self.layer2(x)  # (B, 128 * expansion, H/8, W/8)
        x = self.layer3(x)  # (B, 256 * expansion, H/16, W/16)
        x = self.layer4(x)  # (B, 512 * expansion, H/32, W/32)
        x = torch.flatten(self.avgpool(x), 1)  # (B, 512 * expansion)
        return self.fc(x)


_card = published("resnet")


class ResNet18_Weights(WeightsEnum):
    """Weights of :func:`resnet18`."""

    IMAGENET1K_V1 = _card("resnet18", "IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class ResNet34_Weights(WeightsEnum):
    """Weights of :func:`resnet34`."""

    IMAGENET1K_V1 = _card("resnet34", "IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class ResNet50_Weights(WeightsEnum):
    """Weights of :func:`resnet50`."""

    IMAGENET1K_V1 = _card("resnet50", "IMAGENET1K_V1")
    IMAGENET1K_V2 = _card("resnet50", "IMAGENET1K_V2")
    DEFAULT = IMAGENET1K_V2


class ResNet101_Weights(WeightsEnum):
    """Weights of :func:`resnet101`."""

    IMAGENET1K_V1 = _card("resnet101", "IMAGENET1K_V1")
    IMAGENET1K_V2 = _card("resnet101", "IMAGENET1K_V2")
    DEFAULT = IMAGENET1K_V2


class ResNet152_Weights(WeightsEnum):
    """Weights of :func:`resnet152`."""

    IMAGENET1K_V1 = _card("resnet152", "IMAGENET1K_V1")
    IMAGENET1K_V2 = _card("resnet152", "IMAGENET1K_V2")
    DEFAULT = IMAGENET1K_V2


class ResNeXt50_32X4D_Weights(WeightsEnum):
    """Weights of :func:`resnext50_32x4d`."""

    IMAGENET1K_V1 = _card("resnext50_32x4d", "IMAGENET1K_V1")
    IMAGENET1K_V2 = _card("resnext50_32x4d", "IMAGENET1K_V2")
    DEFAULT = IMAGENET1K_V2


class ResNeXt101_32X8D_Weights(WeightsEnum):
    """Weights of :func:`resnext101_32x8d`."""

    IMAGENET1K_V1 = _card("resnext101_32x8d", "IMAGENET1K_V1")
    IMAGENET1K_V2 = _card("resnext101_32x8d", "IMAGENET1K_V2")
    DEFAULT = IMAGENET1K_V2


class ResNeXt101_64X4D_Weights(WeightsEnum):
    """Weights of :func:`resnext101_64x4d`."""

    IMAGENET1K_V1 = _card("resnext101_64x4d", "IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


class Wide_ResNet50_2_Weights(WeightsEnum):
    """Weights of :func:`wide_resnet50_2`."""

    IMAGENET1K_V1 = _card("wide_resnet50_2", "IMAGENET1K_V1")
    IMAGENET1K_V2 = _card("wide_resnet50_2", "IMAGENET1K_V2")
    DEFAULT = IMAGENET1K_V2


class Wide_ResNet101_2_Weights(WeightsEnum):
    """Weights of :func:`wide_resnet101_2`."""

    IMAGENET1K_V1 = _card("wide_resnet101_2", "IMAGENET1K_V1")
    IMAGENET1K_V2 = _card("wide_resnet101_2", "IMAGENET1K_V2")
    DEFAULT = IMAGENET1K_V2


_LAYERS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}


def _resnet(depth: int, weights: WeightsEnum | None, progress: Report, **kwargs: Any) -> ResNet:
    return build(ResNet, weights, progress, BasicBlock if depth < 50 else Bottleneck, _LAYERS[depth], **kwargs)


@register_model(weights=ResNet18_Weights)
def resnet18(*, weights: ResNet18_Weights | str | None = None, progress: Report = True, **kwargs: Any) -> ResNet:
    """ResNet-18 (https://arxiv.org/abs/1512.03385).

    Args:
        weights: published weights to load, a member of :class:`ResNet18_Weights` or its name.
        progress: how the download is reported, see :meth:`WeightsEnum.get_state_dict`.
        **kwargs: for :class:`ResNet`.

    Examples:
        >>> import torch
        >>> from vision_models import resnet18
        >>> resnet18(num_classes=10).eval()(torch.zeros(1, 3, 64, 64)).shape
        torch.Size([1, 10])
    """
    return _resnet(18, ResNet18_Weights.verify(weights), progress, **kwargs)


@register_model(weights=ResNet34_Weights)
def resnet34(*, weights: ResNet34_Weights | str | None = None, progress: Report = True, **kwargs: Any) -> ResNet:
    """ResNet-34 (https://arxiv.org/abs/1512.03385).

    Arguments as for :func:`resnet18`, e.g. ``resnet34(weights="DEFAULT")``.
    """
    return _resnet(34, ResNet34_Weights.verify(weights), progress, **kwargs)


@register_model(weights=ResNet50_Weights)
def resnet50(*, weights: ResNet50_Weights | str | None = None, progress: Report = True, **kwargs: Any) -> ResNet:
    """ResNet-50 (https://arxiv.org/abs/1512.03385).

    Arguments as for :func:`resnet18`, e.g. ``resnet50(weights="DEFAULT")``.
    """
    return _resnet(50, ResNet50_Weights.verify(weights), progress, **kwargs)


@register_model(weights=ResNet101_Weights)
def resnet101(*, weights: ResNet101_Weights | str | None = None, progress: Report = True, **kwargs: Any) -> ResNet:
    """ResNet-101 (https://arxiv.org/abs/1512.03385).

    Arguments as for :func:`resnet18`, e.g. ``resnet101(weights="DEFAULT")``.
    """
    return _resnet(101, ResNet101_Weights.verify(weights), progress, **kwargs)


@register_model(weights=ResNet152_Weights)
def resnet152(*, weights: ResNet152_Weights | str | None = None, progress: Report = True, **kwargs: Any) -> ResNet:
    """ResNet-152 (https://arxiv.org/abs/1512.03385).

    Arguments as for :func:`resnet18`, e.g. ``resnet152(weights="DEFAULT")``.
    """
    return _resnet(152, ResNet152_Weights.verify(weights), progress, **kwargs)


@register_model(weights=ResNeXt50_32X4D_Weights)
def resnext50_32x4d(
    *, weights: ResNeXt50_32X4D_Weights | str | None = None, progress: Report = True, **kwargs: Any
) -> ResNet:
    """ResNeXt-50 with 32 groups of width 4 (https://arxiv.org/abs/1611.05431).

    Arguments as for :func:`resnet18`, e.g. ``resnext50_32x4d(weights="DEFAULT")``.
    """
    return _resnet(50, ResNeXt50_32X4D_Weights.verify(weights), progress, groups=32, width_per_group=4, **kwargs)


@register_model(weights=ResNeXt101_32X8D_Weights)
def resnext101_32x8d(
    *, weights: ResNeXt101_32X8D_Weights | str | None = None, progress: Report = True, **kwargs: Any
) -> ResNet:
    """ResNeXt-101 with 32 groups of width 8 (https://arxiv.org/abs/1611.05431).

    Arguments as for :func:`resnet18`, e.g. ``resnext101_32x8d(weights="DEFAULT")``.
    """
    return _resnet(101, ResNeXt101_32X8D_Weights.verify(weights), progress, groups=32, width_per_group=8, **kwargs)


@register_model(weights=ResNeXt101_64X4D_Weights)
def resnext101_64x4d(
    *, weights: ResNeXt101_64X4D_Weights | str | None = None, progress: Report = True, **kwargs: Any
) -> ResNet:
    """ResNeXt-101 with 64 groups of width 4 (https://arxiv.org/abs/1611.05431).

    Arguments as for :func:`resnet18`, e.g. ``resnext101_64x4d(weights="DEFAULT")``.
    """
    return _resnet(101, ResNeXt101_64X4D_Weights.verify(weights), progress, groups=64, width_per_group=4, **kwargs)


@register_model(weights=Wide_ResNet50_2_Weights)
def wide_resnet50_2(
    *, weights: Wide_ResNet50_2_Weights | str | None = None, progress: Report = True, **kwargs: Any
) -> ResNet:
    """Wide ResNet-50-2: ResNet-50, the 3x3 convolutions twice as wide (https://arxiv.org/abs/1605.07146).

    Arguments as for :func:`resnet18`, e.g. ``wide_resnet50_2(weights="DEFAULT")``.
    """
    return _resnet(50, Wide_ResNet50_2_Weights.verify(weights), progress, width_per_group=128, **kwargs)


@register_model(weights=Wide_ResNet101_2_Weights)
def wide_resnet101_2(
    *, weights: Wide_ResNet101_2_Weights | str | None = None, progress: Report = True, **kwargs: Any
) -> ResNet:
    """Wide ResNet-101-2: ResNet-101, the 3x3 convolutions twice as wide (https://arxiv.org/abs/1605.07146).

    Arguments as for :func:`resnet18`, e.g. ``wide_resnet101_2(weights="DEFAULT")``.
    """
    return _resnet(101, Wide_ResNet101_2_Weights.verify(weights), progress, width_per_group=128, **kwargs)
