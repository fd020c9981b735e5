"""Which steps may wait for each other, so that they run as one resampling pass and one pass over the colours.

A run of steps does, in this order: cut a region out, resample it (resize, or warp by a mapping), cut a part of the
result out, mirror it, change its colours, scale and normalise it to floating point. A step joins a run if what it does
has its place there and the result stays the same, bit for bit in the mode "exact".
"""

from __future__ import annotations

from typing import Literal, TypeAlias

__all__ = ["Fuse", "Role", "Rules"]

Fuse: TypeAlias = Literal["exact", "tolerant", "off"]
Role: TypeAlias = Literal[
    "crop", "flip", "resize", "affine", "perspective", "colour", "statistics", "scale", "normalise"
]
_WARPS = ("affine", "perspective")


class Rules:
    """What a run of steps does already, and what may join it.

    Args:
        tolerant: allow what changes values within the tolerance that `Compose` documents.
    """

    # What is not set on an instance stands here: these are made in every call.
    resampled = ""  # the role of the step that did
    flipped = coloured = statistics = scaled = normalised = False

    def __init__(self, tolerant: bool) -> None:
        self.tolerant = tolerant

    def refusal(self, role: Role) -> str:
        """Return why a step cannot join, or ""."""
        if role == "flip":
            return ""
        if role == "crop":
            return "contrast looks at the whole image, so nothing may be cut off before" if self.statistics else ""
        if role in ("colour", "statistics"):
            return "the values are floating-point ones by now" if self.scaled else ""
        if role == "scale":
            return "the values have been scaled already" if self.scaled else ""
        if role == "normalise":
            return self._refuse_normalise()
        return self._refuse_resampling(role)

    def _refuse_normalise(self) -> str:
        if not self.scaled:
            return "normalising needs floating-point values"
        return "the values have been normalised already" if self.normalised else ""

    def _refuse_resampling(self, role: Role) -> str:
        if self.scaled:
            return "floating-point values are resampled by torch"
        if self.coloured:
            return "resampling blends pixels, so the colours are changed before"
        if self.resampled:
            if self.tolerant and self.resampled in _WARPS and role in _WARPS:
                return ""
            return "resampling twice is not resampling once"
        if self.flipped and not self.tolerant:
            return "filters round mirrored pixels otherwise, so the mirrored image is made before"
        return ""

    def note(self, role: Role) -> None:
        """Take a step in."""
        if role == "flip":
            self.flipped = True
        elif role in ("resize", *_WARPS):
            self.resampled = role
        elif role in ("colour", "statistics"):
            self.coloured = True
            self.statistics |= role == "statistics"
        elif role == "scale":
            self.scaled = True
        elif role == "normalise":
            self.normalised = True
