"""Turning, shifting, scaling and shearing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from vision_core.transforms._interpolation import Interpolation, InterpolationMode, pillow_filter
from vision_core.transforms.functional._dispatch import functional, mask_kernel, video_kernel
from vision_core.transforms.functional._matrix import Affine, affine_matrix, invert_affine
from vision_core.transforms.functional._move import move_boxes, move_keypoints
from vision_core.transforms.functional._pad import Fill
from vision_core.transforms.functional._warp import warp_affine, warp_mode
from vision_core.tv_tensors import BoundingBoxFormat
from vision_core.tv_tensors._boxes import ClampingMode

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = [
    "affine",
    "affine_backward",
    "affine_bounding_boxes",
    "affine_image",
    "affine_keypoints",
    "affine_mask",
    "affine_video",
    "forward_affine",
    "pillow_fill",
    "rotate",
    "rotate_bounding_boxes",
    "rotate_image",
    "rotate_keypoints",
    "rotate_mask",
    "rotate_video",
    "rotation_backward",
]

Shear = float | Sequence[float]


def forward_affine(
    canvas_size: Sequence[int],
    angle: float,
    translate: Sequence[float],
    scale: float,
    shear: Shear,
    center: Sequence[float] | None,
) -> Affine:
    """Check the arguments of `affine` and return where points go, in pixels from the upper left corner."""
    if not isinstance(angle, (int, float)):
        raise TypeError(f"angle: expected a number, got {type(angle).__name__}")
    if not isinstance(translate, (list, tuple)):
        raise TypeError(f"translate: expected a list or tuple (x, y), got {type(translate).__name__}")
    if len(translate) != 2:
        raise ValueError(f"translate: expected (x, y), got {translate}")
    if scale <= 0:
        raise ValueError(f"scale: expected more than 0, got {scale}")
    if not isinstance(shear, (int, float, list, tuple)):
        raise TypeError(f"shear: expected a number or (x, y), got {type(shear).__name__}")
    sheared = [shear, 0.0] if isinstance(shear, (int, float)) else [float(value) for value in shear]
    if len(sheared) not in (1, 2):
        raise ValueError(f"shear: expected a number or (x, y), got {shear}")
    sheared = sheared * 2 if len(sheared) == 1 else sheared
    if center is not None and (not isinstance(center, (list, tuple)) or len(center) != 2):
        raise ValueError(f"center: expected (x, y), got {center!r}")
    middle = (canvas_size[1] * 0.5, canvas_size[0] * 0.5) if center is None else center
    return affine_matrix(float(angle), translate, scale, sheared, middle)


def _backward(matrix: Affine, old: Sequence[int], new: Sequence[int]) -> Affine:
    """Return where points of the result come from, both measured from the middle of their image."""
    a, b, c, d, e, f = invert_affine(matrix)
    x, y = new[1] * 0.5, new[0] * 0.5
    return a, b, c + a * x + b * y - old[1] * 0.5, d, e, f + d * x + e * y - old[0] * 0.5


def affine_backward(
    canvas_size: Sequence[int],
    angle: float,
    translate: Sequence[float],
    scale: float,
    shear: Shear,
    center: Sequence[float] | None,
) -> Affine:
    """Check the arguments of `affine` and return where points of the result come from, measured from the middle."""
    return _backward(forward_affine(canvas_size, angle, translate, scale, shear, center), canvas_size, canvas_size)


def affine_image(
    image: Tensor,
    angle: float,
    translate: Sequence[float],
    scale: float,
    shear: Shear,
    interpolation: Interpolation = InterpolationMode.NEAREST,
    fill: Fill = None,
    center: Sequence[float] | None = None,
) -> Tensor:
    """Shear, scale, turn and shift images, keeping their size.

    Args:
        image: `[..., C, H, W]`, any dtype.
        angle: degrees, clockwise.
        translate: pixels to the right and down.
        scale: factor, more than 0.
        shear: degrees along x and along y; one number: along x.
        interpolation: nearest, bilinear or bicubic, or its name.
        fill: of what was not in the image: one value or one per channel; 0 when None.
        center: x and y that `translate` alone moves; the middle of the image when None.

    Returns:
        The same shape and dtype.

    Raises:
        TypeError: an argument is no number or no sequence of them.
        ValueError: an argument has another number of values, `scale` is not positive, an unknown interpolation.

    Examples:
        >>> import torch
        >>> affine_image(torch.tensor([[[1, 2, 3]]]), 0, [1, 0], 1.0, 0).tolist()
        [[[0, 1, 2]]]
    """
    size = image.shape[-2:]
    backward = affine_backward(size, angle, translate, scale, shear, center)
    return warp_affine(image, backward, size, warp_mode(interpolation), fill)


affine_mask = mask_kernel(affine_image)
affine_video = video_kernel(affine_image)


def affine_bounding_boxes(
    bounding_boxes: Tensor,
    format: BoundingBoxFormat | str,
    canvas_size: tuple[int, int],
    angle: float,
    translate: Sequence[float],
    scale: float,
    shear: Shear,
    center: Sequence[float] | None = None,
    clamping_mode: ClampingMode = "soft",
) -> Tensor:
    """Move boxes `[..., K]` as `affine_image` moves pixels; the result holds the four corners."""
    matrix = forward_affine(canvas_size, angle, translate, scale, shear, center)
    return move_boxes(bounding_boxes, format, matrix, canvas_size, clamping_mode)


def affine_keypoints(
    keypoints: Tensor,
    canvas_size: tuple[int, int],
    angle: float,
    translate: Sequence[float],
    scale: float,
    shear: Shear,
    center: Sequence[float] | None = None,
) -> Tensor:
    """Move keypoints `[..., 2]` as `affine_image` moves pixels."""
    matrix = forward_affine(canvas_size, angle, translate, scale, shear, center)
    return move_keypoints(keypoints, matrix)


def _affine_pil(
    image: Image,
    angle: float,
    translate: Sequence[float],
    scale: float,
    shear: Shear,
    interpolation: Interpolation = InterpolationMode.NEAREST,
    fill: Fill = None,
    center: Sequence[float] | None = None,
) -> Image:
    from PIL.Image import Transform

    matrix = invert_affine(forward_affine((image.height, image.width), angle, translate, scale, shear, center))
    resample: Any = pillow_filter(interpolation)
    return image.transform(image.size, Transform.AFFINE, matrix, resample, fillcolor=pillow_fill(fill, image))


def pillow_fill(fill: Fill, image: Image) -> Any:
    """Return a fill as Pillow wants it.

    Raises:
        ValueError: another number of values than the image has bands.
    """
    bands = len(image.getbands())
    values = [0] if fill is None else [fill] if isinstance(fill, (int, float)) else list(fill)
    values = values * bands if len(values) == 1 else values
    if len(values) != bands:
        raise ValueError(f"fill: expected one value or {bands} for an image of mode {image.mode}, got {len(values)}")
    if image.mode != "F":
        values = [int(value) for value in values]
    return values[0] if bands == 1 else tuple(values)


affine = functional(
    affine_image,
    mask=affine_mask,
    boxes=affine_bounding_boxes,
    keypoints=affine_keypoints,
    pil=_affine_pil,
)


def _rotation(
    canvas_size: Sequence[int], angle: float, expand: bool, center: Sequence[float] | None
) -> tuple[Affine, tuple[int, int]]:
    """Return where points go, and (height, width) of the result."""
    height, width = canvas_size
    matrix = forward_affine(canvas_size, -angle, [0.0, 0.0], 1.0, [0.0, 0.0], center)
    if not expand:
        return matrix, (height, width)
    a, b, c, d, e, f = matrix
    xs = [a * x + b * y + c for x in (0, width) for y in (0, height)]
    ys = [d * x + e * y + f for x in (0, width) for y in (0, height)]
    # Whole pixels that hold the corners; what float arithmetic adds to a whole number is no pixel more.
    new_width = math.ceil(max(xs) - 1e-4) - math.floor(min(xs) + 1e-4)
    new_height = math.ceil(max(ys) - 1e-4) - math.floor(min(ys) + 1e-4)
    # The middle of the image stays in the middle.
    return (a, b, c + (new_width - width) * 0.5, d, e, f + (new_height - height) * 0.5), (new_height, new_width)


def rotation_backward(
    canvas_size: Sequence[int], angle: float, expand: bool, center: Sequence[float] | None
) -> tuple[Affine, tuple[int, int]]:
    """Return where points of the turned image come from, measured from the middles, and its (height, width)."""
    matrix, new_size = _rotation(canvas_size, angle, expand, center)
    return _backward(matrix, canvas_size, new_size), new_size


def rotate_image(
    image: Tensor,
    angle: float,
    interpolation: Interpolation = InterpolationMode.NEAREST,
    expand: bool = False,
    center: Sequence[float] | None = None,
    fill: Fill = None,
) -> Tensor:
    """Turn images.

    Args:
        image: `[..., C, H, W]`, any dtype.
        angle: degrees, counter-clockwise.
        interpolation: nearest, bilinear or bicubic, or its name.
        expand: make the result large enough for the whole turned image; else it keeps its size.
        center: x and y that stay; the middle of the image when None. With `expand` the middle of the image stays in
            the middle of the result.
        fill: of what was not in the image: one value or one per channel; 0 when None.

    Returns:
        `[..., C, H', W']` in the same dtype.

    Raises:
        ValueError: an unknown interpolation, or a wrong number of values.

    Examples:
        >>> import torch
        >>> rotate_image(torch.tensor([[[1, 2, 3]]]), 90, expand=True).tolist()
        [[[3], [2], [1]]]
    """
    size = image.shape[-2:]
    quarters = angle / 90
    if center is None and quarters == int(quarters) and (int(quarters) % 2 == 0 or expand or size[0] == size[1]):
        warp_mode(interpolation)
        return torch.rot90(image, int(quarters) % 4, (-2, -1))
    backward, new_size = rotation_backward(size, angle, expand, center)
    return warp_affine(image, backward, new_size, warp_mode(interpolation), fill)


rotate_mask = mask_kernel(rotate_image)
rotate_video = video_kernel(rotate_image)


def rotate_bounding_boxes(
    bounding_boxes: Tensor,
    format: BoundingBoxFormat | str,
    canvas_size: tuple[int, int],
    angle: float,
    expand: bool = False,
    center: Sequence[float] | None = None,
    clamping_mode: ClampingMode = "soft",
) -> tuple[Tensor, tuple[int, int]]:
    """Move boxes `[..., K]` as `rotate_image` moves pixels, and return them with the new (height, width)."""
    matrix, new_size = _rotation(canvas_size, angle, expand, center)
    moved = move_boxes(bounding_boxes, format, matrix, new_size, clamping_mode)
    return moved, new_size


def rotate_keypoints(
    keypoints: Tensor,
    canvas_size: tuple[int, int],
    angle: float,
    expand: bool = False,
    center: Sequence[float] | None = None,
) -> tuple[Tensor, tuple[int, int]]:
    """Move keypoints `[..., 2]` as `rotate_image` moves pixels, and return them with the new (height, width)."""
    matrix, new_size = _rotation(canvas_size, angle, expand, center)
    return move_keypoints(keypoints, matrix), new_size


def _rotate_pil(
    image: Image,
    angle: float,
    interpolation: Interpolation = InterpolationMode.NEAREST,
    expand: bool = False,
    center: Sequence[float] | None = None,
    fill: Fill = None,
) -> Image:
    resample: Any = pillow_filter(interpolation)
    middle = None if center is None else (center[0], center[1])
    return image.rotate(angle, resample, expand, middle, fillcolor=pillow_fill(fill, image))


rotate = functional(
    rotate_image,
    mask=rotate_mask,
    boxes=rotate_bounding_boxes,
    keypoints=rotate_keypoints,
    pil=_rotate_pil,
)
