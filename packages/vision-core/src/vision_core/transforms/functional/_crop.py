"""Cut regions out of images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import Tensor

from vision_core._direct import nothing_watches
from vision_core.transforms.functional._dispatch import functional, mask_kernel, video_kernel
from vision_core.transforms.functional._move import scale_boxes, scale_keypoints
from vision_core.transforms.functional._pad import pad_image
from vision_core.tv_tensors import BoundingBoxFormat
from vision_core.tv_tensors._boxes import ClampingMode

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = [
    "center_crop",
    "center_crop_bounding_boxes",
    "center_crop_image",
    "center_crop_keypoints",
    "center_crop_mask",
    "center_crop_video",
    "center_of",
    "crop",
    "crop_bounding_boxes",
    "crop_image",
    "crop_keypoints",
    "crop_mask",
    "crop_pil",
    "crop_video",
    "regions",
    "two_sizes",
]


def two_sizes(size: int | Sequence[int], argument: str = "size") -> list[int]:
    """Turn one side of a square, or (height, width), into `[height, width]`.

    Raises:
        ValueError: another number of values.
    """
    if type(size) is int:
        return [size, size]
    if type(size) is tuple and len(size) == 2:
        return [int(size[0]), int(size[1])]
    values = [size, size] if isinstance(size, int) else [int(value) for value in size]
    if len(values) == 1:
        values *= 2
    if len(values) != 2:
        raise ValueError(f"{argument}: expected one value or (height, width), got {size!r}")
    return values


def crop_image(image: Tensor, top: int, left: int, height: int, width: int) -> Tensor:
    """Cut a region out of images; what lies outside the image is filled with 0.

    Args:
        image: `[..., H, W]`, any dtype.
        top: first row of the region, may be negative.
        left: first column of the region, may be negative.
        height: rows of the region.
        width: columns of the region.

    Returns:
        `[..., height, width]`: a view of `image` where the region lies inside.

    Examples:
        >>> import torch
        >>> crop_image(torch.arange(9).view(1, 3, 3), 1, 1, 2, 2).tolist()
        [[[4, 5], [7, 8]]]
    """
    bottom, right = top + height, left + width
    shape = image.shape
    full_height, full_width = shape[-2], shape[-1]
    if top >= 0 and left >= 0 and bottom <= full_height and right <= full_width:
        if height < 1 or width < 1 or image.requires_grad or type(image) is not Tensor or not nothing_watches():
            return image[..., top:bottom, left:right]
        strides = image.stride()  # the same view in half the time
        start = image.storage_offset() + top * strides[-2] + left * strides[-1]
        size = (shape[0], height, width) if len(shape) == 3 else (*shape[:-2], height, width)
        return image.as_strided(size, strides, start)
    # A region that lies wholly outside leaves nothing to view, so both ends are kept within the image.
    first_row, last_row = min(max(top, 0), full_height), min(max(bottom, 0), full_height)
    first_column, last_column = min(max(left, 0), full_width), min(max(right, 0), full_width)
    inside = image[..., first_row:last_row, first_column:last_column]
    if inside.shape[-2] == 0 or inside.shape[-1] == 0:
        return image.new_zeros((*image.shape[:-2], height, width))
    return pad_image(inside, [first_column - left, first_row - top, right - last_column, bottom - last_row])


def regions(image: Tensor, places: Sequence[tuple[int, int]], height: int, width: int) -> list[Tensor]:
    """View regions of one size that lie inside of the image, each from its (top, left) on, as `crop_image` does."""
    if height < 1 or width < 1 or image.requires_grad or type(image) is not Tensor or not nothing_watches():
        return [image[..., top : top + height, left : left + width] for top, left in places]
    shape, strides, start = image.shape, image.stride(), image.storage_offset()
    size = (shape[0], height, width) if len(shape) == 3 else (*shape[:-2], height, width)
    row, column = strides[-2], strides[-1]
    return [image.as_strided(size, strides, start + top * row + left * column) for top, left in places]


crop_mask = mask_kernel(crop_image)
crop_video = video_kernel(crop_image)


def crop_bounding_boxes(
    bounding_boxes: Tensor,
    format: BoundingBoxFormat | str,
    top: int,
    left: int,
    height: int,
    width: int,
    clamping_mode: ClampingMode = "soft",
) -> tuple[Tensor, tuple[int, int]]:
    """Move boxes `[..., K]` into a region of their image, and return them with its (height, width)."""
    size = (height, width)
    return scale_boxes(bounding_boxes, format, (1, -left), (1, -top), size, clamping_mode), size


def crop_keypoints(keypoints: Tensor, top: int, left: int, height: int, width: int) -> tuple[Tensor, tuple[int, int]]:
    """Move keypoints `[..., 2]` into a region of their image, and return them with its (height, width)."""
    return scale_keypoints(keypoints, (1, -left), (1, -top)), (height, width)


def crop_pil(image: Image, top: int, left: int, height: int, width: int) -> Image:
    return image.crop((left, top, left + width, top + height))


def center_crop_image(image: Tensor, output_size: int | Sequence[int]) -> Tensor:
    """Cut the middle out of images; smaller images are surrounded with 0.

    Args:
        image: `[..., H, W]`, any dtype.
        output_size: side of a square, or `[height, width]`.

    Returns:
        `[..., height, width]`: a view of `image` where it is large enough.

    Examples:
        >>> import torch
        >>> center_crop_image(torch.arange(9).view(1, 3, 3), 1).tolist()
        [[[4]]]
    """
    return crop_image(image, *center_of(image.shape[-2], image.shape[-1], output_size))


center_crop_mask = mask_kernel(center_crop_image)
center_crop_video = video_kernel(center_crop_image)


def center_crop_bounding_boxes(
    bounding_boxes: Tensor,
    format: BoundingBoxFormat | str,
    canvas_size: tuple[int, int],
    output_size: int | Sequence[int],
    clamping_mode: ClampingMode = "soft",
) -> tuple[Tensor, tuple[int, int]]:
    """Move boxes `[..., K]` into the middle of their image, and return them with its (height, width)."""
    return crop_bounding_boxes(bounding_boxes, format, *center_of(*canvas_size, output_size), clamping_mode)


def center_crop_keypoints(
    inpt: Tensor, canvas_size: tuple[int, int], output_size: int | Sequence[int]
) -> tuple[Tensor, tuple[int, int]]:
    """Move keypoints `[..., 2]` into the middle of their image, and return them with its (height, width)."""
    return crop_keypoints(inpt, *center_of(*canvas_size, output_size))


def _center_crop_pil(image: Image, output_size: int | Sequence[int]) -> Image:
    return crop_pil(image, *center_of(image.height, image.width, output_size))


def center_of(full_height: int, full_width: int, output_size: int | Sequence[int]) -> tuple[int, int, int, int]:
    """Return (top, left, height, width) of the middle of an image."""
    height, width = two_sizes(output_size, "output_size")
    return _center_start(full_height, height), _center_start(full_width, width), height, width


def _center_start(full: int, wanted: int) -> int:
    """First row or column of the middle: halves go to the even side when cutting, to the upper left when adding."""
    return round((full - wanted) / 2) if full >= wanted else -((wanted - full) // 2)


crop = functional(
    crop_image,
    mask=crop_mask,
    boxes=crop_bounding_boxes,
    keypoints=crop_keypoints,
    pil=crop_pil,
)
center_crop = functional(
    center_crop_image,
    mask=center_crop_mask,
    boxes=center_crop_bounding_boxes,
    keypoints=center_crop_keypoints,
    pil=_center_crop_pil,
)
