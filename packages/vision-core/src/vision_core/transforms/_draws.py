"""Single random numbers from torch's generators, drawn into memory that is there already.

`torch.rand(1).item()` makes a tensor first, which costs more than the number: 2.3 us against 0.9. The numbers are
those that torch's functions return from the same state.
"""

from __future__ import annotations

import threading
from typing import Any, cast

import torch
from torch import Tensor

from vision_core._direct import nothing_watches

__all__ = ["draw_index", "draw_integer", "draw_share", "draw_uniform", "seeded"]


class _Scratch(threading.local):
    """One number of each kind, for each thread."""

    def __init__(self) -> None:
        with torch.inference_mode(False):  # what is made within could not be written to outside
            self.real = torch.empty(1, dtype=torch.float32, device="cpu")
            self.whole = torch.empty(1, dtype=torch.int64, device="cpu")
        self.source = torch.Generator(device="cpu")


_scratch = _Scratch()


def _may_reuse(generator: torch.Generator | None) -> bool:
    return (
        nothing_watches()
        and torch.get_default_dtype() is torch.float32
        and (generator is None or generator.device.type == "cpu")
    )


def _new(generator: torch.Generator | None) -> Tensor:
    return torch.empty(1) if generator is None else torch.empty(1, device=generator.device)


def draw_share(generator: torch.Generator | None) -> float:
    """Draw a number from 0 to 1."""
    if generator is None and nothing_watches() and torch.get_default_dtype() is torch.float32:
        return _scratch.real.uniform_().item()
    return draw_uniform(0.0, 1.0, generator)


def draw_uniform(low: float, high: float, generator: torch.Generator | None) -> float:
    """Draw a number from `low` to `high`."""
    if generator is None and nothing_watches() and torch.get_default_dtype() is torch.float32:
        return _scratch.real.uniform_(low, high).item()
    real = _scratch.real if _may_reuse(generator) else _new(generator)
    return real.uniform_(low, high, generator=generator).item()


def draw_integer(low: int, high: int, generator: torch.Generator | None) -> int:
    """Draw a whole number from `low` to `high`, both possible."""
    if generator is None and nothing_watches():
        return cast("int", _scratch.whole.random_(low, high + 1).item())
    if _may_reuse(generator):
        return int(_scratch.whole.random_(low, high + 1, generator=generator).item())
    device = None if generator is None else generator.device
    return int(torch.randint(low, high + 1, (1,), generator=generator, device=device).item())


def draw_index(weights: list[float], generator: torch.Generator | None) -> int:
    """Draw a position of `weights`, each as likely as its weight says.

    The one with the largest share of its weight in a random wait is drawn, as `torch.multinomial` does it.
    """
    if not _may_reuse(generator):
        device = None if generator is None else generator.device
        return int(torch.multinomial(torch.tensor(weights, device=device), 1, generator=generator).item())
    waits = torch.empty(len(weights)).exponential_(generator=generator).tolist()
    shares = [weight / wait for weight, wait in zip(weights, waits, strict=True)]
    return shares.index(max(shares))


def seeded(seed: int, like: Any) -> torch.Generator:
    """Return a generator for the device of an input that starts from a seed; to be used up before the next call."""
    if isinstance(like, Tensor) and not like.is_cpu:
        return torch.Generator(device=like.device).manual_seed(seed)
    return _scratch.source.manual_seed(seed)
