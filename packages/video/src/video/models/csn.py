"""Channel-separated networks: bottlenecks whose 3-D convolution is depthwise.

Source: Tran et al., "Video Classification with Channel-Separated Convolutional Networks", ICCV 2019,
https://arxiv.org/abs/1904.02811.
"""

from collections.abc import Sequence

from torch import nn

from video.models._residual import ModuleFactory
from video.models._resnet_blocks import Triple, create_bottleneck_block, create_res_stage, half
from video.models.head import create_res_basic_head
from video.models.net import Net
from video.models.resnet import stage_depths
from video.models.stem import create_res_basic_stem

__all__ = ["create_csn"]


def create_csn(
    *,
    input_channel: int = 3,
    model_depth: int = 50,
    model_num_class: int = 400,
    dropout_rate: float = 0,
    norm: ModuleFactory | None = nn.BatchNorm3d,
    activation: ModuleFactory | None = nn.ReLU,
    stem_dim_out: int = 64,
    stem_conv_kernel_size: Triple = (3, 7, 7),
    stem_conv_stride: Triple = (1, 2, 2),
    stem_pool: ModuleFactory | None = None,
    stem_pool_kernel_size: Triple = (1, 3, 3),
    stem_pool_stride: Triple = (1, 2, 2),
    stage_conv_a_kernel_size: Triple = (1, 1, 1),
    stage_conv_b_kernel_size: Triple = (3, 3, 3),
    stage_conv_b_width_per_group: int = 1,
    stage_spatial_stride: Sequence[int] = (1, 2, 2, 2),
    stage_temporal_stride: Sequence[int] = (1, 2, 2, 2),
    bottleneck: ModuleFactory = create_bottleneck_block,
    bottleneck_ratio: int = 4,
    head_pool: ModuleFactory | None = nn.AvgPool3d,
    head_pool_kernel_size: Triple = (1, 7, 7),
    head_output_size: Triple = (1, 1, 1),
    head_activation: ModuleFactory | None = None,
    head_output_with_global_average: bool = True,
) -> Net:
    """Build a channel-separated network. Sizes are (time, height, width).

    Args:
        input_channel: Channels of the clip.
        model_depth: 50, 101 or 152 layers.
        model_num_class: Number of classes.
        dropout_rate: Probability of dropping a feature before the last layer.
        norm: Builder of the norms, or ``None``.
        activation: Builder of the activations, or ``None``.
        stem_dim_out: Channels of the stem.
        stem_conv_kernel_size: Kernel of the stem.
        stem_conv_stride: Stride of the stem.
        stem_pool: Builder of the stem's pooling, or ``None``.
        stem_pool_kernel_size: Its kernel.
        stem_pool_stride: Its stride.
        stage_conv_a_kernel_size: Kernel of the first convolutions.
        stage_conv_b_kernel_size: Kernel of the grouped convolutions.
        stage_conv_b_width_per_group: Channels in a group; 1 is depthwise.
        stage_spatial_stride: Spatial stride of each stage.
        stage_temporal_stride: Temporal stride of each stage.
        bottleneck: Builder of the main branches.
        bottleneck_ratio: Output channels per inner channel.
        head_pool: Builder of the head's pooling, or ``None``.
        head_pool_kernel_size: Its kernel.
        head_output_size: Its output, where it is adaptive.
        head_activation: Builder of the activation of the scores, or ``None`` for logits.
        head_output_with_global_average: Average the predictions of all positions.

    Returns:
        A network that maps ``[N, input_channel, T, H, W]`` to ``[N, model_num_class]``.

    Examples:
        >>> model = create_csn(model_num_class=5, stem_dim_out=8, head_pool_kernel_size=(1, 4, 4)).eval()
        >>> model(torch.rand(1, 3, 8, 64, 64)).shape
        torch.Size([1, 5])
    """
    blocks: list[nn.Module] = [
        create_res_basic_stem(
            in_channels=input_channel,
            out_channels=stem_dim_out,
            conv_kernel_size=stem_conv_kernel_size,
            conv_stride=stem_conv_stride,
            conv_padding=half(stem_conv_kernel_size),
            pool=stem_pool,
            pool_kernel_size=stem_pool_kernel_size,
            pool_stride=stem_pool_stride,
            pool_padding=half(stem_pool_kernel_size),
            norm=norm,
            activation=activation,
        )
    ]
    dim_in, dim_out = stem_dim_out, 4 * stem_dim_out
    for i, depth in enumerate(stage_depths(model_depth)):
        dim_inner = dim_out // bottleneck_ratio
        blocks.append(
            create_res_stage(
                depth=depth,
                dim_in=dim_in,
                dim_inner=dim_inner,
                dim_out=dim_out,
                bottleneck=bottleneck,
                conv_a_kernel_size=stage_conv_a_kernel_size,
                conv_a_stride=(1, 1, 1),
                conv_a_padding=half(stage_conv_a_kernel_size),
                conv_b_kernel_size=stage_conv_b_kernel_size,
                conv_b_stride=(stage_temporal_stride[i], stage_spatial_stride[i], stage_spatial_stride[i]),
                conv_b_padding=half(stage_conv_b_kernel_size),
                conv_b_num_groups=dim_inner // stage_conv_b_width_per_group,
                norm=norm,
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
