"""RoIPool: the greatest value in each bin of a region.

Girshick, "Fast R-CNN", ICCV 2015, section 2.1. Corners are rounded to whole pixels, halves away from zero, and both
belong to the box; bins are rounded outwards, so that neighbours share pixels. A bin without pixels of the image gives
0, and so do all bins of boxes with NaN or infinite coordinates. NaN in the input is never the greatest value; a bin
with nothing but NaN and negative infinity gives the least finite number. Where values are equal, the gradient goes to
the first one. There is no gradient with respect to boxes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch._jit_internal import BroadcastingList2  # type: ignore[attr-defined]

from vision_core.ops._region_maximum import pool_maximum
from vision_core.ops._regions import as_rois, pair

__all__ = ["RoIPool", "roi_pool"]


def roi_pool(
    input: Tensor,
    boxes: Tensor | list[Tensor],
    output_size: BroadcastingList2[int],
    spatial_scale: float = 1.0,
) -> Tensor:
    """Take the greatest value of feature maps in each bin of each box.

    Args:
        input: `[N, C, H, W]` floating point.
        boxes: `[K, 5]`: index of the image in the batch, then x1, y1, x2, y2; or a list with `[L, 4]` boxes for each
            image.
        output_size: bins of each box, (height, width), or one value for both.
        spatial_scale: what box coordinates are multiplied with to get to the pixels of `input`.

    Returns:
        `[K, C, height, width]`, dtype of `input`.

    Raises:
        ValueError: shapes that do not fit.
        TypeError: integer tensors.
        IndexError: a box of an image that does not exist.

    Examples:
        >>> import torch
        >>> image = torch.arange(16.0).view(1, 1, 4, 4)
        >>> roi_pool(image, torch.tensor([[0.0, 0, 0, 3, 3]]), 2).flatten().tolist()
        [5.0, 7.0, 13.0, 15.0]
    """
    size = pair(output_size)
    rois = as_rois(boxes, 4)
    if not torch.jit.is_scripting():  # type: ignore[attr-defined]
        return pool_maximum(input, rois, size, spatial_scale)
    return torch.ops.vision_core.roi_pool_argmax(input, rois, size, spatial_scale)[0]


class RoIPool(nn.Module):
    """`roi_pool` as a module.

    Args:
        output_size: bins of each box, (height, width), or one value for both.
        spatial_scale: what box coordinates are multiplied with to get to the pixels of the input.

    Examples:
        >>> import torch
        >>> pool = RoIPool(7, spatial_scale=0.25)
        >>> pool(torch.zeros(1, 8, 32, 32), [torch.tensor([[0.0, 0.0, 64.0, 64.0]])]).shape
        torch.Size([1, 8, 7, 7])
    """

    def __init__(self, output_size: BroadcastingList2[int], spatial_scale: float) -> None:
        super().__init__()
        self.output_size = output_size
        self.spatial_scale = spatial_scale

    def forward(self, input: Tensor, rois: Tensor | list[Tensor]) -> Tensor:
        """Pool the boxes `rois`; see `roi_pool`."""
        return roi_pool(input, rois, self.output_size, self.spatial_scale)

    def extra_repr(self) -> str:
        """List the settings."""
        return f"output_size={self.output_size}, spatial_scale={self.spatial_scale}"
