"""RoIAlign: pooling of regions by bilinear sampling, for upright and for rotated boxes.

He et al., "Mask R-CNN", ICCV 2017, section 3. Each bin of a box is the mean of bilinear samples on a regular grid in
it. Samples more than a pixel outside of the image count as 0, and so do all samples of boxes with NaN or infinite
coordinates. Boxes whose last corner lies before the first are one pixel large, or, with `aligned`, mirrored (when
`sampling_ratio` is given) or empty, which gives 0. There is no gradient with respect to boxes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch._jit_internal import BroadcastingList2  # type: ignore[attr-defined]

from vision_core.ops._region_operators import OPERATORS
from vision_core.ops._regions import as_rois, pair

__all__ = ["RoIAlign", "roi_align"]

_OPERATOR = OPERATORS["roi_align"]
_ROTATED = OPERATORS["roi_align_rotated"]


def roi_align(
    input: Tensor,
    boxes: Tensor | list[Tensor],
    output_size: BroadcastingList2[int],
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
    aligned: bool = False,
    fmt: str = "xyxy",
) -> Tensor:
    """Average bilinear samples of feature maps in each bin of each box.

    This is the operator `roi_align` of `vision_contract`; it can be scripted, compiled, exported and used under `vmap`,
    and it is differentiable (any number of times) with respect to `input`.

    Args:
        input: `[N, C, H, W]` floating point; half precision is computed in float32.
        boxes: `[K, 5]`: index of the image in the batch, then x1, y1, x2, y2; or a list with `[L, 4]` boxes for each
            image. With `fmt="cxcywhr"`: `[K, 6]` or `[L, 5]`.
        output_size: bins of each box, (height, width), or one value for both.
        spatial_scale: what box coordinates are multiplied with to get to the pixels of `input`.
        sampling_ratio: samples per bin in each direction; when <= 0, ceil(size of the box / bins) for each box.
        aligned: shift boxes by half a pixel, so that pixel centres lie at whole coordinates; without it boxes are at
            least one pixel large.
        fmt: "xyxy", or "cxcywhr" for rotated boxes: centre, size, and the angle in degrees, counter-clockwise. The
            bins of a rotated box are counted along its own sides.

    Returns:
        `[K, C, height, width]`, dtype of `input`.

    Raises:
        ValueError: shapes that do not fit, or an unknown `fmt`.
        TypeError: integer tensors.
        IndexError: a box of an image that does not exist.

    Examples:
        >>> import torch
        >>> image = torch.arange(16.0).view(1, 1, 4, 4)
        >>> roi_align(image, torch.tensor([[0.0, 0, 0, 4, 4]]), 2, sampling_ratio=2, aligned=True).flatten().tolist()
        [2.5, 4.5, 10.5, 12.5]
        >>> turned = torch.tensor([[0.0, 2, 2, 4, 4, 90]])
        >>> pooled = roi_align(image, turned, 2, sampling_ratio=2, aligned=True, fmt="cxcywhr")
        >>> pooled.round(decimals=4).flatten().tolist()
        [10.5, 2.5, 12.5, 4.5]
    """
    size = pair(output_size)
    scale = [spatial_scale, spatial_scale]
    if fmt != "xyxy" and fmt != "cxcywhr":  # TorchScript knows no `in` for this
        raise ValueError(f"fmt: expected xyxy or cxcywhr, got {fmt}")
    rotated = fmt == "cxcywhr"
    rois = as_rois(boxes, 5 if rotated else 4)
    if not torch.jit.is_scripting():  # type: ignore[attr-defined]
        return (_ROTATED if rotated else _OPERATOR)(input, rois, size, scale, sampling_ratio, aligned)
    if rotated:
        return torch.ops.vision_core.roi_align_rotated(input, rois, size, scale, sampling_ratio, aligned)
    return torch.ops.vision_core.roi_align(input, rois, size, scale, sampling_ratio, aligned)


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
