"""Where objects have been: trails that fade into the past."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from vision_core.utils._canvas import Colors, Picture, canvas_to_picture, parse_colors, picture_to_canvas

if TYPE_CHECKING:
    import numpy as np

__all__ = ["annotate_tracks"]


@torch.no_grad()
def annotate_tracks(
    image: Picture,
    tracks: Sequence[Tensor | np.ndarray] | Tensor,
    *,
    colors: Colors = None,
    length: int = 30,
    width: int = 2,
    radius: int = 3,
) -> Picture:
    """Draw the trail of each object, the past fainter than the present, and a disc where it is now.

    Args:
        image: a tensor `[C, H, W]` or an array `[H, W, C]` with C of 1 or 3; uint8 in 0..255 or floating point in 0..1.
        tracks: for each object its positions, oldest first: `[T, 2]` points x, y in pixels, or `[T, 4]` boxes
            x1, y1, x2, y2, whose middle of the lower edge is drawn. NaN where the object was not seen: the trail is
            interrupted there.
        colors: one colour for all objects or a list with one for each; a fixed palette when None. Give each object its
            colour to keep it over the frames of a video.
        length: positions that are drawn, the last ones.
        width: of the trails in pixels.
        radius: of the discs in pixels, 0 for none.

    Returns:
        `[3, H, W]` or `[H, W, 3]`, dtype and device of `image`.

    Raises:
        TypeError: `image` is neither tensor nor array.
        ValueError: shapes that do not fit, a `length` below 1, or too few colours.

    Examples:
        >>> import torch
        >>> frame = torch.zeros(3, 60, 80, dtype=torch.uint8)
        >>> drawn = annotate_tracks(frame, [torch.tensor([[10.0, 10], [30, 20], [50, 40]])], colors="lime")
        >>> drawn[:, 40, 50].tolist()
        [0, 255, 0]
    """
    from PIL import ImageDraw

    if length < 1:
        raise ValueError(f"length: expected 1 or more positions, got {length}")
    canvas = picture_to_canvas(image)
    draw = ImageDraw.Draw(canvas, "RGBA")  # blends what is drawn with an alpha below 255
    palette = parse_colors(colors, len(tracks))
    for track, color in zip(tracks, palette, strict=True):
        points = _points(track)[-length:]
        for number in range(1, len(points)):
            if all(map(math.isfinite, (*points[number - 1], *points[number]))):
                opacity = round(255 * number / (len(points) - 1))
                draw.line([points[number - 1], points[number]], fill=(*color, opacity), width=width)
        if radius > 0 and points and all(map(math.isfinite, points[-1])):
            x, y = points[-1]
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=color)
    return canvas_to_picture(canvas, image)


def _points(track: Tensor | np.ndarray) -> list[tuple[float, float]]:
    positions = torch.as_tensor(track).to(torch.float64)
    if positions.ndim != 2 or positions.shape[1] not in (2, 4):
        raise ValueError(f"tracks: expected [T, 2] points or [T, 4] boxes each, got shape {tuple(positions.shape)}")
    if positions.shape[1] == 4:
        positions = torch.stack([(positions[:, 0] + positions[:, 2]) / 2, positions[:, 3]], dim=1)
    return [(x, y) for x, y in positions.tolist()]
