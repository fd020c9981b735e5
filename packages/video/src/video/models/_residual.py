"""The modules that every residual video network here is made of: bottlenecks, residual blocks and stages."""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

__all__ = ["BottleneckBlock", "ModuleFactory", "ResBlock", "ResStage", "SeparableBottleneckBlock", "add"]

ModuleFactory = Callable[..., nn.Module]
"""Builds a module from keyword arguments: a class such as ``nn.BatchNorm3d`` or a ``create_*`` function."""


def add(x: Tensor, y: Tensor) -> Tensor:
    """Sum of the two branches of a residual block; a function with a name, so that blocks pickle and script."""
    return x + y


class BottleneckBlock(nn.Module):
    """Three convolutions a, b, c, the first two followed by norm and activation, the last by a norm.

    ::

        x ── conv_a ── norm_a ── act_a ── conv_b ── norm_b ── act_b ── conv_c ── norm_c ── y

    Every part may be ``None`` except the convolutions. ``norm_c`` is marked with ``block_final_bn``, which
    :func:`~video.models.weight_init.init_net_weights` reads to start the branch at zero.

    Source: He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, https://arxiv.org/abs/1512.03385.
    """

    def __init__(
        self,
        *,
        conv_a: nn.Module,
        norm_a: nn.Module | None = None,
        act_a: nn.Module | None = None,
        conv_b: nn.Module,
        norm_b: nn.Module | None = None,
        act_b: nn.Module | None = None,
        conv_c: nn.Module,
        norm_c: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.conv_a = conv_a
        self.norm_a = norm_a
        self.act_a = act_a
        self.conv_b = conv_b
        self.norm_b = norm_b
        self.act_b = act_b
        self.conv_c = conv_c
        self.norm_c = norm_c
        if norm_c is not None:
            norm_c.block_final_bn = True  # type: ignore[assignment]

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[N, C, T, H, W]`` to ``[N, C', T', H', W']``."""
        x = self.conv_a(x)
        if self.norm_a is not None:
            x = self.norm_a(x)
        if self.act_a is not None:
            x = self.act_a(x)
        x = self.conv_b(x)
        if self.norm_b is not None:
            x = self.norm_b(x)
        if self.act_b is not None:
            x = self.act_b(x)
        x = self.conv_c(x)
        if self.norm_c is not None:
            x = self.norm_c(x)
        return x


class SeparableBottleneckBlock(nn.Module):
    """A bottleneck whose middle convolution is several parallel ones, reduced by a sum or by concatenation.

    ::

                                     ┌── conv_b[0] ── norm_b[0] ── act_b[0] ──┐
        x ── conv_a ── norm_a ─ act_a┤                                         ├─ sum or cat ── conv_c ── norm_c ── y
                                     └── conv_b[n] ── norm_b[n] ── act_b[n] ──┘

    Source: Xiao et al., "Audiovisual SlowFast Networks", 2020, https://arxiv.org/abs/2001.08740.

    Raises:
        ValueError: When ``conv_b``, ``norm_b`` and ``act_b`` differ in length or ``reduce_method`` is unknown.
    """

    def __init__(
        self,
        *,
        conv_a: nn.Module,
        norm_a: nn.Module | None,
        act_a: nn.Module | None,
        conv_b: nn.ModuleList,
        norm_b: nn.ModuleList,
        act_b: nn.ModuleList,
        conv_c: nn.Module,
        norm_c: nn.Module | None,
        reduce_method: Literal["sum", "cat"] = "sum",
    ) -> None:
        super().__init__()
        if not len(conv_b) == len(norm_b) == len(act_b):
            raise ValueError(
                f"conv_b, norm_b and act_b must have one length, got {len(conv_b)}, {len(norm_b)} and {len(act_b)}"
            )
        if reduce_method not in ("sum", "cat"):
            raise ValueError(f"reduce_method must be 'sum' or 'cat', got {reduce_method!r}")
        self.conv_a = conv_a
        self.norm_a = norm_a
        self.act_a = act_a
        self.conv_b = conv_b
        self.norm_b = norm_b
        self.act_b = act_b
        self.conv_c = conv_c
        self.norm_c = norm_c
        self.reduce_method = reduce_method
        if norm_c is not None:
            norm_c.block_final_bn = True  # type: ignore[assignment]

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[N, C, T, H, W]`` to ``[N, C', T', H', W']``."""
        x = self.conv_a(x)
        if self.norm_a is not None:
            x = self.norm_a(x)
        if self.act_a is not None:
            x = self.act_a(x)
        branches: list[Tensor] = []
        for conv, norm, act in zip(self.conv_b, self.norm_b, self.act_b):  # noqa: B905 -- for TorchScript
            branches.append(act(norm(conv(x))))
        x = torch.stack(branches, dim=0).sum(dim=0) if self.reduce_method == "sum" else torch.cat(branches, dim=1)
        x = self.conv_c(x)
        if self.norm_c is not None:
            x = self.norm_c(x)
        return x


class ResBlock(nn.Module):
    """A residual block: a main branch and a shortcut, fused and activated.

    ::

        x ──┬── branch2 ──────────────────────────┬── branch_fusion ── activation ── y
            └── [branch1_conv ── [branch1_norm]] ─┘

    Args:
        branch1_conv: Convolution of the shortcut; ``None`` for the identity.
        branch1_norm: Norm after ``branch1_conv``.
        branch2: The main branch, e.g. a :class:`BottleneckBlock`.
        activation: Activation after the fusion.
        branch_fusion: Fuses ``(shortcut, main)``; ``None`` adds them. Use a named function so that blocks pickle.

    Examples:
        >>> ResBlock(branch2=nn.Conv3d(4, 4, 1), activation=nn.ReLU())(torch.rand(1, 4, 2, 3, 3)).shape
        torch.Size([1, 4, 2, 3, 3])
    """

    def __init__(
        self,
        branch1_conv: nn.Module | None = None,
        branch1_norm: nn.Module | None = None,
        branch2: nn.Module | None = None,
        activation: nn.Module | None = None,
        branch_fusion: Callable[[Tensor, Tensor], Tensor] | None = None,
    ) -> None:
        super().__init__()
        if branch2 is None:
            raise ValueError("ResBlock needs branch2, its main branch; got None")
        self.branch1_conv = branch1_conv
        self.branch1_norm = branch1_norm
        self.branch2 = branch2
        self.activation = activation
        self.branch_fusion = add if branch_fusion is None else branch_fusion

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[N, C, T, H, W]`` to ``[N, C', T', H', W']``."""
        shortcut = x
        if self.branch1_conv is not None:
            shortcut = self.branch1_conv(x)
            if self.branch1_norm is not None:
                shortcut = self.branch1_norm(shortcut)
        x = self.branch_fusion(shortcut, self.branch2(x))
        if self.activation is not None:
            x = self.activation(x)
        return x


class ResStage(nn.Module):
    """Residual blocks in a row: one stage of a network.

    Args:
        res_blocks: The blocks, in order.
    """

    def __init__(self, res_blocks: nn.ModuleList) -> None:
        super().__init__()
        self.res_blocks = res_blocks

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[N, C, T, H, W]`` to ``[N, C', T', H', W']``."""
        for block in self.res_blocks:
            x = block(x)
        return x
