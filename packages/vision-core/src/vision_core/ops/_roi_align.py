"""Pooling of regions by bilinear sampling."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch._jit_internal import BroadcastingList2  # type: ignore[attr-defined]

__all__ = ["RoIAlign", "roi_align"]


def roi_align(
    input: Tensor,
    boxes: Tensor | list[Tensor],
    output_size: BroadcastingList2[int],
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
    aligned: bool = False,
) -> Tensor:
    """Average bilinear samples of feature maps in each bin of each box.

    He et al., "Mask R-CNN", ICCV 2017, section 3. This is the operator `roi_align` of `vision_contract`: pure torch, on
    any device, differentiable with respect to `input`; it can be scripted, compiled and, with a fixed `sampling_ratio`,
    exported.

    Args:
        input: `[N, C, H, W]` floating point.
        boxes: `[K, 5]`: index of the image in the batch, then x1, y1, x2, y2; or a list with `[L, 4]` boxes for each
            image.
        output_size: bins of each box, (height, width), or one value for both.
        spatial_scale: what box coordinates are multiplied with to get to the pixels of `input`.
        sampling_ratio: samples per bin in each direction; when <= 0, ceil(size of the box / bins) for each box.
        aligned: shift boxes by half a pixel, so that pixel centres lie at whole coordinates; without it boxes are at
            least one pixel large.

    Returns:
        `[K, C, height, width]`, dtype of `input`. Samples more than a pixel outside of the image count as 0.

    Raises:
        ValueError: shapes that do not fit.

    Examples:
        >>> import torch
        >>> image = torch.arange(16.0).view(1, 1, 4, 4)
        >>> roi_align(image, torch.tensor([[0.0, 0, 0, 4, 4]]), 2, sampling_ratio=2, aligned=True).flatten().tolist()
        [2.5, 4.5, 10.5, 12.5]
    """
    if isinstance(boxes, Tensor):
        rois = boxes
    else:
        numbered: list[Tensor] = []
        for index, part in enumerate(boxes):
            numbered.append(torch.cat([torch.full_like(part[:, :1], index), part], dim=1))
        rois = torch.cat(numbered)
    if input.dim() != 4:
        raise ValueError(f"input: expected [N, C, H, W], got {input.dim()} dimensions")
    if rois.dim() != 2 or rois.shape[1] != 5:
        raise ValueError("boxes: expected [K, 5] (index of the image, x1, y1, x2, y2) or a list of [L, 4] per image")
    if isinstance(output_size, int):
        bins_y, bins_x = output_size, output_size
    else:
        bins_y, bins_x = output_size[0], output_size[1]

    # Half precision has too few digits for coordinates.
    dtype = torch.float64 if rois.dtype == torch.float64 else torch.float32
    rois = rois.detach().to(dtype)
    offset = 0.5 if aligned else 0.0
    start = rois[:, 1:3] * spatial_scale - offset  # (K, 2): x, y
    extent = rois[:, 3:5] * spatial_scale - offset - start
    if not aligned:
        extent = extent.clamp(min=1.0)
    images = rois[:, 0].to(torch.int64)
    pixels = input.permute(0, 2, 3, 1).flatten(0, 2)  # (N * H * W, C): a pixel's channels side by side

    if (
        sampling_ratio > 0
        and not torch.jit.is_scripting()  # type: ignore[attr-defined]
        and (torch.compiler.is_compiling() or torch.jit.is_tracing())  # type: ignore[attr-defined]
    ):
        pooled = _pool(pixels, input, images, start, extent, bins_y, bins_x, sampling_ratio)
        return pooled.permute(0, 3, 1, 2)
    samples = sampling_ratio * sampling_ratio if sampling_ratio > 0 else 4
    per_box = max(input.shape[1] * bins_y * bins_x * samples, 1)
    step = max((1 << 22) // per_box, 1)  # boxes at a time: bounds the memory for the gathered pixels
    parts: list[Tensor] = []
    for first in range(0, rois.shape[0], step):
        last = first + step
        part = (images[first:last], start[first:last], extent[first:last])
        parts.append(_pool(pixels, input, part[0], part[1], part[2], bins_y, bins_x, sampling_ratio))
    if len(parts) == 0:
        return input.new_zeros([0, input.shape[1], bins_y, bins_x])
    return torch.cat(parts).permute(0, 3, 1, 2).contiguous()


def _pool(
    pixels: Tensor,
    input: Tensor,
    images: Tensor,
    start: Tensor,
    extent: Tensor,
    bins_y: int,
    bins_x: int,
    sampling_ratio: int,
) -> Tensor:
    """Pool boxes `[K]`: (K, bins_y, bins_x, C).

    Bilinear weights are products of a weight in y and one in x, and so is the mean over the samples of a bin.
    """
    height, width = input.shape[2], input.shape[3]
    low_y, high_y, weight_low_y, weight_high_y = _samples(start[:, 1], extent[:, 1], bins_y, height, sampling_ratio)
    low_x, high_x, weight_low_x, weight_high_x = _samples(start[:, 0], extent[:, 0], bins_x, width, sampling_ratio)
    base = images[:, None] * height
    rows = [((base + low_y) * width, weight_low_y), ((base + high_y) * width, weight_high_y)]
    columns = [(low_x, weight_low_x), (high_x, weight_high_x)]
    boxes, samples_y, samples_x = low_y.shape[0], low_y.shape[1], low_x.shape[1]
    total = torch.zeros([], dtype=input.dtype, device=input.device)
    for row, weight_y in rows:
        for column, weight_x in columns:
            at = (row[:, :, None] + column[:, None, :]).flatten()
            weight = (weight_y[:, :, None] * weight_x[:, None, :]).to(input.dtype)
            total = total + pixels.index_select(0, at).reshape(boxes, samples_y, samples_x, -1) * weight[..., None]
    per_bin = total.reshape(boxes, bins_y, samples_y // max(bins_y, 1), bins_x, samples_x // max(bins_x, 1), -1)
    return per_bin.sum(dim=(2, 4))


def _samples(
    start: Tensor, extent: Tensor, bins: int, pixels: int, sampling_ratio: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Place the samples of one direction: the two pixels beside each, and their share in the bin's mean.

    Returns four tensors (K, bins * samples): lower and upper pixel, weight of the lower and of the upper one. Boxes
    that need fewer samples than others get weights of 0 for the rest.
    """
    if sampling_ratio > 0:
        most = sampling_ratio
        count = torch.full_like(extent, float(sampling_ratio))
    else:
        count = torch.ceil(extent / bins)
        most = int(count.max().item()) if count.numel() > 0 else 0
    number = torch.arange(most, dtype=extent.dtype, device=extent.device)
    bin = torch.arange(bins, dtype=extent.dtype, device=extent.device)
    size = (extent / bins)[:, None, None]
    samples = count[:, None, None]
    position = start[:, None, None] + bin[:, None] * size + (number + 0.5) * size / samples  # (K, bins, most)
    seen = (number < samples) & (position >= -1.0) & (position <= pixels)
    position = torch.where(seen, position, 0.0).clamp(min=0.0, max=float(pixels - 1))
    low = position.to(torch.int64)
    high = (low + 1).clamp(max=pixels - 1)
    part = position - low.to(position.dtype)
    share = torch.where(seen, 1.0 / samples, 0.0)
    return low.flatten(1), high.flatten(1), ((1.0 - part) * share).flatten(1), (part * share).flatten(1)


class RoIAlign(nn.Module):
    """`roi_align` as a module.

    Args:
        output_size: bins of each box, (height, width), or one value for both.
        spatial_scale: what box coordinates are multiplied with to get to the pixels of the input.
        sampling_ratio: samples per bin in each direction; when <= 0, ceil(size of the box / bins).
        aligned: shift boxes by half a pixel.

    Examples:
        >>> import torch
        >>> pool = RoIAlign(7, spatial_scale=0.25, sampling_ratio=2)
        >>> pool(torch.zeros(1, 8, 32, 32), [torch.tensor([[0.0, 0.0, 64.0, 64.0]])]).shape
        torch.Size([1, 8, 7, 7])
    """

    def __init__(
        self, output_size: BroadcastingList2[int], spatial_scale: float, sampling_ratio: int, aligned: bool = False
    ) -> None:
        super().__init__()
        self.output_size = output_size
        self.spatial_scale = spatial_scale
        self.sampling_ratio = sampling_ratio
        self.aligned = aligned

    def forward(self, input: Tensor, rois: Tensor | list[Tensor]) -> Tensor:
        """Pool the boxes `rois`; see `roi_align`."""
        return roi_align(input, rois, self.output_size, self.spatial_scale, self.sampling_ratio, self.aligned)

    def extra_repr(self) -> str:
        """List the settings."""
        return (
            f"output_size={self.output_size}, spatial_scale={self.spatial_scale}, "
            f"sampling_ratio={self.sampling_ratio}, aligned={self.aligned}"
        )
