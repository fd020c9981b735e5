"""Stochastic depth: whole residual branches that are left out by chance."""

from __future__ import annotations

from torch import Tensor, nn

__all__ = ["StochasticDepth", "stochastic_depth"]


def stochastic_depth(input: Tensor, p: float, mode: str, training: bool = True) -> Tensor:
    """Set the input, or samples of it, to zero by chance, and scale the others so that the mean stays.

    Huang et al., "Deep Networks with Stochastic Depth", ECCV 2016. The branch of a residual block goes through it.

    Args:
        input: `[N, ...]`.
        p: probability to be set to zero.
        mode: "batch" decides once for the whole input, "row" for each sample.
        training: without it the input is returned as it is.

    Returns:
        The same shape and dtype.

    Raises:
        ValueError: a probability outside of 0 to 1, or another mode.

    Examples:
        >>> import torch
        >>> stochastic_depth(torch.ones(2, 3), 0.5, "row", training=False).sum().item()
        6.0
    """
    if p < 0.0 or p > 1.0:
        raise ValueError(f"p: expected a probability from 0 to 1, got {p}")
    if mode != "batch" and mode != "row":
        raise ValueError(f"mode: expected batch or row, got {mode}")
    if not training or p == 0.0:
        return input
    survival = 1.0 - p
    size = [1] * input.dim()
    if mode == "row":
        size[0] = input.shape[0]
    noise = input.new_empty(size).bernoulli_(survival)
    if survival > 0.0:
        noise.div_(survival)
    return input * noise


class StochasticDepth(nn.Module):
    """`stochastic_depth` while training.

    Args:
        p: probability to be set to zero.
        mode: "batch" decides once for the whole input, "row" for each sample.

    Examples:
        >>> import torch
        >>> StochasticDepth(0.2, "row").eval()(torch.ones(2)).tolist()
        [1.0, 1.0]
    """

    def __init__(self, p: float, mode: str) -> None:
        super().__init__()
        self.p = p
        self.mode = mode

    def forward(self, input: Tensor) -> Tensor:
        """Set the input, or samples of it, to zero by chance; see `stochastic_depth`."""
        return stochastic_depth(input, self.p, self.mode, self.training)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p}, mode={self.mode})"
