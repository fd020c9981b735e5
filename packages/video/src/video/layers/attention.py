"""Attention that changes the resolution of its tokens.

Source: Fan et al., "Multiscale Vision Transformers", ICCV 2021, https://arxiv.org/abs/2104.11227.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from video.layers.drop_path import DropPath
from video.layers.mlp import Mlp

__all__ = ["MultiScaleAttention", "MultiScaleBlock"]

_ONE = (1, 1, 1)
_POOLS = {"avg": nn.AvgPool3d, "max": nn.MaxPool3d}


class MultiScaleAttention(nn.Module):
    """Multi-head attention whose queries, keys and values are pooled over the clip first.

    ::

        x ──┬── q ── pool ── norm ──┐
            ├── k ── pool ── norm ──┼── attention ── proj ── dropout ── y
            └── v ── pool ── norm ──┘

    The class token is not pooled. With batch norms the norm and a GELU stand before the pooling.

    Args:
        dim: Channels of the input.
        dim_out: Channels of the output; ``None`` means ``dim``.
        num_heads: Heads.
        qkv_bias: Whether the projections to q, k, v have a bias.
        dropout_rate: Probability of dropping an attention weight or an output.
        kernel_q: Kernel of the pooling of q, (time, height, width); all ones, with all strides one, for no pooling.
        kernel_kv: Likewise for k and v.
        stride_q: Stride of the pooling of q.
        stride_kv: Stride of the pooling of k and v.
        norm_layer: Builder of the norms, called with the channels of a head; a batch norm goes before the pooling.
        has_cls_embed: Whether the first token is a class token.
        pool_mode: ``"conv"``, ``"avg"`` or ``"max"``.
        pool_first: Pool before the projections.
        residual_pool: Add the pooled queries to the result.
        depthwise_conv: Whether convolutions of the pooling have one channel per group.
        bias_on: Whether the last projection has a bias.
        separate_qkv: Project to q, k and v with three layers instead of one.

    Raises:
        ValueError: On an unknown ``pool_mode``, or dimensions that the heads do not divide.

    Examples:
        >>> layer = MultiScaleAttention(8, num_heads=2, kernel_q=(1, 3, 3), stride_q=(1, 2, 2))
        >>> y, shape = layer(torch.rand(1, 17, 8), [1, 4, 4])
        >>> y.shape, shape
        (torch.Size([1, 5, 8]), [1, 2, 2])
    """

    _version = 3

    def __init__(
        self,
        dim: int,
        dim_out: int | None = None,
        num_heads: int = 8,
        qkv_bias: bool = False,
        dropout_rate: float = 0.0,
        kernel_q: Sequence[int] = _ONE,
        kernel_kv: Sequence[int] = _ONE,
        stride_q: Sequence[int] = _ONE,
        stride_kv: Sequence[int] = _ONE,
        norm_layer: Callable[[int], nn.Module] = nn.LayerNorm,
        has_cls_embed: bool = True,
        pool_mode: str = "conv",
        pool_first: bool = False,
        residual_pool: bool = True,
        depthwise_conv: bool = True,
        bias_on: bool = True,
        separate_qkv: bool = True,
    ) -> None:
        super().__init__()
        dim_out = dim if dim_out is None else dim_out
        if pool_mode not in ("conv", *_POOLS):
            raise ValueError(f"pool_mode must be 'conv', 'avg' or 'max', got {pool_mode!r}")
        if dim_out % num_heads or (pool_first and dim % num_heads):
            raise ValueError(f"dimensions {dim} and {dim_out} cannot be divided among {num_heads} heads")
        self.num_heads = num_heads
        self.dim_out = dim_out
        self.dropout_rate = dropout_rate
        self.has_cls_embed = has_cls_embed
        self.pool_first = pool_first
        self.residual_pool = residual_pool
        self.separate_qkv = separate_qkv
        if separate_qkv or pool_first:
            self.q = nn.Linear(dim, dim_out, bias=qkv_bias)
            self.k = nn.Linear(dim, dim_out, bias=qkv_bias)
            self.v = nn.Linear(dim, dim_out, bias=qkv_bias)
            self.qkv = nn.Identity()
        else:
            self.qkv = nn.Linear(dim, 3 * dim_out, bias=qkv_bias)
            self.q = self.k = self.v = nn.Identity()
        self.proj = nn.Linear(dim_out, dim_out, bias=bias_on)
        self.proj_drop = nn.Dropout(dropout_rate)
        channels = (dim if pool_first else dim_out) // num_heads

        def pooling(kernel: Sequence[int], stride: Sequence[int]) -> tuple[nn.Module | None, nn.Module | None]:
            pool = _pool(channels, kernel, stride, pool_mode, depthwise_conv)
            return pool, norm_layer(channels) if pool is not None and pool_mode == "conv" else None

        self.pool_q, self.norm_q = pooling(kernel_q, stride_q)
        self.pool_k, self.norm_k = pooling(kernel_kv, stride_kv)
        self.pool_v, self.norm_v = pooling(kernel_kv, stride_kv)
        self.norm_before_pool = isinstance(self.norm_k, nn.BatchNorm3d) or isinstance(self.norm_q, nn.BatchNorm3d)

    def forward(self, x: Tensor, thw_shape: list[int]) -> tuple[Tensor, list[int]]:
        """Attend.

        Args:
            x: ``[N, L, dim]``: tokens of a clip, after the class token where there is one.
            thw_shape: Tokens of the clip: [time, height, width].

        Returns:
            ``[N, L', dim_out]``, and the number of tokens that are left: [time, height, width].
        """
        if self.pool_first:
            heads = self._heads(x)
            q, k, v = heads, heads, heads
        else:
            q, k, v = self._projected(x)
        q, shape = self._pooled_q(q, thw_shape)
        k = self._pooled_k(k, thw_shape)
        v = self._pooled_v(v, thw_shape)
        if self.pool_first:
            q = self._heads(self.q(self._tokens(q)))
            k = self._heads(self.k(self._tokens(k)))
            v = self._heads(self.v(self._tokens(v)))
        y = functional.scaled_dot_product_attention(q, k, v, dropout_p=self.dropout_rate if self.training else 0.0)
        if self.residual_pool:
            y = y + q
        return self.proj_drop(self.proj(self._tokens(y))), shape

    def _projected(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        if self.separate_qkv:
            return self._heads(self.q(x)), self._heads(self.k(x)), self._heads(self.v(x))
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        return self._heads(q), self._heads(k), self._heads(v)

    def _heads(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, [self.num_heads, -1]).transpose(1, 2)  # (N, L, C) -> (N, heads, L, C / heads)

    def _tokens(self, x: Tensor) -> Tensor:
        return x.transpose(1, 2).flatten(2)  # (N, heads, L, C / heads) -> (N, L, C)

    def _grid(self, x: Tensor, thw: list[int]) -> Tensor:
        """Return the clip's tokens as ``(N * heads, C / heads, T, H, W)``."""
        if self.has_cls_embed:
            x = x[:, :, 1:]
        return x.flatten(0, 1).transpose(1, 2).unflatten(-1, thw)

    def _rejoined(self, x: Tensor, grid: Tensor) -> Tensor:
        """Return what ``_grid`` gave back to ``x``, which still holds the class token."""
        tokens = grid.flatten(2).transpose(1, 2).unflatten(0, [-1, self.num_heads])
        return torch.cat((x[:, :, :1], tokens), dim=2) if self.has_cls_embed else tokens

    # Three methods of the same shape: TorchScript does not take modules as arguments.
    def _pooled_q(self, x: Tensor, thw: list[int]) -> tuple[Tensor, list[int]]:
        if self.pool_q is None:
            return x, thw
        grid = self._grid(x, thw)
        if self.norm_q is not None and self.norm_before_pool:
            grid = functional.gelu(self.norm_q(grid))
        grid = self.pool_q(grid)
        y = self._rejoined(x, grid)
        if self.norm_q is not None and not self.norm_before_pool:
            y = self.norm_q(y)
        return y, list(grid.shape[2:])

    def _pooled_k(self, x: Tensor, thw: list[int]) -> Tensor:
        if self.pool_k is None:
            return x
        grid = self._grid(x, thw)
        if self.norm_k is not None and self.norm_before_pool:
            grid = functional.gelu(self.norm_k(grid))
        y = self._rejoined(x, self.pool_k(grid))
        if self.norm_k is not None and not self.norm_before_pool:
            y = self.norm_k(y)
        return y

    def _pooled_v(self, x: Tensor, thw: list[int]) -> Tensor:
        if self.pool_v is None:
            return x
        grid = self._grid(x, thw)
        if self.norm_v is not None and self.norm_before_pool:
            grid = functional.gelu(self.norm_v(grid))
        y = self._rejoined(x, self.pool_v(grid))
        if self.norm_v is not None and not self.norm_before_pool:
            y = self.norm_v(y)
        return y

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Take checkpoints that hold the poolings a second time, or only, as parts of ``_attention_pool_*``."""
        for name in "qkv":
            for part in ("pool", "norm"):
                twin = f"{prefix}_attention_pool_{name}.{part}."
                for key in [key for key in state_dict if key.startswith(twin)]:
                    value = state_dict.pop(key)
                    state_dict.setdefault(f"{prefix}{part}_{name}.{key.removeprefix(twin)}", value)
        super()._load_from_state_dict(state_dict, prefix, *args)


def _pool(channels: int, kernel: Sequence[int], stride: Sequence[int], mode: str, depthwise: bool) -> nn.Module | None:
    """Build a pooling with the padding that keeps the size at stride 1; None where it would change nothing."""
    if math.prod(kernel) == 1 and math.prod(stride) == 1:
        return None
    sizes = {"kernel_size": tuple(kernel), "stride": tuple(stride), "padding": tuple(size // 2 for size in kernel)}
    if mode in _POOLS:
        return _POOLS[mode](**sizes)
    return nn.Conv3d(channels, channels, groups=channels if depthwise else 1, bias=False, **sizes)  # type: ignore[arg-type]


class MultiScaleBlock(nn.Module):
    """A transformer block: attention with pooling, then a perceptron, each added to what came in.

    ::

        x ──┬── norm1 ── attn ── drop_path ── + ──┬── norm2 ── mlp ── drop_path ── + ── y
            └── pool_skip ────────────────────┘   └── (proj) ────────────────────┘

    Args:
        dim: Channels of the input.
        dim_out: Channels of the output.
        num_heads: Heads of the attention.
        mlp_ratio: Channels between the perceptron's layers, per channel.
        qkv_bias: See :class:`MultiScaleAttention`.
        dropout_rate: Probability of dropping a value.
        droppath_rate: Probability of dropping a branch.
        act_layer: Builder of the perceptron's activation.
        norm_layer: Builder of the block's norms; ``nn.BatchNorm1d`` runs over the tokens.
        attn_norm_layer: Builder of the norms in the attention.
        dim_mul_in_att: Change the channels in the attention instead of the perceptron.
        kernel_q: See :class:`MultiScaleAttention`; likewise the following.
        kernel_kv: See there.
        stride_q: See there.
        stride_kv: See there.
        pool_mode: See there.
        has_cls_embed: See there.
        pool_first: See there.
        residual_pool: See there.
        depthwise_conv: See there.
        bias_on: Whether the linear layers have a bias.
        separate_qkv: See there.

    Examples:
        >>> block = MultiScaleBlock(8, 16, num_heads=2, kernel_q=(1, 3, 3), stride_q=(1, 2, 2))
        >>> y, shape = block(torch.rand(1, 17, 8), [1, 4, 4])
        >>> y.shape, shape
        (torch.Size([1, 5, 16]), [1, 2, 2])
    """

    def __init__(
        self,
        dim: int,
        dim_out: int,
        num_heads: int,
        mlp_ratio: float = 4.0,
        qkv_bias: bool = False,
        dropout_rate: float = 0.0,
        droppath_rate: float = 0.0,
        act_layer: Callable[[], nn.Module] = nn.GELU,
        norm_layer: Callable[[int], nn.Module] = nn.LayerNorm,
        attn_norm_layer: Callable[[int], nn.Module] = nn.LayerNorm,
        dim_mul_in_att: bool = False,
        kernel_q: Sequence[int] = _ONE,
        kernel_kv: Sequence[int] = _ONE,
        stride_q: Sequence[int] = _ONE,
        stride_kv: Sequence[int] = _ONE,
        pool_mode: str = "conv",
        has_cls_embed: bool = True,
        pool_first: bool = False,
        residual_pool: bool = False,
        depthwise_conv: bool = True,
        bias_on: bool = True,
        separate_qkv: bool = True,
    ) -> None:
        super().__init__()
        self.dim = dim
        self.dim_out = dim_out
        self.dim_mul_in_att = dim_mul_in_att
        self.has_cls_embed = has_cls_embed
        inner = dim_out if dim_mul_in_att else dim
        self.norm1 = norm_layer(dim)
        self.attn = MultiScaleAttention(
            dim,
            inner,
            num_heads=num_heads,
            qkv_bias=qkv_bias,
            dropout_rate=dropout_rate,
            kernel_q=kernel_q,
            kernel_kv=kernel_kv,
            stride_q=stride_q,
            stride_kv=stride_kv,
            norm_layer=attn_norm_layer,
            has_cls_embed=has_cls_embed,
            pool_mode=pool_mode,
            pool_first=pool_first,
            residual_pool=residual_pool,
            depthwise_conv=depthwise_conv,
            bias_on=bias_on,
            separate_qkv=separate_qkv,
        )
        self.drop_path = DropPath(droppath_rate) if droppath_rate > 0.0 else nn.Identity()
        self.norm2 = norm_layer(inner)
        self.norm_over_tokens = isinstance(self.norm1, nn.BatchNorm1d)
        self.mlp = Mlp(
            in_features=inner,
            hidden_features=int(inner * mlp_ratio),
            out_features=dim_out,
            act_layer=act_layer,
            dropout_rate=dropout_rate,
            bias_on=bias_on,
        )
        self.proj = nn.Linear(dim, dim_out, bias=bias_on) if dim != dim_out else None
        self.pool_skip = None
        if math.prod(stride_q) > 1:
            kernel = tuple(size + 1 if size > 1 else size for size in stride_q)
            self.pool_skip = nn.MaxPool3d(kernel, tuple(stride_q), tuple(size // 2 for size in kernel))

    def forward(self, x: Tensor, thw_shape: list[int]) -> tuple[Tensor, list[int]]:
        """Map ``[N, L, dim]`` and the tokens of the clip, [time, height, width], to the same after the block."""
        normed = self._normed1(x)
        attended, shape = self.attn(normed, thw_shape)
        skip = x
        if self.dim_mul_in_att and self.proj is not None:
            skip = self.proj(normed)
        x = self._skip(skip, thw_shape) + self.drop_path(attended)
        normed = self._normed2(x)
        if not self.dim_mul_in_att and self.proj is not None:
            x = self.proj(normed)
        return x + self.drop_path(self.mlp(normed)), shape

    def _normed1(self, x: Tensor) -> Tensor:
        return self.norm1(x.transpose(1, 2)).transpose(1, 2) if self.norm_over_tokens else self.norm1(x)

    def _normed2(self, x: Tensor) -> Tensor:
        return self.norm2(x.transpose(1, 2)).transpose(1, 2) if self.norm_over_tokens else self.norm2(x)

    def _skip(self, x: Tensor, thw: list[int]) -> Tensor:
        """Pool the tokens of the clip as the queries are pooled."""
        if self.pool_skip is None:
            return x
        tokens = x[:, 1:] if self.has_cls_embed else x
        pooled = self.pool_skip(tokens.transpose(1, 2).unflatten(-1, thw)).flatten(2).transpose(1, 2)
        return torch.cat((x[:, :1], pooled), dim=1) if self.has_cls_embed else pooled
