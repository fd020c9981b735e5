"""Optical flow as colours."""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = ["flow_to_image"]

# Lengths of the six arcs of the colour wheel of Baker et al., "A Database and Evaluation Methodology for Optical
# Flow" (IJCV 2011), and between which colours each runs: one channel rises or falls along an arc.
_ARCS = (
    (15, (255, 0, 0), (255, 255, 0)),
    (6, (255, 255, 0), (0, 255, 0)),
    (4, (0, 255, 0), (0, 255, 255)),
    (11, (0, 255, 255), (0, 0, 255)),
    (13, (0, 0, 255), (255, 0, 255)),
    (6, (255, 0, 255), (255, 0, 0)),
)


@torch.no_grad()
def flow_to_image(flow: Tensor) -> Tensor:
    """Show optical flow as an image: direction as hue, length as saturation, relative to the longest vector.

    The colours are those of the Middlebury benchmark: Baker et al., "A Database and Evaluation Methodology for Optical
    Flow", IJCV 2011.

    Args:
        flow: `[2, H, W]` or `[N, 2, H, W]`, dtype float32: displacement in x and y, in pixels. The longest vector of
            the whole batch gets full saturation.

    Returns:
        uint8 `[3, H, W]` or `[N, 3, H, W]`; no motion is white.

    Raises:
        ValueError: another dtype or shape.

    Examples:
        >>> import torch
        >>> flow_to_image(torch.zeros(2, 4, 4))[:, 0, 0].tolist()
        [255, 255, 255]
    """
    if flow.dtype != torch.float:
        raise ValueError(f"flow: expected dtype float32, got {flow.dtype}")
    if flow.ndim not in (3, 4) or flow.shape[-3] != 2:
        raise ValueError(f"flow: expected [2, H, W] or [N, 2, H, W], got shape {tuple(flow.shape)}")
    if flow.numel() == 0:
        return flow.new_zeros((*flow.shape[:-3], 3, *flow.shape[-2:]), dtype=torch.uint8)

    longest = torch.sqrt((flow**2).sum(-3)).max()
    unit = flow / (longest + torch.finfo(flow.dtype).eps)
    dx, dy = unit.unbind(-3)
    length = torch.sqrt(dx**2 + dy**2)  # 0..1

    wheel = _color_wheel().to(flow.device)  # (55, 3), 0..255
    angle = torch.atan2(-dy, -dx) / math.pi  # -1..1
    at = (angle + 1) / 2 * (wheel.shape[0] - 1)
    low = at.floor().long()
    high = (low + 1) % wheel.shape[0]
    share = (at - low)[..., None]
    hue = (1 - share) * (wheel[low] / 255) + share * (wheel[high] / 255)  # (..., H, W, 3)
    color = 1 - length[..., None] * (1 - hue)
    return torch.floor(255 * color).to(torch.uint8).movedim(-1, -3).contiguous()


def _color_wheel() -> Tensor:
    arcs = []
    for steps, start, end in _ARCS:
        way = torch.arange(steps)[:, None] * 255 // steps  # 0..255 along the arc, whole numbers as published
        first, last = torch.tensor(start), torch.tensor(end)
        arcs.append(first + way * (last - first).sign())
    return torch.cat(arcs).float()
