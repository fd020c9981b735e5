"""Where operators on regions look, in pure torch: pixels and weights for every sample of every bin of every box.

Pooling by sampling is linear: a bin is a weighted sum of pixels. A tap is a pair of tensors, the number of a pixel in
its image and its weight in the mean of the bin, both broadcastable to `[K, bins, samples, bins, samples(, ...)]`: bins
and samples along each spatial axis in turn, depth first. Bilinear sampling has a tap for each corner around a sample.

What does not count (outside of the image, NaN, boxes without extent) has pixel 0 and weight 0.
"""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["Sampling", "Tap", "align_taps", "pool_taps", "rotated_taps"]

Tap = tuple[Tensor, Tensor]


class Sampling(NamedTuple):
    """How boxes are laid over pixels.

    Attributes:
        pixels: size of the image along each axis, (depth,) height, width.
        bins: bins of a box along each axis.
        scale: pixels per unit of the boxes along each axis.
        ratio: samples per bin and axis; when <= 0, ceil(size of the box / bins).
        aligned: whether pixel centres lie at half-integers; otherwise boxes are at least one pixel large.
    """

    pixels: tuple[int, ...]
    bins: tuple[int, ...]
    scale: tuple[float, ...]
    ratio: int
    aligned: bool

    def extents(self, first: Tensor, last: Tensor, axis: int) -> tuple[Tensor, Tensor]:
        """Return where boxes start along an axis and how far they reach, in pixels."""
        offset = 0.5 if self.aligned else 0.0
        start = first * self.scale[axis] - offset
        extent = last * self.scale[axis] - offset - start
        return start, extent if self.aligned else extent.clamp(min=1.0)

    def samples(self, extent: Tensor, axis: int) -> Tensor:
        """Return the number of samples in each bin along an axis, `[K]` floating point."""
        if self.ratio > 0:
            return torch.full_like(extent, float(self.ratio))
        count = torch.ceil(extent / self.bins[axis]) if self.bins[axis] > 0 else torch.zeros_like(extent)
        return torch.where(count.isfinite(), count, 0.0).clamp(min=0.0)

    def limit(self, pixels: int) -> int:
        """Return how many samples of one bin can lie within so many pixels."""
        return self.ratio if self.ratio > 0 else 2 * pixels + 8


def align_taps(boxes: Tensor, how: Sampling) -> list[Tap]:
    """Sample upright boxes bilinearly.

    Args:
        boxes: `[K, 2 * axes]`: the first corner, then the last one, each x, y(, z).
        how: the grid.
    """
    axes = len(how.pixels)
    rows: list[tuple[Tap, Tap]] = []
    for axis in range(axes):
        coordinate = axes - 1 - axis
        start, extent = how.extents(boxes[:, coordinate], boxes[:, axes + coordinate], axis)
        rows.append(_bilinear(start, extent, how.samples(extent, axis), how, axis))
    taps = []
    for corner in itertools.product((0, 1), repeat=axes):
        chosen = [rows[axis][side] for axis, side in enumerate(corner)]
        taps.append(_outer(chosen, how.pixels))
    return taps


def pool_taps(boxes: Tensor, how: Sampling) -> list[Tap]:
    """Average all pixels of each bin, boxes and bins rounded to whole pixels, as R-FCN does."""
    return [_outer([_tap_of(*bin_ranges(boxes, how, axis, inclusive=False)) for axis in (0, 1)], how.pixels)]


def bin_ranges(boxes: Tensor, how: Sampling, axis: int, *, inclusive: bool) -> tuple[Tensor, Tensor]:
    """Return the first pixel of each bin along an axis and the one after its last, `[K, bins]` int64.

    Args:
        boxes: `[K, 4]`: x1, y1, x2, y2.
        how: the grid.
        axis: 0 for y, 1 for x.
        inclusive: whether the last pixel belongs to the box (RoI pooling), or not (R-FCN).
    """
    first, last = (_rounded(boxes[:, i] * how.scale[axis]) for i in (1 - axis, 3 - axis))
    size = (last - first + (1 if inclusive else 0)).clamp(min=1) / how.bins[axis]
    bin = torch.arange(how.bins[axis], dtype=boxes.dtype, device=boxes.device)
    limit = float(how.pixels[axis] - (0 if inclusive else 1))  # R-FCN in torchvision leaves out the border
    start = (torch.floor(bin * size[:, None]) + first[:, None]).clamp(0, limit)
    stop = (torch.ceil((bin + 1) * size[:, None]) + first[:, None]).clamp(0, limit)
    valid = (first.isfinite() & last.isfinite())[:, None]
    return torch.where(valid, start, 0.0).to(torch.int64), torch.where(valid, stop, 0.0).to(torch.int64)


def rotated_taps(boxes: Tensor, how: Sampling) -> list[Tap]:
    """Sample rotated boxes bilinearly.

    Args:
        boxes: `[K, 5]`: centre, size, angle in degrees, counter-clockwise.
        how: the grid.
    """
    offset = 0.5 if how.aligned else 0.0
    centre = boxes[:, :2] * how.scale[0] - offset
    size = boxes[:, 2:4] * how.scale[0]
    size = size if how.aligned else size.clamp(min=1.0)
    angle = boxes[:, 4] * (math.pi / 180)
    cos, sin = torch.cos(angle), torch.sin(angle)
    # The middle of the image in the axes of the box, and a circle around it that holds all that counts.
    middle = [0.5 * how.pixels[1] - centre[:, 0], 0.5 * how.pixels[0] - centre[:, 1]]
    radius = 0.5 * math.hypot(how.pixels[0] + 2.0, how.pixels[1] + 2.0)
    lowest = (middle[0] * sin + middle[1] * cos - radius, middle[0] * cos - middle[1] * sin - radius)
    along = []  # distances from the centre, (K, bins, samples)
    shares = []
    for axis in (0, 1):
        extent = size[:, 1 - axis]
        count = how.samples(extent, axis)
        limit = how.limit(int(2 * radius))
        distance, counts = _positions(-0.5 * extent, extent, count, how.bins[axis], lowest[axis], limit)
        along.append(distance)
        shares.append(torch.where(counts, 1.0 / count[:, None, None], 0.0))
    v, u = along[0][:, :, :, None, None], along[1][:, None, None]
    cos, sin = cos[:, None, None, None, None], sin[:, None, None, None, None]
    y = v * cos - u * sin + centre[:, 1, None, None, None, None]
    x = v * sin + u * cos + centre[:, 0, None, None, None, None]
    share = shares[0][:, :, :, None, None] * shares[1][:, None, None]
    seen = _seen(y, how.pixels[0]) & _seen(x, how.pixels[1])
    share = torch.where(seen, share, 0.0)
    low_y, high_y, part_y = _neighbours(torch.where(seen, y, 0.0), how.pixels[0])
    low_x, high_x, part_x = _neighbours(torch.where(seen, x, 0.0), how.pixels[1])
    rows, columns = ((low_y, 1 - part_y), (high_y, part_y)), ((low_x, 1 - part_x), (high_x, part_x))
    return [
        (row * how.pixels[1] + column, weight_y * weight_x * share)
        for row, weight_y in rows
        for column, weight_x in columns
    ]


def _bilinear(start: Tensor, extent: Tensor, count: Tensor, how: Sampling, axis: int) -> tuple[Tap, Tap]:
    """Return the lower and the upper neighbours of samples along one axis, `[K, bins, samples]`."""
    pixels = how.pixels[axis]
    position, counts = _positions(start, extent, count, how.bins[axis], torch.full_like(start, -1.0), how.limit(pixels))
    seen = counts & _seen(position, pixels)
    share = torch.where(seen, 1.0 / count[:, None, None], 0.0)
    low, high, part = _neighbours(torch.where(seen, position, 0.0), pixels)
    return (low, (1.0 - part) * share), (high, part * share)


def _positions(
    start: Tensor, extent: Tensor, count: Tensor, bins: int, lowest: Tensor, limit: int
) -> tuple[Tensor, Tensor]:
    """Return the positions of samples along an axis, `[K, bins, samples]`, and which of them exist.

    Boxes may reach far beyond the image: of more than `limit` samples in a bin those from `lowest` on are returned.
    """
    most = int(count.max().item()) if count.numel() > 0 else 0
    number = torch.arange(min(most, limit), dtype=extent.dtype, device=extent.device)
    bin = torch.arange(bins, dtype=extent.dtype, device=extent.device)
    size = (extent / bins)[:, None, None]
    counts = count[:, None, None]
    first = start[:, None, None] + bin[:, None] * size
    if most > limit:
        skipped = ((lowest[:, None, None] - first) / (size / counts)).floor().clamp(min=0.0)
        number = number + torch.where(counts > limit, skipped, 0.0)
    position = first + (number + 0.5) * size / counts
    return position, (number < counts).expand(position.shape)


def _seen(position: Tensor, pixels: int) -> Tensor:
    return (position >= -1.0) & (position <= pixels)


def _neighbours(position: Tensor, pixels: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return the pixels below and above positions, and how far towards the upper one they lie."""
    position = position.clamp(min=0.0, max=float(max(pixels - 1, 0)))
    low = position.to(torch.int64)
    return low, (low + 1).clamp(max=max(pixels - 1, 0)), position - low.to(position.dtype)


def _tap_of(start: Tensor, stop: Tensor) -> Tap:
    """Give all pixels of ranges `[K, bins]` the same weight: `[K, bins, pixels]`."""
    count = (stop - start).clamp(min=0)
    most = int(count.max().item()) if count.numel() > 0 else 0
    number = torch.arange(most, device=start.device)
    inside = number < count[:, :, None]
    return torch.where(inside, start[:, :, None] + number, 0), torch.where(
        inside, 1.0 / count[:, :, None].to(torch.float64), 0.0
    )


def _outer(taps: list[Tap], pixels: tuple[int, ...]) -> Tap:
    """Combine the taps of the axes, each `[K, bins, samples]`."""
    index, weight = taps[0]
    for (inner_index, inner_weight), size in zip(taps[1:], pixels[1:], strict=True):
        shape = inner_index.shape[:1] + (1,) * (index.dim() - 1) + inner_index.shape[1:]
        index = index[..., None, None] * size + inner_index.reshape(shape)
        weight = weight[..., None, None] * inner_weight.reshape(shape)
    return index, weight


def _rounded(values: Tensor) -> Tensor:
    """Round to the nearest integer, halves away from zero."""
    whole = values.trunc()
    return whole + torch.where((values - whole).abs() >= 0.5, values.sign(), 0.0)
