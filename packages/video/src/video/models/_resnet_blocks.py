"""Builders of the bottleneck, the residual block and the stage of 3-D ResNets."""

import math
from collections.abc import Callable, Sequence

from torch import Tensor, nn

from video.models._residual import BottleneckBlock, ModuleFactory, ResBlock, ResStage

__all__ = ["Triple", "create_bottleneck_block", "create_res_block", "create_res_stage", "half", "per_item"]

Triple = tuple[int, int, int]


def half(kernel: Triple) -> Triple:
    """Return the padding that keeps the size under a kernel of odd sizes."""
    return (kernel[0] // 2, kernel[1] // 2, kernel[2] // 2)


def per_item(value: Triple | Sequence[Triple], count: int) -> list[Triple]:
    """Return one triple for each of ``count`` items: one given triple for all, or several in turn."""
    triples = [value] if isinstance(value[0], int) else list(value)
    return [triples[i % len(triples)] for i in range(count)]  # type: ignore[misc]


def create_bottleneck_block(
    *,
    dim_in: int,
    dim_inner: int,
    dim_out: int,
    conv_a_kernel_size: Triple = (3, 1, 1),
    conv_a_stride: Triple = (2, 1, 1),
    conv_a_padding: Triple = (1, 0, 0),
    conv_a: ModuleFactory = nn.Conv3d,
    conv_b_kernel_size: Triple = (1, 3, 3),
    conv_b_stride: Triple = (1, 2, 2),
    conv_b_padding: Triple = (0, 1, 1),
    conv_b_num_groups: int = 1,
    conv_b_dilation: Triple = (1, 1, 1),
    conv_b: ModuleFactory = nn.Conv3d,
    conv_c: ModuleFactory = nn.Conv3d,
    norm: ModuleFactory | None = nn.BatchNorm3d,
    norm_eps: float = 1e-5,
    norm_momentum: float = 0.1,
    activation: ModuleFactory | None = nn.ReLU,
) -> BottleneckBlock:
    """Build a bottleneck: reduce (often over time), convolve in space, expand. Sizes are (time, height, width).

    Args:
        dim_in: Channels of the input.
        dim_inner: Channels between.
        dim_out: Channels of the output.
        conv_a_kernel_size: Kernel of the first convolution; likewise the following.
        conv_a_stride: Its stride.
        conv_a_padding: Its padding.
        conv_a: Its builder.
        conv_b_kernel_size: Kernel of the second convolution.
        conv_b_stride: Its stride.
        conv_b_padding: Its padding.
        conv_b_num_groups: Its groups.
        conv_b_dilation: Its dilation.
        conv_b: Its builder.
        conv_c: Builder of the last convolution, 1x1x1.
        norm: Builder of the norms, or ``None``.
        norm_eps: Epsilon of the norms.
        norm_momentum: Momentum of the norms.
        activation: Builder of the activations, or ``None``.

    Source: He et al., CVPR 2016, https://arxiv.org/abs/1512.03385; Feichtenhofer et al., "SlowFast Networks", ICCV
    2019, https://arxiv.org/abs/1812.03982.

    Examples:
        >>> block = create_bottleneck_block(dim_in=8, dim_inner=4, dim_out=16)
        >>> block(torch.rand(1, 8, 4, 8, 8)).shape
        torch.Size([1, 16, 2, 4, 4])
    """

    def build_norm(channels: int) -> nn.Module | None:
        return None if norm is None else norm(num_features=channels, eps=norm_eps, momentum=norm_momentum)

    return BottleneckBlock(
        conv_a=conv_a(
            in_channels=dim_in,
            out_channels=dim_inner,
            kernel_size=conv_a_kernel_size,
            stride=conv_a_stride,
            padding=conv_a_padding,
            bias=False,
        ),
        norm_a=build_norm(dim_inner),
        act_a=None if activation is None else activation(),
        conv_b=conv_b(
            in_channels=dim_inner,
            out_channels=dim_inner,
            kernel_size=conv_b_kernel_size,
            stride=conv_b_stride,
            padding=conv_b_padding,
            bias=False,
            groups=conv_b_num_groups,
            dilation=conv_b_dilation,
        ),
        norm_b=build_norm(dim_inner),
        act_b=None if activation is None else activation(),
        conv_c=conv_c(in_channels=dim_inner, out_channels=dim_out, kernel_size=(1, 1, 1), bias=False),
        norm_c=build_norm(dim_out),
    )


def create_res_block(
    *,
    dim_in: int,
    dim_inner: int,
    dim_out: int,
    bottleneck: ModuleFactory,
    use_shortcut: bool = False,
    branch_fusion: Callable[[Tensor, Tensor], Tensor] | None = None,
    conv_a_kernel_size: Triple = (3, 1, 1),
    conv_a_stride: Triple = (2, 1, 1),
    conv_a_padding: Triple = (1, 0, 0),
    conv_a: ModuleFactory = nn.Conv3d,
    conv_b_kernel_size: Triple = (1, 3, 3),
    conv_b_stride: Triple = (1, 2, 2),
    conv_b_padding: Triple = (0, 1, 1),
    conv_b_num_groups: int = 1,
    conv_b_dilation: Triple = (1, 1, 1),
    conv_b: ModuleFactory = nn.Conv3d,
    conv_c: ModuleFactory = nn.Conv3d,
    conv_skip: ModuleFactory = nn.Conv3d,
    norm: ModuleFactory | None = nn.BatchNorm3d,
    norm_eps: float = 1e-5,
    norm_momentum: float = 0.1,
    activation_bottleneck: ModuleFactory | None = nn.ReLU,
    activation_block: ModuleFactory | None = nn.ReLU,
) -> ResBlock:
    """Build a residual block; :func:`create_bottleneck_block` describes the arguments of the main branch.

    Args:
        dim_in: Channels of the input.
        dim_inner: Channels between.
        dim_out: Channels of the output.
        bottleneck: Builder of the main branch.
        use_shortcut: Put a convolution on the shortcut even where the shapes of its ends agree.
        branch_fusion: Fuses ``(shortcut, main)``; ``None`` adds them.
        conv_a_kernel_size: See :func:`create_bottleneck_block`; likewise the following.
        conv_a_stride: See there.
        conv_a_padding: See there.
        conv_a: See there.
        conv_b_kernel_size: See there.
        conv_b_stride: See there.
        conv_b_padding: See there.
        conv_b_num_groups: See there.
        conv_b_dilation: See there.
        conv_b: See there.
        conv_c: See there.
        conv_skip: Builder of the shortcut's convolution.
        norm: Builder of the norms, or ``None``.
        norm_eps: Epsilon of the norms.
        norm_momentum: Momentum of the norms.
        activation_bottleneck: Builder of the main branch's activations.
        activation_block: Builder of the block's last activation, or ``None``.
    """
    stride = tuple(a * b for a, b in zip(conv_a_stride, conv_b_stride, strict=True))
    widens = dim_in != dim_out or use_shortcut
    project = widens or math.prod(stride) > 1
    branch1_norm = None
    if widens and norm is not None:
        branch1_norm = norm(num_features=dim_out, eps=norm_eps, momentum=norm_momentum)
    return ResBlock(
        branch1_conv=conv_skip(dim_in, dim_out, kernel_size=(1, 1, 1), stride=stride, bias=False) if project else None,
        branch1_norm=branch1_norm,
        branch2=bottleneck(
            dim_in=dim_in,
            dim_inner=dim_inner,
            dim_out=dim_out,
            conv_a_kernel_size=conv_a_kernel_size,
            conv_a_stride=conv_a_stride,
            conv_a_padding=conv_a_padding,
            conv_a=conv_a,
            conv_b_kernel_size=conv_b_kernel_size,
            conv_b_stride=conv_b_stride,
            conv_b_padding=conv_b_padding,
            conv_b_num_groups=conv_b_num_groups,
            conv_b_dilation=conv_b_dilation,
            conv_b=conv_b,
            conv_c=conv_c,
            norm=norm,
            norm_eps=norm_eps,
            norm_momentum=norm_momentum,
            activation=activation_bottleneck,
        ),
        activation=None if activation_block is None else activation_block(),
        branch_fusion=branch_fusion,
    )


def create_res_stage(
    *,
    depth: int,
    dim_in: int,
    dim_inner: int,
    dim_out: int,
    bottleneck: ModuleFactory,
    conv_a_kernel_size: Triple | Sequence[Triple] = (3, 1, 1),
    conv_a_stride: Triple = (2, 1, 1),
    conv_a_padding: Triple | Sequence[Triple] = (1, 0, 0),
    conv_a: ModuleFactory = nn.Conv3d,
    conv_b_kernel_size: Triple = (1, 3, 3),
    conv_b_stride: Triple = (1, 2, 2),
    conv_b_padding: Triple = (0, 1, 1),
    conv_b_num_groups: int = 1,
    conv_b_dilation: Triple = (1, 1, 1),
    conv_b: ModuleFactory = nn.Conv3d,
    conv_c: ModuleFactory = nn.Conv3d,
    norm: ModuleFactory | None = nn.BatchNorm3d,
    norm_eps: float = 1e-5,
    norm_momentum: float = 0.1,
    activation: ModuleFactory | None = nn.ReLU,
) -> ResStage:
    """Build a stage, whose first block strides and widens; see :func:`create_bottleneck_block`.

    Args:
        depth: Number of blocks.
        dim_in: Channels of the input.
        dim_inner: Channels between.
        dim_out: Channels of the output.
        bottleneck: Builder of the main branches.
        conv_a_kernel_size: Kernel of the first convolutions; several are used by the blocks in turn.
        conv_a_stride: Their stride, in the first block.
        conv_a_padding: Their padding; several are used in turn.
        conv_a: Their builder.
        conv_b_kernel_size: Kernel of the second convolutions.
        conv_b_stride: Their stride, in the first block.
        conv_b_padding: Their padding.
        conv_b_num_groups: Their groups.
        conv_b_dilation: Their dilation.
        conv_b: Their builder.
        conv_c: Builder of the last convolutions.
        norm: Builder of the norms, or ``None``.
        norm_eps: Epsilon of the norms.
        norm_momentum: Momentum of the norms.
        activation: Builder of the activations, or ``None``.

    Examples:
        >>> stage = create_res_stage(depth=2, dim_in=8, dim_inner=4, dim_out=16, bottleneck=create_bottleneck_block)
        >>> stage(torch.rand(1, 8, 4, 8, 8)).shape
        torch.Size([1, 16, 2, 4, 4])
    """
    kernels, paddings = per_item(conv_a_kernel_size, depth), per_item(conv_a_padding, depth)
    blocks = (
        create_res_block(
            dim_in=dim_in if i == 0 else dim_out,
            dim_inner=dim_inner,
            dim_out=dim_out,
            bottleneck=bottleneck,
            conv_a_kernel_size=kernels[i],
            conv_a_stride=conv_a_stride if i == 0 else (1, 1, 1),
            conv_a_padding=paddings[i],
            conv_a=conv_a,
            conv_b_kernel_size=conv_b_kernel_size,
            conv_b_stride=conv_b_stride if i == 0 else (1, 1, 1),
            conv_b_padding=conv_b_padding,
            conv_b_num_groups=conv_b_num_groups,
            conv_b_dilation=conv_b_dilation,
            conv_b=conv_b,
            conv_c=conv_c,
            norm=norm,
            norm_eps=norm_eps,
            norm_momentum=norm_momentum,
            activation_bottleneck=activation,
            activation_block=activation,
        )
        for i in range(depth)
    )
    return ResStage(nn.ModuleList(blocks))
