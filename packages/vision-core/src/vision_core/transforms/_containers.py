"""Transforms made of transforms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

from vision_core.transforms._fusion import DRAW, Fuse, Run
from vision_core.transforms._random import Random
from vision_core.transforms._sample import Sample
from vision_core.transforms._transform import Transform

__all__ = ["Callables", "Container", "RandomApply", "RandomChoice", "RandomOrder", "joins_inside", "run_alone"]

Callables = Sequence[Callable[..., Any]] | nn.ModuleList


class Container(Random):
    """Holds callables; those that are modules are registered, so that `.to()` and `repr` reach them.

    Transforms work on the leaves of one `Sample`, so the nesting of the inputs is walked once for all of them; other
    callables get the nested inputs as they are.
    """

    def __init__(
        self, transforms: Callables, *, generator: torch.Generator | None = None, per_sample: bool = False
    ) -> None:
        if not isinstance(transforms, (Sequence, nn.ModuleList)) or not all(callable(t) for t in transforms):
            raise TypeError(f"transforms: expected a sequence of callables, got {transforms!r}")
        if len(transforms) == 0:
            raise ValueError("transforms: expected at least one, got none")
        self.generator = generator
        self.per_sample = per_sample
        if isinstance(transforms, nn.ModuleList):
            self.transforms: Any = transforms
            return
        self.transforms = list(transforms)
        for number, transform in enumerate(self.transforms):
            if isinstance(transform, nn.Module):
                self.add_module(str(number), transform)

    def forward(self, *inputs: Any) -> Any:
        """Run the transforms that are chosen."""
        sample = Sample(inputs)
        self.run_on(sample)
        return sample.rebuild()

    def plan(self) -> list[int] | None:
        """Draw the positions of the transforms to run, in their order."""
        return list(range(len(self.transforms)))

    def run_on(self, sample: Sample) -> None:
        """Run the chosen transforms on a sample."""
        if self.per_sample:
            self.sample_on(sample, run=True)
            return
        for position in self.plan() or ():
            run_alone(self.transforms[position], sample, DRAW)

    def fused_on(self, run: Run, params: Any) -> None:
        """Run the chosen transforms, or with what was drawn before, as parts of a run."""
        drawn = [(position, DRAW) for position in self.plan() or ()] if params is DRAW else params or ()
        for position, own in drawn:
            transform = self.transforms[position]
            if joins_inside(transform, run.fuse) and not isinstance(own, list):
                transform.fused_on(run, own)
            else:
                run.step(transform, own, run_alone)

    def sample_one(self, sample: Sample, *, run: bool) -> Any:
        """Draw for a sample: the positions, each with its own params, which need what was run before."""
        positions: list[int] | None = self.plan()
        if positions is None:
            return None
        drawn = []
        for number, position in enumerate(positions):
            transform = self.transforms[position]
            last = number + 1 == len(positions)
            if _works_on_samples(transform):
                drawn.append((position, transform.sample_on(sample, run=run or not last)))
            else:
                drawn.append((position, None))
                if run or not last:
                    _call(transform, sample)
        return tuple(drawn)

    def apply_one(self, sample: Sample, params: Any) -> None:
        """Run what was drawn on a sample."""
        for position, own in params or ():
            run_alone(self.transforms[position], sample, own)

    def inverse_one(self, sample: Sample, params: Any) -> None:
        """Undo the geometry of what was drawn, last first."""
        drawn: list[tuple[int, Any]] = [] if params is None else list(params)
        for position, own in reversed(drawn):
            transform = self.transforms[position]
            if not _works_on_samples(transform):
                raise TypeError(f"inverse: {transform!r} is no transform of this package, so it cannot be undone")
            transform.inverse_on(sample, own)

    def extra_repr(self) -> str:
        """List what is no module; modules are listed anyway."""
        return ", ".join(repr(t) for t in self.transforms if not isinstance(t, nn.Module))


def _works_on_samples(transform: Any) -> bool:
    kind = type(transform)
    if not isinstance(transform, Transform) or transform._forward_hooks or transform._forward_pre_hooks:
        return False  # hooks are run by calls
    return kind.forward is Transform.forward or isinstance(transform, Container)


def joins_inside(transform: Any, fuse: Fuse) -> bool:
    """Whether the transforms in a container may join those around it, which are in a `Compose` of the mode `fuse`."""
    if "_joins_inside" not in type(transform).__dict__:  # no container, or a subclass, which may do something else
        return False
    return _works_on_samples(transform) and not transform.per_sample and getattr(transform, "fuse", fuse) == fuse


def run_alone(transform: Any, sample: Sample, params: Any) -> None:
    """Run a transform on a sample, with `DRAW` or with what it had drawn before."""
    if not _works_on_samples(transform):
        _call(transform, sample)
    elif params is DRAW:
        transform.run_on(sample)
    else:
        transform.apply_on(sample, params)


def _call(transform: Callable[..., Any], sample: Sample) -> None:
    """Call what wants the nested inputs, and go on with what it returns."""
    if not sample.inputs:
        raise TypeError(f"per_sample: expected transforms only, as a part of a batch has no nesting; got {transform!r}")
    inputs = sample.rebuild()
    if len(sample.inputs) == 1:
        sample.start((transform(inputs),))
        return
    outputs = transform(*inputs)
    sample.start(outputs if isinstance(outputs, tuple) else (outputs,))


class RandomApply(Container):
    """Runs transforms one after the other with probability `p`, all or none.

    Args:
        transforms: callables.
        p: probability, 0..1.
        generator: source of random numbers; torch's global one when None.
        per_sample: draw for each sample of a batch instead of once for all.
    """

    _joins_inside = True

    def __init__(
        self,
        transforms: Callables,
        p: float = 0.5,
        *,
        generator: torch.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(transforms, generator=generator, per_sample=per_sample)
        if not 0.0 <= p <= 1.0:
            raise ValueError(f"p: expected a probability in 0..1, got {p}")
        self.p = p

    def plan(self) -> list[int] | None:
        """Draw whether to run."""
        return super().plan() if self.chance(self.p) else None


class RandomChoice(Container):
    """Runs one transform, picked at random.

    Args:
        transforms: callables.
        p: their weights, which need not sum to 1; equal when None.
        generator: source of random numbers; torch's global one when None.
        per_sample: draw for each sample of a batch instead of once for all.
    """

    _joins_inside = True

    def __init__(
        self,
        transforms: Callables,
        p: Sequence[float] | None = None,
        *,
        generator: torch.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(transforms, generator=generator, per_sample=per_sample)
        weights = [1.0] * len(self.transforms) if p is None else list(p)
        if len(weights) != len(self.transforms):
            raise ValueError(f"p: expected {len(self.transforms)} weights, one per transform, got {len(weights)}")
        self.p = [weight / sum(weights) for weight in weights]

    def plan(self) -> list[int] | None:
        """Draw one position."""
        return [self.pick(self.p)]


class RandomOrder(Container):
    """Runs all transforms in random order.

    Args:
        transforms: callables.
        generator: source of random numbers; torch's global one when None.
        per_sample: draw for each sample of a batch instead of once for all.
    """

    _joins_inside = True

    def plan(self) -> list[int] | None:
        """Draw the order."""
        return self.permutation(len(self.transforms))
