"""Names of the ways to interpolate between pixels."""

from __future__ import annotations

from enum import Enum
from typing import TypeAlias

__all__ = ["Interpolation", "InterpolationMode", "interpolation_name", "pil_modes_mapping", "pillow_filter"]


class InterpolationMode(Enum):
    """How values between pixels are found. Functions also take the plain value, such as `"bicubic"`.

    On PIL images BOX, HAMMING and LANCZOS are Pillow's filters; on tensors the same filters are computed by this
    package. NEAREST_EXACT takes the pixel whose centre is nearest, as Pillow does; NEAREST is OpenCV's older rule.
    """

    NEAREST = "nearest"
    NEAREST_EXACT = "nearest-exact"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    BOX = "box"
    HAMMING = "hamming"
    LANCZOS = "lanczos"


Interpolation: TypeAlias = "InterpolationMode | str | int"

# Pillow's own numbers of its filters, which old code passes.
_BY_PILLOW_NUMBER = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic", 4: "box", 5: "hamming"}
_NAMES = frozenset(mode.value for mode in InterpolationMode)


def interpolation_name(interpolation: Interpolation) -> str:
    """Turn a mode, its name or Pillow's number of it into the name.

    Raises:
        ValueError: there is no such mode.
    """
    if isinstance(interpolation, InterpolationMode):
        return interpolation.value
    name = _BY_PILLOW_NUMBER.get(interpolation) if isinstance(interpolation, int) else interpolation.lower()
    if name not in _NAMES:
        raise ValueError(f"interpolation: expected one of {sorted(_NAMES)}, got {interpolation!r}")
    return name


def pillow_filter(interpolation: Interpolation) -> int:
    """Return Pillow's number of a filter; its "nearest" takes the nearest centre, so both nearest modes map to it."""
    name = interpolation_name(interpolation).removesuffix("-exact")
    return next(number for number, known in _BY_PILLOW_NUMBER.items() if known == name)


# Pillow's number of each mode, under the name of old code.
pil_modes_mapping = {mode: pillow_filter(mode) for mode in InterpolationMode}
