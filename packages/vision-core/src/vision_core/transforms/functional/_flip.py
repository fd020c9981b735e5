"""Mirror images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from vision_core import _pixels
from vision_core.transforms.functional._dispatch import functional, mask_kernel, video_kernel
from vision_core.transforms.functional._move import scale_boxes, scale_keypoints
from vision_core.tv_tensors import BoundingBoxFormat

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = [
    "hflip",
    "horizontal_flip",
    "horizontal_flip_bounding_boxes",
    "horizontal_flip_image",
    "horizontal_flip_keypoints",
    "horizontal_flip_mask",
    "horizontal_flip_pil",
    "horizontal_flip_video",
    "vertical_flip",
    "vertical_flip_bounding_boxes",
    "vertical_flip_image",
    "vertical_flip_keypoints",
    "vertical_flip_mask",
    "vertical_flip_pil",
    "vertical_flip_video",
    "vflip",
]

_LEFT_RIGHT: Any = 0  # PIL.Image.Transpose, which would take longer to import again than to run
_TOP_BOTTOM: Any = 1
_SMALL = 4096  # bytes below which torch is done before our kernel has been called


def horizontal_flip_image(image: Tensor) -> Tensor:
    """Mirror images left to right.

    Args:
        image: `[..., H, W]`, any dtype.

    Returns:
        The same shape and dtype.

    Examples:
        >>> import torch
        >>> horizontal_flip_image(torch.tensor([[[1, 2, 3]]])).tolist()
        [[[3, 2, 1]]]
    """
    if not torch.jit.is_scripting():  # noqa: SIM102 - TorchScript skips what stands under this alone
        if image.dtype == torch.uint8:
            flipped = _pixels.horizontal_flip(image) if image.numel() >= _SMALL else None
            return image.flip(-1) if flipped is None else flipped
    return _flip(image, -1)


def vertical_flip_image(image: Tensor) -> Tensor:
    """Turn images upside down.

    Args:
        image: `[..., H, W]`, any dtype.

    Returns:
        The same shape and dtype.

    Examples:
        >>> import torch
        >>> vertical_flip_image(torch.tensor([[[1], [2]]])).tolist()
        [[[2], [1]]]
    """
    if not torch.jit.is_scripting():  # noqa: SIM102 - TorchScript skips what stands under this alone
        if image.dtype == torch.uint8:
            flipped = _pixels.vertical_flip(image) if image.numel() >= _SMALL else None
            return image.flip(-2) if flipped is None else flipped
    return _flip(image, -2)


def _flip(image: Tensor, axis: int) -> Tensor:
    if image.dtype == torch.uint16:  # torch flips only the signed twins of these
        return image.view(torch.int16).flip([axis]).view(torch.uint16)
    if image.dtype == torch.uint32:
        return image.view(torch.int32).flip([axis]).view(torch.uint32)
    if image.dtype == torch.uint64:
        return image.view(torch.int64).flip([axis]).view(torch.uint64)
    return image.flip([axis])


horizontal_flip_mask = mask_kernel(horizontal_flip_image)
horizontal_flip_video = video_kernel(horizontal_flip_image)
vertical_flip_mask = mask_kernel(vertical_flip_image)
vertical_flip_video = video_kernel(vertical_flip_image)


def horizontal_flip_bounding_boxes(
    bounding_boxes: Tensor, format: BoundingBoxFormat | str, canvas_size: tuple[int, int]
) -> Tensor:
    """Mirror boxes `[..., K]` left to right in an image of `canvas_size`."""
    return scale_boxes(bounding_boxes, format, (-1, canvas_size[1]), (1, 0), canvas_size)


def vertical_flip_bounding_boxes(
    bounding_boxes: Tensor, format: BoundingBoxFormat | str, canvas_size: tuple[int, int]
) -> Tensor:
    """Turn boxes `[..., K]` upside down in an image of `canvas_size`."""
    return scale_boxes(bounding_boxes, format, (1, 0), (-1, canvas_size[0]), canvas_size)


def horizontal_flip_keypoints(keypoints: Tensor, canvas_size: tuple[int, int]) -> Tensor:
    """Mirror keypoints `[..., 2]` left to right: column 0 becomes the last column."""
    return scale_keypoints(keypoints, (-1, canvas_size[1] - 1), (1, 0))


def vertical_flip_keypoints(keypoints: Tensor, canvas_size: tuple[int, int]) -> Tensor:
    """Turn keypoints `[..., 2]` upside down: row 0 becomes the last row."""
    return scale_keypoints(keypoints, (1, 0), (-1, canvas_size[0] - 1))


def horizontal_flip_pil(image: Image) -> Image:
    return image.transpose(_LEFT_RIGHT)


def vertical_flip_pil(image: Image) -> Image:
    return image.transpose(_TOP_BOTTOM)


horizontal_flip = hflip = functional(
    horizontal_flip_image,
    mask=horizontal_flip_mask,
    boxes=horizontal_flip_bounding_boxes,
    keypoints=horizontal_flip_keypoints,
    pil=horizontal_flip_pil,
)
vertical_flip = vflip = functional(
    vertical_flip_image,
    mask=vertical_flip_mask,
    boxes=vertical_flip_bounding_boxes,
    keypoints=vertical_flip_keypoints,
    pil=vertical_flip_pil,
)
