"""Many images in one, and images in files."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

__all__ = ["make_grid", "save_image"]


@torch.no_grad()
def make_grid(
    tensor: Tensor | Sequence[Tensor],
    nrow: int = 8,
    padding: int = 2,
    normalize: bool = False,
    value_range: tuple[float, float] | None = None,
    scale_each: bool = False,
    pad_value: float = 0.0,
) -> Tensor:
    """Lay images out in rows, as one image.

    Args:
        tensor: images of one size: `[B, C, H, W]`, `[C, H, W]`, `[H, W]`, or a list of `[C, H, W]`.
        nrow: images in a row.
        padding: pixels between and around the images; one image alone gets none.
        normalize: map values to 0..1, from `value_range`, or from the smallest and largest value there is.
        value_range: values that become 0 and 1 with `normalize`; what lies outside is cut off.
        scale_each: with `normalize`, take each image's own range.
        pad_value: value of the padding.

    Returns:
        `[C, H', W']` of the images' dtype; images with one channel get three.

    Raises:
        TypeError: something else than tensors.
        ValueError: a shape that is no image's.

    Examples:
        >>> import torch
        >>> make_grid(torch.rand(6, 3, 8, 8), nrow=3).shape
        torch.Size([3, 22, 32])
    """
    images = _as_batch(tensor)
    if normalize:
        images = _to_unit_range(images, value_range, scale_each)
    count, channels, height, width = images.shape
    if count == 1:
        return images[0]

    columns = min(nrow, count)
    rows = math.ceil(count / columns)
    cell_height, cell_width = height + padding, width + padding
    grid = images.new_full((channels, rows * cell_height + padding, columns * cell_width + padding), pad_value)
    for index, image in enumerate(images):
        top = index // columns * cell_height + padding
        left = index % columns * cell_width + padding
        grid[:, top : top + height, left : left + width] = image
    return grid


def _as_batch(tensor: Tensor | Sequence[Tensor]) -> Tensor:
    if not isinstance(tensor, Tensor):
        if not isinstance(tensor, (list, tuple)) or not all(isinstance(image, Tensor) for image in tensor):
            raise TypeError(f"tensor: expected a tensor or a list of tensors, got {type(tensor).__name__}")
        tensor = torch.stack(tuple(tensor))
    if tensor.ndim == 2:
        tensor = tensor[None]
    if tensor.ndim == 3:
        tensor = tensor[None]
    if tensor.ndim != 4:
        raise ValueError(f"tensor: expected [B, C, H, W], [C, H, W] or [H, W], got shape {tuple(tensor.shape)}")
    return tensor.expand(-1, 3, -1, -1) if tensor.shape[1] == 1 else tensor


def _to_unit_range(images: Tensor, value_range: tuple[float, float] | None, scale_each: bool) -> Tensor:
    if value_range is not None and not isinstance(value_range, tuple):
        raise TypeError(f"value_range: expected a tuple (low, high), got {type(value_range).__name__}")
    images = images.clone()
    for part in images if scale_each else [images]:
        low, high = value_range if value_range is not None else (float(part.min()), float(part.max()))
        part.clamp_(low, high).sub_(low).div_(max(high - low, 1e-5))  # a constant image becomes 0, not NaN
    return images


@torch.no_grad()
def save_image(
    tensor: Tensor | Sequence[Tensor],
    fp: str | Path | BinaryIO,
    format: str | None = None,
    **kwargs: Any,
) -> None:
    r"""Write images to a file, several of them as a grid.

    Args:
        tensor: what `make_grid` takes, floating point in 0..1 (values outside are cut off) or uint8 in 0..255.
        fp: a path or a binary file to write to.
        format: Pillow's name of the format; from the file's suffix when None, needed for a file object.
        **kwargs: passed to `make_grid`.

    Examples:
        >>> import io, torch
        >>> file = io.BytesIO()
        >>> save_image(torch.rand(4, 3, 8, 8), file, format="png")
        >>> file.getvalue()[:4]
        b'\x89PNG'
    """
    from PIL import Image

    grid = make_grid(tensor, **kwargs)
    if grid.dtype != torch.uint8:
        grid = grid.mul(255).add_(0.5).clamp_(0, 255).to(torch.uint8)
    pixels = grid.permute(1, 2, 0).cpu().contiguous()
    Image.fromarray(pixels.numpy()).save(fp, format=format)
