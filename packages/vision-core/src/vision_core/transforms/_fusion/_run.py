"""Runs the transforms of a `Compose`: those that can wait for each other do, the others are run one by one.

Random numbers are drawn by each transform in its turn, from the sizes that the images have by then, so that fusion does
not change them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch

from vision_core._pillow import is_pil_image
from vision_core.transforms._conversion import ToTensor
from vision_core.transforms._fusion._joining import JOINING, Joining
from vision_core.transforms._fusion._pending import Pending, start
from vision_core.transforms._fusion._rules import Fuse
from vision_core.transforms._sample import Sample
from vision_core.transforms._transform import Transform
from vision_core.transforms.functional._conversion import pil_to_tensor

__all__ = ["DRAW", "Ended", "Run", "entries_of", "joining_of", "joins_something"]

DRAW: Any = object()  # instead of params: draw them
Ended = Callable[[list[Any], list[str], str], None]
Alone = Callable[[Any, Sample, Any], None]

# What an instance may replace, and then does something of its own.
_OVERRIDABLE = frozenset(
    {"apply_on", "call", "check_inputs", "draw", "forward", "make_params", "run_on", "sample_on", "transform"}
)
_NO_PARAMS: dict[str, Any] = {}


def joining_of(transform: Any) -> Joining | None:
    """Return how a transform joins a run, or None if it has to run by itself."""
    joining = JOINING.get(type(transform))
    if joining is None:
        return None
    state = transform.__dict__
    if state["_forward_hooks"] or state["_forward_pre_hooks"] or not _OVERRIDABLE.isdisjoint(state):
        return None
    return None if state.get("per_sample") else joining


def joins_something(transforms: Iterable[Any]) -> bool:
    """Whether of these transforms some might join."""
    before = False
    for transform in transforms:
        if isinstance(transform, Transform) and "transforms" in {*transform.__dict__, *transform._modules}:
            return True  # those in a container, perhaps
        joins = type(transform) in JOINING
        if joins and before:
            return True
        before = joins
    return False


Entry = tuple[Any, "Joining | None", dict[str, Any], int]


def entries_of(transforms: Iterable[Any]) -> list[Entry]:
    """Look up how transforms join, once for many calls."""
    return [
        (transform, joining_of(transform), state, len(state))
        for transform, state in ((each, getattr(each, "__dict__", {})) for each in transforms)
    ]


class Run:
    """One call.

    Args:
        sample: the inputs, whose leaves are replaced.
        fuse: the mode.
        ended: told of each run of steps that ends: its members, its passes over the pixels, why it ended.
    """

    __slots__ = ("chosen", "ended", "fuse", "sample", "tolerant")

    def __init__(self, sample: Sample, fuse: Fuse, ended: Ended | None = None) -> None:
        self.sample = sample
        self.fuse: Fuse = fuse
        self.tolerant = fuse == "tolerant"
        self.ended = ended
        self.chosen: list[int] | None = None  # None: to be asked for again

    def through(self, entries: list[Entry], other: Callable[[Any], None]) -> None:
        """Draw for transforms and run them or let them wait.

        Args:
            entries: what `entries_of` found.
            other: called with what does not join now, and with containers.
        """
        chosen = self.chosen
        for transform, joining, state, size in entries:
            if (
                joining is None
                or len(state) != size  # something was set on the instance, a method perhaps
                or state["_forward_hooks"]
                or state["_forward_pre_hooks"]
                or state.get("per_sample")
                or joining.retypes
            ):
                other(transform)
                chosen = self.chosen
                continue
            if chosen is None:
                chosen = self.chosen = self.sample.chosen()
            self._join(transform, joining, DRAW, chosen)

    def step(self, transform: Any, params: Any, alone: Alone) -> None:
        """Run a transform, or let it wait.

        Args:
            transform: a transform or another callable.
            params: what it had drawn before, or `DRAW`.
            alone: runs the transform on the sample with these.
        """
        joining = joining_of(transform)
        if joining is None or isinstance(params, list):
            self.by_itself(transform, params, alone, f"{_name(transform)} runs by itself")
        elif joining.retypes and len(self.sample.leaves) > 1:
            self.by_itself(transform, params, alone, "other inputs may be chosen from here on")
        else:
            if self.chosen is None:
                self.chosen = self.sample.chosen()
            self._join(transform, joining, params, self.chosen)

    def by_itself(self, transform: Any, params: Any, alone: Alone, reason: str) -> None:
        """Run a transform after all that waits."""
        self.settle(reason)
        alone(transform, self.sample, params)
        if self.ended is not None:
            self.ended([transform], [], "")

    def settle(self, reason: str = "") -> None:
        """Do all that waits."""
        leaves = self.sample.leaves
        for i in self.chosen or ():
            if type(leaves[i]) is Pending:
                leaves[i] = self._finish(leaves[i], reason)
        self.chosen = None

    def _join(self, transform: Any, joining: Joining, params: Any, chosen: list[int]) -> None:
        leaves = self.sample.leaves
        if transform._checks:
            transform.check_inputs([leaf for leaf in leaves if type(leaf) is not Pending])
        if params is DRAW:
            params = _NO_PARAMS
            if transform._draws:
                params = transform.draw([_visible(leaves[i]) for i in chosen] if joining.looks else [])
        if params is None:
            return
        for i in chosen:
            leaf = leaves[i]
            if type(leaf) is not Pending or joining.add(transform, leaf, params):
                leaves[i] = self._add(transform, joining, leaf, params)
            elif self.ended is not None:
                leaf.members.append(transform)

    def _add(self, transform: Any, joining: Joining, leaf: Any, params: dict[str, Any]) -> Any:
        """Start a run with a transform, or run it; what waits before it and does not take it in is done first."""
        if type(leaf) is Pending:
            leaf = self._finish(leaf, "" if self.ended is None else joining.add(transform, leaf, params))
        pending = _from_elsewhere(transform, leaf, self.tolerant) or start(leaf, self.tolerant)
        if pending is not None and not joining.add(transform, pending, params):
            if self.ended is not None:
                pending.members.append(transform)
            return pending
        done = transform.transform(leaf, params)
        if self.ended is not None and done is not leaf:
            self.ended([transform], [], "")
        return done

    def _finish(self, pending: Pending, reason: str) -> Any:
        if self.ended is None:
            return pending.finish()
        passes: list[str] = []
        result = pending.finish(passes)
        self.ended(pending.members, passes, reason)
        return result


def _visible(leaf: Any) -> Any:
    return leaf.stand_in() if type(leaf) is Pending else leaf


def _name(transform: Any) -> str:
    return getattr(transform, "__name__", type(transform).__name__)


def _from_elsewhere(transform: Any, leaf: Any, tolerant: bool) -> Pending | None:
    """Return the pixels of a PIL image that `ToTensor` is to convert, to be scaled."""
    if type(transform) is not ToTensor or not is_pil_image(leaf):
        return None
    pixels = pil_to_tensor(leaf)
    pending = start(pixels, tolerant) if pixels.dtype == torch.uint8 else None
    if pending is None or pending.scale(torch.get_default_dtype()):
        return None
    pending.planar = True
    return pending
