"""Shift and scale the values of each channel."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import torch
from torch import Tensor

from vision_core import _pixels
from vision_core._direct import nothing_watches
from vision_core.transforms.functional._dispatch import functional, video_kernel

__all__ = [
    "normalize",
    "normalize_image",
    "normalize_video",
]


def normalize_image(image: Tensor, mean: Sequence[float], std: Sequence[float], inplace: bool = False) -> Tensor:
    """Subtract `mean` from each channel and divide by `std`.

    Args:
        image: `[..., C, H, W]`, floating point.
        mean: C values, or one for all channels.
        std: C values, or one for all channels; none may be 0.
        inplace: write into `image` instead of a copy.

    Returns:
        The same shape and dtype; `image` itself with `inplace`.

    Raises:
        TypeError: an integer image.
        ValueError: less than three dimensions, or a `std` of 0.

    Examples:
        >>> import torch
        >>> normalize_image(torch.ones(3, 1, 1), [0.5], [0.25]).flatten().tolist()
        [2.0, 2.0, 2.0]
    """
    if not image.is_floating_point():
        raise TypeError(
            f"image: expected floating point, got {image.dtype}; use to_dtype(image, torch.float32, scale=True)"
        )
    if image.ndim < 3:
        raise ValueError(f"image: expected [..., C, H, W], got shape {tuple(image.shape)}")
    if not all(std):
        raise ValueError(f"std: expected values other than 0, got {tuple(std)}")
    if image.dtype == torch.float32 and {len(mean), len(std)} <= {1, image.shape[-3]}:
        native = _pixels.normalize(image, mean, std, inplace)
        if native is not None:
            return native
    shift, scale = _per_channel(mean, image), _per_channel(std, image)
    centred = image.sub_(shift) if inplace else image.sub(shift)
    return centred.div_(scale)


def _per_channel(values: Sequence[float], image: Tensor) -> Tensor:
    if image.is_cpu and nothing_watches() and not {*map(type, values)} - {float, int}:
        return _known(tuple(values), image.dtype)
    return torch.tensor(values, dtype=image.dtype, device=image.device).view(-1, 1, 1)


@functools.lru_cache(maxsize=64)
def _known(values: tuple[float, ...], dtype: torch.dtype) -> Tensor:
    """Keep what a data set is normalised with: for a small image, making these two takes half of the time."""
    with torch.inference_mode(False):  # what is made within could not be saved for a gradient outside
        return torch.tensor(values, dtype=dtype, device="cpu").view(-1, 1, 1)


normalize_video = video_kernel(normalize_image)
normalize = functional(normalize_image, pil=None)
