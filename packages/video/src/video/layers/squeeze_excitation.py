"""Squeeze-and-excitation: channel attention from globally pooled features."""

from torch import Tensor, nn

__all__ = ["SqueezeExcitation"]


class SqueezeExcitation(nn.Module):
    """Scale every channel by a gate that is computed from the channel means.

    ::

        x ──┬── mean over space(-time) ── conv 1x1 ── activation ── conv 1x1 ── sigmoid ──┐
            └─────────────────────────────────────────────────────────────────────────── * ── y

    The parameters are ``block.0.{weight,bias}`` and ``block.2.{weight,bias}``.

    Args:
        num_channels: Channels of the input.
        num_channels_reduced: Channels between the two convolutions; ``None`` derives them from ``reduction_ratio``.
        reduction_ratio: ``num_channels / num_channels_reduced`` where the latter is not given.
        is_3d: Whether inputs are ``[N, C, T, H, W]`` (else ``[N, C, H, W]``).
        activation: Module between the convolutions; ``None`` means ReLU.

    Source: Hu et al., "Squeeze-and-Excitation Networks", CVPR 2018, https://arxiv.org/abs/1709.01507.

    Examples:
        >>> SqueezeExcitation(16, 8, is_3d=True)(torch.rand(2, 16, 4, 7, 7)).shape
        torch.Size([2, 16, 4, 7, 7])
    """

    def __init__(
        self,
        num_channels: int,
        num_channels_reduced: int | None = None,
        reduction_ratio: float = 2.0,
        is_3d: bool = False,
        activation: nn.Module | None = None,
    ) -> None:
        super().__init__()
        if num_channels_reduced is None:
            num_channels_reduced = int(num_channels // reduction_ratio)
        if num_channels_reduced < 1:
            raise ValueError(
                f"squeeze-and-excitation of {num_channels} channels needs at least 1 reduced channel, got "
                f"{num_channels_reduced}: lower reduction_ratio ({reduction_ratio})"
            )
        conv = nn.Conv3d if is_3d else nn.Conv2d
        self.is_3d = is_3d
        self.block = nn.Sequential(
            conv(num_channels, num_channels_reduced, kernel_size=1),
            nn.ReLU() if activation is None else activation,
            conv(num_channels_reduced, num_channels, kernel_size=1),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Gate ``x`` of shape ``[N, C, T, H, W]`` (``is_3d``) or ``[N, C, H, W]``; the shape stays."""
        mean = x.mean([2, 3, 4], keepdim=True) if self.is_3d else x.mean([2, 3], keepdim=True)
        return x * self.block(mean)
