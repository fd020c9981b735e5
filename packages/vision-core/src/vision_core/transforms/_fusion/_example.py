"""What a `Compose` did to an example."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from vision_core._pillow import is_pil_image
from vision_core.transforms._fusion._explain import Explanation, Pass, name_of
from vision_core.transforms._fusion._rules import Fuse
from vision_core.transforms._fusion._run import Run
from vision_core.transforms._sample import Sample

__all__ = ["explain_example"]


def explain_example(
    compose: nn.Module, fuse: Fuse, inputs: tuple[Any, ...], run_all: Callable[[Run], None]
) -> Explanation:
    """Run transforms on an example and note what happens; generators are put back to where they were.

    Args:
        compose: holds the transforms.
        fuse: its mode.
        inputs: the example.
        run_all: runs the transforms.
    """
    passes: list[Pass] = []

    def ended(members: list[Any], done: list[str], why: str) -> None:
        names = tuple(name_of(member) for member in members)
        passes.append(
            Pass(names, " + ".join(done) or ("by itself" if len(members) == 1 and not why else "a view"), why)
        )

    sample = Sample(inputs)
    of = ", ".join(_kind(sample.leaves[i]) for i in sample.chosen())
    with _same_draws(compose):
        run = Run(sample, fuse, ended)
        run_all(run)
        run.settle()
    return Explanation(fuse, tuple(passes), of or "nothing to transform")


def _kind(leaf: Any) -> str:
    if isinstance(leaf, Tensor):
        return f"{type(leaf).__name__} {str(leaf.dtype).removeprefix('torch.')} {tuple(leaf.shape)}"
    return f"PIL image {leaf.mode} {leaf.size}" if is_pil_image(leaf) else f"{type(leaf).__name__} {leaf.shape}"


@contextlib.contextmanager
def _same_draws(compose: nn.Module) -> Iterator[None]:
    """Put all generators back to where they were."""
    found = [getattr(module, "generator", None) for module in compose.modules()]
    own = [(generator, generator.get_state()) for generator in found if generator is not None]
    with torch.random.fork_rng(devices=[]):
        yield
    for generator, state in own:
        generator.set_state(state)
