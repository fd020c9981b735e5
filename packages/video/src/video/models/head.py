"""Heads: from features to class scores."""

from torch import Tensor, nn

from video.layers.roi_align import RoIAlign
from video.models._residual import ModuleFactory

__all__ = [
    "ResNetBasicHead",
    "ResNetRoIHead",
    "SequencePool",
    "VisionTransformerBasicHead",
    "create_res_basic_head",
    "create_res_roi_pooling_head",
    "create_vit_basic_head",
]


def make_head_activation(activation: ModuleFactory | None) -> nn.Module | None:
    """Build the activation of a head; a softmax runs over the classes, which are on axis 1."""
    if activation is None:
        return None
    return activation(dim=1) if activation is nn.Softmax else activation()


class ResNetBasicHead(nn.Module):
    """Pool, drop, project, activate, and average what positions are left.

    ::

        x ── pool ── dropout ── proj ── activation ── output_pool ── y

    The projection runs at every position, so a clip that is larger than the pooling kernel gives several predictions,
    and ``output_pool`` averages them ("fully convolutional" testing).

    Args:
        pool: Pooling, or ``None``; likewise the following.
        dropout: Dropout.
        proj: Linear layer on the channels.
        activation: Activation on axis 1.
        output_pool: Global average; with it the output is ``[N, classes]``, without it ``[N, classes, T, H, W]``.
    """

    def __init__(
        self,
        pool: nn.Module | None = None,
        dropout: nn.Module | None = None,
        proj: nn.Module | None = None,
        activation: nn.Module | None = None,
        output_pool: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.pool = pool
        self.dropout = dropout
        self.proj = proj
        self.activation = activation
        self.output_pool = output_pool

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[N, C, T, H, W]`` to ``[N, classes]``."""
        if self.pool is not None:
            x = self.pool(x)
        if self.dropout is not None:
            x = self.dropout(x)
        if self.proj is not None:
            x = self.proj(x.permute(0, 2, 3, 4, 1)).permute(0, 4, 1, 2, 3)
        if self.activation is not None:
            x = self.activation(x)
        if self.output_pool is not None:
            x = self.output_pool(x).flatten(1)
        return x


def create_res_basic_head(
    *,
    in_features: int,
    out_features: int,
    pool: ModuleFactory | None = nn.AvgPool3d,
    output_size: tuple[int, int, int] = (1, 1, 1),
    pool_kernel_size: tuple[int, int, int] = (1, 7, 7),
    pool_stride: tuple[int, int, int] = (1, 1, 1),
    pool_padding: tuple[int, int, int] = (0, 0, 0),
    dropout_rate: float = 0.5,
    activation: ModuleFactory | None = None,
    output_with_global_average: bool = True,
) -> ResNetBasicHead:
    """Build the classification head of a 3-D ResNet. Sizes are (time, height, width).

    Args:
        in_features: Channels of the features.
        out_features: Number of classes.
        pool: ``None``, ``nn.AdaptiveAvgPool3d`` (uses ``output_size``), or a pooling with a kernel.
        output_size: Output of an adaptive pooling.
        pool_kernel_size: Kernel of the pooling.
        pool_stride: Stride of the pooling.
        pool_padding: Padding of the pooling.
        dropout_rate: Probability of dropping a feature; ``0`` for no dropout.
        activation: Builder of the activation (``nn.Softmax`` runs over the classes), or ``None``.
        output_with_global_average: Average over all positions.

    Examples:
        >>> create_res_basic_head(in_features=8, out_features=5)(torch.rand(2, 8, 4, 7, 7)).shape
        torch.Size([2, 5])
    """
    return ResNetBasicHead(
        pool=make_head_pool(pool, output_size, pool_kernel_size, pool_stride, pool_padding),
        dropout=nn.Dropout(dropout_rate) if dropout_rate > 0 else None,
        proj=nn.Linear(in_features, out_features),
        activation=make_head_activation(activation),
        output_pool=nn.AdaptiveAvgPool3d(1) if output_with_global_average else None,
    )


def make_head_pool(
    pool: ModuleFactory | None,
    output_size: tuple[int, int, int],
    kernel_size: tuple[int, int, int],
    stride: tuple[int, int, int],
    padding: tuple[int, int, int],
) -> nn.Module | None:
    """Build the pooling of a head: adaptive ones take an output size, the others a kernel."""
    if pool is None:
        return None
    if pool in (nn.AdaptiveAvgPool3d, nn.AdaptiveMaxPool3d):
        return pool(output_size)
    return pool(kernel_size=kernel_size, stride=stride, padding=padding)


class ResNetRoIHead(nn.Module):
    """Pool over time, cut out boxes, pool, drop, project, activate.

    ::

        x ── pool ── roi_layer ── pool_spatial ── dropout ── proj ── activation ── output_pool ── y
                     bboxes ─┘

    Args:
        pool: Pooling that leaves one frame; ``None`` where the features have one. The others may be ``None`` too.
        pool_spatial: 2-D pooling of the features of a box.
        roi_layer: Maps features ``[N, C, H, W]`` and boxes ``[K, 5]`` to ``[K, C, h, w]``.
        dropout: Dropout.
        proj: Linear layer on the channels.
        activation: Activation on axis 1.
        output_pool: Global average.
    """

    def __init__(
        self,
        pool: nn.Module | None = None,
        pool_spatial: nn.Module | None = None,
        roi_layer: nn.Module | None = None,
        dropout: nn.Module | None = None,
        proj: nn.Module | None = None,
        activation: nn.Module | None = None,
        output_pool: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.pool = pool
        self.pool_spatial = pool_spatial
        self.roi_layer = roi_layer
        self.dropout = dropout
        self.proj = proj
        self.activation = activation
        self.output_pool = output_pool

    def forward(self, x: Tensor, bboxes: Tensor) -> Tensor:
        """Map ``[N, C, T, H, W]`` and boxes ``[K, 5]`` to ``[K, classes, 1, h, w]``, or ``[K, classes]`` when pooled.

        Raises:
            ValueError: When the pooling leaves more than one frame.
        """
        if self.pool is not None:
            x = self.pool(x)
        if self.roi_layer is not None:
            if x.shape[2] != 1:
                raise ValueError(
                    f"the pooling must leave 1 frame, it left {x.shape[2]}: its kernel must span all frames"
                )
            x = self.roi_layer(x.squeeze(2), bboxes)
            if self.pool_spatial is not None:
                x = self.pool_spatial(x)
            x = x.unsqueeze(2)
        if self.dropout is not None:
            x = self.dropout(x)
        if self.proj is not None:
            x = self.proj(x.permute(0, 2, 3, 4, 1)).permute(0, 4, 1, 2, 3)
        if self.activation is not None:
            x = self.activation(x)
        if self.output_pool is not None:
            x = self.output_pool(x).flatten(1)
        return x


def create_res_roi_pooling_head(
    *,
    in_features: int,
    out_features: int,
    resolution: tuple[int, int],
    spatial_scale: float,
    sampling_ratio: int = 0,
    roi: ModuleFactory = RoIAlign,
    pool: ModuleFactory | None = nn.AvgPool3d,
    output_size: tuple[int, int, int] = (1, 1, 1),
    pool_kernel_size: tuple[int, int, int] = (1, 7, 7),
    pool_stride: tuple[int, int, int] = (1, 1, 1),
    pool_padding: tuple[int, int, int] = (0, 0, 0),
    pool_spatial: ModuleFactory | None = nn.MaxPool2d,
    dropout_rate: float = 0.5,
    activation: ModuleFactory | None = None,
    output_with_global_average: bool = True,
) -> ResNetRoIHead:
    """Build a head that scores boxes; :func:`create_res_basic_head` describes the arguments that are not listed.

    Args:
        in_features: Channels of the features.
        out_features: Number of classes.
        resolution: Bins of a box, (height, width).
        spatial_scale: Pixels of the features per pixel of the clip.
        sampling_ratio: Samples per bin; 0 adapts to the box.
        roi: Builder of the layer that cuts out boxes.
        pool: Builder of the pooling over time.
        output_size: Its output, where it is adaptive.
        pool_kernel_size: Its kernel, (time, height, width).
        pool_stride: Its stride.
        pool_padding: Its padding.
        pool_spatial: Builder of the pooling of a box's bins, or ``None``.
        dropout_rate: Probability of dropping a feature.
        activation: Builder of the activation, or ``None``.
        output_with_global_average: Average over positions.
    """
    return ResNetRoIHead(
        pool=make_head_pool(pool, output_size, pool_kernel_size, pool_stride, pool_padding),
        pool_spatial=None if pool_spatial is None else pool_spatial(resolution, stride=1),
        roi_layer=roi(output_size=resolution, spatial_scale=spatial_scale, sampling_ratio=sampling_ratio),
        dropout=nn.Dropout(dropout_rate) if dropout_rate > 0 else None,
        proj=nn.Linear(in_features, out_features),
        activation=make_head_activation(activation),
        output_pool=nn.AdaptiveAvgPool3d(1) if output_with_global_average else None,
    )


class SequencePool(nn.Module):
    """Make one token of a sequence.

    Args:
        mode: ``"cls"``: the first; ``"mean"``: the average.

    Raises:
        ValueError: On another mode.

    Examples:
        >>> SequencePool("mean")(torch.tensor([[[1.0], [3.0]]])).tolist()
        [[2.0]]
    """

    def __init__(self, mode: str) -> None:
        super().__init__()
        if mode not in ("cls", "mean"):
            raise ValueError(f"mode must be 'cls' or 'mean', got {mode!r}")
        self.mode = mode

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[N, L, C]`` to ``[N, C]``."""
        return x[:, 0] if self.mode == "cls" else x.mean(1)


class VisionTransformerBasicHead(nn.Module):
    """Pool the tokens, drop, project, activate.

    Args:
        sequence_pool: Maps ``[N, L, C]`` to ``[N, C]``; ``None`` where that is the input; likewise the following.
        dropout: Dropout.
        proj: Linear layer.
        activation: Activation on axis 1.
    """

    def __init__(
        self,
        sequence_pool: nn.Module | None = None,
        dropout: nn.Module | None = None,
        proj: nn.Module | None = None,
        activation: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.sequence_pool = sequence_pool
        self.dropout = dropout
        self.proj = proj
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[N, L, C]`` to ``[N, classes]``."""
        if self.sequence_pool is not None:
            x = self.sequence_pool(x)
        if self.dropout is not None:
            x = self.dropout(x)
        if self.proj is not None:
            x = self.proj(x)
        if self.activation is not None:
            x = self.activation(x)
        return x


def create_vit_basic_head(
    *,
    in_features: int,
    out_features: int,
    seq_pool_type: str = "cls",
    dropout_rate: float = 0.5,
    activation: ModuleFactory | None = None,
) -> VisionTransformerBasicHead:
    """Build the head of a vision transformer.

    Args:
        in_features: Channels of the tokens.
        out_features: Number of classes.
        seq_pool_type: ``"cls"``, ``"mean"``, or ``"none"`` for a score of every token.
        dropout_rate: Probability of dropping a feature; ``0`` for no dropout.
        activation: Builder of the activation (``nn.Softmax`` runs over the classes), or ``None``.

    Raises:
        ValueError: On another ``seq_pool_type``.

    Examples:
        >>> create_vit_basic_head(in_features=8, out_features=5)(torch.rand(2, 10, 8)).shape
        torch.Size([2, 5])
    """
    return VisionTransformerBasicHead(
        sequence_pool=None if seq_pool_type == "none" else SequencePool(seq_pool_type),
        dropout=nn.Dropout(dropout_rate) if dropout_rate > 0.0 else None,
        proj=nn.Linear(in_features, out_features),
        activation=make_head_activation(activation),
    )
