"""A caption on a frame: what a classifier saw, written so that it can be read on any picture."""

from __future__ import annotations

from typing import Literal

import torch

from vision_core.utils._canvas import Color, Picture, canvas_to_picture, load_font, parse_color, picture_to_canvas

__all__ = ["annotate_label"]


@torch.no_grad()
def annotate_label(
    image: Picture,
    text: str,
    *,
    score: float | None = None,
    position: Literal["top", "bottom"] = "top",
    colors: tuple[Color, Color, Color] = ("white", (16, 20, 30), (64, 160, 255)),
    opacity: float = 0.75,
    font: str | None = None,
    font_size: float | None = None,
) -> Picture:
    """Write a caption on a band across an image, with a bar that shows how sure it is.

    Texts that are wider than the image are set smaller, down to half the size, then shortened with an ellipsis.

    Args:
        image: a tensor `[C, H, W]` or an array `[H, W, C]` with C of 1 or 3; uint8 in 0..255 or floating point in 0..1.
        text: the caption; line breaks start new lines.
        score: 0..1, written behind the first line as a percentage and shown as a bar along the band's edge.
        position: where the band lies: `"top"` or `"bottom"`.
        colors: of the text, the band and the bar.
        opacity: of the band, 0..1.
        font: TrueType font, a file or a name that the system finds; Pillow's own font when None.
        font_size: in points; a fifteenth of the shorter side, at least 9, when None.

    Returns:
        `[3, H, W]` or `[H, W, 3]`, dtype and device of `image`.

    Raises:
        TypeError: `image` is neither tensor nor array.
        ValueError: a shape or dtype that is no image's, an unknown position, or a score outside 0..1.

    Examples:
        >>> import torch
        >>> frame = torch.full((3, 120, 160), 128, dtype=torch.uint8)
        >>> annotate_label(frame, "archery", score=0.93).shape
        torch.Size([3, 120, 160])
    """
    if position not in ("top", "bottom"):
        raise ValueError(f'position: expected "top" or "bottom", got {position!r}')
    if score is not None and not 0 <= score <= 1:
        raise ValueError(f"score: expected a value in 0..1, got {score}; pass a probability, not a logit")
    ink, ground, accent = (parse_color(color) for color in colors)

    from PIL import Image, ImageDraw

    canvas = picture_to_canvas(image)
    lines = text.splitlines() or [""]
    if score is not None:
        lines[0] = f"{lines[0]}  {score:.0%}".strip()
    size = font_size if font_size is not None else max(9.0, min(canvas.size) / 15)
    margin = max(2, round(size * 0.35))
    lines, typeface = _fit(lines, canvas.width - 2 * margin, font, size)

    line_height = round(getattr(typeface, "size", size) * 1.25)
    bar = max(2, round(size * 0.2)) if score is not None else 0
    height = min(canvas.height, line_height * len(lines) + 2 * margin + bar)
    top = 0 if position == "top" else canvas.height - height
    band = canvas.crop((0, top, canvas.width, top + height))
    band = Image.blend(band, Image.new("RGB", band.size, ground), opacity)
    draw = ImageDraw.Draw(band)
    text_top = margin + (bar if position == "bottom" else 0)  # the bar lies at the edge that faces the picture
    for number, line in enumerate(lines):
        draw.text((margin, text_top + number * line_height), line, fill=ink, font=typeface)
    if score is not None and round(score * canvas.width) > 0:
        edge = height - bar if position == "top" else 0
        draw.rectangle((0, edge, round(score * canvas.width) - 1, edge + bar - 1), fill=accent)
    canvas.paste(band, (0, top))
    return canvas_to_picture(canvas, image)


def _fit(lines: list[str], width: int, font: str | None, size: float):
    """Set the lines smaller until the longest one fits `width`, then shorten what still does not."""
    typeface = load_font(font, size)
    longest = max(typeface.getlength(line) for line in lines)
    if longest > width:
        typeface = load_font(font, max(size / 2, 6.0, size * width / longest))
    return [_shorten(line, width, typeface) for line in lines], typeface


def _shorten(line: str, width: int, typeface) -> str:
    if typeface.getlength(line) <= width:
        return line
    kept = line
    while kept and typeface.getlength(kept.rstrip() + "...") > width:
        kept = kept[:-1]
    return kept.rstrip() + "..." if kept else ""
