"""Transforms made of transforms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

from vision_core.transforms._transform import Transform

__all__ = ["Compose", "RandomApply", "RandomChoice", "RandomOrder"]


class _Container(Transform):
    """Holds callables; those that are modules are registered, so that `.to()` and `repr` reach them."""

    def __init__(self, transforms: Sequence[Callable[..., Any]]) -> None:
        if not isinstance(transforms, (Sequence, nn.ModuleList)) or not all(callable(t) for t in transforms):
            raise TypeError(f"transforms: expected a sequence of callables, got {transforms!r}")
        if isinstance(transforms, nn.ModuleList):
            self.transforms = transforms
            return
        self.transforms = list(transforms)
        for number, transform in enumerate(self.transforms):
            if isinstance(transform, nn.Module):
                self.add_module(str(number), transform)

    def extra_repr(self) -> str:
        """List what is no module; modules are listed anyway."""
        return ", ".join(repr(t) for t in self.transforms if not isinstance(t, nn.Module))


def _call(transform: Callable[..., Any], inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    output = transform(*inputs)
    return output if len(inputs) > 1 and isinstance(output, tuple) else (output,)


def _unwrap(outputs: tuple[Any, ...]) -> Any:
    return outputs[0] if len(outputs) == 1 else outputs


class Compose(_Container):
    """Runs transforms one after the other.

    Args:
        transforms: callables; each gets what the one before returned.

    Examples:
        >>> import torch
        >>> from vision_core.transforms import CenterCrop, Compose, Resize, ToDtype
        >>> preprocess = Compose([Resize(64), CenterCrop(56), ToDtype(torch.float32, scale=True)])
        >>> preprocess(torch.zeros(3, 120, 160, dtype=torch.uint8)).shape
        torch.Size([3, 56, 56])
    """

    def __init__(self, transforms: Sequence[Callable[..., Any]]) -> None:
        super().__init__(transforms)
        if len(self.transforms) == 0:
            raise ValueError("transforms: expected at least one, got none")

    def forward(self, *inputs: Any) -> Any:
        """Run all transforms."""
        for transform in self.transforms:
            inputs = _call(transform, inputs)
        return _unwrap(inputs)


class RandomApply(_Container):
    """Runs transforms one after the other with probability `p`, all or none.

    Args:
        transforms: callables.
        p: probability, 0..1.
        generator: source of random numbers; torch's global one when None.
    """

    def __init__(
        self,
        transforms: Sequence[Callable[..., Any]] | nn.ModuleList,
        p: float = 0.5,
        *,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__(transforms)  # type: ignore[arg-type]
        if not 0.0 <= p <= 1.0:
            raise ValueError(f"p: expected a probability in 0..1, got {p}")
        self.p = p
        self.generator = generator

    def forward(self, *inputs: Any) -> Any:
        """Run all transforms, or none."""
        if float(torch.rand(1, generator=self.generator)) < self.p:
            for transform in self.transforms:
                inputs = _call(transform, inputs)
        return _unwrap(inputs)


class RandomChoice(_Container):
    """Runs one transform, picked at random.

    Args:
        transforms: callables.
        p: their weights, which need not sum to 1; equal when None.
        generator: source of random numbers; torch's global one when None.
    """

    def __init__(
        self,
        transforms: Sequence[Callable[..., Any]],
        p: Sequence[float] | None = None,
        *,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__(transforms)
        weights = [1.0] * len(self.transforms) if p is None else list(p)
        if len(weights) != len(self.transforms):
            raise ValueError(f"p: expected {len(self.transforms)} weights, one per transform, got {len(weights)}")
        self.p = [weight / sum(weights) for weight in weights]
        self.generator = generator

    def forward(self, *inputs: Any) -> Any:
        """Run one transform."""
        picked = int(torch.multinomial(torch.tensor(self.p), 1, generator=self.generator))
        return self.transforms[picked](*inputs)


class RandomOrder(_Container):
    """Runs all transforms in random order.

    Args:
        transforms: callables.
        generator: source of random numbers; torch's global one when None.
    """

    def __init__(self, transforms: Sequence[Callable[..., Any]], *, generator: torch.Generator | None = None) -> None:
        super().__init__(transforms)
        self.generator = generator

    def forward(self, *inputs: Any) -> Any:
        """Run all transforms."""
        for position in torch.randperm(len(self.transforms), generator=self.generator).tolist():
            inputs = _call(self.transforms[position], inputs)
        return _unwrap(inputs)
