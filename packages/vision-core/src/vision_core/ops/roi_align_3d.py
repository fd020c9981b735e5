"""RoIAlign in volumes and clips; see `roi_align` for what samples count."""

from __future__ import annotations

import torch
from torch import Tensor
from torch._jit_internal import BroadcastingList3  # type: ignore[attr-defined]

from vision_core.ops._region_operators import OPERATORS
from vision_core.ops._regions import as_rois

__all__ = ["roi_align_3d"]

_OPERATOR = OPERATORS["roi_align_3d"]


def roi_align_3d(
    input: Tensor,
    boxes: Tensor | list[Tensor],
    output_size: BroadcastingList3[int],
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
    aligned: bool = False,
    depth_scale: float | None = None,
) -> Tensor:
    """Average trilinear samples of volumes, or of clips, in each bin of each box.

    Args:
        input: `[N, C, D, H, W]` floating point; D may be the time of a clip.
        boxes: `[K, 7]`: index of the volume in the batch, then x1, y1, z1, x2, y2, z2; or a list with `[L, 6]` boxes
            for each volume.
        output_size: bins of each box, (depth, height, width), or one value for all.
        spatial_scale: what box coordinates are multiplied with to get to the pixels of `input`.
        sampling_ratio: samples per bin in each direction; when <= 0, ceil(size of the box / bins) for each box.
        aligned: see `roi_align`; it holds for all three axes.
        depth_scale: what z is multiplied with, where it differs from `spatial_scale`.

    Returns:
        `[K, C, depth, height, width]`, dtype of `input`.

    Raises:
        ValueError: shapes that do not fit.
        TypeError: integer tensors.
        IndexError: a box of a volume that does not exist.

    Examples:
        >>> import torch
        >>> volume = torch.arange(8.0).view(1, 1, 2, 2, 2)
        >>> box = torch.tensor([[0.0, 0, 0, 0, 2, 2, 2]])
        >>> roi_align_3d(volume, box, (2, 1, 1), sampling_ratio=2, aligned=True).flatten().tolist()
        [2.0, 5.0]
    """
    scale = [spatial_scale if depth_scale is None else depth_scale, spatial_scale, spatial_scale]
    if isinstance(output_size, int):
        size = [output_size, output_size, output_size]
    else:
        size = [output_size[0], output_size[1], output_size[2]]
    rois = as_rois(boxes, 6)
    if not torch.jit.is_scripting():  # type: ignore[attr-defined]
        return _OPERATOR(input, rois, size, scale, sampling_ratio, aligned)
    return torch.ops.vision_core.roi_align_3d(input, rois, size, scale, sampling_ratio, aligned)
