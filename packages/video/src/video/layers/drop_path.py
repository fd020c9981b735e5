"""Stochastic depth: whole branches are left out at random."""

from torch import Tensor, nn

__all__ = ["DropPath", "drop_path"]


def drop_path(x: Tensor, drop_prob: float = 0.0, training: bool = False) -> Tensor:
    """Set whole samples to zero, and scale the others so that the expectation stays.

    Args:
        x: ``[N, ...]``.
        drop_prob: Probability of a sample to become zero, 0 to less than 1.
        training: Otherwise ``x`` is returned.

    Source: Huang et al., "Deep Networks with Stochastic Depth", ECCV 2016, https://arxiv.org/abs/1603.09382.

    Examples:
        >>> torch.equal(drop_path(torch.ones(2, 3), 0.5), torch.ones(2, 3))
        True
    """
    if drop_prob == 0.0 or not training:
        return x
    keep = 1 - drop_prob
    mask = x.new_empty([x.shape[0]] + [1] * (x.dim() - 1)).bernoulli_(keep)
    return x * (mask / keep)


class DropPath(nn.Module):
    """:func:`drop_path` as a layer.

    Args:
        drop_prob: Probability of a sample to become zero in training.

    Raises:
        ValueError: When it is not a probability below 1.

    Examples:
        >>> DropPath(0.5).eval()(torch.ones(1, 2)).tolist()
        [[1.0, 1.0]]
    """

    def __init__(self, drop_prob: float = 0.0) -> None:
        super().__init__()
        if not 0.0 <= drop_prob < 1.0:
            raise ValueError(f"drop_prob must be at least 0 and below 1, got {drop_prob}")
        self.drop_prob = drop_prob

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[N, ...]`` to the same shape."""
        return drop_path(x, self.drop_prob, self.training)

    def extra_repr(self) -> str:
        """Show the probability."""
        return f"drop_prob={self.drop_prob}"
