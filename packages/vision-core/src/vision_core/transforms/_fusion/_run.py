"""Runs the transforms of a `Compose`: those that can wait for each other do, the others are run one by one.

Random numbers are drawn by each transform in its turn, from the sizes that the images have by then, so that fusion does
not change them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vision_core._pillow import is_pil_image
from vision_core.transforms._conversion import ToTensor
from vision_core.transforms._fusion._joining import JOINING, Joining
from vision_core.transforms._fusion._pending import Pending, start
from vision_core.transforms._fusion._rules import Fuse
from vision_core.transforms._sample import Sample
from vision_core.transforms._transform import Transform
from vision_core.transforms.functional._conversion import pil_to_tensor
from vision_core.transforms.functional._dispatch import array_to_tensor

__all__ = ["DRAW", "Ended", "Run", "joining_of", "joins_something"]

DRAW: Any = object()  # instead of params: draw them
Ended = Callable[[list[Any], list[str], str], None]

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
    """Whether two transforms that follow each other, or the ones in such a one, might join."""
    before = False
    for transform in transforms:
        inner = getattr(transform, "transforms", None) if isinstance(transform, Transform) else None
        if inner is not None and len(inner) > 0:
            return True
        joins = type(transform) in JOINING
        if joins and before:
            return True
        before = joins
    return False


class Run:
    """One call.

    Args:
        sample: the inputs, whose leaves are replaced.
        fuse: the mode.
        ended: told of each run that ends: its members, its passes over the pixels, why it ended.
    """

    __slots__ = ("chosen", "ended", "fuse", "sample", "tolerant")

    def __init__(self, sample: Sample, fuse: Fuse, ended: Ended | None = None) -> None:
        self.sample = sample
        self.fuse: Fuse = fuse
        self.tolerant = fuse == "tolerant"
        self.ended = ended
        self.chosen: list[int] | None = None  # None: to be asked for again

    def step(self, transform: Any, params: Any, alone: Callable[[Any, Sample, Any], None]) -> None:
        """Run a transform, or let it wait.

        Args:
            transform: a transform or another callable.
            params: what it had drawn before, or `DRAW`.
            alone: runs the transform on the sample with these.
        """
        joining = joining_of(transform)
        if joining is not None and not isinstance(params, list):
            if self.chosen is None:
                self.chosen = self.sample.chosen()
            if not joining.retypes or len(self.sample.leaves) == 1:
                self._join(transform, joining, params)
                return
        self.by_itself(
            transform,
            params,
            alone,
            f"{_name(transform)} runs by itself" if joining is None else "other inputs may be chosen from here on",
        )

    def by_itself(self, transform: Any, params: Any, alone: Callable[[Any, Sample, Any], None], reason: str) -> None:
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

    def _join(self, transform: Any, joining: Joining, params: Any) -> None:
        leaves = self.sample.leaves
        chosen: list[int] = self.chosen  # type: ignore[assignment]
        if transform._checks:
            transform.check_inputs([leaf for leaf in leaves if type(leaf) is not Pending])
        if params is DRAW:
            params = _NO_PARAMS
            if transform._draws:
                params = transform.draw([_visible(leaves[i]) for i in chosen] if joining.looks else [])
        if params is None:
            return
        for i in chosen:
            leaves[i] = self._add(transform, joining, leaves[i], params)

    def _add(self, transform: Any, joining: Joining, leaf: Any, params: dict[str, Any]) -> Any:
        if type(leaf) is Pending:
            reason = joining.add(transform, leaf, params)
            if not reason:
                leaf.members.append(transform)
                return leaf
            leaf = self._finish(leaf, reason)
        pending = _from_elsewhere(transform, leaf, self.tolerant) or start(leaf, self.tolerant)
        if pending is not None and not joining.add(transform, pending, params):
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
    """Return the pixels of a PIL image or an array that `ToTensor` is to convert, to be scaled."""
    if type(transform) is not ToTensor or isinstance(leaf, Tensor):
        return None
    if is_pil_image(leaf):
        pixels = pil_to_tensor(leaf)
    elif type(leaf) is np.ndarray and leaf.dtype == np.uint8 and leaf.ndim in (2, 3):
        pixels = array_to_tensor(leaf)
    else:
        return None
    pending = start(pixels, tolerant) if pixels.dtype == torch.uint8 else None
    if pending is None or pending.scale(torch.get_default_dtype()):
        return None
    pending.planar = True
    return pending
