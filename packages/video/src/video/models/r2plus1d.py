"""R(2+1)D: bottlenecks whose 3-D convolution is a temporal and a spatial one in a row.

Source: Tran et al., "A Closer Look at Spatiotemporal Convolutions for Action Recognition", CVPR 2018,
https://arxiv.org/abs/1711.11248.
"""

from collections.abc import Sequence
from functools import partial

from torch import nn

from video.layers.convolutions import create_conv_2plus1d
from video.models._residual import BottleneckBlock, ModuleFactory
from video.models._resnet_blocks import Triple, create_bottleneck_block, create_res_stage, half
from video.models.head import create_res_basic_head
from video.models.net import Net
from video.models.resnet import dilated_padding, stage_depths
from video.models.stem import create_res_basic_stem

__all__ = ["create_2plus1d_bottleneck_block", "create_r2plus1d"]

_ONE = (1, 1, 1)


def create_2plus1d_bottleneck_block(
    *,
    dim_in: int,
    dim_inner: int,
    dim_out: int,
    conv_a_kernel_size: Triple = _ONE,
    conv_a_stride: Triple = _ONE,
    conv_a_padding: Triple = (0, 0, 0),
    conv_a: ModuleFactory = nn.Conv3d,
    conv_b_kernel_size: Triple = (3, 3, 3),
    conv_b_stride: Triple = (2, 2, 2),
    conv_b_padding: Triple = _ONE,
    conv_b_num_groups: int = 1,
    conv_b_dilation: Triple = _ONE,
    conv_b: ModuleFactory = create_conv_2plus1d,
    conv_c: ModuleFactory = nn.Conv3d,
    norm: ModuleFactory | None = nn.BatchNorm3d,
    norm_eps: float = 1e-5,
    norm_momentum: float = 0.1,
    activation: ModuleFactory | None = nn.ReLU,
) -> BottleneckBlock:
    """Build a bottleneck whose middle convolution is split; sizes are (time, height, width).

    Args:
        dim_in: Channels of the input.
        dim_inner: Channels between.
        dim_out: Channels of the output.
        conv_a_kernel_size: See :func:`~video.models.resnet.create_bottleneck_block`; likewise the following.
        conv_a_stride: See there.
        conv_a_padding: See there.
        conv_a: See there.
        conv_b_kernel_size: See there.
        conv_b_stride: See there.
        conv_b_padding: See there.
        conv_b_num_groups: See there.
        conv_b_dilation: See there.
        conv_b: Builder of the split convolution, called with the norm and the activation between its parts too.
        conv_c: See there.
        norm: See there.
        norm_eps: See there.
        norm_momentum: See there.
        activation: See there.

    Examples:
        >>> block = create_2plus1d_bottleneck_block(dim_in=8, dim_inner=4, dim_out=16)
        >>> block(torch.rand(1, 8, 4, 8, 8)).shape
        torch.Size([1, 16, 2, 4, 4])
    """
    return create_bottleneck_block(
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
        conv_b=partial(conv_b, norm=norm, norm_eps=norm_eps, norm_momentum=norm_momentum, activation=activation),
        conv_c=conv_c,
        norm=norm,
        norm_eps=norm_eps,
        norm_momentum=norm_momentum,
        activation=activation,
    )


def create_r2plus1d(
    *,
    input_channel: int = 3,
    model_depth: int = 50,
    model_num_class: int = 400,
    dropout_rate: float = 0.0,
    norm: ModuleFactory | None = nn.BatchNorm3d,
    norm_eps: float = 1e-5,
    norm_momentum: float = 0.1,
    activation: ModuleFactory | None = nn.ReLU,
    stem_dim_out: int = 64,
    stem_conv_kernel_size: Triple = (1, 7, 7),
    stem_conv_stride: Triple = (1, 2, 2),
    stage_conv_a_kernel_size: Sequence[Triple] = (_ONE,) * 4,
    stage_conv_b_kernel_size: Sequence[Triple] = ((3, 3, 3),) * 4,
    stage_conv_b_num_groups: Sequence[int] = (1, 1, 1, 1),
    stage_conv_b_dilation: Sequence[Triple] = (_ONE,) * 4,
    stage_spatial_stride: Sequence[int] = (2, 2, 2, 2),
    stage_temporal_stride: Sequence[int] = (1, 1, 2, 2),
    stage_bottleneck: Sequence[ModuleFactory] = (create_2plus1d_bottleneck_block,) * 4,
    head_pool: ModuleFactory | None = nn.AvgPool3d,
    head_pool_kernel_size: Triple = (4, 7, 7),
    head_output_size: Triple = _ONE,
    head_activation: ModuleFactory | None = nn.Softmax,
    head_output_with_global_average: bool = True,
) -> Net:
    """Build an R(2+1)D network. Sizes are (time, height, width).

    Args:
        input_channel: Channels of the clip.
        model_depth: 50, 101 or 152 layers.
        model_num_class: Number of classes.
        dropout_rate: Probability of dropping a feature before the last layer.
        norm: Builder of the norms, or ``None``.
        norm_eps: Epsilon of the norms.
        norm_momentum: Momentum of the norms.
        activation: Builder of the activations, or ``None``.
        stem_dim_out: Channels of the stem.
        stem_conv_kernel_size: Kernel of the stem.
        stem_conv_stride: Stride of the stem.
        stage_conv_a_kernel_size: Kernel of the first convolutions, for each stage; likewise the following.
        stage_conv_b_kernel_size: Kernel of the split convolutions.
        stage_conv_b_num_groups: Their groups.
        stage_conv_b_dilation: Their dilation.
        stage_spatial_stride: Spatial stride.
        stage_temporal_stride: Temporal stride.
        stage_bottleneck: Builder of the main branches.
        head_pool: Builder of the head's pooling, or ``None``.
        head_pool_kernel_size: Its kernel.
        head_output_size: Its output, where it is adaptive.
        head_activation: Builder of the activation of the scores, or ``None`` for logits.
        head_output_with_global_average: Average the predictions of all positions.

    Returns:
        A network that maps ``[N, input_channel, T, H, W]`` to ``[N, model_num_class]``.

    Raises:
        ValueError: On another ``model_depth``.

    Examples:
        >>> model = create_r2plus1d(model_num_class=5, stem_dim_out=8, head_pool_kernel_size=(1, 2, 2)).eval()
        >>> model(torch.rand(1, 3, 4, 64, 64)).shape
        torch.Size([1, 5])
    """
    blocks: list[nn.Module] = [
        create_res_basic_stem(
            in_channels=input_channel,
            out_channels=stem_dim_out,
            conv_kernel_size=stem_conv_kernel_size,
            conv_stride=stem_conv_stride,
            conv_padding=half(stem_conv_kernel_size),
            pool=None,
            norm=norm,
            norm_eps=norm_eps,
            norm_momentum=norm_momentum,
            activation=activation,
        )
    ]
    dim_in, dim_out = stem_dim_out, 4 * stem_dim_out
    for i, depth in enumerate(stage_depths(model_depth)):
        space = stage_spatial_stride[i]
        blocks.append(
            create_res_stage(
                depth=depth,
                dim_in=dim_in,
                dim_inner=dim_out // 4,
                dim_out=dim_out,
                bottleneck=stage_bottleneck[i],
                conv_a_kernel_size=stage_conv_a_kernel_size[i],
                conv_a_stride=_ONE,
                conv_a_padding=half(stage_conv_a_kernel_size[i]),
                conv_b_kernel_size=stage_conv_b_kernel_size[i],
                conv_b_stride=(stage_temporal_stride[i], space, space),
                conv_b_padding=dilated_padding(stage_conv_b_kernel_size[i], stage_conv_b_dilation[i]),
                conv_b_num_groups=stage_conv_b_num_groups[i],
                conv_b_dilation=stage_conv_b_dilation[i],
                conv_b=create_conv_2plus1d,
                norm=norm,
                norm_eps=norm_eps,
                norm_momentum=norm_momentum,
                activation=activation,
            )
        )
        dim_in, dim_out = dim_out, 2 * dim_out
    blocks.append(
        create_res_basic_head(
            in_features=dim_in,
            out_features=model_num_class,
            pool=head_pool,
            output_size=head_output_size,
            pool_kernel_size=head_pool_kernel_size,
            dropout_rate=dropout_rate,
            activation=head_activation,
            output_with_global_average=head_output_with_global_average,
        )
    )
    return Net(blocks=nn.ModuleList(blocks))
