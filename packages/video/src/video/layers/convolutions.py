"""Factorised and reduced 3-D convolutions."""

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

__all__ = ["Conv2plus1d", "ConvReduce3D", "create_conv_2plus1d"]

Triple = int | tuple[int, int, int]


class ConvReduce3D(nn.Module):
    """Several 3-D convolutions of one input, reduced to one output by a sum or by concatenation of channels.

    ::

               ┌── conv3d 0 ──┐
        x ─────┼── conv3d 1 ──┼── sum or cat ── y
               └── conv3d n ──┘

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of each convolution's output.
        kernel_size: One kernel size per convolution; its length is the number of convolutions.
        stride: One stride per convolution, or ``None`` for 1; likewise the following.
        padding: Zeros (or what ``padding_mode`` says) added on both sides.
        padding_mode: As in ``torch.nn.Conv3d``.
        dilation: Spacing between kernel elements.
        groups: Groups of channels.
        bias: Whether a bias is added.
        reduction_method: ``"sum"`` or ``"cat"``.

    Raises:
        ValueError: On an unknown ``reduction_method`` or an option whose length is not that of ``kernel_size``.

    Examples:
        >>> layer = ConvReduce3D(in_channels=3, out_channels=8, kernel_size=(1, 3), padding=(0, 1))
        >>> layer(torch.rand(1, 3, 4, 8, 8)).shape
        torch.Size([1, 8, 4, 8, 8])
    """

    def __init__(
        self,
        *,
        in_channels: int,
        out_channels: int,
        kernel_size: Sequence[Triple],
        stride: Sequence[Triple] | None = None,
        padding: Sequence[Triple] | None = None,
        padding_mode: Sequence[str] | None = None,
        dilation: Sequence[Triple] | None = None,
        groups: Sequence[int] | None = None,
        bias: Sequence[bool] | None = None,
        reduction_method: Literal["sum", "cat"] = "sum",
    ) -> None:
        super().__init__()
        if reduction_method not in ("sum", "cat"):
            raise ValueError(f"reduction_method must be 'sum' or 'cat', got {reduction_method!r}")
        options = {
            "stride": stride,
            "padding": padding,
            "padding_mode": padding_mode,
            "dilation": dilation,
            "groups": groups,
            "bias": bias,
        }
        given = {name: values for name, values in options.items() if values is not None}
        for name, values in given.items():
            if len(values) != len(kernel_size):
                raise ValueError(
                    f"{name} has {len(values)} entries, kernel_size has {len(kernel_size)}: give one per convolution"
                )
        self.reduction_method = reduction_method
        self.convs = nn.ModuleList(
            nn.Conv3d(in_channels, out_channels, kernel, **{name: values[i] for name, values in given.items()})  # type: ignore[arg-type]
            for i, kernel in enumerate(kernel_size)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[N, C, T, H, W]`` to ``[N, out, T', H', W']`` (``"cat"``: ``out`` times the number of convolutions)."""
        outputs: list[Tensor] = []
        for conv in self.convs:
            outputs.append(conv(x))
        if self.reduction_method == "sum":
            return torch.stack(outputs, dim=0).sum(dim=0)
        return torch.cat(outputs, dim=1)


class Conv2plus1d(nn.Module):
    """A temporal and a spatial convolution in a row, with an optional norm and activation between them.

    ::

        x ── conv_t ── norm ── activation ── conv_xy ── y        (conv_xy_first swaps the two convolutions)

    Args:
        conv_t: The first convolution (temporal, by its name).
        norm: Normalisation between the two.
        activation: Activation between the two.
        conv_xy: The second convolution (spatial, by its name).
        conv_xy_first: Whether ``conv_xy`` comes first.

    Source: Tran et al., "A Closer Look at Spatiotemporal Convolutions", CVPR 2018, https://arxiv.org/abs/1711.11248.

    Examples:
        >>> layer = create_conv_2plus1d(in_channels=3, out_channels=8, stride=(1, 1, 1))
        >>> layer(torch.rand(1, 3, 4, 8, 8)).shape
        torch.Size([1, 8, 4, 8, 8])
    """

    def __init__(
        self,
        *,
        conv_t: nn.Module,
        norm: nn.Module | None = None,
        activation: nn.Module | None = None,
        conv_xy: nn.Module,
        conv_xy_first: bool = False,
    ) -> None:
        super().__init__()
        self.conv_t = conv_t
        self.norm = norm
        self.activation = activation
        self.conv_xy = conv_xy
        self.conv_xy_first = conv_xy_first

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[N, C, T, H, W]`` to ``[N, C', T', H', W']``."""
        x = self.conv_xy(x) if self.conv_xy_first else self.conv_t(x)
        if self.norm is not None:
            x = self.norm(x)
        if self.activation is not None:
            x = self.activation(x)
        return self.conv_t(x) if self.conv_xy_first else self.conv_xy(x)


def create_conv_2plus1d(
    *,
    in_channels: int,
    out_channels: int,
    inner_channels: int | None = None,
    conv_xy_first: bool = False,
    kernel_size: tuple[int, int, int] = (3, 3, 3),
    stride: tuple[int, int, int] = (2, 2, 2),
    padding: tuple[int, int, int] = (1, 1, 1),
    bias: bool = False,
    dilation: tuple[int, int, int] = (1, 1, 1),
    groups: int = 1,
    norm: Callable[..., nn.Module] | None = nn.BatchNorm3d,
    norm_eps: float = 1e-5,
    norm_momentum: float = 0.1,
    activation: Callable[[], nn.Module] | None = nn.ReLU,
) -> Conv2plus1d:
    """Split a ``T x H x W`` convolution into ``T x 1 x 1`` and ``1 x H x W``, each taking its share of the options.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        inner_channels: Channels between the two; ``None`` means ``out_channels``.
        conv_xy_first: Whether the spatial convolution comes first.
        kernel_size: Kernel of the whole, as (time, height, width); likewise the following.
        stride: Stride of the whole.
        padding: Padding of the whole.
        bias: Whether the convolutions have a bias.
        dilation: Dilation of the whole.
        groups: Groups of both convolutions.
        norm: Builder of the norm between them, called with ``num_features, eps, momentum``; ``None`` for none.
        norm_eps: Epsilon of the norm.
        norm_momentum: Momentum of the norm.
        activation: Builder of the activation between them; ``None`` for none.

    Examples:
        >>> create_conv_2plus1d(in_channels=3, out_channels=8).conv_t.kernel_size
        (3, 1, 1)
    """
    inner = out_channels if inner_channels is None else inner_channels
    time_in, time_out = (inner, out_channels) if conv_xy_first else (in_channels, inner)
    space_in, space_out = (in_channels, inner) if conv_xy_first else (inner, out_channels)
    return Conv2plus1d(
        conv_t=nn.Conv3d(
            time_in,
            time_out,
            kernel_size=(kernel_size[0], 1, 1),
            stride=(stride[0], 1, 1),
            padding=(padding[0], 0, 0),
            dilation=(dilation[0], 1, 1),
            groups=groups,
            bias=bias,
        ),
        norm=None if norm is None else norm(num_features=inner, eps=norm_eps, momentum=norm_momentum),
        activation=None if activation is None else activation(),
        conv_xy=nn.Conv3d(
            space_in,
            space_out,
            kernel_size=(1, kernel_size[1], kernel_size[2]),
            stride=(1, stride[1], stride[2]),
            padding=(0, padding[1], padding[2]),
            dilation=(1, dilation[1], dilation[2]),
            groups=groups,
            bias=bias,
        ),
        conv_xy_first=conv_xy_first,
    )
