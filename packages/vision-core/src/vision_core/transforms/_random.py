"""Bases of the transforms that draw random numbers."""

from __future__ import annotations

from dataclasses import field
from typing import Any

import torch

from vision_core.transforms._draws import draw_index, draw_integer, draw_share, draw_uniform
from vision_core.transforms._transform import Transform

__all__ = ["Random", "RandomTransform"]


class Random(Transform):
    """Base of transforms that draw random numbers: override `make_params`, which the methods here help.

    Args:
        generator: source of random numbers; torch's global one when None, which a `DataLoader` seeds in each worker.
        per_sample: draw for each sample of a batch `[N, C, H, W]`, with its masks `[N, ...]`, boxes `[N, K, 4]`,
            keypoints, instead of once for all.
    """

    generator: torch.Generator | None = field(default=None, kw_only=True, repr=False)
    per_sample: bool = field(default=False, kw_only=True, repr=False)

    def uniform(self, low: float = 0.0, high: float = 1.0) -> float:
        """Draw a number from `low` to `high`."""
        return draw_uniform(low, high, self.generator)

    def integer(self, low: int, high: int) -> int:
        """Draw a whole number from `low` to `high`, both possible."""
        return draw_integer(low, high, self.generator)

    def chance(self, p: float) -> bool:
        """Draw whether something of probability `p` happens."""
        return draw_share(self.generator) < p

    def permutation(self, count: int) -> list[int]:
        """Draw an order of `count` things."""
        generator = self.generator
        if generator is None:
            return torch.randperm(count).tolist()
        return torch.randperm(count, generator=generator, device=generator.device).tolist()

    def dirichlet(self, count: int, width: int, alpha: float) -> torch.Tensor:
        """Draw `[count, width]` shares whose rows sum to 1, from a symmetric Dirichlet distribution."""
        concentration = torch.full((count, width), float(alpha))
        # torch.distributions takes no generator, what it calls does.
        return torch._sample_dirichlet(concentration, generator=self.generator)  # type: ignore[attr-defined]

    def pick(self, weights: list[float]) -> int:
        """Draw a position of `weights`, each as likely as its weight says."""
        return draw_index(weights, self.generator)


class RandomTransform(Random):
    """Base of transforms that happen with probability `p`, else hand their inputs on.

    Args:
        p: probability, 0..1.
        generator: source of random numbers; torch's global one when None.
        per_sample: decide and draw for each sample of a batch instead of once for all.
    """

    p: float = 0.5

    def __post_init__(self) -> None:
        if not 0.0 <= self.p <= 1.0:
            raise ValueError(f"p: expected a probability in 0..1, got {self.p}")

    def draw(self, flat_inputs: list[Any]) -> dict[str, Any] | None:
        """Decide whether the transform happens; if so, draw its params."""
        return self.make_params(flat_inputs) if draw_share(self.generator) < self.p else None
