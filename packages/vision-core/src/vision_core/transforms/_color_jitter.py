"""Random brightness, contrast, saturation and hue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import torch

from vision_core.transforms import functional as F
from vision_core.transforms._query import query_chw
from vision_core.transforms._random import Random
from vision_core.transforms.functional._color_chain import adjust_colors
from vision_core.transforms.functional._dispatch import find_kernel

__all__ = ["ColorJitter", "RandomPhotometricDistort"]

Range: TypeAlias = "float | Sequence[float] | None"
_NAMES = ("brightness", "contrast", "saturation", "hue")


def _range(name: str, value: Range) -> tuple[float, float] | None:
    """Smallest and largest factor; None where none but the one that changes nothing is possible."""
    neutral, low, high = (0.0, -0.5, 0.5) if name == "hue" else (1.0, 0.0, float("inf"))
    if value is None:
        return None
    if isinstance(value, (int, float)):
        if value < 0:
            raise ValueError(f"{name}: expected 0 or more (the largest change), got {value}")
        first, last = neutral - value, neutral + value
        first = max(first, 0.0) if name != "hue" else first
    elif isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 2:
        first, last = float(value[0]), float(value[1])
    else:
        raise TypeError(f"{name}: expected a number or (smallest, largest), got {value!r}")
    if not low <= first <= last <= high:
        raise ValueError(f"{name}: expected {low} <= smallest <= largest <= {high}, got {(first, last)}")
    return None if first == last == neutral else (first, last)


class ColorJitter(Random):
    """Changes brightness, contrast, saturation and hue by random factors, in random order.

    8-bit RGB tensors go through all four changes in one pass.

    Args:
        brightness: largest change of the factor 1, or smallest and largest factor; None: not changed.
        contrast: likewise.
        saturation: likewise.
        hue: largest change in parts of a full turn, at most 0.5, or smallest and largest.
        generator: source of random numbers; torch's global one when None.
        per_sample: draw for each sample of a batch instead of once for all.

    Raises:
        TypeError: a value that is neither a number nor two of them.
        ValueError: negative numbers, factors in the wrong order, or a hue beyond half a turn.

    Examples:
        >>> import torch
        >>> jitter = ColorJitter(brightness=0.4, hue=(-0.1, 0.1))
        >>> jitter
        ColorJitter(brightness=(0.6, 1.4), hue=(-0.1, 0.1))
        >>> jitter(torch.rand(3, 8, 8)).shape
        torch.Size([3, 8, 8])
    """

    def __init__(
        self,
        brightness: Range = None,
        contrast: Range = None,
        saturation: Range = None,
        hue: Range = None,
        *,
        generator: torch.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(generator=generator, per_sample=per_sample)
        self.brightness = _range("brightness", brightness)
        self.contrast = _range("contrast", contrast)
        self.saturation = _range("saturation", saturation)
        self.hue = _range("hue", hue)

    @staticmethod
    def get_params(
        brightness: Sequence[float] | None,
        contrast: Sequence[float] | None,
        saturation: Sequence[float] | None,
        hue: Sequence[float] | None,
    ) -> tuple[torch.Tensor, float | None, float | None, float | None, float | None]:
        """Draw the order of the four changes and a factor for each, None where it has no range."""
        order = torch.randperm(4)
        ranges = (brightness, contrast, saturation, hue)
        b, c, s, h = (None if r is None else float(torch.empty(1).uniform_(r[0], r[1])) for r in ranges)
        return order, b, c, s, h

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw the order of the changes and their factors."""
        order = self.permutation(4)
        drawn: dict[str, Any] = {"fn_idx": order}
        for name in _NAMES:
            limits = getattr(self, name)
            drawn[f"{name}_factor"] = None if limits is None else self.uniform(*limits)
        return drawn

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Change the colours of one input."""
        steps = []
        for number in params["fn_idx"]:
            factor = params[f"{_NAMES[number]}_factor"]
            if factor is not None:
                steps.append((_NAMES[number], factor))
        return _run(steps, inpt)


def _run(steps: list[Any], inpt: Any) -> Any:
    kernel = find_kernel(adjust_colors, inpt) if steps else None
    return inpt if kernel is None else kernel(inpt, steps)


class RandomPhotometricDistort(Random):
    """Distorts colours as the SSD detector does when it is trained.

    Each of brightness, contrast, saturation, hue and the order of the channels changes with probability `p`; contrast
    comes before saturation and hue or behind them. Source: Liu et al., "SSD: Single Shot MultiBox Detector", ECCV 2016.

    Args:
        brightness: smallest and largest factor.
        contrast: smallest and largest factor.
        saturation: smallest and largest factor.
        hue: smallest and largest change, in parts of a full turn.
        p: probability of each change, 0..1.
        generator: source of random numbers; torch's global one when None.
        per_sample: draw for each sample of a batch instead of once for all.

    Examples:
        >>> import torch
        >>> RandomPhotometricDistort()(torch.zeros(3, 8, 8, dtype=torch.uint8)).dtype
        torch.uint8
    """

    brightness: tuple[float, float] = (0.875, 1.125)
    contrast: tuple[float, float] = (0.5, 1.5)
    saturation: tuple[float, float] = (0.5, 1.5)
    hue: tuple[float, float] = (-0.05, 0.05)
    p: float = 0.5

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw what changes, and how much."""
        channels = query_chw(flat_inputs)[0]
        drawn: dict[str, Any] = {}
        for name in _NAMES:
            drawn[f"{name}_factor"] = self.uniform(*getattr(self, name)) if self.chance(self.p) else None
        drawn["contrast_before"] = self.chance(0.5)
        drawn["channel_permutation"] = self.permutation(channels) if self.chance(self.p) else None
        return drawn

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Change the colours of one input."""
        order = ("brightness", "contrast", "saturation", "hue")
        if not params["contrast_before"]:
            order = ("brightness", "saturation", "hue", "contrast")
        factors = [(name, params[f"{name}_factor"]) for name in order]
        changed = _run([(name, factor) for name, factor in factors if factor is not None], inpt)
        kernel = find_kernel(F.permute_channels, changed) if params["channel_permutation"] is not None else None
        return changed if kernel is None else kernel(changed, params["channel_permutation"])
