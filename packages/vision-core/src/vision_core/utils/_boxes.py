"""Boxes and their labels drawn on an image."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from vision_core.utils._canvas import Color, Colors, check_image, from_canvas, load_font, parse_colors, to_canvas

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

__all__ = ["draw_bounding_boxes"]

_DASH = 5.0  # pixels of a stroke, and of the gap behind it
_LONGEST_DASHED = 1e5
_FILL_ALPHA = 100  # of 255: the inside of a filled box stays visible


@torch.no_grad()
def draw_bounding_boxes(
    image: Tensor,
    boxes: Tensor,
    labels: Sequence[str | None] | None = None,
    colors: Colors = None,
    fill: bool | None = False,
    width: int = 1,
    font: str | None = None,
    font_size: int | None = None,
    label_colors: Colors = None,
    label_background_colors: Colors = None,
    fill_labels: bool = False,
) -> Tensor:
    """Draw boxes, and their labels, on a copy of an image.

    Args:
        image: `[C, H, W]` with C of 1 or 3; uint8 in 0..255 or floating point in 0..1.
        boxes: `[N, 4]` corners x1, y1, x2, y2 in pixels, x1 <= x2 and y1 <= y2; or `[N, 8]`, the four corners
            x1, y1, ... x4, y4 of rotated boxes in order around the box; the edge between the first two is dashed.
        labels: a text for each box, None for a box without; drawn inside the box's upper left corner.
        colors: one colour for all boxes or a list with one for each; a fixed palette when None.
        fill: paint the inside of the boxes with their colour, half transparent.
        width: width of the lines in pixels.
        font: TrueType font, a file or a name that the system finds; Pillow's own font when None.
        font_size: size of `font` in points; 10 when None. Pillow's own font has one size.
        label_colors: colour of the texts, like `colors`; when None the boxes' colours, or black on a filled background.
        label_background_colors: colour behind the texts, like `colors`; the boxes' colours when None.
        fill_labels: paint a background behind the texts.

    Returns:
        `[3, H, W]`, dtype and device of `image`.

    Raises:
        TypeError: `image` is no tensor.
        ValueError: shapes, dtypes, corners in the wrong order, or counts of labels and colours that do not fit.

    Examples:
        >>> import torch
        >>> image = torch.zeros(3, 32, 32, dtype=torch.uint8)
        >>> drawn = draw_bounding_boxes(image, torch.tensor([[4, 4, 20, 20]]), colors="red")
        >>> drawn[:, 4, 10].tolist()
        [255, 0, 0]
    """
    check_image(image)
    _check_boxes(boxes)
    count = boxes.shape[0]
    if count == 0:
        warnings.warn("boxes: nothing to draw, the image is returned as it is", stacklevel=2)
        return image
    texts = [None] * count if labels is None else list(labels)
    if len(texts) != count:
        raise ValueError(f"labels: expected one for each of the {count} boxes, got {len(texts)}")
    if font is None and font_size is not None:
        warnings.warn("font_size: ignored without font; Pillow's own font has one size", stacklevel=2)

    box_colors = parse_colors(colors, count)
    backgrounds = parse_colors(label_background_colors, count, "label_background_colors")
    if label_background_colors is None:
        backgrounds = box_colors
    text_colors = parse_colors(label_colors, count, "label_colors")
    if label_colors is None:
        text_colors = [(0, 0, 0)] * count if fill_labels else box_colors

    from PIL import ImageDraw

    canvas = to_canvas(image)
    draw = ImageDraw.Draw(canvas, "RGBA" if fill else None)
    typeface = None if labels is None else load_font(font, font_size if font is not None else None)
    styles = zip(box_colors, text_colors, backgrounds, strict=True)
    for corners, text, (color, ink, ground) in zip(boxes.tolist(), texts, styles, strict=True):
        _draw_outline(draw, corners, color, (*color, _FILL_ALPHA) if fill else None, width)
        if text is not None:
            at = (corners[0] + width + 1, corners[1] + width + 1)
            if fill_labels:
                left, top, right, bottom = draw.textbbox(at, text, font=typeface)
                draw.rectangle((left - 1, top - 1, right + 1, bottom + 1), fill=ground)
            draw.text(at, text, fill=ink, font=typeface)
    return from_canvas(canvas, image)


def _check_boxes(boxes: Tensor) -> None:
    if not isinstance(boxes, Tensor) or boxes.ndim != 2 or boxes.shape[1] not in (4, 8):
        got = tuple(boxes.shape) if isinstance(boxes, Tensor) else type(boxes).__name__
        raise ValueError(f"boxes: expected [N, 4] corners or [N, 8] rotated corners, got {got}")
    if boxes.shape[1] == 4 and bool(((boxes[:, 0] > boxes[:, 2]) | (boxes[:, 1] > boxes[:, 3])).any()):
        raise ValueError(
            "boxes: expected x1, y1, x2, y2 with x1 <= x2 and y1 <= y2; convert other formats with box_convert"
        )


def _draw_outline(
    draw: ImageDraw, corners: list[float], color: Color, fill: tuple[int, ...] | None, width: int
) -> None:
    if len(corners) == 4:
        draw.rectangle(corners, outline=color, fill=fill, width=width)
        return
    points = list(zip(corners[0::2], corners[1::2], strict=True))
    if fill is not None:
        draw.polygon(points, fill=fill)
    for start, end in zip(points[1:], [*points[2:], points[0]], strict=True):
        draw.line([start, end], fill=color, width=width)
    _draw_dashed(draw, points[0], points[1], color, width)


def _draw_dashed(
    draw: ImageDraw, start: tuple[float, float], end: tuple[float, float], color: Color, width: int
) -> None:
    """Draw the first edge of a rotated box, which shows where it was up before it was turned."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = math.hypot(dx, dy)
    if not length < _LONGEST_DASHED:  # far beyond any picture, or not finite
        draw.line([start, end], fill=color, width=width)
        return
    at = 0.0
    while at < length:
        stop = min(at + _DASH, length)
        stroke = [(start[0] + dx * part / length, start[1] + dy * part / length) for part in (at, stop)]
        draw.line(stroke, fill=color, width=width)
        at += 2 * _DASH
