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

    Examples:
        >>> box = torch.tensor([[0.0, 1.0, 1.0, 3.0, 3.0]])
        >>> reference_roi_align(torch.ones(1, 2, 4, 4), box, [2, 2]).unique()
        tensor([1.])
    """
    if input.dim() != 4 or boxes.dim() != 2 or boxes.shape[1] != 5:
        raise ValueError(f"expected features [N, C, H, W] and boxes [K, 5], got {input.shape} and {boxes.shape}")
    if len(output_size) != 2 or min(output_size) < 1:
        raise ValueError(f"expected output_size [height, width] of at least 1, got {output_size}")
    corners = boxes[:, 1:] * spatial_scale - (0.5 if aligned else 0.0)
    origin, size = corners[:, :2], corners[:, 2:] - corners[:, :2]
    if not aligned:
        size = size.clamp(min=1.0)
    features = input[boxes[:, 0].to(torch.int64)]  # (K, C, H, W)
    if sampling_ratio > 0:
        return _sample(features, origin, size, output_size, sampling_ratio, sampling_ratio)
    outputs = [input.new_zeros([0, input.shape[1], output_size[0], output_size[1]])]
    for k in range(boxes.shape[0]):  # each box has a grid of its own
        across = max(1, int(torch.ceil(size[k, 0] / output_size[1])))
        down = max(1, int(torch.ceil(size[k, 1] / output_size[0])))
        outputs.append(_sample(features[k : k + 1], origin[k : k + 1], size[k : k + 1], output_size, down, across))
    return torch.cat(outputs)


def _sample(features: Tensor, origin: Tensor, size: Tensor, bins: list[int], down: int, across: int) -> Tensor:
    """Average ``down * across`` samples in each bin of one box ``origin, size`` ``[K, 2]`` per feature map."""
    y = _grid(origin[:, 1], size[:, 1], bins[0] * down)
    x = _grid(origin[:, 0], size[:, 0], bins[1] * across)
    along_y = _bilinear_weights(y, features.shape[2]).to(features.dtype)[:, None]
    along_x = _bilinear_weights(x, features.shape[3]).to(features.dtype)[:, None]
    samples = along_y @ features @ along_x.transpose(2, 3)  # (K, C, bins * down, bins * across)
    return samples.reshape(features.shape[0], features.shape[1], bins[0], down, bins[1], across).mean(dim=[3, 5])


def _grid(start: Tensor, length: Tensor, count: int) -> Tensor:
    """Return ``[K, count]``: the centres of ``count`` equal parts of each span."""
    steps = torch.arange(count, device=start.device, dtype=start.dtype) + 0.5
    return start[:, None] + steps * (length[:, None] / count)


def _bilinear_weights(position: Tensor, size: int) -> Tensor:
    """Return ``[K, positions, size]``: matrices that sample an axis linearly; rows of zeros lie outside."""
    inside = (position >= -1.0) & (position <= size)
    position = position.clamp(0.0, float(size - 1))
    pixel = torch.arange(size, device=position.device, dtype=position.dtype)
    weights = (1.0 - (position[:, :, None] - pixel).abs()).clamp(min=0.0)
    return weights * inside[:, :, None]


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
