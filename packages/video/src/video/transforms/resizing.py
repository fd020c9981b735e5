"""Resizing: the installed operator, or the reference in plain torch."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from vision_contract import find

__all__ = ["ResizeOperator", "find_resize", "reference_resize"]

ResizeOperator = Callable[[Tensor, list[int], str, bool], Tensor]
"""``resize(image, [height, width], interpolation, antialias)``, see ``vision_contract.Resize``."""


def reference_resize(image: Tensor, size: list[int], interpolation: str = "bilinear", antialias: bool = True) -> Tensor:
    """Resize images with torch's own operators, on any device.

    Args:
        image: ``[..., C, H, W]``, uint8 or float.
        size: ``[height, width]`` of the result.
        interpolation: ``"nearest"``, ``"nearest-exact"``, ``"bilinear"`` or ``"bicubic"``.
        antialias: Widen the bilinear or bicubic filter when shrinking.

    Returns:
        ``[..., C, height, width]`` of the same dtype; uint8 is rounded and clamped.

    Examples:
        >>> reference_resize(torch.zeros(3, 8, 6, 6, dtype=torch.uint8), [3, 4]).shape
        torch.Size([3, 8, 3, 4])
    """
    smooth = interpolation in ("bilinear", "bicubic")
    exact = interpolation in ("nearest", "nearest-exact")
    if not (smooth or exact):
        raise ValueError(f"interpolation must be nearest, nearest-exact, bilinear or bicubic, got {interpolation}")
    shape = list(image.shape)
    flat = image.reshape([-1] + shape[-3:])  # noqa: RUF005 -- for TorchScript
    if exact or image.is_floating_point():
        out = _interpolate(flat, size, interpolation, antialias, smooth)
    else:
        out = _interpolate(flat.to(torch.float32), size, interpolation, antialias, smooth)
        out = out.round_().clamp_(0, 255).to(image.dtype)
    return out.reshape(shape[:-2] + [out.shape[-2], out.shape[-1]])  # noqa: RUF005 -- for TorchScript


def _interpolate(x: Tensor, size: list[int], mode: str, antialias: bool, smooth: bool) -> Tensor:
    if smooth:
        return F.interpolate(x, size=size, mode=mode, align_corners=False, antialias=antialias)
    return F.interpolate(x, size=size, mode=mode)


def find_resize(resize: ResizeOperator | None = None) -> ResizeOperator:
    """Return ``resize`` if it is given, else the installed operator, else :func:`reference_resize`."""
    return find("resize", default=reference_resize) if resize is None else resize
