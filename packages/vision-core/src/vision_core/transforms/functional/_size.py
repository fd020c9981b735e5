"""How large an image is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from vision_core._pillow import is_pil_image

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["get_dimensions", "get_num_channels", "get_size"]


def get_dimensions(inpt: Tensor | Image) -> list[int]:
    """Return `[channels, height, width]` of an image tensor `[..., C, H, W]` or `[H, W]`, or of a PIL image.

    Raises:
        TypeError: `inpt` is neither.
        ValueError: a tensor with less than two dimensions.

    Examples:
        >>> import torch
        >>> get_dimensions(torch.zeros(8, 3, 32, 48))
        [3, 32, 48]
    """
    if isinstance(inpt, Tensor):
        if inpt.ndim < 2:
            raise ValueError(f"inpt: expected [..., C, H, W] or [H, W], got shape {tuple(inpt.shape)}")
        channels = 1 if inpt.ndim == 2 else inpt.shape[-3]
        return [channels, inpt.shape[-2], inpt.shape[-1]]
    if is_pil_image(inpt):
        return [len(inpt.getbands()), inpt.height, inpt.width]
    raise TypeError(f"inpt: expected a tensor or a PIL image, got {type(inpt).__name__}")


def get_size(inpt: Tensor | Image) -> list[int]:
    """Return `[height, width]` of an image.

    Examples:
        >>> import torch
        >>> get_size(torch.zeros(3, 32, 48))
        [32, 48]
    """
    return get_dimensions(inpt)[1:]


def get_num_channels(inpt: Tensor | Image) -> int:
    """Return the number of channels of an image.

    Examples:
        >>> import torch
        >>> get_num_channels(torch.zeros(3, 32, 48))
        3
    """
    return get_dimensions(inpt)[0]
