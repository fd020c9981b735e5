"""Multiscale vision transformers: channels grow while the tokens of the clip become fewer.

Source: Fan et al., "Multiscale Vision Transformers", ICCV 2021, https://arxiv.org/abs/2104.11227.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from video.layers.attention import MultiScaleAttention, MultiScaleBlock
from video.layers.positional_encoding import SpatioTemporalClsPositionalEncoding
from video.layers.utils import round_width
from video.models._residual import ModuleFactory
from video.models.head import create_vit_basic_head
from video.models.stem import create_conv_patch_embed
from video.models.weight_init import init_net_weights

__all__ = ["MultiscaleVisionTransformers", "create_multiscale_vision_transformers"]

Triple = tuple[int, int, int]
_ONE = (1, 1, 1)


class MultiscaleVisionTransformers(nn.Module):
    """Tokens, their places, blocks of attention, norm and head.

    ::

        x ── patch_embed ── cls_positional_encoding ── pos_drop ── blocks ── norm_embed ── head ── y

    Args:
        patch_embed: Maps ``[N, C, T, H, W]`` to tokens ``[N, L, C']``; ``None`` where tokens come in.
        cls_positional_encoding: Adds the places and the class token; its ``patch_embed_shape()`` says how many tokens
            there are along (time, height, width).
        pos_drop: Dropout, or ``None``.
        blocks: :class:`~video.layers.attention.MultiScaleBlock` one after the other.
        norm_embed: Norm of the tokens at the end, or ``None``.
        head: Maps the tokens to scores; ``None`` for the tokens.
        norm_patch_embed: Norm of the tokens at the beginning, or ``None``.
    """

    def __init__(
        self,
        *,
        patch_embed: nn.Module | None,
        cls_positional_encoding: nn.Module,
        pos_drop: nn.Module | None,
        blocks: nn.ModuleList,
        norm_embed: nn.Module | None,
        head: nn.Module | None,
        norm_patch_embed: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.patch_embed = nn.Identity() if patch_embed is None else patch_embed
        self.norm_patch_embed = nn.Identity() if norm_patch_embed is None else norm_patch_embed
        self.cls_positional_encoding = cls_positional_encoding
        self.pos_drop = nn.Identity() if pos_drop is None else pos_drop
        self.blocks = blocks
        self.norm_embed = nn.Identity() if norm_embed is None else norm_embed
        self.head = nn.Identity() if head is None else head
        self.norm_over_tokens = isinstance(norm_embed, nn.BatchNorm1d)
        init_net_weights(self, init_std=0.02, style="vit")

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[N, C, T, H, W]`` to ``[N, classes]``.

        Raises:
            ValueError: When the clip has another size than the network was built for.
        """
        x = self.norm_patch_embed(self.patch_embed(x))
        shape = self.cls_positional_encoding.patch_embed_shape()  # pyright: ignore[reportCallIssue]
        thw = [shape[0], shape[1], shape[2]]
        if x.shape[1] != thw[0] * thw[1] * thw[2]:
            raise ValueError(f"the clip gives {x.shape[1]} tokens, expected {thw[0]} x {thw[1]} x {thw[2]}")
        x = self.pos_drop(self.cls_positional_encoding(x))
        for block in self.blocks:
            x, thw = block(x, thw)
        x = self.norm_embed(x.transpose(1, 2)).transpose(1, 2) if self.norm_over_tokens else self.norm_embed(x)
        return self.head(x)

    @torch.no_grad()
    def fuse_bn(self) -> None:
        """Fold batch norms into the linear layers behind them, for inference.

        Only networks built with ``norm="batchnorm"`` have them. The norm of the queries, keys and values is folded into
        the projection before it where there is no class token, which that norm leaves alone. Results change by rounding
        only; the network cannot be trained as before.
        """
        self.eval()
        for block in self.blocks:
            assert isinstance(block, MultiScaleBlock)
            self._fuse_block(block)

    def _fuse_block(self, block: MultiScaleBlock) -> None:
        attention = block.attn
        shares = [layer for layer in (attention.q, attention.k, attention.v, attention.qkv) if _is_linear(layer)]
        if isinstance(block.norm1, nn.BatchNorm1d) and not attention.pool_first:
            readers = [*shares, *([block.proj] if block.dim_mul_in_att and block.proj is not None else [])]
            for layer in readers:
                self.fuse_norm_before_linear(block.norm1, layer)
            block.norm1 = nn.Identity()
        if isinstance(block.norm2, nn.BatchNorm1d):
            readers = [block.mlp.fc1, *([block.proj] if not block.dim_mul_in_att and block.proj is not None else [])]
            for layer in readers:
                self.fuse_norm_before_linear(block.norm2, layer)
            block.norm2 = nn.Identity()
        block.norm_over_tokens = isinstance(block.norm1, nn.BatchNorm1d) or isinstance(block.norm2, nn.BatchNorm1d)
        if attention.separate_qkv and not attention.has_cls_embed and not attention.pool_first:
            self._fuse_attention(attention)

    def _fuse_attention(self, attention: MultiScaleAttention) -> None:
        for name in "qkv":
            norm = getattr(attention, f"norm_{name}")
            if isinstance(norm, nn.BatchNorm3d):
                self.fuse_norm_after_linear(getattr(attention, name), norm)
                setattr(attention, f"norm_{name}", nn.Identity())

    @torch.no_grad()
    def fuse_norm_before_linear(self, bn: nn.Module, linear: nn.Module) -> None:
        """Change ``linear`` so that ``linear(x)`` is what ``linear(bn(x))`` was."""
        assert isinstance(linear, nn.Linear)
        scale, shift = _scale_and_shift(bn)
        bias = linear.weight @ shift
        linear.bias = nn.Parameter(bias if linear.bias is None else linear.bias + bias)
        linear.weight.mul_(scale)

    @torch.no_grad()
    def fuse_norm_after_linear(self, linear: nn.Module, bn: nn.Module) -> None:
        """Change ``linear`` so that ``linear(x)`` is what ``bn(linear(x))`` was; a norm of one head serves all."""
        assert isinstance(linear, nn.Linear)
        scale, shift = _scale_and_shift(bn)
        heads = linear.out_features // len(scale)
        scale, shift = scale.repeat(heads), shift.repeat(heads)
        linear.bias = nn.Parameter(shift if linear.bias is None else linear.bias * scale + shift)
        linear.weight.mul_(scale[:, None])


def _is_linear(layer: nn.Module) -> bool:
    return isinstance(layer, nn.Linear)


def _scale_and_shift(bn: nn.Module) -> tuple[Tensor, Tensor]:
    """What a batch norm does to each channel in evaluation."""
    assert isinstance(bn, nn.modules.batchnorm._BatchNorm)
    assert bn.running_var is not None and bn.running_mean is not None  # noqa: PT018
    scale = (bn.running_var + bn.eps).rsqrt()
    scale = scale if bn.weight is None else scale * bn.weight
    shift = -bn.running_mean * scale
    return scale, shift if bn.bias is None else shift + bn.bias


@dataclass(frozen=True)
class _BlockPlan:
    """What differs between the blocks."""

    dim: int
    dim_out: int
    heads: int
    kernel_q: Triple
    stride_q: Triple
    kernel_kv: Triple
    stride_kv: Triple


def _plan_blocks(
    depth: int,
    dim: int,
    heads: int,
    dim_mul: Sequence[Sequence[float]],
    head_mul: Sequence[Sequence[float]],
    strides_q: Sequence[Sequence[int]],
    strides_kv: Sequence[Sequence[int]],
    kernel: Triple | None,
    dim_mul_in_att: bool,
) -> list[_BlockPlan]:
    """Follow channels, heads and strides through the blocks.

    Channels grow at the end of the block before the one that is named, or in its own attention.
    """
    widen = {int(block): factor for block, factor in dim_mul}
    split = {int(block): factor for block, factor in head_mul}
    q, kv = ({row[0]: _triple(row[1:]) for row in rows} for rows in (strides_q, strides_kv))
    plans = []
    for i in range(depth):
        heads = round_width(heads, split.get(i, 1.0), min_width=1, divisor=1)
        if dim_mul_in_att:
            dim_out = round_width(dim, widen.get(i, 1.0), divisor=heads)
        else:
            divisor = round_width(heads, split.get(i + 1, 1.0), min_width=1, divisor=1)
            dim_out = round_width(dim, widen.get(i + 1, 1.0), divisor=divisor)
        stride_q, stride_kv = q.get(i), kv.get(i)
        kernels = _kernel(kernel, stride_q), _kernel(kernel, stride_kv)
        plans.append(_BlockPlan(dim, dim_out, heads, kernels[0], stride_q or _ONE, kernels[1], stride_kv or _ONE))
        dim = dim_out
    return plans


def _triple(values: Sequence[int]) -> Triple:
    time, height, width = values
    return (time, height, width)


def _kernel(kernel: Triple | None, stride: Triple | None) -> Triple:
    """The kernel of a pooling with this stride: the given one, or one that overlaps by one; ones without a stride."""
    if stride is None:
        return _ONE
    return kernel or _triple([size + 1 if size > 1 else size for size in stride])


def _adaptive_strides(depth: int, first: Sequence[int], strides_q: Sequence[Sequence[int]]) -> list[list[int]]:
    """Strides of keys and values that shrink as the queries do, so that their number stays the same."""
    stride, q = list(first), {row[0]: row[1:] for row in strides_q}
    rows = []
    for i in range(depth):
        if i in q:
            stride = [max(size // step, 1) for size, step in zip(stride, q[i], strict=True)]
        rows.append([i, *stride])
    return rows


def create_multiscale_vision_transformers(
    *,
    spatial_size: int | tuple[int, int],
    temporal_size: int,
    cls_embed_on: bool = True,
    sep_pos_embed: bool = True,
    depth: int = 16,
    norm: str = "layernorm",
    enable_patch_embed: bool = True,
    input_channels: int = 3,
    patch_embed_dim: int = 96,
    conv_patch_embed_kernel: Sequence[int] = (3, 7, 7),
    conv_patch_embed_stride: Sequence[int] = (2, 4, 4),
    conv_patch_embed_padding: Sequence[int] = (1, 3, 3),
    enable_patch_embed_norm: bool = False,
    use_2d_patch: bool = False,
    num_heads: int = 1,
    mlp_ratio: float = 4.0,
    qkv_bias: bool = True,
    dropout_rate_block: float = 0.0,
    droppath_rate_block: float = 0.0,
    pooling_mode: str = "conv",
    pool_first: bool = False,
    residual_pool: bool = False,
    depthwise_conv: bool = True,
    bias_on: bool = True,
    separate_qkv: bool = True,
    embed_dim_mul: Sequence[Sequence[float]] | None = None,
    atten_head_mul: Sequence[Sequence[float]] | None = None,
    dim_mul_in_att: bool = False,
    pool_q_stride_size: Sequence[Sequence[int]] | None = None,
    pool_kv_stride_size: Sequence[Sequence[int]] | None = None,
    pool_kv_stride_adaptive: Sequence[int] | None = None,
    pool_kvq_kernel: Sequence[int] | None = None,
    head: Callable[..., nn.Module] | None = create_vit_basic_head,
    head_dropout_rate: float = 0.5,
    head_activation: ModuleFactory | None = None,
    head_num_classes: int = 400,
    create_scriptable_model: bool = False,
    multiscale_vit_class: Callable[..., nn.Module] = MultiscaleVisionTransformers,
) -> nn.Module:
    """Build a multiscale vision transformer. Sizes are (time, height, width).

    Lists of rows say what holds for single blocks, counted from 0: ``[block, factor]`` or ``[block, t, h, w]``.

    Args:
        spatial_size: Height and width of the clip, or one number for both.
        temporal_size: Frames of the clip.
        cls_embed_on: Use a class token; otherwise the tokens are averaged.
        sep_pos_embed: Learn the places in time and in the frame apart.
        depth: Number of blocks.
        norm: ``"layernorm"`` or ``"batchnorm"``.
        enable_patch_embed: Make tokens of the clip by a convolution; otherwise they come in.
        input_channels: Channels of the clip.
        patch_embed_dim: Channels of the first tokens.
        conv_patch_embed_kernel: Kernel of that convolution.
        conv_patch_embed_stride: Its stride.
        conv_patch_embed_padding: Its padding.
        enable_patch_embed_norm: Norm the first tokens.
        use_2d_patch: Images come in, ``[N, C, H, W]``, and its sizes are (height, width).
        num_heads: Heads of the first block.
        mlp_ratio: See :class:`~video.layers.attention.MultiScaleBlock`; likewise the following.
        qkv_bias: See there.
        dropout_rate_block: Probability of dropping a value in the blocks.
        droppath_rate_block: Probability of dropping a branch of the last block; it rises from 0.
        pooling_mode: See there.
        pool_first: See there.
        residual_pool: See there.
        depthwise_conv: See there.
        bias_on: See there.
        separate_qkv: See there.
        embed_dim_mul: Blocks at which the channels grow, and by which factor.
        atten_head_mul: Blocks at which the heads grow, and by which factor.
        dim_mul_in_att: Let the channels grow in the attention of the named block, not in the one before.
        pool_q_stride_size: Blocks whose queries are pooled, with their strides.
        pool_kv_stride_size: Blocks whose keys and values are pooled, with their strides.
        pool_kv_stride_adaptive: Stride of the keys and values of the first block; it shrinks as the queries do.
        pool_kvq_kernel: Kernel of all poolings; ``None``: one more than their strides.
        head: Builder of the head; ``None`` for the tokens.
        head_dropout_rate: Probability of dropping a feature before the last layer.
        head_activation: Builder of the activation of the scores, or ``None`` for logits.
        head_num_classes: Number of classes.
        create_scriptable_model: Taken for compatibility: the network can always be scripted.
        multiscale_vit_class: Puts the parts together.

    Returns:
        A network that maps ``[N, input_channels, T, H, W]`` to ``[N, head_num_classes]``.

    Raises:
        ValueError: On an unknown ``norm``, or when both kinds of strides of keys and values are given.

    Examples:
        >>> model = create_multiscale_vision_transformers(
        ...     spatial_size=32, temporal_size=4, depth=2, patch_embed_dim=16, head_num_classes=5,
        ...     embed_dim_mul=[[1, 2.0]], atten_head_mul=[[1, 2.0]], pool_q_stride_size=[[1, 1, 2, 2]],
        ... ).eval()
        >>> model(torch.rand(1, 3, 4, 32, 32)).shape
        torch.Size([1, 5])
    """
    if norm not in ("layernorm", "batchnorm"):
        raise ValueError(f"norm must be 'layernorm' or 'batchnorm', got {norm!r}")
    if pool_kv_stride_adaptive is not None and pool_kv_stride_size is not None:
        raise ValueError("give pool_kv_stride_size or pool_kv_stride_adaptive, not both")
    layers = norm == "layernorm"
    block_norm: Callable[[int], nn.Module] = partial(nn.LayerNorm, eps=1e-6) if layers else nn.BatchNorm1d
    head_norm: Callable[[int], nn.Module] = nn.LayerNorm if layers else nn.BatchNorm3d
    height, width = (spatial_size, spatial_size) if isinstance(spatial_size, int) else spatial_size
    strides_q = pool_q_stride_size or []
    strides_kv = pool_kv_stride_size or []
    if pool_kv_stride_adaptive is not None:
        strides_kv = _adaptive_strides(depth, pool_kv_stride_adaptive, strides_q)
    plans = _plan_blocks(
        depth, patch_embed_dim, num_heads, embed_dim_mul or [], atten_head_mul or [], strides_q, strides_kv,
        None if pool_kvq_kernel is None else _triple(pool_kvq_kernel), dim_mul_in_att,
    )  # fmt: skip

    patch_embed, tokens = None, (temporal_size, height, width)
    if enable_patch_embed:
        patch_embed = create_conv_patch_embed(
            in_channels=input_channels,
            out_channels=patch_embed_dim,
            conv_kernel_size=tuple(conv_patch_embed_kernel),
            conv_stride=tuple(conv_patch_embed_stride),
            conv_padding=tuple(conv_patch_embed_padding),
            conv=nn.Conv2d if use_2d_patch else nn.Conv3d,
        )
        step = (1, *conv_patch_embed_stride) if use_2d_patch else tuple(conv_patch_embed_stride)
        tokens = (tokens[0] // step[0], tokens[1] // step[1], tokens[2] // step[2])
    shared = {
        "mlp_ratio": mlp_ratio,
        "qkv_bias": qkv_bias,
        "dropout_rate": dropout_rate_block,
        "norm_layer": block_norm,
        "attn_norm_layer": head_norm,
        "dim_mul_in_att": dim_mul_in_att,
        "pool_mode": pooling_mode,
        "has_cls_embed": cls_embed_on,
        "pool_first": pool_first,
        "residual_pool": residual_pool,
        "depthwise_conv": depthwise_conv,
        "bias_on": bias_on,
        "separate_qkv": separate_qkv,
    }
    drops = [droppath_rate_block * i / max(depth - 1, 1) for i in range(depth)]
    blocks = nn.ModuleList(
        MultiScaleBlock(
            dim=plan.dim, dim_out=plan.dim_out, num_heads=plan.heads, droppath_rate=drop, kernel_q=plan.kernel_q,
            kernel_kv=plan.kernel_kv, stride_q=plan.stride_q, stride_kv=plan.stride_kv, **shared,
        )
        for plan, drop in zip(plans, drops, strict=True)
    )  # fmt: skip
    dim = plans[-1].dim_out if plans else patch_embed_dim
    parts: dict[str, nn.Module | None] = {
        "patch_embed": patch_embed,
        "cls_positional_encoding": SpatioTemporalClsPositionalEncoding(
            patch_embed_dim, tokens, sep_pos_embed, cls_embed_on
        ),
        "pos_drop": nn.Dropout(p=dropout_rate_block) if dropout_rate_block > 0.0 else None,
        "blocks": blocks,
        "norm_embed": block_norm(dim),
        "head": None,
    }
    if enable_patch_embed_norm:
        parts["norm_patch_embed"] = nn.LayerNorm(patch_embed_dim, eps=1e-6)
    if head is not None:
        parts["head"] = head(
            in_features=dim,
            out_features=head_num_classes,
            seq_pool_type="cls" if cls_embed_on else "mean",
            dropout_rate=head_dropout_rate,
            activation=head_activation,
        )
    return multiscale_vit_class(**parts)
