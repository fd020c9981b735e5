"""SlowFast: a slow pathway for what is seen, a fast and narrow one for how it moves.

Source: Feichtenhofer et al., "SlowFast Networks for Video Recognition", ICCV 2019, https://arxiv.org/abs/1812.03982.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from video.models._residual import ModuleFactory
from video.models._resnet_blocks import Triple, half, per_item
from video.models.head import create_res_basic_head, create_res_roi_pooling_head, make_head_pool
from video.models.net import DetectionBBoxNetwork, MultiPathWayNet, MultiPathWayWithFuse
from video.models.resnet import create_bottleneck_block, create_res_stage, dilated_padding, stage_depths
from video.models.stem import create_res_basic_stem

__all__ = [
    "DetectionBBoxNetworkWithPathways",
    "FastToSlowFusionBuilder",
    "FuseFastToSlow",
    "PoolConcatPathway",
    "create_slowfast",
    "create_slowfast_with_roi_head",
]


class PoolConcatPathway(nn.Module):
    """Pool each pathway and concatenate the channels.

    Args:
        retain_list: Return the result in a list of one (not under TorchScript).
        pool: One pooling per pathway; ``None`` for none.
        dim: Axis of the concatenation.

    Examples:
        >>> PoolConcatPathway()([torch.rand(1, 8, 1, 2, 2), torch.rand(1, 2, 1, 2, 2)]).shape
        torch.Size([1, 10, 1, 2, 2])
    """

    def __init__(self, retain_list: bool = False, pool: nn.ModuleList | None = None, dim: int = 1) -> None:
        super().__init__()
        self.retain_list = retain_list
        self.pool = pool
        self.dim = dim

    def forward(self, x: list[Tensor]) -> Tensor:
        """Map one ``[N, C_i, T_i, H, W]`` per pathway to ``[N, sum of C_i, T, H, W]``.

        Raises:
            ValueError: When the number of tensors is not the number of poolings.
        """
        pooled = x
        if self.pool is not None:
            if len(x) != len(self.pool):
                raise ValueError(f"expected {len(self.pool)} pathways in a list, got {len(x)}")
            pooled = list(x)
            for i, pool in enumerate(self.pool):
                pooled[i] = pool(x[i])
        joined = torch.cat(pooled, dim=self.dim)
        if not torch.jit.is_scripting():  # pyright: ignore[reportPrivateImportUsage]
            if self.retain_list:
                return [joined]  # type: ignore[return-value]
        elif self.retain_list:
            raise ValueError("retain_list=True gives a list, which TorchScript cannot express here")
        return joined


class FuseFastToSlow(nn.Module):
    """Bring features of the fast pathway into the slow one.

    ::

        slow ──────────────────────────────────────────────┬── cat ── slow
        fast ──┬── conv_fast_to_slow ── norm ── activation ─┘
               └──────────────────────────────────────────────────── fast

    Args:
        conv_fast_to_slow: Convolution whose temporal stride is the ratio of the frame rates.
        norm: Norm after it, or ``None``.
        activation: Activation after that, or ``None``.
    """

    def __init__(
        self, conv_fast_to_slow: nn.Module, norm: nn.Module | None = None, activation: nn.Module | None = None
    ) -> None:
        super().__init__()
        self.conv_fast_to_slow = conv_fast_to_slow
        self.norm = norm
        self.activation = activation

    def forward(self, x: list[Tensor]) -> list[Tensor]:
        """Map ``[slow, fast]`` to the same with more channels in slow."""
        slow, fast = x[0], x[1]
        fuse = self.conv_fast_to_slow(fast)
        if self.norm is not None:
            fuse = self.norm(fuse)
        if self.activation is not None:
            fuse = self.activation(fuse)
        return [torch.cat([slow, fuse], dim=1), fast]


class FastToSlowFusionBuilder:
    """Builds the :class:`FuseFastToSlow` after each stage.

    Args:
        slowfast_channel_reduction_ratio: Channels of the slow pathway per channel of the fast one.
        conv_fusion_channel_ratio: Channels of the fused features per channel of the fast pathway.
        conv_kernel_size: Kernel of the convolutions, (time, height, width).
        conv_stride: Their stride.
        norm: Builder of the norms, or ``None``.
        norm_eps: Epsilon of the norms.
        norm_momentum: Momentum of the norms.
        activation: Builder of the activations, or ``None``.
        max_stage_idx: The last stage with a fusion after it; the stem is stage 0.
    """

    def __init__(
        self,
        slowfast_channel_reduction_ratio: int,
        conv_fusion_channel_ratio: float,
        conv_kernel_size: Triple,
        conv_stride: Triple,
        norm: ModuleFactory | None = nn.BatchNorm3d,
        norm_eps: float = 1e-5,
        norm_momentum: float = 0.1,
        activation: ModuleFactory | None = nn.ReLU,
        max_stage_idx: int = 3,
    ) -> None:
        self.slowfast_channel_reduction_ratio = slowfast_channel_reduction_ratio
        self.conv_fusion_channel_ratio = conv_fusion_channel_ratio
        self.conv_kernel_size = conv_kernel_size
        self.conv_stride = conv_stride
        self.norm = norm
        self.norm_eps = norm_eps
        self.norm_momentum = norm_momentum
        self.activation = activation
        self.max_stage_idx = max_stage_idx

    def create_module(self, fusion_dim_in: int, stage_idx: int) -> nn.Module:
        """Build the fusion after stage ``stage_idx``, whose slow pathway has ``fusion_dim_in`` channels."""
        if stage_idx > self.max_stage_idx:
            return nn.Identity()
        fast = fusion_dim_in // self.slowfast_channel_reduction_ratio
        fused = int(fast * self.conv_fusion_channel_ratio)
        return FuseFastToSlow(
            conv_fast_to_slow=nn.Conv3d(
                fast,
                fused,
                kernel_size=self.conv_kernel_size,
                stride=self.conv_stride,
                padding=half(self.conv_kernel_size),
                bias=False,
            ),
            norm=None
            if self.norm is None
            else self.norm(num_features=fused, eps=self.norm_eps, momentum=self.norm_momentum),
            activation=None if self.activation is None else self.activation(),
        )


class DetectionBBoxNetworkWithPathways(DetectionBBoxNetwork):
    """A :class:`DetectionBBoxNetwork` whose clip is a list of pathways; TorchScript needs the type."""

    def forward(self, x: list[Tensor], bboxes: Tensor) -> Tensor:  # type: ignore[override]
        """Score boxes ``[K, 5]`` on one clip ``[N, C, T_i, H, W]`` per pathway; returns ``[K, classes]``."""
        return self.detection_head(self.model(x), bboxes).flatten(1)


_ONE = (1, 1, 1)
_TIME = (3, 1, 1)
_SPACE = (1, 3, 3)


def create_slowfast(
    *,
    slowfast_channel_reduction_ratio: Sequence[int] | int = (8,),
    slowfast_conv_channel_fusion_ratio: int = 2,
    slowfast_fusion_conv_kernel_size: Triple = (7, 1, 1),
    slowfast_fusion_conv_stride: Triple = (4, 1, 1),
    fusion_builder: Callable[[int, int], nn.Module] | None = None,
    input_channels: Sequence[int] = (3, 3),
    model_depth: int = 50,
    model_num_class: int = 400,
    dropout_rate: float = 0.5,
    norm: ModuleFactory | None = nn.BatchNorm3d,
    activation: ModuleFactory | None = nn.ReLU,
    stem_function: Sequence[ModuleFactory] = (create_res_basic_stem, create_res_basic_stem),
    stem_dim_outs: Sequence[int] = (64, 8),
    stem_conv_kernel_sizes: Sequence[Triple] = ((1, 7, 7), (5, 7, 7)),
    stem_conv_strides: Sequence[Triple] = ((1, 2, 2), (1, 2, 2)),
    stem_pool: ModuleFactory | Sequence[ModuleFactory | None] | None = (nn.MaxPool3d, nn.MaxPool3d),
    stem_pool_kernel_sizes: Sequence[Triple] = ((1, 3, 3), (1, 3, 3)),
    stem_pool_strides: Sequence[Triple] = ((1, 2, 2), (1, 2, 2)),
    stage_conv_a_kernel_sizes: Sequence[Sequence[Any]] = ((_ONE, _ONE, _TIME, _TIME), (_TIME,) * 4),
    stage_conv_b_kernel_sizes: Sequence[Sequence[Triple]] = ((_SPACE,) * 4, (_SPACE,) * 4),
    stage_conv_b_num_groups: Sequence[Sequence[int]] = ((1, 1, 1, 1), (1, 1, 1, 1)),
    stage_conv_b_dilations: Sequence[Sequence[Triple]] = ((_ONE,) * 4, (_ONE,) * 4),
    stage_spatial_strides: Sequence[Sequence[int]] = ((1, 2, 2, 2), (1, 2, 2, 2)),
    stage_temporal_strides: Sequence[Sequence[int]] = ((1, 1, 1, 1), (1, 1, 1, 1)),
    bottleneck: ModuleFactory | Sequence[Sequence[ModuleFactory]] = create_bottleneck_block,
    head: ModuleFactory | None = create_res_basic_head,
    head_pool: ModuleFactory | None = nn.AvgPool3d,
    head_pool_kernel_sizes: Sequence[Triple] = ((8, 7, 7), (32, 7, 7)),
    head_output_size: Triple = (1, 1, 1),
    head_activation: ModuleFactory | None = None,
    head_output_with_global_average: bool = True,
) -> MultiPathWayNet:
    """Build a SlowFast network. Settings of pathways are (slow, fast); sizes are (time, height, width).

    ::

        slow ── stem ──┬── stage 1 ──┬── stage 2 ──┬── stage 3 ──┬── stage 4 ──┬── pool, cat ── head ── scores
                     fusion        fusion        fusion        fusion          │
        fast ── stem ──┴── stage 1 ──┴── stage 2 ──┴── stage 3 ──┴── stage 4 ──┘

    Args:
        slowfast_channel_reduction_ratio: Channels of the slow pathway per channel of the fast one.
        slowfast_conv_channel_fusion_ratio: Channels of the fused features per channel of the fast pathway.
        slowfast_fusion_conv_kernel_size: Kernel of the fusions.
        slowfast_fusion_conv_stride: Stride of the fusions: frames of the fast pathway per frame of the slow one.
        fusion_builder: Builds the fusion from ``(fusion_dim_in, stage_idx)``; ``None`` for
            :class:`FastToSlowFusionBuilder`.
        input_channels: Channels of the clips.
        model_depth: 50, 101 or 152 layers.
        model_num_class: Number of classes.
        dropout_rate: Probability of dropping a feature before the last layer.
        norm: Builder of the norms, or ``None``.
        activation: Builder of the activations, or ``None``.
        stem_function: Builders of the stems.
        stem_dim_outs: Channels of the stems.
        stem_conv_kernel_sizes: Kernels of the stems.
        stem_conv_strides: Strides of the stems.
        stem_pool: Builders of the stems' poolings, or ``None``.
        stem_pool_kernel_sizes: Their kernels.
        stem_pool_strides: Their strides.
        stage_conv_a_kernel_sizes: For each pathway and stage, the kernel of the first convolutions, or several, which
            the blocks use in turn.
        stage_conv_b_kernel_sizes: For each pathway and stage, the kernel of the second convolutions.
        stage_conv_b_num_groups: For each pathway and stage, their groups.
        stage_conv_b_dilations: For each pathway and stage, their dilation.
        stage_spatial_strides: For each pathway and stage, the spatial stride.
        stage_temporal_strides: For each pathway and stage, the temporal stride.
        bottleneck: Builder of the main branches: for all, or for each pathway and stage.
        head: Builder of the head; ``None`` for features.
        head_pool: Builder of the pathways' last poolings, or ``None``.
        head_pool_kernel_sizes: Their kernels.
        head_output_size: Their output, where they are adaptive.
        head_activation: Builder of the activation of the scores, or ``None`` for logits.
        head_output_with_global_average: Average the predictions of all positions.

    Returns:
        A network that maps a list of clips ``[N, C, T_slow, H, W]`` and ``[N, C, T_fast, H, W]`` to
        ``[N, model_num_class]``.

    Raises:
        ValueError: On another ``model_depth``.

    Examples:
        >>> model = create_slowfast(
        ...     model_num_class=5, stem_dim_outs=(16, 2), head_pool_kernel_sizes=((1, 2, 2), (4, 2, 2))
        ... ).eval()
        >>> model([torch.rand(1, 3, 1, 64, 64), torch.rand(1, 3, 4, 64, 64)]).shape
        torch.Size([1, 5])
    """
    pathways = range(len(input_channels))
    reduction = slowfast_channel_reduction_ratio
    reduction = reduction if isinstance(reduction, int) else reduction[0]
    if fusion_builder is None:
        fusion_builder = FastToSlowFusionBuilder(
            slowfast_channel_reduction_ratio=reduction,
            conv_fusion_channel_ratio=slowfast_conv_channel_fusion_ratio,
            conv_kernel_size=slowfast_fusion_conv_kernel_size,
            conv_stride=slowfast_fusion_conv_stride,
            norm=norm,
            activation=activation,
        ).create_module
    pools = stem_pool if isinstance(stem_pool, Sequence) else [stem_pool for _ in pathways]
    stems = [
        stem_function[p](
            in_channels=input_channels[p],
            out_channels=stem_dim_outs[p],
            conv_kernel_size=stem_conv_kernel_sizes[p],
            conv_stride=stem_conv_strides[p],
            conv_padding=half(stem_conv_kernel_sizes[p]),
            pool=pools[p],
            pool_kernel_size=stem_pool_kernel_sizes[p],
            pool_stride=stem_pool_strides[p],
            pool_padding=half(stem_pool_kernel_sizes[p]),
            norm=norm,
            activation=activation,
        )
        for p in pathways
    ]
    blocks: list[nn.Module] = [_fused(stems, fusion_builder(stem_dim_outs[0], 0))]
    dim_in, dim_out = stem_dim_outs[0], 4 * stem_dim_outs[0]
    for i, depth in enumerate(stage_depths(model_depth)):
        stages: list[nn.Module] = []
        for p in pathways:
            narrow = 1 if p == 0 else reduction
            fused = dim_in * slowfast_conv_channel_fusion_ratio // reduction if p == 0 else 0
            kernels_a = per_item(stage_conv_a_kernel_sizes[p][i], depth)
            kernel_b, dilation = stage_conv_b_kernel_sizes[p][i], stage_conv_b_dilations[p][i]
            stride = stage_spatial_strides[p][i]
            stages.append(
                create_res_stage(
                    depth=depth,
                    dim_in=dim_in // narrow + fused,
                    dim_inner=dim_out // 4 // narrow,
                    dim_out=dim_out // narrow,
                    bottleneck=bottleneck[p][i] if isinstance(bottleneck, Sequence) else bottleneck,
                    conv_a_kernel_size=kernels_a,
                    conv_a_stride=(stage_temporal_strides[p][i], 1, 1),
                    conv_a_padding=[half(kernel) for kernel in kernels_a],
                    conv_b_kernel_size=kernel_b,
                    conv_b_stride=(1, stride, stride),
                    conv_b_padding=dilated_padding(kernel_b, dilation),
                    conv_b_num_groups=stage_conv_b_num_groups[p][i],
                    conv_b_dilation=dilation,
                    norm=norm,
                    activation=activation,
                )
            )
        blocks.append(_fused(stages, fusion_builder(dim_out, i + 1)))
        dim_in, dim_out = dim_out, 2 * dim_out
    last_pools = [make_head_pool(head_pool, head_output_size, k, _ONE, (0, 0, 0)) for k in head_pool_kernel_sizes]
    blocks.append(PoolConcatPathway(pool=nn.ModuleList(pool for pool in last_pools if pool is not None) or None))
    if head is not None:
        blocks.append(
            head(
                in_features=dim_in + dim_in // reduction,
                out_features=model_num_class,
                pool=None,
                dropout_rate=dropout_rate,
                activation=head_activation,
                output_with_global_average=head_output_with_global_average,
            )
        )
    return MultiPathWayNet(blocks=nn.ModuleList(blocks))


def create_slowfast_with_roi_head(
    *,
    slowfast_channel_reduction_ratio: Sequence[int] | int = (8,),
    model_num_class: int = 80,
    dropout_rate: float = 0.5,
    stem_dim_outs: Sequence[int] = (64, 8),
    stage_conv_b_dilations: Sequence[Sequence[Triple]] = (((_ONE,) * 3 + ((1, 2, 2),)), ((_ONE,) * 3 + ((1, 2, 2),))),
    stage_spatial_strides: Sequence[Sequence[int]] = ((1, 2, 2, 1), (1, 2, 2, 1)),
    head: ModuleFactory = create_res_roi_pooling_head,
    head_pool_kernel_sizes: Sequence[Triple] = ((8, 1, 1), (32, 1, 1)),
    head_activation: ModuleFactory | None = nn.Sigmoid,
    head_output_with_global_average: bool = False,
    head_spatial_resolution: tuple[int, int] = (7, 7),
    head_spatial_scale: float = 1.0 / 16.0,
    head_sampling_ratio: int = 0,
    **backbone: Any,
) -> DetectionBBoxNetworkWithPathways:
    """Build a SlowFast network that scores the boxes of people, e.g. for AVA.

    Args:
        slowfast_channel_reduction_ratio: Channels of the slow pathway per channel of the fast one.
        model_num_class: Number of classes.
        dropout_rate: Probability of dropping a feature before the last layer.
        stem_dim_outs: Channels of the stems.
        stage_conv_b_dilations: Dilations of the second convolutions; the last stage dilates in place of striding.
        stage_spatial_strides: For each pathway and stage, the spatial stride.
        head: Builder of the head.
        head_pool_kernel_sizes: Kernels of the poolings over time: all frames.
        head_activation: Builder of the activation of the scores, or ``None`` for logits.
        head_output_with_global_average: Average over positions; the pooling of a box has left one.
        head_spatial_resolution: Bins of a box, (height, width).
        head_spatial_scale: Pixels of the features per pixel of the clip.
        head_sampling_ratio: Samples per bin; 0 adapts to the box.
        **backbone: Other arguments of :func:`create_slowfast`.

    Returns:
        A network that maps a list of clips and boxes ``[K, 5]`` (index in the batch, x1, y1, x2, y2) to
        ``[K, model_num_class]``.
    """
    ratio = slowfast_channel_reduction_ratio
    ratio = ratio if isinstance(ratio, int) else ratio[0]
    model = create_slowfast(
        slowfast_channel_reduction_ratio=ratio,
        stem_dim_outs=stem_dim_outs,
        stage_conv_b_dilations=stage_conv_b_dilations,
        stage_spatial_strides=stage_spatial_strides,
        head=None,
        head_pool_kernel_sizes=head_pool_kernel_sizes,
        **backbone,
    )
    features = 32 * stem_dim_outs[0]
    return DetectionBBoxNetworkWithPathways(
        model,
        head(
            in_features=features + features // ratio,
            out_features=model_num_class,
            pool=None,
            dropout_rate=dropout_rate,
            activation=head_activation,
            output_with_global_average=head_output_with_global_average,
            resolution=head_spatial_resolution,
            spatial_scale=head_spatial_scale,
            sampling_ratio=head_sampling_ratio,
        ),
    )


def _fused(blocks: list[nn.Module], fusion: nn.Module) -> MultiPathWayWithFuse:
    """Put the blocks of the pathways side by side; an identity is no fusion, which TorchScript understands."""
    return MultiPathWayWithFuse(
        multipathway_blocks=nn.ModuleList(blocks),
        multipathway_fusion=None if isinstance(fusion, nn.Identity) else fusion,
    )
