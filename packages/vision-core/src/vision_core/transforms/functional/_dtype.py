"""Between the dtypes that hold pixels."""

from __future__ import annotations

import torch
from torch import Tensor

from vision_core import _pixels
from vision_core.transforms.functional._dispatch import functional, video_kernel
from vision_core.transforms.functional._values import max_value, to_working, value_bits

__all__ = ["convert_image_dtype", "to_dtype", "to_dtype_image", "to_dtype_video"]


def to_dtype_image(image: Tensor, dtype: torch.dtype = torch.float, scale: bool = False) -> Tensor:
    """Convert the dtype of images, and with `scale` their values to the range that the new dtype stands for.

    Floating-point images hold 0..1, integer images 0 to the largest value of their dtype, bool images 0 and 1.

    Args:
        image: any shape and dtype.
        dtype: the dtype of the result.
        scale: map full range to full range; otherwise values are converted as they are.

    Returns:
        The same shape in `dtype`; `image` itself if it has that dtype.

    Raises:
        RuntimeError: float32 to int32 or int64, or float64 to int64, with `scale`: the result could not be exact.

    Examples:
        >>> import torch
        >>> to_dtype_image(torch.tensor([0, 255], dtype=torch.uint8), torch.float32, scale=True).tolist()
        [0.0, 1.0]
    """
    if image.dtype == dtype:
        return image
    if not scale or (image.is_floating_point() and dtype.is_floating_point):
        return image.to(dtype)
    if image.is_floating_point():
        return _float_to_int(image, dtype)
    if dtype.is_floating_point:
        native = _pixels.normalize_to_float(image, dtype=dtype)
        if native is not None:
            return native
        # Half formats cannot hold 255 (bfloat16) or 65535 (float16), so the division comes before the rounding.
        wide = torch.float64 if dtype == torch.float64 else torch.float32
        return image.to(wide).mul_(1.0 / max_value(image.dtype)).to(dtype)
    return _int_to_int(image, dtype)


def _float_to_int(image: Tensor, dtype: torch.dtype) -> Tensor:
    if (image.dtype == torch.float32 and dtype in (torch.int32, torch.int64)) or (
        image.dtype == torch.float64 and dtype == torch.int64
    ):
        raise RuntimeError(
            f"dtype: {image.dtype} cannot be scaled to {dtype} without error; go through float64 or int16"
        )
    # Every integer gets an equally wide part of 0..1, and 1 still belongs to the last one.
    return to_working(image).mul(max_value(dtype) + 1.0 - 1e-3).to(dtype)


def _int_to_int(image: Tensor, dtype: torch.dtype) -> Tensor:
    # torch shifts no uint16, so 16-bit images go through int32.
    values = image.to(torch.int32) if image.dtype == torch.uint16 else image
    source, target = value_bits(image.dtype), value_bits(dtype)
    if source > target:
        return values.bitwise_right_shift(source - target).to(dtype)
    wide = torch.int32 if dtype == torch.uint16 else dtype
    return values.to(wide).bitwise_left_shift(target - source).to(dtype)


def _convert(inpt: Tensor, dtype: torch.dtype = torch.float, scale: bool = False) -> Tensor:
    return inpt.to(dtype)  # what is no colour has no range to scale


to_dtype_video = video_kernel(to_dtype_image)
to_dtype = functional(to_dtype_image, mask=_convert, boxes=_convert, keypoints=_convert, pil=None)


def convert_image_dtype(image: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """Convert images to `dtype`, scaling their values: `to_dtype(image, dtype, scale=True)`.

    Examples:
        >>> import torch
        >>> convert_image_dtype(torch.tensor([255], dtype=torch.uint8)).tolist()
        [1.0]
    """
    return to_dtype_image(image, dtype, scale=True)
