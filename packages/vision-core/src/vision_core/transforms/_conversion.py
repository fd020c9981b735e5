"""Transforms of the values and the kind of images, not of their geometry."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vision_core._pillow import is_pil_image
from vision_core.transforms import functional as F
from vision_core.transforms._sample import is_pure
from vision_core.transforms._transform import Transform
from vision_core.transforms.functional._dispatch import find_kernel
from vision_core.tv_tensors import Image, TVTensor, Video
from vision_core.tv_tensors._base import plain

__all__ = [
    "ConvertImageDtype",
    "Normalize",
    "PILToTensor",
    "ToDtype",
    "ToImage",
    "ToPILImage",
    "ToPureTensor",
    "ToTensor",
    "UniformTemporalSubsample",
]


class Normalize(Transform, operation=F.normalize):
    """Subtracts `mean` from each channel and divides by `std`; see `functional.normalize`.

    Args:
        mean: a value for each channel.
        std: a value for each channel, none of them 0.
        inplace: overwrite the input.

    Raises:
        TypeError: a PIL image among the inputs.

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


class ToDtype(Transform):
    """Converts the dtype of images and videos, with `scale` their range of values too; see `functional.to_dtype`.

    Args:
        dtype: the dtype of images and videos; or a dict from types to dtypes, None to keep a type as it is, `"others"`
            for the types that are not named: `{Image: torch.float32, Mask: torch.int64, "others": None}`.
        scale: map the full range of the old dtype of images and videos to that of the new one (0..255 to 0..1).

    Raises:
        ValueError: `dtype` is neither, or the dict says nothing about a type of the inputs.

    Examples:
        >>> import torch
        >>> ToDtype(torch.float32, scale=True)(torch.full((1, 1, 1), 255, dtype=torch.uint8)).item()
        1.0
    """

    dtype: torch.dtype | Mapping[type | str, torch.dtype | None]
    scale: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.dtype, (torch.dtype, Mapping)):
            raise ValueError(f"dtype: expected a torch.dtype or a dict by type, got {self.dtype!r}")
        if isinstance(self.dtype, Mapping) and Tensor in self.dtype and {Image, Video} & self.dtype.keys():
            warnings.warn(
                "dtype: plain tensors are images as well; did you mean both torch.Tensor and Image?", stacklevel=2
            )

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Convert one input."""
        is_image = is_pure(inpt) or isinstance(inpt, (Image, Video))
        dtype = self._dtype_for(inpt, is_image)
        if dtype is None:
            return inpt
        if is_image:
            return self.call(F.to_dtype, inpt, dtype, self.scale)
        return inpt.to(dtype=dtype) if isinstance(inpt, Tensor) else inpt

    def _dtype_for(self, inpt: Any, is_image: bool) -> torch.dtype | None:
        if isinstance(self.dtype, torch.dtype):
            return self.dtype if is_image else None
        if not isinstance(inpt, (Tensor, np.ndarray)):
            return None
        kind = Tensor if isinstance(inpt, np.ndarray) else type(inpt)
        if kind in self.dtype:
            return self.dtype[kind]
        if "others" in self.dtype:
            return self.dtype["others"]
        raise ValueError(
            f"dtype: the dict says nothing about {kind.__name__}; add it or 'others' (None keeps the dtype), or pass "
            "one dtype to convert images and videos only"
        )


class ConvertImageDtype(Transform):
    """Converts the dtype of images and videos and scales their values; masks, boxes and keypoints are not scaled.

    Args:
        dtype: the dtype of the result.

    Examples:
        >>> import torch
        >>> ConvertImageDtype()(torch.full((1, 1, 1), 255, dtype=torch.uint8)).item()
        1.0
    """

    dtype: torch.dtype = torch.float32

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Convert one input."""
        kernel = find_kernel(F.to_dtype, inpt)
        return inpt if kernel is None else kernel(inpt, self.dtype, True)


class ToImage(Transform):
    """Makes an `Image` `[C, H, W]` of images of any kind, values stay; see `functional.to_image`."""

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Convert one input."""
        return F.to_image(inpt) if is_pure(inpt) or is_pil_image(inpt) else inpt


class PILToTensor(Transform):
    """Makes tensors `[C, H, W]` of PIL images and hands on everything else."""

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Convert one input."""
        return F.pil_to_tensor(inpt) if is_pil_image(inpt) else inpt


class ToTensor(Transform):
    """Makes float tensors `[C, H, W]` in 0..1 of PIL images and arrays `[H, W, C]`; see `functional.to_tensor`.

    New code says what it wants with `ToImage` and `ToDtype`.

    Examples:
        >>> import numpy as np
        >>> ToTensor()(np.full((2, 2, 3), 255, dtype=np.uint8)).unique().tolist()
        [1.0]
    """

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Convert one input."""
        return F.to_tensor(inpt) if is_pil_image(inpt) or isinstance(inpt, np.ndarray) else inpt


class ToPILImage(Transform):
    """Makes a PIL image of a tensor `[C, H, W]` or an array `[H, W, C]`; see `functional.to_pil_image`.

    Args:
        mode: Pillow's name of the colour space; from dtype and channels when None.
    """

    mode: str | None = None

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Convert one input."""
        return F.to_pil_image(inpt, self.mode) if is_pure(inpt) or isinstance(inpt, Image) else inpt


class ToPureTensor(Transform):
    """Takes the types of tensors away; boxes lose their format and canvas size.

    Examples:
        >>> import torch
        >>> from vision_core.tv_tensors import Mask
        >>> type(ToPureTensor()(Mask(torch.zeros(2, 2)))).__name__
        'Tensor'
    """

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Convert one input."""
        return plain(inpt) if isinstance(inpt, TVTensor) else inpt


class UniformTemporalSubsample(Transform, operation=F.uniform_temporal_subsample):
    """Picks frames of videos at equal distances; see `functional.uniform_temporal_subsample`.

    Args:
        num_samples: frames of the result.

    Examples:
        >>> import torch
        >>> UniformTemporalSubsample(4)(torch.zeros(16, 3, 8, 8)).shape
        torch.Size([4, 3, 8, 8])
    """

    num_samples: int
