"""Stems: the first block of a network."""

from torch import Tensor, nn

from video.models._residual import ModuleFactory

__all__ = ["PatchEmbed", "ResNetBasicStem", "create_conv_patch_embed", "create_res_basic_stem"]


class ResNetBasicStem(nn.Module):
    """Convolution, norm, activation and pooling.

    ::

        x ── conv ── norm ── activation ── pool ── y

    Args:
        conv: The convolution.
        norm: Norm after it, or ``None``; likewise the following.
        activation: Activation.
        pool: Pooling.
    """

    def __init__(
        self,
        *,
        conv: nn.Module,
        norm: nn.Module | None = None,
        activation: nn.Module | None = None,
        pool: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.conv = conv
        self.norm = norm
        self.activation = activation
        self.pool = pool

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[N, C, T, H, W]`` to ``[N, C', T', H', W']``."""
        x = self.conv(x)
        if self.norm is not None:
            x = self.norm(x)
        if self.activation is not None:
            x = self.activation(x)
        if self.pool is not None:
            x = self.pool(x)
        return x


def create_res_basic_stem(
    *,
    in_channels: int,
    out_channels: int,
    conv_kernel_size: tuple[int, int, int] = (3, 7, 7),
    conv_stride: tuple[int, int, int] = (1, 2, 2),
    conv_padding: tuple[int, int, int] = (1, 3, 3),
    conv_bias: bool = False,
    conv: ModuleFactory = nn.Conv3d,
    pool: ModuleFactory | None = nn.MaxPool3d,
    pool_kernel_size: tuple[int, int, int] = (1, 3, 3),
    pool_stride: tuple[int, int, int] = (1, 2, 2),
    pool_padding: tuple[int, int, int] = (0, 1, 1),
    norm: ModuleFactory | None = nn.BatchNorm3d,
    norm_eps: float = 1e-5,
    norm_momentum: float = 0.1,
    activation: ModuleFactory | None = nn.ReLU,
) -> ResNetBasicStem:
    """Build the stem of a 3-D ResNet. Sizes are (time, height, width).

    Args:
        in_channels: Channels of the clip.
        out_channels: Channels of the output.
        conv_kernel_size: Kernel of the convolution.
        conv_stride: Stride of the convolution.
        conv_padding: Padding of the convolution.
        conv_bias: Whether the convolution has a bias.
        conv: Builder of the convolution.
        pool: Builder of the pooling, or ``None``.
        pool_kernel_size: Kernel of the pooling.
        pool_stride: Stride of the pooling.
        pool_padding: Padding of the pooling.
        norm: Builder of the norm, or ``None``.
        norm_eps: Epsilon of the norm.
        norm_momentum: Momentum of the norm.
        activation: Builder of the activation, or ``None``.

    Examples:
        >>> create_res_basic_stem(in_channels=3, out_channels=8)(torch.rand(1, 3, 4, 32, 32)).shape
        torch.Size([1, 8, 4, 8, 8])
    """
    return ResNetBasicStem(
        conv=conv(
            in_channels=in_channels,
            out_channels=out_channels,
            kernel_size=conv_kernel_size,
            stride=conv_stride,
            padding=conv_padding,
            bias=conv_bias,
        ),
        norm=None if norm is None else norm(num_features=out_channels, eps=norm_eps, momentum=norm_momentum),
        activation=None if activation is None else activation(),
        pool=None if pool is None else pool(kernel_size=pool_kernel_size, stride=pool_stride, padding=pool_padding),
    )


class PatchEmbed(nn.Module):
    """Tokens of a clip: what a convolution makes of each patch, in order of time, row and column.

    Args:
        patch_model: Maps ``[N, C, T, H, W]`` (or ``[N, C, H, W]``) to the same with fewer, wider places.
    """

    def __init__(self, *, patch_model: nn.Module) -> None:
        super().__init__()
        self.patch_model = patch_model

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[N, C, T, H, W]`` to ``[N, T' * H' * W', C']``."""
        return self.patch_model(x).flatten(2).transpose(1, 2)


def create_conv_patch_embed(
    *,
    in_channels: int,
    out_channels: int,
    conv_kernel_size: tuple[int, ...] = (1, 16, 16),
    conv_stride: tuple[int, ...] = (1, 4, 4),
    conv_padding: tuple[int, ...] = (1, 7, 7),
    conv_bias: bool = True,
    conv: ModuleFactory = nn.Conv3d,
) -> PatchEmbed:
    """Build the stem of a vision transformer. Sizes are (time, height, width), or (height, width) for ``nn.Conv2d``.

    Args:
        in_channels: Channels of the clip.
        out_channels: Channels of the tokens.
        conv_kernel_size: Size of a patch.
        conv_stride: Distance of the patches.
        conv_padding: Zeros added on both sides.
        conv_bias: Whether the convolution has a bias.
        conv: Builder of the convolution.

    Examples:
        >>> stem = create_conv_patch_embed(in_channels=3, out_channels=8, conv_padding=(0, 7, 7))
        >>> stem(torch.rand(1, 3, 2, 16, 16)).shape
        torch.Size([1, 32, 8])
    """
    return PatchEmbed(
        patch_model=conv(
            in_channels=in_channels,
            out_channels=out_channels,
            kernel_size=conv_kernel_size,
            stride=conv_stride,
            padding=conv_padding,
            bias=conv_bias,
        )
    )
