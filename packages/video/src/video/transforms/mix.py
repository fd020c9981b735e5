"""Mixing the clips of a batch, and their labels with them."""

import math

import torch
from torch import Tensor, nn

from video.transforms.functional import convert_to_one_hot

__all__ = ["CutMix", "MixUp", "MixVideo"]


class _Mix(nn.Module):
    """What both ways of mixing share: the share of the batch's own clips, and the labels."""

    def __init__(
        self, alpha: float = 1.0, label_smoothing: float = 0.0, num_classes: int = 400, one_hot: bool = False
    ) -> None:
        super().__init__()
        if not alpha > 0:
            raise ValueError(f"alpha must be positive, got {alpha}")
        self.alpha = alpha
        self.label_smoothing = label_smoothing
        self.num_classes = num_classes
        self.one_hot = one_hot

    def _share(self) -> float:
        return float(torch.distributions.Beta(self.alpha, self.alpha).sample())

    def _mix_labels(self, labels: Tensor, share: float) -> Tensor:
        if not self.one_hot:
            labels = convert_to_one_hot(labels, self.num_classes, self.label_smoothing)
        return labels * share + labels.flip(0) * (1.0 - share)


class MixUp(_Mix):
    """Blend each clip of a batch, and its label, with its partner from the other end of the batch.

    Args:
        alpha: Parameter of the Beta distribution of the shares.
        label_smoothing: Share of the labels that is spread over all classes.
        num_classes: Number of classes.
        one_hot: Whether labels come as rows of class weights; then ``label_smoothing`` and ``num_classes`` do nothing.

    Source: Zhang et al., "mixup: Beyond Empirical Risk Minimization", ICLR 2018, https://arxiv.org/abs/1710.09412.

    Examples:
        >>> clips, labels = MixUp(num_classes=3)(torch.rand(2, 3, 4, 8, 8), torch.tensor([0, 2]))
        >>> labels.shape
        torch.Size([2, 3])
    """

    def forward(self, x_video: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Mix a batch.

        Args:
            x_video: ``[N, C, T, H, W]``, float, N > 1.
            labels: ``[N]`` class indices, or ``[N, classes]`` weights.

        Returns:
            The clips, and their labels as ``[N, classes]``.
        """
        _check_batch(x_video)
        share = self._share()
        return x_video * share + x_video.flip(0) * (1.0 - share), self._mix_labels(labels, share)


class CutMix(_Mix):
    """Paste a box of its partner into each clip of a batch, and mix the labels by area.

    The arguments are those of :class:`MixUp`.

    Source: Yun et al., "CutMix", ICCV 2019, https://arxiv.org/abs/1905.04899.
    """

    def forward(self, x_video: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Mix a batch; see :meth:`MixUp.forward`. The given clips stay as they are."""
        _check_batch(x_video)
        height, width = x_video.shape[-2:]
        top, bottom, left, right = _random_box(height, width, self._share())
        mixed = x_video.clone()
        mixed[..., top:bottom, left:right] = x_video.flip(0)[..., top:bottom, left:right]
        share = 1.0 - (bottom - top) * (right - left) / (height * width)
        return mixed, self._mix_labels(labels, share)


class MixVideo(nn.Module):
    """Apply :class:`CutMix` to a batch, or else :class:`MixUp`.

    Args:
        cutmix_prob: Probability of CutMix.
        mixup_alpha: Parameter of MixUp's Beta distribution.
        cutmix_alpha: Parameter of CutMix's.
        label_smoothing: Share of the labels that is spread over all classes.
        num_classes: Number of classes.
        one_hot: Whether labels come as rows of class weights.
    """

    def __init__(
        self,
        cutmix_prob: float = 0.5,
        mixup_alpha: float = 1.0,
        cutmix_alpha: float = 1.0,
        label_smoothing: float = 0.0,
        num_classes: int = 400,
        one_hot: bool = False,
    ) -> None:
        super().__init__()
        if not 0 <= cutmix_prob <= 1:
            raise ValueError(f"cutmix_prob must lie in [0, 1], got {cutmix_prob}")
        self.cutmix_prob = cutmix_prob
        self.mixup = MixUp(mixup_alpha, label_smoothing, num_classes, one_hot)
        self.cutmix = CutMix(cutmix_alpha, label_smoothing, num_classes, one_hot)

    def forward(self, x_video: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Mix a batch; see :meth:`MixUp.forward`."""
        if float(torch.rand(())) < self.cutmix_prob:
            return self.cutmix(x_video, labels)
        return self.mixup(x_video, labels)


def _random_box(height: int, width: int, share: float) -> tuple[int, int, int, int]:
    """Draw a box around a uniform centre that covers ``1 - share`` of the frame, less what the frame cuts off."""
    side = math.sqrt(1.0 - share)
    cut_height, cut_width = int(height * side), int(width * side)
    y, x = int(torch.randint(height, ())), int(torch.randint(width, ()))
    top, bottom = max(0, y - cut_height // 2), min(height, y + cut_height // 2)
    left, right = max(0, x - cut_width // 2), min(width, x + cut_width // 2)
    return top, bottom, left, right


def _check_batch(x_video: Tensor) -> None:
    if x_video.ndim != 5 or x_video.shape[0] < 2:
        raise ValueError(f"expected a batch [N, C, T, H, W] of at least 2 clips, got shape {tuple(x_video.shape)}")
