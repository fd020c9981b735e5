"""Operators on regions in pure torch, on any device: the oracles of the kernels, and the fallback without them.

The functions for sampling are differentiable by autograd; `spread_reference` is their transpose, written out for where
autograd does not reach.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from vision_core.ops._region_taps import Sampling, align_taps, bin_ranges, pool_taps, rotated_taps
from vision_core.ops._regions import coordinates, image_numbers

__all__ = ["SENSITIVE", "maximum_reference", "pool_reference", "spread_reference"]

SENSITIVE = ("ps_roi_align", "ps_roi_pool")  # their channels are divided among the bins
_TAPS = {
    "roi_align": align_taps,
    "roi_align_rotated": rotated_taps,
    "roi_align_3d": align_taps,
    "ps_roi_align": align_taps,
    "ps_roi_pool": pool_taps,
}
_VALUES = 1 << 22  # gathered pixels at a time, which bounds the memory


def pool_reference(
    name: str,
    input: Tensor,
    boxes: Tensor,
    output_size: list[int],
    scale: list[float],
    sampling_ratio: int,
    aligned: bool,
) -> Tensor:
    """Pool by sampling: what the operators `roi_align`, `ps_roi_pool` ... do.

    Args:
        name: of the operator in `torch.ops.vision_core`.
        input: `[N, C, (D,) H, W]`.
        boxes: `[K, 1 + values]`.
        output_size: bins along each spatial axis.
        scale: pixels per unit of the boxes, along each spatial axis.
        sampling_ratio: samples per bin and axis; when <= 0, ceil(size of the box / bins).
        aligned: see `roi_align`.

    Returns:
        `[K, C, *output_size]`; of the position-sensitive ones, `[K, C / bins, *output_size]`.
    """
    planes = _planes(name, output_size)
    how = Sampling(tuple(input.shape[2:]), tuple(output_size), tuple(scale), sampling_ratio, aligned)
    channels = input.shape[1] // planes
    precision = torch.float64 if input.dtype == torch.float64 else torch.float32
    # (N * planes * pixels, C): the channels of a pixel side by side
    count = math.prod(how.pixels)
    pixels = input.reshape(input.shape[0], channels, planes, count).permute(0, 2, 3, 1).flatten(0, 2)
    parts = []
    for images, part in _chunks(boxes, input.shape[0], input.shape[1], how):
        total = None
        for index, weight in _TAPS[name](part, how):
            at = index + _base(images, planes, how)
            weight = weight.to(precision)[..., None]
            values = pixels.index_select(0, at.flatten()).to(precision).reshape(*at.shape, channels)
            values = torch.where(weight != 0, values, 0.0) * weight  # what has no weight may be infinite
            total = values if total is None else total + values
        assert total is not None
        parts.append(total.sum(dim=tuple(range(2, total.dim() - 1, 2))).movedim(-1, 1))
    if not parts:
        return input.new_zeros([boxes.shape[0], channels, *output_size])
    return torch.cat(parts).to(input.dtype).contiguous()


def spread_reference(
    name: str,
    grad: Tensor,
    boxes: Tensor,
    input_shape: list[int],
    scale: list[float],
    sampling_ratio: int,
    aligned: bool,
) -> Tensor:
    """Do the transpose of `pool_reference`: give each pixel what the bins that saw it got.

    Args:
        name: of the operator.
        grad: `[K, C, *output_size]`.
        boxes: `[K, 1 + values]`.
        input_shape: `[N, C, (D,) H, W]`.
        scale: see `pool_reference`.
        sampling_ratio: see `pool_reference`.
        aligned: see `pool_reference`.

    Returns:
        A tensor of `input_shape`.
    """
    output_size = list(grad.shape[2:])
    planes = _planes(name, output_size)
    how = Sampling(tuple(input_shape[2:]), tuple(output_size), tuple(scale), sampling_ratio, aligned)
    channels = grad.shape[1]
    precision = torch.float64 if grad.dtype == torch.float64 else torch.float32
    count = math.prod(how.pixels)
    spread = grad.new_zeros([input_shape[0] * planes * count, channels], dtype=precision)
    first = 0
    for images, part in _chunks(boxes, input_shape[0], input_shape[1], how):
        bins = grad[first : first + part.shape[0]].movedim(1, -1).to(precision)
        first += part.shape[0]
        for axis in range(len(output_size)):  # (K, bins, 1, bins, 1, C)
            bins = bins.unsqueeze(2 + 2 * axis)
        for index, weight in _TAPS[name](part, how):
            at = index + _base(images, planes, how)
            spread.index_add_(0, at.flatten(), (bins * weight.to(precision)[..., None]).reshape(-1, channels))
    spread = spread.reshape(input_shape[0], planes, count, channels).permute(0, 3, 1, 2)
    return spread.reshape(input_shape).to(grad.dtype).contiguous()


def maximum_reference(
    input: Tensor, boxes: Tensor, output_size: list[int], spatial_scale: float
) -> tuple[Tensor, Tensor]:
    """Pool the greatest value of each bin, boxes and bins rounded to whole pixels.

    Args:
        input: `[N, C, H, W]`.
        boxes: `[K, 5]`.
        output_size: (height, width).
        spatial_scale: pixels per unit of the boxes.

    Returns:
        `[K, C, height, width]`, and where in its image (y * W + x) each value is found, int32: the first place among
        equals, -1 where the bin has no pixel (the value is 0 there) or none that is greater than the least number.
    """
    how = Sampling(
        (input.shape[2], input.shape[3]), (output_size[0], output_size[1]), (spatial_scale, spatial_scale), 0, False
    )
    channels = input.shape[1]
    lowest = torch.finfo(input.dtype).min
    precision = torch.float64 if input.dtype == torch.float64 else torch.float32
    pixels = input.permute(0, 2, 3, 1).flatten(0, 2)
    values, places = [], []
    for images, part in _chunks(boxes, input.shape[0], channels, how):
        index, inside = _window(part, how)  # (K, bins, pixels, bins, pixels)
        at = index + _base(images, 1, how)
        found = pixels.index_select(0, at.flatten()).to(precision).reshape(*at.shape, channels)
        valid = inside[..., None] & (found > lowest)
        found = torch.where(valid, found, lowest)
        best = found.amax(dim=(2, 4))
        nowhere = torch.iinfo(torch.int64).max
        place = torch.where(valid & (found == best[:, :, None, :, None]), index[..., None], nowhere).amin(dim=(2, 4))
        empty = ~inside.any(4).any(2)
        values.append(torch.where(empty[..., None], 0.0, best).movedim(-1, 1))
        places.append(torch.where(place == nowhere, -1, place).to(torch.int32).movedim(-1, 1))
    if not values:
        shape = [boxes.shape[0], channels, *output_size]
        return input.new_zeros(shape), torch.full(shape, -1, dtype=torch.int32, device=input.device)
    return torch.cat(values).to(input.dtype).contiguous(), torch.cat(places).contiguous()


def _window(boxes: Tensor, how: Sampling) -> tuple[Tensor, Tensor]:
    """Return the pixels of each bin, and which of them belong to it."""
    indices, inside = [], []
    for axis in (0, 1):
        start, stop = bin_ranges(boxes, how, axis, inclusive=True)
        most = int((stop - start).max().clamp(min=1).item()) if start.numel() > 0 else 0
        number = torch.arange(most, device=boxes.device)
        within = number < (stop - start)[:, :, None]
        indices.append(torch.where(within, start[:, :, None] + number, 0))
        inside.append(within)
    index = indices[0][..., None, None] * how.pixels[1] + indices[1][:, None, None]
    return index, inside[0][..., None, None] & inside[1][:, None, None]


def _planes(name: str, output_size: list[int]) -> int:
    """Planes of the input that belong to one channel of the output."""
    return math.prod(output_size) if name in SENSITIVE else 1


def _base(images: Tensor, planes: int, how: Sampling) -> Tensor:
    """Return the number of the first pixel of each box's image and each bin's plane, `[K, bins, 1, bins, 1]`."""
    axes = len(how.bins)
    base = images.reshape(-1, *[1] * (2 * axes)) * planes
    if planes > 1:
        number = torch.arange(planes, device=images.device).reshape(how.bins)
        for axis in range(axes):
            number = number.unsqueeze(2 * axis + 1)
        base = base + number
    return base * math.prod(how.pixels)


def _chunks(boxes: Tensor, images: int, channels: int, how: Sampling) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the images and the coordinates of some boxes at a time; nothing where no bin can see a pixel."""
    if boxes.shape[0] == 0:
        return
    numbers = image_numbers(boxes, images)
    if channels == 0 or 0 in how.bins or 0 in how.pixels:
        return
    rois = coordinates(boxes)[:, 1:]
    sides = rois[:, 2:4] if rois.shape[1] == 5 else rois[:, rois.shape[1] // 2 :] - rois[:, : rois.shape[1] // 2]
    longest = float(torch.nan_to_num(sides).abs().max().item())
    per_box = channels
    for pixels, bins, scale in zip(how.pixels, how.bins, how.scale, strict=True):
        samples = how.ratio if how.ratio > 0 else int(min(longest * abs(scale) / bins, 2 * pixels)) + 2
        per_box *= bins * samples
    step = max(_VALUES // per_box, 1)
    for first in range(0, boxes.shape[0], step):
        yield numbers[first : first + step], rois[first : first + step]
