"""RoIAlign: features of boxes, by bilinear sampling."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from vision_contract import find

__all__ = ["RoIAlign", "reference_roi_align"]


def reference_roi_align(
    input: Tensor,
    boxes: Tensor,
    output_size: list[int],
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
    aligned: bool = False,
) -> Tensor:
    """Average bilinear samples in each bin of each box, with torch's own operators, on any device.

    Args:
        input: ``[N, C, H, W]`` features, float.
        boxes: ``[K, 5]`` float: index in the batch, x1, y1, x2, y2.
        output_size: Bins per box, ``[height, width]``.
        spatial_scale: Boxes are multiplied by it to get to the pixels of ``input``.
        sampling_ratio: Samples per bin and direction; not positive: as many as a bin has pixels.
        aligned: Shift boxes by half a pixel; without, boxes are at least one pixel large.

    Returns:
        ``[K, C, height, width]``. Samples more than a pixel outside of the features are 0.

    Source: He et al., "Mask R-CNN", ICCV 2017, https://arxiv.org/abs/1703.06870.

    Example:
        >>> box = torch.tensor([[0.0, 1.0, 1.0, 3.0, 3.0]])
        >>> reference_roi_align(torch.ones(1, 2, 4, 4), box, [2, 2]).unique()
        tensor([1.])
    """
    rows, columns = output_size[0], output_size[1]
    shift = 0.5 if aligned else 0.0
    outputs: list[Tensor] = []
    for k in range(boxes.shape[0]):
        x1, y1, x2, y2 = (boxes[k, 1:] * spatial_scale - shift).unbind()
        width, height = x2 - x1, y2 - y1
        if not aligned:
            width, height = width.clamp(min=1.0), height.clamp(min=1.0)
        down = sampling_ratio if sampling_ratio > 0 else max(1, int(torch.ceil(height / rows)))
        across = sampling_ratio if sampling_ratio > 0 else max(1, int(torch.ceil(width / columns)))
        y = y1 + (torch.arange(rows * down, device=input.device) + 0.5) * (height / (rows * down))
        x = x1 + (torch.arange(columns * across, device=input.device) + 0.5) * (width / (columns * across))
        features = input[int(boxes[k, 0])]
        along_y = _bilinear_weights(y, features.shape[1]).to(input.dtype)
        along_x = _bilinear_weights(x, features.shape[2]).to(input.dtype)
        samples = along_y @ features @ along_x.t()  # (C, rows * down, columns * across)
        outputs.append(samples.reshape(-1, rows, down, columns, across).mean(dim=[2, 4]))
    if len(outputs) == 0:
        return input.new_zeros([0, input.shape[1], rows, columns])
    return torch.stack(outputs)


def _bilinear_weights(position: Tensor, size: int) -> Tensor:
    """Return the matrix ``[positions, size]`` that samples an axis linearly; rows of zeros lie outside."""
    inside = (position >= -1.0) & (position <= size)
    position = position.clamp(0.0, float(size - 1))
    pixel = torch.arange(size, device=position.device)
    weights = (1.0 - (position[:, None] - pixel).abs()).clamp(min=0.0)
    return weights * inside[:, None]


class RoIAlign(nn.Module):
    """RoIAlign as a layer, with the installed operator or else :func:`reference_roi_align`.

    Args:
        output_size: Bins per box, (height, width).
        spatial_scale: Boxes are multiplied by it to get to the pixels of the features.
        sampling_ratio: Samples per bin and direction; not positive: as many as a bin has pixels.
        aligned: Shift boxes by half a pixel.
        roi_align: The operator; ``None`` for the installed one.
    """

    def __init__(
        self,
        output_size: Sequence[int],
        spatial_scale: float,
        sampling_ratio: int,
        aligned: bool = False,
        *,
        roi_align: Callable[..., Tensor] | None = None,
    ) -> None:
        super().__init__()
        self.output_size = [int(size) for size in output_size]
        self.spatial_scale = spatial_scale
        self.sampling_ratio = sampling_ratio
        self.aligned = aligned
        self.roi_align = find("roi_align", default=reference_roi_align) if roi_align is None else roi_align

    def forward(self, input: Tensor, rois: Tensor) -> Tensor:
        """Map features ``[N, C, H, W]`` and boxes ``[K, 5]`` to ``[K, C, height, width]``."""
        return self.roi_align(input, rois, self.output_size, self.spatial_scale, self.sampling_ratio, self.aligned)

    def extra_repr(self) -> str:
        """Show the settings."""
        return (
            f"output_size={self.output_size}, spatial_scale={self.spatial_scale:g}, "
            f"sampling_ratio={self.sampling_ratio}, aligned={self.aligned}"
        )
