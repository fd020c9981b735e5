"""Heads: from features to class scores."""

from torch import Tensor, nn

from video.models._residual import ModuleFactory

__all__ = ["ResNetBasicHead", "create_res_basic_head"]


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

    Example:
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
