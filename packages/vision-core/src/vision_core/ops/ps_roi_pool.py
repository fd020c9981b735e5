"""Position-sensitive RoIPool: each bin averages channels of its own.

Dai et al., "R-FCN", NeurIPS 2016, section 2.2. Corners are rounded to whole pixels, halves away from zero, and the last
one does not belong to the box, which is at least one pixel large; bins are rounded outwards, so that neighbours share
pixels. A bin without pixels of the image gives 0, and so do all bins of boxes with NaN or infinite coordinates.

As in torchvision, the last row and the last column of the image are not used. The gradient is that of this result
(torchvision's also reaches the last row and column, which its result does not depend on).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch._jit_internal import BroadcastingList2  # type: ignore[attr-defined]

from vision_core.ops._region_operators import OPERATORS
from vision_core.ops._regions import as_rois, pair

__all__ = ["PSRoIPool", "ps_roi_pool"]

_OPERATOR = OPERATORS["ps_roi_pool"]


def ps_roi_pool(
    input: Tensor,
    boxes: Tensor | list[Tensor],
    output_size: BroadcastingList2[int],
    spatial_scale: float = 1.0,
) -> Tensor:
    """Average the pixels in each bin of each box, each bin in its own channels.

    Args:
        input: `[N, C * height * width, H, W]` floating point: for each channel of the result one plane a bin, the bins
            row by row.
        boxes: `[K, 5]`: index of the image in the batch, then x1, y1, x2, y2; or a list with `[L, 4]` boxes for each
            image.
        output_size: bins of each box, (height, width), or one value for both.
        spatial_scale: what box coordinates are multiplied with to get to the pixels of `input`.

    Returns:
        `[K, C, height, width]`, dtype of `input`.

    Raises:
        ValueError: shapes that do not fit, or channels that the bins do not divide.
        TypeError: integer tensors.
        IndexError: a box of an image that does not exist.

    Examples:
        >>> import torch
        >>> image = torch.arange(4.0).view(1, 4, 1, 1).expand(1, 4, 6, 6)
        >>> ps_roi_pool(image, torch.tensor([[0.0, 1, 1, 5, 5]]), 2).tolist()
        [[[[0.0, 1.0], [2.0, 3.0]]]]
    """
    size = pair(output_size)
    scale = [spatial_scale, spatial_scale]
    rois = as_rois(boxes, 4)
    if not torch.jit.is_scripting():  # type: ignore[attr-defined]
        return _OPERATOR(input, rois, size, scale, 0, False)
    return torch.ops.vision_core.ps_roi_pool(input, rois, size, scale, 0, False)


class PSRoIPool(nn.Module):
    """`ps_roi_pool` as a module.

    Args:
        output_size: bins of each box, (height, width), or one value for both.
        spatial_scale: what box coordinates are multiplied with to get to the pixels of the input.

    Examples:
        >>> import torch
        >>> pool = PSRoIPool(7, spatial_scale=0.25)
        >>> pool(torch.zeros(1, 49 * 3, 32, 32), [torch.tensor([[0.0, 0.0, 64.0, 64.0]])]).shape
        torch.Size([1, 3, 7, 7])
    """

    def __init__(self, output_size: BroadcastingList2[int], spatial_scale: float) -> None:
        super().__init__()
        self.output_size = output_size
        self.spatial_scale = spatial_scale

    def forward(self, input: Tensor, rois: Tensor | list[Tensor]) -> Tensor:
        """Pool the boxes `rois`; see `ps_roi_pool`."""
        return ps_roi_pool(input, rois, self.output_size, self.spatial_scale)

    def extra_repr(self) -> str:
        """List the settings."""
        return f"output_size={self.output_size}, spatial_scale={self.spatial_scale}"
