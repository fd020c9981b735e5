"""Resize images, with torchvision's rules for sizes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import Tensor

from vision_core import resampling
from vision_core.transforms._interpolation import Interpolation, InterpolationMode, interpolation_name, pillow_filter
from vision_core.transforms.functional._crop import crop_bounding_boxes, crop_image, crop_keypoints
from vision_core.transforms.functional._dispatch import functional, mask_kernel, video_kernel
from vision_core.transforms.functional._move import scale_boxes, scale_keypoints
from vision_core.tv_tensors import BoundingBoxFormat
from vision_core.tv_tensors._boxes import ClampingMode

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = [
    "resize",
    "resize_bounding_boxes",
    "resize_image",
    "resize_keypoints",
    "resize_mask",
    "resize_video",
    "resized_crop",
    "resized_crop_bounding_boxes",
    "resized_crop_image",
    "resized_crop_keypoints",
    "resized_crop_mask",
    "resized_crop_video",
    "target_size",
]


def target_size(
    height: int, width: int, size: int | Sequence[int] | None, max_size: int | None = None
) -> tuple[int, int]:
    """Return (height, width) that an image of `height` x `width` gets.

    Args:
        height: rows of the image.
        width: columns of the image.
        size: `[height, width]`; or one value, which the shorter side becomes; or None, and the longer side becomes
            `max_size`. The ratio of the sides stays but for the first.
        max_size: with one value for `size`, the longer side becomes no longer than this.

    Raises:
        ValueError: arguments that contradict each other.

    Examples:
        >>> target_size(480, 640, 240), target_size(480, 640, 240, max_size=300)
        ((240, 320), (225, 300))
    """
    if size is None:
        if max_size is None:
            raise ValueError("size: expected a size, or max_size when size is None")
        return _scaled(height, width, max_size, of_longer=True)
    if not isinstance(size, int):
        if len(size) == 2:
            if max_size is not None:
                raise ValueError(f"max_size: needs one value for size, which the shorter side becomes, got {size!r}")
            return int(size[0]), int(size[1])
        if len(size) != 1:
            raise ValueError(f"size: expected one value or [height, width], got {size!r}")
        size = int(size[0])
    if max_size is None:
        return _scaled(height, width, size, of_longer=False)
    if max_size <= size:
        raise ValueError(f"max_size: expected more than size, {size}, which the shorter side becomes; got {max_size}")
    new_height, new_width = _scaled(height, width, size, of_longer=False)
    if max(new_height, new_width) <= max_size:
        return new_height, new_width
    shorter = int(max_size * size / max(new_height, new_width))
    return (shorter, max_size) if height <= width else (max_size, shorter)


def _scaled(height: int, width: int, side: int, of_longer: bool) -> tuple[int, int]:
    """Scale so that the shorter (or longer) side becomes `side`; the other one is cut to a whole number."""
    if (height <= width) != of_longer:
        return side, int(side * width / height)
    return int(side * height / width), side


def resize_image(
    image: Tensor,
    size: int | Sequence[int] | None,
    interpolation: Interpolation = InterpolationMode.BILINEAR,
    max_size: int | None = None,
    antialias: bool | None = True,
) -> Tensor:
    """Resize images.

    Args:
        image: `[..., C, H, W]`, any dtype; uint8 stays uint8.
        size: `[height, width]`; or one value, which the shorter side becomes; or None, see `max_size`.
        interpolation: a mode, its name, or Pillow's number of it.
        max_size: limit of the longer side; with `size=None` the longer side becomes just that.
        antialias: let every pixel count when the image shrinks, with bilinear and bicubic; box, hamming and lanczos
            always do, the nearest modes never.

    Returns:
        `[..., C, height, width]` in the dtype of `image`; `image` itself if it has that size.

    Raises:
        ValueError: arguments that contradict each other, or an unknown mode.

    Examples:
        >>> import torch
        >>> resize_image(torch.zeros(3, 480, 640, dtype=torch.uint8), 240).shape
        torch.Size([3, 240, 320])
    """
    height, width = image.shape[-2:]
    new_height, new_width = target_size(height, width, size, max_size)
    if new_height == height and new_width == width:
        return image
    return resampling.resize(image, [new_height, new_width], interpolation_name(interpolation), bool(antialias))


resize_video = video_kernel(resize_image)


def resize_mask(
    mask: Tensor,
    size: int | Sequence[int] | None,
    interpolation: Interpolation = InterpolationMode.BILINEAR,
    max_size: int | None = None,
) -> Tensor:
    """Resize masks `[..., H, W]` by taking nearest pixels, by the rule of NEAREST_EXACT if `interpolation` is that."""
    exact = interpolation_name(interpolation) == "nearest-exact"
    resized = resize_image(
        mask[None] if mask.ndim < 3 else mask, size, "nearest-exact" if exact else "nearest", max_size, False
    )
    return resized[0] if mask.ndim < 3 else resized


def resize_bounding_boxes(
    bounding_boxes: Tensor,
    canvas_size: tuple[int, int],
    size: int | Sequence[int] | None,
    max_size: int | None = None,
    format: BoundingBoxFormat | str = BoundingBoxFormat.XYXY,
    clamping_mode: ClampingMode = "soft",
) -> tuple[Tensor, tuple[int, int]]:
    """Scale boxes `[..., K]` with their image, and return them with its new (height, width).

    `clamping_mode` is there for the sake of uniformity: what lies inside stays inside.
    """
    height, width = canvas_size
    new = target_size(height, width, size, max_size)
    if new == (height, width):
        return bounding_boxes, new
    return scale_boxes(bounding_boxes, format, (new[1] / width, 0), (new[0] / height, 0), new), new


def resize_keypoints(
    keypoints: Tensor, size: int | Sequence[int] | None, canvas_size: tuple[int, int], max_size: int | None = None
) -> tuple[Tensor, tuple[int, int]]:
    """Scale keypoints `[..., 2]` with their image, and return them with its new (height, width)."""
    height, width = canvas_size
    new = target_size(height, width, size, max_size)
    if new == (height, width):
        return keypoints, new
    return scale_keypoints(keypoints, (new[1] / width, 0), (new[0] / height, 0)), new


def _resize_pil(
    image: Image,
    size: int | Sequence[int] | None,
    interpolation: Interpolation = InterpolationMode.BILINEAR,
    max_size: int | None = None,
    antialias: bool | None = True,
) -> Image:
    height, width = target_size(image.height, image.width, size, max_size)
    if (width, height) == image.size:
        return image
    return image.resize((width, height), resample=pillow_filter(interpolation))


def resized_crop_image(
    image: Tensor,
    top: int,
    left: int,
    height: int,
    width: int,
    size: int | Sequence[int],
    interpolation: Interpolation = InterpolationMode.BILINEAR,
    antialias: bool | None = True,
) -> Tensor:
    """Cut a region out of images and resize it.

    Args:
        image: `[..., C, H, W]`, any dtype.
        top: first row of the region.
        left: first column of the region.
        height: rows of the region.
        width: columns of the region.
        size: `[height, width]` of the result, or one value for its shorter side.
        interpolation: a mode, its name, or Pillow's number of it.
        antialias: see `resize`.

    Returns:
        `[..., C, height', width']` in the dtype of `image`.

    Examples:
        >>> import torch
        >>> resized_crop_image(torch.zeros(3, 64, 64), 8, 8, 32, 32, [16, 16]).shape
        torch.Size([3, 16, 16])
    """
    return resize_image(crop_image(image, top, left, height, width), size, interpolation, antialias=antialias)


resized_crop_video = video_kernel(resized_crop_image)
resized_crop_mask = mask_kernel(resized_crop_image)


def resized_crop_bounding_boxes(
    bounding_boxes: Tensor,
    format: BoundingBoxFormat | str,
    top: int,
    left: int,
    height: int,
    width: int,
    size: int | Sequence[int],
    clamping_mode: ClampingMode = "soft",
) -> tuple[Tensor, tuple[int, int]]:
    """Move boxes `[..., K]` into a region and scale them with it; return them with its new (height, width)."""
    cropped, canvas = crop_bounding_boxes(bounding_boxes, format, top, left, height, width, clamping_mode)
    return resize_bounding_boxes(cropped, canvas, size, format=format)


def resized_crop_keypoints(
    keypoints: Tensor, top: int, left: int, height: int, width: int, size: int | Sequence[int]
) -> tuple[Tensor, tuple[int, int]]:
    """Move keypoints `[..., 2]` into a region and scale them with it; return them with its new (height, width)."""
    cropped, canvas = crop_keypoints(keypoints, top, left, height, width)
    return resize_keypoints(cropped, size, canvas)


def _resized_crop_pil(
    image: Image,
    top: int,
    left: int,
    height: int,
    width: int,
    size: int | Sequence[int],
    interpolation: Interpolation = InterpolationMode.BILINEAR,
    antialias: bool | None = True,
) -> Image:
    region = image.crop((left, top, left + width, top + height))
    return _resize_pil(region, size, interpolation, antialias=antialias)


resize = functional(
    resize_image,
    mask=resize_mask,
    boxes=resize_bounding_boxes,
    keypoints=resize_keypoints,
    pil=_resize_pil,
)
resized_crop = functional(
    resized_crop_image,
    mask=resized_crop_mask,
    boxes=resized_crop_bounding_boxes,
    keypoints=resized_crop_keypoints,
    pil=_resized_crop_pil,
)
