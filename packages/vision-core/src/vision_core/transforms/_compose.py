"""Transforms one after the other, in few passes over the pixels."""

from __future__ import annotations

from typing import Any

from vision_core._direct import nothing_watches
from vision_core.transforms._containers import Callables, Container, joins_inside, run_alone
from vision_core.transforms._fusion import (
    DRAW,
    Explanation,
    Fuse,
    Run,
    entries_of,
    explain,
    explain_example,
    joins_something,
)
from vision_core.transforms._sample import Sample

__all__ = ["Compose"]


class Compose(Container):
    """Runs transforms one after the other; where it can, several in one pass over the pixels.

    For 8-bit tensors and arrays on the CPU, transforms that follow each other are joined: crops, flips and a resize or
    a warp to one resampling pass, changes of colour, conversion to floating point and normalising to one colour pass;
    `explain` tells what is joined. Everything else (boxes, masks, keypoints, PIL images, floating-point images, other
    devices, own transforms, those with hooks, those with `per_sample`) goes through the transforms one by one. Random
    numbers are drawn in the same order from the same generators in every mode.

    Args:
        transforms: callables; each gets what the one before returned.
        fuse: "exact": join where the result is the same bit for bit. "tolerant": join more. Flips may change places
            with a resize (values differ by at most 1), conversion to half formats and normalising are rounded once, and
            rotations, affine and perspective warps of the same interpolation and fill, with crops and flips between
            them, become one warp: pixels come from the same places, to 0.01 pixels, but are interpolated once, so
            the result is sharper; where the warps in between had a border, pixels next to it may differ. "off": nothing
            is joined.

    Raises:
        TypeError: something in `transforms` cannot be called.
        ValueError: no transforms, or an unknown mode.

    Examples:
        >>> import torch
        >>> from vision_core.transforms import CenterCrop, Compose, Resize, ToDtype
        >>> preprocess = Compose([Resize(64), CenterCrop(56), ToDtype(torch.float32, scale=True)])
        >>> preprocess(torch.zeros(3, 120, 160, dtype=torch.uint8)).shape
        torch.Size([3, 56, 56])
        >>> preprocess.explain()
        fuse="exact", 8-bit images on the CPU:
        1. Resize + CenterCrop + ToDtype: one resampling pass (resize, crop) + one colour pass (to floating point)
    """

    _joins_inside = True
    fuse: Fuse = "exact"  # for what was pickled before there was a choice

    def __init__(self, transforms: Callables, *, fuse: Fuse = "exact") -> None:
        super().__init__(transforms)
        if fuse not in ("exact", "tolerant", "off"):
            raise ValueError(f"fuse: expected 'exact', 'tolerant' or 'off', got {fuse!r}")
        self.fuse = fuse

    def run_on(self, sample: Sample) -> None:
        """Run the transforms on a sample."""
        if self._fuses():
            run = Run(sample, self.fuse)
            self.fused_on(run, DRAW)
            run.settle()
        else:
            super().run_on(sample)

    def apply_one(self, sample: Sample, params: Any) -> None:
        """Run what was drawn on a sample."""
        if self._fuses():
            run = Run(sample, self.fuse)
            self.fused_on(run, params)
            run.settle()
        else:
            super().apply_one(sample, params)

    def fused_on(self, run: Run, params: Any) -> None:
        """Run the transforms as parts of a run."""
        if params is not DRAW:
            super().fused_on(run, params)
            return
        fuse = run.fuse

        def other(transform: Any) -> None:
            if joins_inside(transform, fuse):
                transform.fused_on(run, DRAW)
            else:
                run.step(transform, DRAW, run_alone)

        run.through(self._look_up()[2], other)

    def _fuses(self) -> bool:
        return self.fuse != "off" and nothing_watches() and self._look_up()[1]

    def _look_up(self) -> tuple[list[Any], bool, list[Any]]:
        """Return the transforms, whether some might join, and how; known from the last call if the list is the same."""
        found = self.__dict__.get("_found")
        if found is None or found[0] != self.transforms:
            known = list(self.transforms)
            found = self.__dict__["_found"] = (known, joins_something(known), entries_of(known))
        return found

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what is found again."""
        return {name: value for name, value in self.__dict__.items() if name != "_found"}

    def explain(self, *inputs: Any) -> Explanation:
        """Tell which transforms run together, in which passes, and why a run of them ends.

        Args:
            *inputs: an example, which is run as a call would (the generators are put back to where they were). Without
                one, the plan is for 8-bit images, and all that is random is taken to happen.

        Returns:
            Something to print; its `passes` can be looked at.

        Examples:
            >>> import torch
            >>> from vision_core.transforms import Compose, GaussianBlur, RandomHorizontalFlip, RandomInvert
            >>> augment = Compose([RandomHorizontalFlip(1.0), RandomInvert(1.0), GaussianBlur(3)])
            >>> print(*augment.explain(torch.zeros(3, 8, 8, dtype=torch.uint8)).passes[0].transforms)
            RandomHorizontalFlip RandomInvert
        """
        if not inputs:
            return explain(self.transforms, self.fuse)
        return explain_example(self, self.fuse, inputs, self._run_unfused if self.fuse == "off" else self._run_fused)

    def _run_fused(self, run: Run) -> None:
        self.fused_on(run, DRAW)

    def _run_unfused(self, run: Run) -> None:
        for transform in self.transforms:
            run.by_itself(transform, DRAW, run_alone, "fusion is off")
