"""From the values that calibration saw to a scale and a zero point.

Two passes over the data: the first finds the extremes of each tensor, the second counts values into equal bins between
them. The histogram then answers for any clipping range what it would cost.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from accel_mobile._quantization.config import QuantizationConfig

__all__ = ["Affine", "Observed", "affine_of_range", "choose_range"]

QMAX = 255


@dataclass(frozen=True)
class Affine:
    """`real = (q - zero_point) * scale` with `q` in 0..255."""

    scale: float
    zero_point: int


@dataclass
class Observed:
    """What calibration knows of one tensor: extremes and counts of equal bins between them."""

    low: float = float("inf")
    high: float = float("-inf")
    counts: Tensor | None = None

    def see_range(self, x: Tensor) -> None:
        """First pass: widen the extremes."""
        low, high = torch.aminmax(x)
        self.low, self.high = min(self.low, float(low)), max(self.high, float(high))

    def see_values(self, x: Tensor, bins: int) -> None:
        """Second pass: count."""
        if self.counts is None:
            self.counts = torch.zeros(bins, dtype=torch.float64)
        if self.high > self.low:
            self.counts += torch.histc(x.float(), bins, self.low, self.high).double()

    @property
    def is_finite(self) -> bool:
        return abs(self.low) != float("inf") and abs(self.high) != float("inf") and self.low == self.low


def affine_of_range(low: float, high: float) -> Affine:
    """Return scale and zero point for values in `low..high`; zero is always represented exactly.

    Zero has to be exact because padding adds zeros and ReLU makes them (arXiv 1712.05877, section 2.1).
    """
    low, high = min(low, 0.0), max(high, 0.0)
    if high - low < 1e-12:
        return Affine(1.0 / QMAX, 0)
    scale = float(torch.tensor((high - low) / QMAX, dtype=torch.float32))
    zero_point = round(-low / scale)
    return Affine(scale, max(0, min(QMAX, zero_point)))


def choose_range(observed: Observed, config: QuantizationConfig) -> tuple[float, float]:
    """Return the clipping range that `config.observer` chooses."""
    low, high = observed.low, observed.high
    if observed.counts is None or config.observer == "minmax" or high <= low:
        return low, high
    if config.observer == "percentile":
        return _percentile(observed, config.percentile)
    return _least_squares(observed)


def _percentile(observed: Observed, percentile: float) -> tuple[float, float]:
    counts = observed.counts
    assert counts is not None
    edges = torch.linspace(observed.low, observed.high, len(counts) + 1, dtype=torch.float64)
    share = torch.cumsum(counts, 0) / counts.sum()
    # Half of what may be left out lies at each end; an end at zero (after ReLU) is no outlier and stays.
    out = (1.0 - percentile / 100.0) / 2.0
    first = int(torch.searchsorted(share, torch.tensor(out, dtype=torch.float64)))
    last = int(torch.searchsorted(share, torch.tensor(1.0 - out, dtype=torch.float64)))
    low = observed.low if observed.low >= 0 else float(edges[min(first, len(counts) - 1)])
    high = observed.high if observed.high <= 0 else float(edges[min(last + 1, len(counts))])
    return low, max(high, low)


def _least_squares(observed: Observed, steps: int = 48) -> tuple[float, float]:
    """Shrink first the upper, then the lower end, each to where the squared error is least."""
    low, high = observed.low, observed.high
    shares = [1.0 - index / (steps * 1.25) for index in range(steps)]
    if high > 0:
        high = min((share * high for share in shares), key=lambda h: _squared_error(observed, low, h))
    if low < 0:
        low = min((share * low for share in shares), key=lambda b: _squared_error(observed, b, high))
    return low, high


def _squared_error(observed: Observed, low: float, high: float) -> float:
    """Expected squared difference after quantising the bin centres with the range `low..high`."""
    counts = observed.counts
    assert counts is not None
    affine = affine_of_range(low, high)
    width = (observed.high - observed.low) / len(counts)
    centres = observed.low + (torch.arange(len(counts), dtype=torch.float64) + 0.5) * width
    q = torch.clamp(torch.round(centres / affine.scale) + affine.zero_point, 0, QMAX)
    error = (q - affine.zero_point) * affine.scale - centres
    # Inside the range the error is the rounding error whatever the bins are; a bin is not narrower than a step.
    inside = (centres >= min(low, 0.0)) & (centres <= max(high, 0.0))
    squared = torch.where(inside, torch.full_like(error, affine.scale**2 / 12.0), error**2)
    return float((counts * squared).sum())
