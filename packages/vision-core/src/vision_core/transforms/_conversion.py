"""Transforms of the values and the kind of images, not of their geometry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from vision_core._pillow import is_pil_image
from vision_core.transforms import functional as F
from vision_core.transforms._transform import Transform

__all__ = ["Normalize", "PILToTensor", "ToDtype", "ToImage", "ToPILImage"]


class Normalize(Transform):
    """Subtracts `mean` from each channel and divides by `std`; see `functional.normalize`.

    Args:
        mean: a value for each channel.
        std: a value for each channel, none of them 0.
        inplace: overwrite the input.

    Examples:
        >>> import torch
        >>> Normalize([0.5], [0.5])(torch.ones(1, 2, 2)).unique().tolist()
        [1.0]
    """

    mean: Sequence[float]
    std: Sequence[float]
    inplace: bool = False

    def check_inputs(self, flat_inputs: list[Any]) -> None:
        """Refuse PIL images: they cannot hold the result."""
        if any(is_pil_image(leaf) for leaf in flat_inputs):
            raise TypeError(
                "Normalize: got a PIL image; put ToImage() and ToDtype(torch.float32, scale=True) before it"
            )

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.normalize_image(inpt, self.mean, self.std, self.inplace)


class ToDtype(Transform):
    """Converts the dtype of image tensors, with `scale` their range of values too; see `functional.to_dtype`.

    Args:
        dtype: the dtype of the result.
        scale: map the full range of the old dtype to that of the new one (0..255 to 0..1).

    Examples:
        >>> import torch
        >>> ToDtype(torch.float32, scale=True)(torch.full((1, 1, 1), 255, dtype=torch.uint8)).item()
        1.0
    """

    dtype: torch.dtype
    scale: bool = False

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.to_dtype(inpt, self.dtype, self.scale)


class ToImage(Transform):
    """Makes image tensors `[C, H, W]` of PIL images; tensors stay, values stay. See `functional.to_image`."""

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.to_image(inpt)


class PILToTensor(Transform):
    """Makes tensors `[C, H, W]` of PIL images and hands on everything else."""

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.pil_to_tensor(inpt) if is_pil_image(inpt) else inpt


class ToPILImage(Transform):
    """Makes a PIL image of a tensor `[C, H, W]`; see `functional.to_pil_image`.

    Args:
        mode: Pillow's name of the colour space; from dtype and channels when None.
    """

    mode: str | None = None

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return inpt if is_pil_image(inpt) else F.to_pil_image(inpt, self.mode)
