"""Images, videos and masks: tensors of pixels without metadata."""

from __future__ import annotations

from typing import Any, Self

import torch
from torch import Tensor

from vision_core._pillow import is_pil_image
from vision_core.tv_tensors._base import TVTensor

__all__ = ["Image", "Mask", "Video"]


def _pixels(data: Any) -> Any:
    if not is_pil_image(data):
        return data
    import numpy as np

    pixels = torch.from_numpy(np.array(data))
    return pixels[None] if pixels.ndim == 2 else pixels.permute(2, 0, 1).contiguous()


class _Pixels(TVTensor):
    @classmethod
    def wrap(cls, tensor: Tensor, like: TVTensor, **kwargs: Any) -> Self:
        if kwargs:
            raise TypeError(f"{cls.__name__}.wrap: it has no metadata, got {sorted(kwargs)}")
        return tensor.as_subclass(cls)


class Image(_Pixels):
    """Images `[..., C, H, W]`.

    Args:
        data: a tensor, a PIL image, or what `torch.as_tensor` takes; `[H, W]` gets a channel.
        dtype: of the result; that of `data` when None.
        device: of the result; that of `data` when None.
        requires_grad: whether gradients are recorded; as for `data` when None.

    Raises:
        ValueError: less than two dimensions.

    Examples:
        >>> import torch
        >>> Image(torch.zeros(4, 5)).shape
        torch.Size([1, 4, 5])
    """

    def __new__(
        cls,
        data: Any,
        *,
        dtype: torch.dtype | None = None,
        device: torch.device | str | int | None = None,
        requires_grad: bool | None = None,
    ) -> Self:
        tensor = cls._to_tensor(_pixels(data), dtype, device, requires_grad)
        if tensor.ndim < 2:
            raise ValueError(f"data: expected [..., C, H, W] or [H, W], got shape {tuple(tensor.shape)}")
        return (tensor[None] if tensor.ndim == 2 else tensor).as_subclass(cls)


class Video(_Pixels):
    """Videos `[..., T, C, H, W]`.

    Args:
        data: a tensor, or what `torch.as_tensor` takes.
        dtype: of the result; that of `data` when None.
        device: of the result; that of `data` when None.
        requires_grad: whether gradients are recorded; as for `data` when None.

    Raises:
        ValueError: less than four dimensions.

    Examples:
        >>> import torch
        >>> Video(torch.zeros(8, 3, 4, 5)).shape
        torch.Size([8, 3, 4, 5])
    """

    def __new__(
        cls,
        data: Any,
        *,
        dtype: torch.dtype | None = None,
        device: torch.device | str | int | None = None,
        requires_grad: bool | None = None,
    ) -> Self:
        tensor = cls._to_tensor(data, dtype, device, requires_grad)
        if tensor.ndim < 4:
            raise ValueError(f"data: expected [..., T, C, H, W], got shape {tuple(tensor.shape)}")
        return tensor.as_subclass(cls)


class Mask(_Pixels):
    """Masks: `[..., H, W]`, of objects `[N, H, W]` or of classes `[H, W]`.

    Args:
        data: a tensor, a PIL image, or what `torch.as_tensor` takes.
        dtype: of the result; that of `data` when None.
        device: of the result; that of `data` when None.
        requires_grad: whether gradients are recorded; as for `data` when None.

    Examples:
        >>> import torch
        >>> Mask(torch.zeros(4, 5, dtype=torch.bool)).dtype
        torch.bool
    """

    def __new__(
        cls,
        data: Any,
        *,
        dtype: torch.dtype | None = None,
        device: torch.device | str | int | None = None,
        requires_grad: bool | None = None,
    ) -> Self:
        return cls._to_tensor(_pixels(data), dtype, device, requires_grad).as_subclass(cls)
