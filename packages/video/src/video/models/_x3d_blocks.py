"""The stem, the inverted bottleneck, the residual block and the stage of X3D."""

import math

from torch import nn

from video.layers.convolutions import Conv2plus1d
from video.layers.depthwise import DepthwiseConv3d
from video.layers.squeeze_excitation import SqueezeExcitation
from video.layers.swish import Swish
from video.layers.utils import round_width
from video.models._residual import BottleneckBlock, ModuleFactory, ResBlock, ResStage
from video.models.stem import ResNetBasicStem

__all__ = [
    "create_x3d_bottleneck_block",
    "create_x3d_res_block",
    "create_x3d_res_stage",
    "create_x3d_stem",
]

Triple = tuple[int, int, int]


def make_norm(norm: ModuleFactory | None, channels: int, eps: float, momentum: float) -> nn.Module | None:
    """Build a norm, or none."""
    return None if norm is None else norm(num_features=channels, eps=eps, momentum=momentum)


def create_x3d_stem(
    *,
    in_channels: int,
    out_channels: int,
    conv_kernel_size: Triple = (5, 3, 3),
    conv_stride: Triple = (1, 2, 2),
    conv_padding: Triple = (2, 1, 1),
    norm: ModuleFactory | None = nn.BatchNorm3d,
    norm_eps: float = 1e-5,
    norm_momentum: float = 0.1,
    activation: ModuleFactory | None = nn.ReLU,
) -> ResNetBasicStem:
    """Build the stem: a spatial convolution, then a depthwise temporal one, norm, activation.

    The spatial convolution is named ``conv_t`` and the temporal one ``conv_xy``: published checkpoints say so.

    Args:
        in_channels: Channels of the clip.
        out_channels: Channels of the output.
        conv_kernel_size: Kernel of the two together, (time, height, width).
        conv_stride: Stride of the two together.
        conv_padding: Padding of the two together.
        norm: Builder of the norm, or ``None``.
        norm_eps: Epsilon of the norm.
        norm_momentum: Momentum of the norm.
        activation: Builder of the activation, or ``None``.

    Examples:
        >>> create_x3d_stem(in_channels=3, out_channels=24)(torch.rand(1, 3, 4, 32, 32)).shape
        torch.Size([1, 24, 4, 16, 16])
    """
    time, height, width = conv_kernel_size
    spatial = nn.Conv3d(
        in_channels,
        out_channels,
        kernel_size=(1, height, width),
        stride=(1, conv_stride[1], conv_stride[2]),
        padding=(0, conv_padding[1], conv_padding[2]),
        bias=False,
    )
    temporal = DepthwiseConv3d(
        out_channels, (time, 1, 1), stride=(conv_stride[0], 1, 1), padding=(conv_padding[0], 0, 0)
    )
    return ResNetBasicStem(
        conv=Conv2plus1d(conv_t=spatial, conv_xy=temporal),
        norm=make_norm(norm, out_channels, norm_eps, norm_momentum),
        activation=None if activation is None else activation(),
    )


def create_x3d_bottleneck_block(
    *,
    dim_in: int,
    dim_inner: int,
    dim_out: int,
    conv_kernel_size: Triple = (3, 3, 3),
    conv_stride: Triple = (1, 2, 2),
    norm: ModuleFactory | None = nn.BatchNorm3d,
    norm_eps: float = 1e-5,
    norm_momentum: float = 0.1,
    se_ratio: float = 0.0625,
    activation: ModuleFactory | None = nn.ReLU,
    inner_act: ModuleFactory | None = Swish,
) -> BottleneckBlock:
    """Build an inverted bottleneck: expand 1x1x1, depthwise with squeeze-and-excitation, project 1x1x1.

    Args:
        dim_in: Channels of the input.
        dim_inner: Channels of the depthwise convolution.
        dim_out: Channels of the output.
        conv_kernel_size: Kernel of the depthwise convolution, (time, height, width).
        conv_stride: Stride of the depthwise convolution.
        norm: Builder of the norms, or ``None``.
        norm_eps: Epsilon of the norms.
        norm_momentum: Momentum of the norms.
        se_ratio: Squeezed channels per inner channel (rounded to a multiple of 8); ``0`` for none.
        activation: Builder of the first activation, or ``None``.
        inner_act: Builder of the activation after the depthwise convolution, or ``None``.

    Examples:
        >>> block = create_x3d_bottleneck_block(dim_in=8, dim_inner=16, dim_out=8)
        >>> block(torch.rand(1, 8, 4, 8, 8)).shape
        torch.Size([1, 8, 4, 4, 4])
    """
    padding = (conv_kernel_size[0] // 2, conv_kernel_size[1] // 2, conv_kernel_size[2] // 2)
    depthwise = DepthwiseConv3d(dim_inner, conv_kernel_size, conv_stride, padding)
    attention = (
        SqueezeExcitation(dim_inner, round_width(dim_inner, se_ratio), is_3d=True) if se_ratio > 0 else nn.Identity()
    )
    norm_b = make_norm(norm, dim_inner, norm_eps, norm_momentum)
    return BottleneckBlock(
        conv_a=nn.Conv3d(dim_in, dim_inner, kernel_size=1, bias=False),
        norm_a=make_norm(norm, dim_inner, norm_eps, norm_momentum),
        act_a=None if activation is None else activation(),
        conv_b=depthwise,
        norm_b=nn.Sequential(nn.Identity() if norm_b is None else norm_b, attention),
        act_b=None if inner_act is None else inner_act(),
        conv_c=nn.Conv3d(dim_inner, dim_out, kernel_size=1, bias=False),
        norm_c=make_norm(norm, dim_out, norm_eps, norm_momentum),
    )


def create_x3d_res_block(
    *,
    dim_in: int,
    dim_inner: int,
    dim_out: int,
    bottleneck: ModuleFactory = create_x3d_bottleneck_block,
    use_shortcut: bool = True,
    conv_kernel_size: Triple = (3, 3, 3),
    conv_stride: Triple = (1, 2, 2),
    norm: ModuleFactory | None = nn.BatchNorm3d,
    norm_eps: float = 1e-5,
    norm_momentum: float = 0.1,
    se_ratio: float = 0.0625,
    activation: ModuleFactory | None = nn.ReLU,
    inner_act: ModuleFactory | None = Swish,
) -> ResBlock:
    """Build a residual block around ``bottleneck``; see :func:`create_x3d_bottleneck_block` for the other arguments.

    Args:
        dim_in: Channels of the input.
        dim_inner: Channels of the depthwise convolution.
        dim_out: Channels of the output.
        bottleneck: Builder of the main branch.
        use_shortcut: Put a convolution on the shortcut where the shapes of its ends differ.
        conv_kernel_size: Kernel of the depthwise convolution, (time, height, width).
        conv_stride: Stride of the block.
        norm: Builder of the norms, or ``None``.
        norm_eps: Epsilon of the norms.
        norm_momentum: Momentum of the norms.
        se_ratio: Squeezed channels per inner channel; ``0`` for none.
        activation: Builder of the activations, or ``None``.
        inner_act: Builder of the activation after the depthwise convolution, or ``None``.

    Examples:
        >>> block = create_x3d_res_block(dim_in=8, dim_inner=16, dim_out=8, conv_stride=(1, 1, 1))
        >>> block(torch.rand(1, 8, 4, 8, 8)).shape
        torch.Size([1, 8, 4, 8, 8])
    """
    widens = dim_in != dim_out
    project = use_shortcut and (widens or math.prod(conv_stride) > 1)
    return ResBlock(
        branch1_conv=nn.Conv3d(dim_in, dim_out, kernel_size=1, stride=conv_stride, bias=False) if project else None,
        branch1_norm=make_norm(norm, dim_out, norm_eps, norm_momentum) if widens and use_shortcut else None,
        branch2=bottleneck(
            dim_in=dim_in,
            dim_inner=dim_inner,
            dim_out=dim_out,
            conv_kernel_size=conv_kernel_size,
            conv_stride=conv_stride,
            norm=norm,
            norm_eps=norm_eps,
            norm_momentum=norm_momentum,
            se_ratio=se_ratio,
            activation=activation,
            inner_act=inner_act,
        ),
        activation=None if activation is None else activation(),
    )


def create_x3d_res_stage(
    *,
    depth: int,
    dim_in: int,
    dim_inner: int,
    dim_out: int,
    bottleneck: ModuleFactory = create_x3d_bottleneck_block,
    conv_kernel_size: Triple = (3, 3, 3),
    conv_stride: Triple = (1, 2, 2),
    norm: ModuleFactory | None = nn.BatchNorm3d,
    norm_eps: float = 1e-5,
    norm_momentum: float = 0.1,
    se_ratio: float = 0.0625,
    activation: ModuleFactory | None = nn.ReLU,
    inner_act: ModuleFactory | None = Swish,
) -> ResStage:
    """Build a stage: the first block strides and widens, every second block has squeeze-and-excitation.

    Args:
        depth: Number of blocks.
        dim_in: Channels of the input.
        dim_inner: Channels of the depthwise convolutions.
        dim_out: Channels of the output.
        bottleneck: Builder of the main branches.
        conv_kernel_size: Kernel of the depthwise convolutions, (time, height, width).
        conv_stride: Stride of the first block.
        norm: Builder of the norms, or ``None``.
        norm_eps: Epsilon of the norms.
        norm_momentum: Momentum of the norms.
        se_ratio: Squeezed channels per inner channel; ``0`` for none.
        activation: Builder of the activations, or ``None``.
        inner_act: Builder of the activation after the depthwise convolution, or ``None``.

    Examples:
        >>> len(create_x3d_res_stage(depth=3, dim_in=8, dim_inner=16, dim_out=8).res_blocks)
        3
    """
    blocks = (
        create_x3d_res_block(
            dim_in=dim_in if i == 0 else dim_out,
            dim_inner=dim_inner,
            dim_out=dim_out,
            bottleneck=bottleneck,
            conv_kernel_size=conv_kernel_size,
            conv_stride=conv_stride if i == 0 else (1, 1, 1),
            norm=norm,
            norm_eps=norm_eps,
            norm_momentum=norm_momentum,
            se_ratio=se_ratio if i % 2 == 0 else 0.0,
            activation=activation,
            inner_act=inner_act,
        )
        for i in range(depth)
    )
    return ResStage(nn.ModuleList(blocks))
