"""Keypoints and the limbs between them drawn on an image."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from vision_core.utils._canvas import Color, check_image, from_canvas, parse_color, to_canvas

__all__ = ["draw_keypoints"]


@torch.no_grad()
def draw_keypoints(
    image: Tensor,
    keypoints: Tensor,
    connectivity: Sequence[tuple[int, int]] | None = None,
    colors: Color | None = None,
    radius: int = 2,
    width: int = 3,
    visibility: Tensor | None = None,
) -> Tensor:
    """Draw keypoints as discs, and lines between them, on a copy of an image.

    Args:
        image: `[3, H, W]`, uint8 in 0..255 or floating point in 0..1.
        keypoints: `[N, K, 2]`: K points x, y in pixels for each of N instances.
        connectivity: pairs of keypoint numbers to join by a line.
        colors: colour of the discs, white when None; lines are always white.
        radius: radius of a disc in pixels.
        width: width of a line in pixels.
        visibility: `[N, K]` or `[N, K, 1]`, true where a keypoint is visible; a hidden one gets no disc, and no line
            that ends at it is drawn. All are visible when None.

    Returns:
        `[3, H, W]`, dtype and device of `image`.

    Raises:
        TypeError: `image` is no tensor.
        ValueError: shapes or dtypes that do not fit.

    Examples:
        >>> import torch
        >>> image = torch.zeros(3, 16, 16, dtype=torch.uint8)
        >>> draw_keypoints(image, torch.tensor([[[8.0, 8.0]]]), colors="lime")[:, 8, 8].tolist()
        [0, 255, 0]
    """
    check_image(image, channels=(3,))
    if keypoints.ndim != 3 or keypoints.shape[-1] != 2:
        raise ValueError(f"keypoints: expected [N, K, 2], got shape {tuple(keypoints.shape)}")
    if visibility is None:
        visibility = torch.ones(keypoints.shape[:2], dtype=torch.bool)
    if visibility.ndim == 3 and visibility.shape[-1] == 1:
        visibility = visibility.squeeze(-1)
    if visibility.shape != keypoints.shape[:2]:
        raise ValueError(
            f"visibility: expected {tuple(keypoints.shape[:2])} as the keypoints have, got {tuple(visibility.shape)}"
        )

    from PIL import ImageDraw

    canvas = to_canvas(image)
    draw = ImageDraw.Draw(canvas)
    ink = parse_color("white" if colors is None else colors)
    for points, visible in zip(keypoints.to(torch.int64).tolist(), visibility.bool().tolist(), strict=True):
        for (x, y), seen in zip(points, visible, strict=True):
            if seen:
                draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=ink)
        for start, end in connectivity or ():
            if visible[start] and visible[end]:
                draw.line((*points[start], *points[end]), fill="white", width=width)
    return from_canvas(canvas, image)
