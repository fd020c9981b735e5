"""Tensors of every layout, right and wrong, for tests of functions that check their arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from vision_contract.layouts import ENCODED_BYTES, ContractError, Layout

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["assert_checks", "mistaken", "sample"]

# All different, so that no wrong order of the axes goes unnoticed.
SIZES = {"N": 6, "C": 3, "T": 8, "H": 10, "W": 14, "K": 17, "F": 40, "L": 100}


def sample(layout: Layout, *batch: int, seed: int = 0, **sizes: int) -> Tensor:
    """A tensor of `layout`: uniform in 0..1 (uint8 for ENCODED_BYTES), every axis of another size.

    Args:
        layout: one of the named layouts, or one of your own.
        *batch: sizes of batch axes before it.
        seed: of the random numbers.
        **sizes: other sizes than the default.

    Examples:
        >>> sample(VIDEO_CTHW, 2, T=5).shape
        torch.Size([2, 3, 5, 10, 14])
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    tokens = [token for token in layout.axes.split() if token != "..."]
    shape = (*batch, *(int(t) if t.isdigit() else {**SIZES, **sizes}.get(t, 5) for t in tokens))
    if layout == ENCODED_BYTES:
        return torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)
    return torch.rand(shape, generator=generator)


def mistaken(layout: Layout, **sizes: int) -> Iterator[tuple[str, Tensor]]:
    """Tensors that do not have `layout`, each with a word on what is wrong: axes missing, too many, in other orders.

    Args:
        layout: the layout that they miss.
        **sizes: the sizes that are known; only with them can an order be wrong.

    Examples:
        >>> [what for what, _ in mistaken(IMAGE_CHW, C=3)]
        ['an axis is missing', 'axis -3 is 4', 'axis -3 moved to the end']
    """
    right = sample(layout, **sizes)
    yield "an axis is missing", right[0]
    if not layout.axes.startswith("..."):
        yield "an axis too many", right[None]
    tokens = [token for token in layout.axes.split() if token != "..."]
    known = {layout.axis(t): int(t) if t.isdigit() else sizes[t] for t in tokens if t.isdigit() or t in sizes}
    for axis, size in known.items():
        shape = list(right.shape)
        shape[axis] = size + 1
        yield f"axis {axis} is {size + 1}", right.new_zeros(shape)
        if axis != -1:
            yield f"axis {axis} moved to the end", right.movedim(axis, -1)


def assert_checks(function: Callable[[Any], Any], layout: Layout, argument: str, **sizes: int) -> None:
    """Assert that `function` takes a tensor of `layout` and refuses every :func:`mistaken` one by the argument's name.

    Args:
        function: called with one tensor.
        layout: what it should insist on.
        argument: the name that its errors should carry.
        **sizes: the sizes that it should insist on.

    Raises:
        AssertionError: it takes a wrong tensor, or does not name the argument.

    Examples:
        >>> assert_checks(lambda clip: model(clip), VIDEO_CTHW, "clip", C=3)
    """
    function(sample(layout, **sizes))
    for what, wrong in mistaken(layout, **sizes):
        named = None
        try:
            function(wrong)
        except ContractError as error:
            named = error.argument
        assert named is not None, f"{argument} {tuple(wrong.shape)} was accepted as {layout!r}: {what}"
        assert named == argument, f"{what}: the error names {named!r}, not {argument!r}"
