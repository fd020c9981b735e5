"""X3D: small, channel-separated networks that were grown axis by axis.

Source: Feichtenhofer, "X3D: Expanding Architectures for Efficient Video Recognition", CVPR 2020,
https://arxiv.org/abs/2004.04730.
"""

import math
from collections.abc import Sequence

from torch import Tensor, nn

from video.layers.swish import Swish
from video.layers.utils import round_repeats, round_width
from video.models._residual import ModuleFactory
from video.models._x3d_blocks import (
    create_x3d_bottleneck_block,
    create_x3d_res_block,
    create_x3d_res_stage,
    create_x3d_stem,
    make_norm,
)
from video.models.head import ResNetBasicHead, make_head_activation
from video.models.net import Net

__all__ = [
    "ProjectedPool",
    "create_x3d",
    "create_x3d_bottleneck_block",
    "create_x3d_head",
    "create_x3d_res_block",
    "create_x3d_res_stage",
    "create_x3d_stem",
]

_STAGE_DEPTHS = (1, 2, 5, 3)
Triple = tuple[int, int, int]


class ProjectedPool(nn.Module):
    """Pooling between two 1x1x1 projections.

    ::

        x ── pre_conv ── pre_norm ── pre_act ── pool ── post_conv ── post_norm ── post_act ── y

    Args:
        pre_conv: Projection before the pooling.
        pre_norm: Norm after it, or ``None``; likewise the other norms and activations.
        pre_act: Activation before the pooling.
        pool: The pooling.
        post_conv: Projection after the pooling.
        post_norm: Norm after that.
        post_act: Last activation.
    """

    def __init__(
        self,
        *,
        pre_conv: nn.Module,
        pre_norm: nn.Module | None = None,
        pre_act: nn.Module | None = None,
        pool: nn.Module,
        post_conv: nn.Module,
        post_norm: nn.Module | None = None,
        post_act: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.pre_conv = pre_conv
        self.pre_norm = pre_norm
        self.pre_act = pre_act
        self.pool = pool
        self.post_conv = post_conv
        self.post_norm = post_norm
        self.post_act = post_act

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[N, C, T, H, W]`` to ``[N, C', T', H', W']``."""
        x = self.pre_conv(x)
        if self.pre_norm is not None:
            x = self.pre_norm(x)
        if self.pre_act is not None:
            x = self.pre_act(x)
        x = self.post_conv(self.pool(x))
        if self.post_norm is not None:
            x = self.post_norm(x)
        if self.post_act is not None:
            x = self.post_act(x)
        return x


def create_x3d_head(
    *,
    dim_in: int,
    dim_inner: int,
    dim_out: int,
    num_classes: int,
    pool_act: ModuleFactory | None = nn.ReLU,
    pool_kernel_size: Triple = (13, 5, 5),
    norm: ModuleFactory | None = nn.BatchNorm3d,
    norm_eps: float = 1e-5,
    norm_momentum: float = 0.1,
    bn_lin5_on: bool = False,
    dropout_rate: float = 0.5,
    activation: ModuleFactory | None = nn.Softmax,
    output_with_global_average: bool = True,
) -> ResNetBasicHead:
    """Build the head: a projected pooling, dropout, a linear layer.

    Args:
        dim_in: Channels of the features.
        dim_inner: Channels of the pooling.
        dim_out: Channels after the pooling.
        num_classes: Number of classes.
        pool_act: Builder of the activations around the pooling, or ``None``.
        pool_kernel_size: Kernel of the average pooling, (time, height, width); ``None`` pools everything.
        norm: Builder of the norms, or ``None``.
        norm_eps: Epsilon of the norms.
        norm_momentum: Momentum of the norms.
        bn_lin5_on: Put a norm after the projection to ``dim_out``.
        dropout_rate: Probability of dropping a feature; ``0`` for no dropout.
        activation: Builder of the last activation (``nn.Softmax`` runs over the classes), or ``None`` for logits.
        output_with_global_average: Average the predictions of all positions.

    Examples:
        >>> head = create_x3d_head(dim_in=8, dim_inner=16, dim_out=32, num_classes=5, pool_kernel_size=(4, 5, 5))
        >>> head(torch.rand(2, 8, 4, 5, 5)).shape
        torch.Size([2, 5])
    """
    pool = ProjectedPool(
        pre_conv=nn.Conv3d(dim_in, dim_inner, kernel_size=1, bias=False),
        pre_norm=make_norm(norm, dim_inner, norm_eps, norm_momentum),
        pre_act=None if pool_act is None else pool_act(),
        pool=nn.AdaptiveAvgPool3d(1) if pool_kernel_size is None else nn.AvgPool3d(pool_kernel_size, stride=1),
        post_conv=nn.Conv3d(dim_inner, dim_out, kernel_size=1, bias=False),
        post_norm=make_norm(norm, dim_out, norm_eps, norm_momentum) if bn_lin5_on else None,
        post_act=None if pool_act is None else pool_act(),
    )
    return ResNetBasicHead(
        pool=pool,
        dropout=nn.Dropout(dropout_rate) if dropout_rate > 0 else None,
        proj=nn.Linear(dim_out, num_classes),
        activation=make_head_activation(activation),
        output_pool=nn.AdaptiveAvgPool3d(1) if output_with_global_average else None,
    )


def create_x3d(
    *,
    input_channel: int = 3,
    input_clip_length: int = 13,
    input_crop_size: int = 160,
    model_num_class: int = 400,
    dropout_rate: float = 0.5,
    width_factor: float = 2.0,
    depth_factor: float = 2.2,
    norm: ModuleFactory | None = nn.BatchNorm3d,
    norm_eps: float = 1e-5,
    norm_momentum: float = 0.1,
    activation: ModuleFactory | None = nn.ReLU,
    stem_dim_in: int = 12,
    stem_conv_kernel_size: Triple = (5, 3, 3),
    stem_conv_stride: Triple = (1, 2, 2),
    stage_conv_kernel_size: Sequence[Triple] = ((3, 3, 3), (3, 3, 3), (3, 3, 3), (3, 3, 3)),
    stage_spatial_stride: Sequence[int] = (2, 2, 2, 2),
    stage_temporal_stride: Sequence[int] = (1, 1, 1, 1),
    bottleneck: ModuleFactory = create_x3d_bottleneck_block,
    bottleneck_factor: float = 2.25,
    se_ratio: float = 0.0625,
    inner_act: ModuleFactory | None = Swish,
    head_dim_out: int = 2048,
    head_pool_act: ModuleFactory | None = nn.ReLU,
    head_bn_lin5_on: bool = False,
    head_activation: ModuleFactory | None = None,
    head_output_with_global_average: bool = True,
) -> Net:
    """Build an X3D network: a stem, four stages, a head.

    ::

        clip ── stem ── stage 1 ── stage 2 ── stage 3 ── stage 4 ── head ── scores

    Args:
        input_channel: Channels of the clip.
        input_clip_length: Frames of the clip, which set the head's pooling.
        input_crop_size: Height and width of the clip, which set the head's pooling.
        model_num_class: Number of classes.
        dropout_rate: Probability of dropping a feature before the last layer.
        width_factor: Scale of the channels.
        depth_factor: Scale of the number of blocks, 1, 2, 5, 3.
        norm: Builder of the norms, or ``None``.
        norm_eps: Epsilon of the norms.
        norm_momentum: Momentum of the norms.
        activation: Builder of the activations, or ``None``.
        stem_dim_in: Channels of the stem before scaling.
        stem_conv_kernel_size: Kernel of the stem, (time, height, width).
        stem_conv_stride: Stride of the stem.
        stage_conv_kernel_size: Kernel of the depthwise convolutions, for each stage.
        stage_spatial_stride: Spatial stride of each stage.
        stage_temporal_stride: Temporal stride of each stage.
        bottleneck: Builder of the main branches.
        bottleneck_factor: Inner channels per output channel.
        se_ratio: Squeezed channels per inner channel; ``0`` for no squeeze-and-excitation.
        inner_act: Builder of the activation after the depthwise convolutions.
        head_dim_out: Channels before the last layer.
        head_pool_act: Builder of the activations around the head's pooling, or ``None``.
        head_bn_lin5_on: Put a norm before the last activation.
        head_activation: Builder of the activation of the scores, or ``None`` for logits.
        head_output_with_global_average: Average the predictions of all positions.

    Returns:
        A network that maps ``[N, input_channel, T, H, W]`` to ``[N, model_num_class]``.

    Raises:
        ValueError: When the clip is shorter or smaller than the network's stride.

    Examples:
        >>> model = create_x3d(input_clip_length=4, input_crop_size=64, model_num_class=5, depth_factor=1.0).eval()
        >>> model(torch.rand(1, 3, 4, 64, 64)).shape
        torch.Size([1, 5])
    """
    spatial_stride = stem_conv_stride[1] * math.prod(stage_spatial_stride)
    temporal_stride = stem_conv_stride[0] * math.prod(stage_temporal_stride)
    if input_clip_length < temporal_stride or input_crop_size < spatial_stride:
        raise ValueError(
            f"a clip of {input_clip_length} frames of {input_crop_size} pixels is smaller than the network's stride "
            f"({temporal_stride} frames, {spatial_stride} pixels): enlarge the clip or lower the strides"
        )
    shared = {"norm": norm, "norm_eps": norm_eps, "norm_momentum": norm_momentum}
    dim_in = round_width(stem_dim_in, width_factor)
    blocks: list[nn.Module] = [
        create_x3d_stem(
            in_channels=input_channel,
            out_channels=dim_in,
            conv_kernel_size=stem_conv_kernel_size,
            conv_stride=stem_conv_stride,
            conv_padding=(stem_conv_kernel_size[0] // 2, stem_conv_kernel_size[1] // 2, stem_conv_kernel_size[2] // 2),
            activation=activation,
            **shared,
        )
    ]
    dim, dim_inner = stem_dim_in, 0
    for i, depth in enumerate(_STAGE_DEPTHS):
        dim = dim if i == 0 else round_width(dim, 2.0)
        dim_out = round_width(dim, width_factor)
        dim_inner = int(bottleneck_factor * dim_out)
        blocks.append(
            create_x3d_res_stage(
                depth=round_repeats(depth, depth_factor),
                dim_in=dim_in,
                dim_inner=dim_inner,
                dim_out=dim_out,
                bottleneck=bottleneck,
                conv_kernel_size=stage_conv_kernel_size[i],
                conv_stride=(stage_temporal_stride[i], stage_spatial_stride[i], stage_spatial_stride[i]),
                se_ratio=se_ratio,
                activation=activation,
                inner_act=inner_act,
                **shared,
            )
        )
        dim_in = dim_out
    pooled = math.ceil(input_crop_size / spatial_stride)
    blocks.append(
        create_x3d_head(
            dim_in=dim_in,
            dim_inner=dim_inner,
            dim_out=head_dim_out,
            num_classes=model_num_class,
            pool_act=head_pool_act,
            pool_kernel_size=(input_clip_length // temporal_stride, pooled, pooled),
            bn_lin5_on=head_bn_lin5_on,
            dropout_rate=dropout_rate,
            activation=head_activation,
            output_with_global_average=head_output_with_global_average,
            **shared,
        )
    )
    return Net(blocks=nn.ModuleList(blocks))
