"""Keypoints."""

from __future__ import annotations

from typing import Any, Self

import torch

from vision_core.tv_tensors._base import TVTensor

__all__ = ["KeyPoints"]


class KeyPoints(TVTensor):
    """Points `[..., 2]` in an image: x and y in pixels; or `[..., 3]` with visibility, which transforms hand on.

    Args:
        data: a tensor or what `torch.as_tensor` takes; one point `[2]` becomes `[1, 2]`.
        canvas_size: (height, width) of the image.
        dtype: of the result; that of `data` when None.
        device: of the result; that of `data` when None.
        requires_grad: whether gradients are recorded; as for `data` when None.

    Attributes:
        canvas_size: (height, width) of the image.

    Raises:
        ValueError: another shape.

    Examples:
        >>> KeyPoints([[1.0, 2.0]], canvas_size=(8, 8)).canvas_size
        (8, 8)
    """

    _metadata = ("canvas_size",)
    canvas_size: tuple[int, int]

    def __new__(
        cls,
        data: Any,
        *,
        canvas_size: tuple[int, int],
        dtype: torch.dtype | None = None,
        device: torch.device | str | int | None = None,
        requires_grad: bool | None = None,
    ) -> Self:
        tensor = cls._to_tensor(data, dtype, device, requires_grad)
        if tensor.ndim == 1:
            tensor = tensor[None] if tensor.shape[0] else tensor.reshape(0, 2)
        if tensor.ndim < 2 or tensor.shape[-1] not in (2, 3):
            raise ValueError(
                f"data: expected [..., 2] (x, y) or [..., 3] (x, y, visibility), got {tuple(tensor.shape)}"
            )
        points = tensor.as_subclass(cls)
        points.canvas_size = canvas_size
        return points
