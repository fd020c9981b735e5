"""What a user can choose about int8."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["QuantizationConfig"]


@dataclass(frozen=True)
class QuantizationConfig:
    """How activations are observed and which layers stay in float32.

    Weights are always symmetric int8 per output channel, activations affine uint8 per tensor.

    Attributes:
        observer: How a range is chosen from what calibration saw: `"histogram"` takes the range with the least squared
            error, `"percentile"` leaves out the outermost values, `"minmax"` takes all.
        percentile: Share of values, in percent, that the percentile observer keeps inside the range.
        bins: Number of histogram bins.
        float_stem: Keep the convolutions that read the input (and depthwise ones right after) in float32.
        float_layers: Names of captured operations (as `explain()` prints them) that stay in float32.
        int8_weights_from: Pointwise and linear layers that stay in float32 (a network's head) store their weights as
            int8 with a scale per output channel if there are at least so many; None keeps all in float32.
        max_batches: Read at most so many items of the calibration data; None for all.

    Examples:
        >>> config = QuantizationConfig(observer="percentile", percentile=99.95)
    """

    observer: Literal["histogram", "percentile", "minmax"] = "histogram"
    percentile: float = 99.99
    bins: int = 2048
    float_stem: bool = True
    float_layers: tuple[str, ...] = ()
    int8_weights_from: int | None = 16384
    max_batches: int | None = None

    def __post_init__(self) -> None:
        if self.observer not in ("histogram", "percentile", "minmax"):
            raise ValueError(f"observer: got {self.observer!r}, expected 'histogram', 'percentile' or 'minmax'")
        if not 50.0 < self.percentile <= 100.0:
            raise ValueError(f"percentile: got {self.percentile}, expected a value in (50, 100]")
        if self.bins < 256:
            raise ValueError(f"bins: got {self.bins}, expected at least 256 (one per quantised value)")
