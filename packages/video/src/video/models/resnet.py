"""ResNets for clips: C2D, I3D, Slow, and Slow with a head for boxes.

Sources: He et al., "Deep Residual Learning", CVPR 2016, https://arxiv.org/abs/1512.03385; Carreira and Zisserman, "Quo
Vadis, Action Recognition?", CVPR 2017, https://arxiv.org/abs/1705.07750; Feichtenhofer et al., "SlowFast Networks",
ICCV 2019, https://arxiv.org/abs/1812.03982.
"""

from collections.abc import Sequence
from typing import Any

from torch import nn

from video.models._residual import BottleneckBlock, ModuleFactory, ResBlock, ResStage, SeparableBottleneckBlock
from video.models._resnet_blocks import (
    Triple,
    create_bottleneck_block,
    create_res_block,
    create_res_stage,
    half,
    per_item,
)
from video.models.head import create_res_basic_head, create_res_roi_pooling_head
from video.models.net import DetectionBBoxNetwork, Net
from video.models.stem import create_res_basic_stem

__all__ = [
    "BottleneckBlock",
    "ResBlock",
    "ResStage",
    "SeparableBottleneckBlock",
    "create_bottleneck_block",
    "create_res_block",
    "create_res_stage",
    "create_resnet",
    "create_resnet_with_roi_head",
    "stage_depths",
]

_STAGE_DEPTHS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}


def stage_depths(model_depth: int) -> tuple[int, int, int, int]:
    """Return the number of blocks in each stage of a ResNet of 50, 101 or 152 layers."""
    if model_depth not in _STAGE_DEPTHS:
        raise ValueError(f"model_depth must be one of {sorted(_STAGE_DEPTHS)}, got {model_depth}")
    return _STAGE_DEPTHS[model_depth]


def create_resnet(
    *,
    input_channel: int = 3,
    model_depth: int = 50,
    model_num_class: int = 400,
    dropout_rate: float = 0.5,
    norm: ModuleFactory | None = nn.BatchNorm3d,
    activation: ModuleFactory | None = nn.ReLU,
    stem_dim_out: int = 64,
    stem_conv_kernel_size: Triple = (3, 7, 7),
    stem_conv_stride: Triple = (1, 2, 2),
    stem_pool: ModuleFactory | None = nn.MaxPool3d,
    stem_pool_kernel_size: Triple = (1, 3, 3),
    stem_pool_stride: Triple = (1, 2, 2),
    stem: ModuleFactory = create_res_basic_stem,
    stage1_pool: ModuleFactory | None = None,
    stage1_pool_kernel_size: Triple = (2, 1, 1),
    stage_conv_a_kernel_size: Triple | Sequence[Any] = ((1, 1, 1), (1, 1, 1), (3, 1, 1), (3, 1, 1)),
    stage_conv_b_kernel_size: Triple | Sequence[Triple] = ((1, 3, 3), (1, 3, 3), (1, 3, 3), (1, 3, 3)),
    stage_conv_b_num_groups: Sequence[int] = (1, 1, 1, 1),
    stage_conv_b_dilation: Triple | Sequence[Triple] = ((1, 1, 1), (1, 1, 1), (1, 1, 1), (1, 1, 1)),
    stage_spatial_h_stride: Sequence[int] = (1, 2, 2, 2),
    stage_spatial_w_stride: Sequence[int] = (1, 2, 2, 2),
    stage_temporal_stride: Sequence[int] = (1, 1, 1, 1),
    bottleneck: ModuleFactory | Sequence[ModuleFactory] = create_bottleneck_block,
    head: ModuleFactory | None = create_res_basic_head,
    head_pool: ModuleFactory | None = nn.AvgPool3d,
    head_pool_kernel_size: Triple = (4, 7, 7),
    head_output_size: Triple = (1, 1, 1),
    head_activation: ModuleFactory | None = None,
    head_output_with_global_average: bool = True,
) -> Net:
    """Build a 3-D ResNet: a stem, four stages of bottlenecks, a head. Sizes are (time, height, width).

    ::

        clip ── stem ── stage 1 ── [stage1_pool] ── stage 2 ── stage 3 ── stage 4 ── head ── scores

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
        stem: Builder of the stem.
        stage1_pool: Builder of a pooling after the first stage, or ``None``.
        stage1_pool_kernel_size: Its kernel and stride.
        stage_conv_a_kernel_size: Kernel of the first convolutions: for all stages, or for each; a stage may have
            several, which its blocks use in turn.
        stage_conv_b_kernel_size: Kernel of the second convolutions: for all stages, or for each.
        stage_conv_b_num_groups: Their groups, for each stage.
        stage_conv_b_dilation: Their dilation: for all stages, or for each.
        stage_spatial_h_stride: Stride along the height, for each stage.
        stage_spatial_w_stride: Stride along the width, for each stage.
        stage_temporal_stride: Stride along time, for each stage.
        bottleneck: Builder of the main branches: for all stages, or for each.
        head: Builder of the head; ``None`` for features.
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
        >>> model = create_resnet(model_num_class=5, stem_dim_out=8, head_pool_kernel_size=(4, 2, 2)).eval()
        >>> model(torch.rand(1, 3, 4, 64, 64)).shape
        torch.Size([1, 5])
    """
    blocks: list[nn.Module] = [
        stem(
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
    kernels_b, dilations = per_item(stage_conv_b_kernel_size, 4), per_item(stage_conv_b_dilation, 4)
    shared_a = isinstance(stage_conv_a_kernel_size[0], int)
    dim_in, dim_out = stem_dim_out, 4 * stem_dim_out
    for i, depth in enumerate(stage_depths(model_depth)):
        kernels_a = per_item(stage_conv_a_kernel_size if shared_a else stage_conv_a_kernel_size[i], depth)  # type: ignore[arg-type]
        stage = create_res_stage(
            depth=depth,
            dim_in=dim_in,
            dim_inner=dim_out // 4,
            dim_out=dim_out,
            bottleneck=bottleneck[i] if isinstance(bottleneck, Sequence) else bottleneck,
            conv_a_kernel_size=kernels_a,
            conv_a_stride=(stage_temporal_stride[i], 1, 1),
            conv_a_padding=[half(kernel) for kernel in kernels_a],
            conv_b_kernel_size=kernels_b[i],
            conv_b_stride=(1, stage_spatial_h_stride[i], stage_spatial_w_stride[i]),
            conv_b_padding=dilated_padding(kernels_b[i], dilations[i]),
            conv_b_num_groups=stage_conv_b_num_groups[i],
            conv_b_dilation=dilations[i],
            norm=norm,
            activation=activation,
        )
        blocks.append(stage)
        if i == 0 and stage1_pool is not None:
            blocks.append(stage1_pool(kernel_size=stage1_pool_kernel_size, stride=stage1_pool_kernel_size))
        dim_in, dim_out = dim_out, 2 * dim_out
    if head is not None:
        blocks.append(
            head(
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


def dilated_padding(kernel: Triple, dilation: Triple) -> Triple:
    """Return the padding of a convolution that keeps height and width, where its spatial dilation may exceed 1."""
    height = dilation[1] if dilation[1] > 1 else kernel[1] // 2
    width = dilation[2] if dilation[2] > 1 else kernel[2] // 2
    return (kernel[0] // 2, height, width)


def create_resnet_with_roi_head(
    *,
    model_num_class: int = 80,
    dropout_rate: float = 0.5,
    stem_conv_kernel_size: Triple = (1, 7, 7),
    stage_conv_b_dilation: Triple | Sequence[Triple] = ((1, 1, 1), (1, 1, 1), (1, 1, 1), (1, 2, 2)),
    stage_spatial_h_stride: Sequence[int] = (1, 2, 2, 1),
    stage_spatial_w_stride: Sequence[int] = (1, 2, 2, 1),
    head: ModuleFactory = create_res_roi_pooling_head,
    head_pool: ModuleFactory | None = nn.AvgPool3d,
    head_pool_kernel_size: Triple = (4, 1, 1),
    head_output_size: Triple = (1, 1, 1),
    head_activation: ModuleFactory | None = nn.Sigmoid,
    head_output_with_global_average: bool = False,
    head_spatial_resolution: tuple[int, int] = (7, 7),
    head_spatial_scale: float = 1.0 / 16.0,
    head_sampling_ratio: int = 0,
    stem_dim_out: int = 64,
    **backbone: Any,
) -> DetectionBBoxNetwork:
    """Build a 3-D ResNet that scores the boxes of people, e.g. for AVA.

    Args:
        model_num_class: Number of classes.
        dropout_rate: Probability of dropping a feature before the last layer.
        stem_conv_kernel_size: Kernel of the stem.
        stage_conv_b_dilation: Dilation of the second convolutions; the last stage dilates in place of striding.
        stage_spatial_h_stride: Stride along the height, for each stage.
        stage_spatial_w_stride: Stride along the width, for each stage.
        head: Builder of the head.
        head_pool: Builder of the pooling over time.
        head_pool_kernel_size: Its kernel: all frames.
        head_output_size: Its output, where it is adaptive.
        head_activation: Builder of the activation of the scores, or ``None`` for logits.
        head_output_with_global_average: Average over positions; the pooling of a box has left one.
        head_spatial_resolution: Bins of a box, (height, width).
        head_spatial_scale: Pixels of the features per pixel of the clip.
        head_sampling_ratio: Samples per bin; 0 adapts to the box.
        stem_dim_out: Channels of the stem.
        **backbone: Other arguments of :func:`create_resnet`.

    Returns:
        A network that maps a clip ``[N, 3, T, H, W]`` and boxes ``[K, 5]`` (index in the batch, x1, y1, x2, y2) to
        ``[K, model_num_class]``.
    """
    model = create_resnet(
        stem_dim_out=stem_dim_out,
        stem_conv_kernel_size=stem_conv_kernel_size,
        stage_conv_b_dilation=stage_conv_b_dilation,
        stage_spatial_h_stride=stage_spatial_h_stride,
        stage_spatial_w_stride=stage_spatial_w_stride,
        head=None,
        **backbone,
    )
    return DetectionBBoxNetwork(
        model,
        head(
            in_features=32 * stem_dim_out,
            out_features=model_num_class,
            pool=head_pool,
            output_size=head_output_size,
            pool_kernel_size=head_pool_kernel_size,
            dropout_rate=dropout_rate,
            activation=head_activation,
            output_with_global_average=head_output_with_global_average,
            resolution=head_spatial_resolution,
            spatial_scale=head_spatial_scale,
            sampling_ratio=head_sampling_ratio,
        ),
    )
