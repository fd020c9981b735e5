"""Position-sensitive RoIAlign: each bin samples channels of its own.

Li et al., "Light-Head R-CNN", 2017. Boxes are shifted by half a pixel, as `roi_align` does with `aligned=True`, whose
treatment of borders and malformed boxes holds here as well.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch._jit_internal import BroadcastingList2  # type: ignore[attr-defined]

from vision_core.ops._region_operators import OPERATORS
from vision_core.ops._regions import as_rois, pair

__all__ = ["PSRoIAlign", "ps_roi_align"]

_OPERATOR = OPERATORS["ps_roi_align"]


def ps_roi_align(
    input: Tensor,
    boxes: Tensor | list[Tensor],
    output_size: BroadcastingList2[int],
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
) -> Tensor:
    """Average bilinear samples in each bin of each box, each bin in its own channels.

    Args:
        input: `[N, C * height * width, H, W]` floating point: for each channel of the result one plane a bin, the bins
            row by row.
        boxes: `[K, 5]`: index of the image in the batch, then x1, y1, x2, y2; or a list with `[L, 4]` boxes for each
            image.
        output_size: bins of each box, (height, width), or one value for both.
        spatial_scale: what box coordinates are multiplied with to get to the pixels of `input`.
        sampling_ratio: samples per bin in each direction; when <= 0, ceil(size of the box / bins) for each box.

    Returns:
        `[K, C, height, width]`, dtype of `input`.

    Raises:
        ValueError: shapes that do not fit, or channels that the bins do not divide.
        TypeError: integer tensors.
        IndexError: a box of an image that does not exist.

    Examples:
        >>> import torch
        >>> image = torch.arange(4.0).view(1, 4, 1, 1).expand(1, 4, 6, 6)
        >>> ps_roi_align(image, torch.tensor([[0.0, 1, 1, 5, 5]]), 2).tolist()
        [[[[0.0, 1.0], [2.0, 3.0]]]]
    """
    size = pair(output_size)
    scale = [spatial_scale, spatial_scale]
    rois = as_rois(boxes, 4)
    if not torch.jit.is_scripting():  # type: ignore[attr-defined]
        return _OPERATOR(input, rois, size, scale, sampling_ratio, True)
    return torch.ops.vision_core.ps_roi_align(input, rois, size, scale, sampling_ratio, True)


class PSRoIAlign(nn.Module):
    """`ps_roi_align` as a module.

    Args:
        output_size: bins of each box, (height, width), or one value for both.
        spatial_scale: what box coordinates are multiplied with to get to the pixels of the input.
        sampling_ratio: samples per bin in each direction; when <= 0, ceil(size of the box / bins).

    Examples:
        >>> import torch
        >>> pool = PSRoIAlign(7, spatial_scale=0.25, sampling_ratio=2)
        >>> pool(torch.zeros(1, 49 * 3, 32, 32), [torch.tensor([[0.0, 0.0, 64.0, 64.0]])]).shape
        torch.Size([1, 3, 7, 7])
    """

    def __init__(self, output_size: BroadcastingList2[int], spatial_scale: float, sampling_ratio: int) -> None:
        super().__init__()
        self.output_size = output_size
        self.spatial_scale = spatial_scale
        self.sampling_ratio = sampling_ratio

    def forward(self, input: Tensor, rois: Tensor | list[Tensor]) -> Tensor:
        """Pool the boxes `rois`; see `ps_roi_align`."""
        return ps_roi_align(input, rois, self.output_size, self.spatial_scale, self.sampling_ratio)

    def extra_repr(self) -> str:
        """List the settings."""
        return (
            f"output_size={self.output_size}, spatial_scale={self.spatial_scale}, sampling_ratio={self.sampling_ratio}"
        )
