"""Masks that stand out: tinted, outlined, with a glow around them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from vision_core.utils._canvas import Colors, Picture, canvas_to_picture, parse_colors, picture_to_canvas

if TYPE_CHECKING:
    import numpy as np

__all__ = ["annotate_masks"]


@torch.no_grad()
def annotate_masks(
    image: Picture,
    masks: Tensor | np.ndarray,
    *,
    colors: Colors = None,
    opacity: float = 0.35,
    halo: int | None = None,
    outline: int = 1,
) -> Picture:
    """Tint the inside of masks, draw their outline, and let their colour glow around them.

    Args:
        image: a tensor `[C, H, W]` or an array `[H, W, C]` with C of 1 or 3; uint8 in 0..255 or floating point in 0..1.
        masks: `[N, H, W]` or `[H, W]`, dtype bool. Later masks lie on top.
        colors: one colour for all masks or a list with one for each; a fixed palette when None.
        opacity: of the tint, 0..1.
        halo: how far the glow reaches in pixels, 0 for none; a 40th of the shorter side, at least 2, when None.
        outline: width of the outline in pixels, within the mask; 0 for none.

    Returns:
        `[3, H, W]` or `[H, W, 3]`, dtype and device of `image`.

    Raises:
        TypeError: `image` is neither tensor nor array.
        ValueError: masks of another shape or dtype, an opacity outside 0..1, or too few colours.

    Examples:
        >>> import torch
        >>> mask = torch.zeros(40, 40, dtype=torch.bool)
        >>> mask[10:30, 10:30] = True
        >>> drawn = annotate_masks(torch.zeros(3, 40, 40, dtype=torch.uint8), mask, colors="red", opacity=0.5)
        >>> drawn[:, 10, 20].tolist(), drawn[:, 20, 20].tolist()
        ([255, 0, 0], [128, 0, 0])
    """
    from PIL import Image, ImageFilter

    if not 0 <= opacity <= 1:
        raise ValueError(f"opacity: expected 0..1, got {opacity}")
    canvas = picture_to_canvas(image)
    areas = torch.as_tensor(masks)
    areas = areas[None] if areas.ndim == 2 else areas
    if areas.dtype != torch.bool or areas.ndim != 3 or (areas.shape[2], areas.shape[1]) != canvas.size:
        raise ValueError(
            f"masks: expected bool [N, H, W] or [H, W] of the image's size {canvas.size[::-1]}, "
            f"got {areas.dtype} {tuple(areas.shape)}"
        )
    reach = max(2, round(min(canvas.size) / 40)) if halo is None else halo
    for area, color in zip(areas, parse_colors(colors, len(areas)), strict=True):
        mask = Image.fromarray(area.cpu().numpy().astype("uint8") * 255)
        if reach > 0:
            # Twice the blur, cut off, is full at the edge of the mask and fades outwards.
            glow = mask.filter(ImageFilter.GaussianBlur(reach / 2)).point([min(255, 2 * v) for v in range(256)])
            glow.paste(0, mask=mask)
            canvas.paste(color, mask=glow)
        canvas.paste(color, mask=mask.point([round(v * opacity) for v in range(256)]))
        if outline > 0:
            inside = mask.filter(ImageFilter.MinFilter(2 * outline + 1))
            edge = mask.copy()
            edge.paste(0, mask=inside)
            canvas.paste(color, mask=edge)
    return canvas_to_picture(canvas, image)
