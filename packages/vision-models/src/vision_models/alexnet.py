"""AlexNet, its variant for one device.

Paper: Krizhevsky, "One weird trick for parallelizing convolutional neural networks", https://arxiv.org/abs/1404.5997.
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
    "AlexNet",
    "AlexNet_Weights",
    "alexnet",
]


class AlexNet(nn.Module):
    """The network: five convolutions, average to 6x6, three-layer classifier.

    Input ``(B, 3, H, W)``, at least 63 pixels high and wide, output logits ``(B, num_classes)``.

    Args:
        num_classes: number of logits.
        dropout: probability of zeroing a feature before the classifier's first two layers while training.

    Examples:
        >>> import torch
        >>> from vision_models import AlexNet
        >>> AlexNet(num_classes=5)(torch.zeros(2, 3, 64, 64)).shape
        torch.Size([2, 5])
    """

    def __init__(self, num_classes: int = 1000, dropout: float = 0.5) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 64, kernel_size=11, stride=4, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),
            nn.Conv2d(64, 192, kernel_size=5, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),
            nn.Conv2d(192, 384, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(384, 256, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(256, 256, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),
        )
        self.avgpool = nn.AdaptiveAvgPool2d((6, 6))
        self.classifier = nn.Sequential(
            nn.Dropout(p=dropout),
            nn.Linear(256 * 6 * 6, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(p=dropout),
            nn.Linear(4096, 4096),
            nn.ReLU(inplace=True),
            nn.Linear(4096, num_classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.avgpool(self.features(x))  # (B, 256, 6, 6)
        return self.classifier(torch.flatten(x, 1))


_card = published("alexnet")


class AlexNet_Weights(WeightsEnum):
    """Weights of :func:`alexnet`."""

    IMAGENET1K_V1 = _card("alexnet", "IMAGENET1K_V1")
    DEFAULT = IMAGENET1K_V1


@register_model(weights=AlexNet_Weights)
def alexnet(*, weights: AlexNet_Weights | str | None = None, progress: Report = True, **kwargs: Any) -> AlexNet:
    """AlexNet (https://arxiv.org/abs/1404.5997).

    Args:
        weights: published weights to load, a member of :class:`AlexNet_Weights` or its name.
        progress: how the download is reported, see :meth:`WeightsEnum.get_state_dict`.
        **kwargs: for :class:`AlexNet`.

    Examples:
        >>> import torch
        >>> from vision_models import alexnet
        >>> alexnet(num_classes=10).eval()(torch.zeros(1, 3, 64, 64)).shape
        torch.Size([1, 10])
    """
    return build(AlexNet, AlexNet_Weights.verify(weights), progress, **kwargs)
