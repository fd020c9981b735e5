"""Segmentation masks painted over an image."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor

from vision_core.utils._canvas import Colors, check_image, parse_colors

__all__ = ["draw_segmentation_masks"]


@torch.no_grad()
def draw_segmentation_masks(image: Tensor, masks: Tensor, alpha: float = 0.8, colors: Colors = None) -> Tensor:
    """Paint masks over a copy of an image.

    Where masks overlap the paint is black: none of them hides the others.

    Args:
        image: `[3, H, W]`, uint8 in 0..255 or floating point in 0..1.
        masks: `[N, H, W]` or `[H, W]`, dtype bool.
        alpha: how much of the paint shows: 0 leaves the image as it is, 1 hides it.
        colors: one colour for all masks or a list with one for each; a fixed palette when None.

    Returns:
        `[3, H, W]`, dtype and device of `image`; uint8 values are cut off, not rounded.

    Raises:
        TypeError: `image` is no tensor.
        ValueError: shapes or dtypes that do not fit, or too few colours.

    Examples:
        >>> import torch
        >>> image = torch.full((3, 2, 2), 100, dtype=torch.uint8)
        >>> mask = torch.tensor([[True, False], [False, False]])
        >>> draw_segmentation_masks(image, mask, alpha=0.5, colors="blue")[:, 0, 0].tolist()
        [50, 50, 177]
    """
    check_image(image, channels=(3,))
    if masks.ndim == 2:
        masks = masks[None]
    if masks.ndim != 3:
        raise ValueError(f"masks: expected [N, H, W] or [H, W], got shape {tuple(masks.shape)}")
    if masks.dtype != torch.bool:
        raise ValueError(f"masks: expected dtype bool, got {masks.dtype}; compare with a threshold first")
    if masks.shape[1:] != image.shape[1:]:
        raise ValueError(f"masks: expected the image's size {tuple(image.shape[1:])}, got {tuple(masks.shape[1:])}")
    count = masks.shape[0]
    if count == 0:
        warnings.warn("masks: nothing to draw, the image is returned as it is", stacklevel=2)
        return image

    palette = torch.tensor(parse_colors(colors, count), dtype=torch.uint8, device=image.device)
    paint = palette if image.dtype == torch.uint8 else palette.to(image.dtype) / 255
    number = masks.sum(0)  # (H, W): masks that cover a pixel
    owner = masks.to(torch.uint8).argmax(0)
    mixed = torch.where(number == 1, paint[owner].permute(2, 0, 1), torch.zeros_like(image))
    painted = torch.where(number > 0, mixed, image)
    return (image * (1 - alpha) + painted * alpha).to(image.dtype)
