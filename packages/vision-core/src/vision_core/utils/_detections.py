"""Detections as people read them: a frame, and a tag with name and score on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from vision_core.utils._canvas import (
    Colors,
    Picture,
    canvas_to_picture,
    load_font,
    parse_colors,
    picture_to_canvas,
    readable_on,
)

if TYPE_CHECKING:
    import numpy as np
    from PIL.ImageDraw import ImageDraw

__all__ = ["annotate_detections"]


@torch.no_grad()
def annotate_detections(
    image: Picture,
    boxes: Tensor | np.ndarray,
    labels: Sequence[str] | None = None,
    scores: Sequence[float] | Tensor | np.ndarray | None = None,
    *,
    colors: Colors = None,
    width: int | None = None,
    font: str | None = None,
    font_size: float | None = None,
) -> Picture:
    """Draw boxes, each with a tag that says what it is and how sure the detector was.

    Boxes are drawn from the lowest score to the highest, so that the best lie on top. A tag stands on its box, or
    within where there is no room above.

    Args:
        image: a tensor `[C, H, W]` or an array `[H, W, C]` with C of 1 or 3; uint8 in 0..255 or floating point in 0..1.
        boxes: `[N, 4]` corners x1, y1, x2, y2 in pixels.
        labels: a name for each box.
        scores: a number in 0..1 for each box, shown as a percentage.
        colors: one colour for all boxes or a list with one for each; a fixed palette when None.
        width: of the lines in pixels; a 250th of the shorter side, at least 1, when None.
        font: TrueType font, a file or a name that the system finds; Pillow's own font when None.
        font_size: in points; a thirtieth of the shorter side, at least 9, when None.

    Returns:
        `[3, H, W]` or `[H, W, 3]`, dtype and device of `image`.

    Raises:
        TypeError: `image` is neither tensor nor array.
        ValueError: shapes that do not fit, or counts of labels, scores and colours that do not.

    Examples:
        >>> import torch
        >>> frame = torch.zeros(3, 120, 160, dtype=torch.uint8)
        >>> annotate_detections(frame, torch.tensor([[20, 40, 90, 100]]), ["cat"], [0.93]).shape
        torch.Size([3, 120, 160])
    """
    from PIL import ImageDraw

    canvas = picture_to_canvas(image)
    corners = torch.as_tensor(boxes)
    if corners.ndim != 2 or corners.shape[1] != 4:
        raise ValueError(f"boxes: expected [N, 4] corners, got shape {tuple(corners.shape)}")
    count = corners.shape[0]
    sureness = None if scores is None else torch.as_tensor(scores, dtype=torch.float32).tolist()
    texts = _texts(labels, sureness, count)
    palette = parse_colors(colors, count)
    shorter = min(canvas.size)
    line = max(1, round(shorter / 250)) if width is None else width
    typeface = load_font(font, font_size if font_size is not None else max(9.0, shorter / 30))

    draw = ImageDraw.Draw(canvas)
    order = sorted(range(count), key=lambda i: sureness[i]) if sureness is not None else range(count)
    for i in order:
        left, top, right, bottom = corners[i].tolist()
        draw.rectangle((min(left, right), min(top, bottom), max(left, right), max(top, bottom)), None, palette[i], line)
        if texts[i]:
            _draw_tag(draw, texts[i], (left, top), palette[i], typeface, canvas.width)
    return canvas_to_picture(canvas, image)


def _texts(labels: Sequence[str] | None, scores: list[float] | None, count: int) -> list[str]:
    names = [""] * count if labels is None else list(labels)
    shares = [""] * count if scores is None else [f"{score:.0%}" for score in scores]
    for argument, values in (("labels", names), ("scores", shares)):
        if len(values) != count:
            raise ValueError(f"{argument}: expected one for each of the {count} boxes, got {len(values)}")
    return [f"{name} {share}".strip() for name, share in zip(names, shares, strict=True)]


def _draw_tag(
    draw: ImageDraw, text: str, corner: tuple[float, float], color: tuple[int, int, int], typeface, limit: int
) -> None:
    left, top, right, bottom = draw.textbbox((0, 0), text, font=typeface)
    pad = 2
    tag_width, tag_height = right - left + 2 * pad, bottom - top + 2 * pad
    x = max(0.0, min(corner[0], limit - tag_width))
    y = corner[1] - tag_height if corner[1] >= tag_height else max(0.0, corner[1])
    draw.rectangle((x, y, x + tag_width - 1, y + tag_height - 1), fill=color)
    draw.text((x + pad - left, y + pad - top), text, fill=readable_on(color), font=typeface)
