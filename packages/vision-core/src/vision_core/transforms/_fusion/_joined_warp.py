"""Mappings of warps, joined with flips and with each other."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from vision_core._pixels._frames import fill_outside
from vision_core.transforms.functional._matrix import Affine
from vision_core.transforms.functional._pad import Fill
from vision_core.transforms.functional._warp import fill_values, warp_affine, warp_perspective

__all__ = ["Warp"]

Mapping = tuple[float, ...]  # of homogeneous points (x, y, 1), row by row


def _product(p: Mapping, q: Mapping) -> Mapping:
    return tuple(sum(p[3 * row + k] * q[3 * k + column] for k in range(3)) for row in range(3) for column in range(3))


@dataclass(frozen=True)
class Warp:
    """Resampling by an affine mapping or a perspective one.

    Args:
        numbers: six numbers of an affine mapping about the middles of both images, or eight of a perspective about the
            upper left corners: where points of the result come from.
        source: (height, width) of what is resampled.
        size: (height, width) of the result.
        interpolation: a name that warps know.
        fill: of what lies outside.
        frames: of several warps that were joined, where points of the result are in the images between them, and the
            (height, width) of these; what is outside of one is filled.
        joined: how many warps it is made of.
    """

    numbers: tuple[float, ...]
    source: tuple[int, int]
    size: tuple[int, int]
    interpolation: str
    fill: Fill
    frames: tuple[tuple[Mapping, tuple[int, int]], ...] = ()
    joined: int = 1

    @property
    def is_affine(self) -> bool:
        """Whether straight lines stay parallel."""
        return len(self.numbers) == 6

    @property
    def name(self) -> str:
        """What a plan calls it."""
        return ("affine" if self.is_affine else "perspective") + (
            f" (of {self.joined} joined)" if self.joined > 1 else ""
        )

    @property
    def can_mirror(self) -> bool:
        """Whether the mirrored result can be had by other numbers, with the same values."""
        # About the middle, mirroring changes signs and nothing else. Where torch resamples, its own order of operations
        # is not known.
        native = self.interpolation == "nearest" or (self.interpolation == "bilinear" and not self._has_fill)
        return self.is_affine and native and not self.frames

    @property
    def _has_fill(self) -> bool:
        values = [self.fill] if isinstance(self.fill, (int, float)) else self.fill or []
        return any(values)

    def mirrored(self, left_to_right: bool, upside_down: bool) -> Warp:
        """Return the warp to the mirrored result."""
        a, b, c, d, e, f = self.numbers
        if left_to_right:
            a, d = -a, -d
        if upside_down:
            b, e = -b, -e
        return replace(self, numbers=(a, b, c, d, e, f))

    def matrix(self) -> Mapping:
        """Return the mapping from the result's corner to the source's corner."""
        if not self.is_affine:
            return (*self.numbers, 1.0)
        a, b, c, d, e, f = self.numbers
        y, x = self.size[0] * 0.5, self.size[1] * 0.5
        return (
            a,
            b,
            c - a * x - b * y + self.source[1] * 0.5,
            d,
            e,
            f - d * x - e * y + self.source[0] * 0.5,
            0.0,
            0.0,
            1.0,
        )

    def _with_matrix(self, m: Mapping, source: tuple[int, int], size: tuple[int, int]) -> Warp:
        """Return a warp of the same kind with another mapping."""
        scaled = tuple(value / m[8] for value in m)
        if scaled[6] == 0 and scaled[7] == 0:
            a, b, c, d, e, f = scaled[:6]
            y, x = size[0] * 0.5, size[1] * 0.5
            numbers: Affine = (a, b, c + a * x + b * y - source[1] * 0.5, d, e, f + d * x + e * y - source[0] * 0.5)
            return replace(self, numbers=numbers, source=source, size=size)
        return replace(self, numbers=scaled[:8], source=source, size=size)

    def from_mirrored(self, left_to_right: bool, upside_down: bool, source: tuple[int, int]) -> Warp:
        """Return the warp that does the same to an image whose mirror image this one is for."""
        return self._with_matrix(_product(_flip(left_to_right, upside_down, source), self.matrix()), source, self.size)

    def seen_through(self, region: tuple[int, int, bool, bool], size: tuple[int, int]) -> Warp:
        """Return the warp to a region (top, left, mirrored, upside down) of the result, which is (height, width)."""
        top, left, mirrored, upside_down = region
        to_region = _product((1.0, 0.0, left, 0.0, 1.0, top, 0.0, 0.0, 1.0), _flip(mirrored, upside_down, size))
        frames = tuple((_product(mapping, to_region), frame) for mapping, frame in self.frames)
        return replace(self._with_matrix(_product(self.matrix(), to_region), self.source, size), frames=frames)

    def then(self, other: Warp) -> Warp:
        """Return this warp and another one of its result as one; what was outside of the result between stays so."""
        step = other.matrix()
        frames = (*((_product(mapping, step), frame) for mapping, frame in self.frames), (step, self.size))
        joined = self._with_matrix(_product(self.matrix(), step), self.source, other.size)
        return replace(joined, frames=frames, joined=self.joined + other.joined)

    def run(self, image: Tensor) -> Tensor:
        """Resample an image."""
        if self.is_affine:
            numbers: Affine = self.numbers  # type: ignore[assignment]
            warped = warp_affine(image, numbers, self.size, self.interpolation, self.fill)
        else:
            warped = warp_perspective(image, self.numbers, self.interpolation, self.fill)
        if not self.frames:
            return warped
        inside: list[float] = []
        for mapping, frame in self.frames:
            inside += _half_planes(mapping, frame)
        channels = image.shape[-3]
        values = fill_values(self.fill, channels) or [0.0]
        values = values * channels if len(values) == 1 else values
        return fill_outside(warped, inside, [min(max(round(value), 0), 255) for value in values])


def _half_planes(m: Mapping, frame: tuple[int, int]) -> list[float]:
    """Return which points are mapped into a frame (height, width): four times the weights of x, y and 1."""
    across, down, depth = m[0:3], m[3:6], m[6:9]
    right = [frame[1] * d - x for x, d in zip(across, depth, strict=True)]
    below = [frame[0] * d - y for y, d in zip(down, depth, strict=True)]
    return [*across, *right, *down, *below]


def _flip(left_to_right: bool, upside_down: bool, size: tuple[int, int]) -> Mapping:
    x = (-1.0, float(size[1])) if left_to_right else (1.0, 0.0)
    y = (-1.0, float(size[0])) if upside_down else (1.0, 0.0)
    return (x[0], 0.0, x[1], 0.0, y[0], y[1], 0.0, 0.0, 1.0)
