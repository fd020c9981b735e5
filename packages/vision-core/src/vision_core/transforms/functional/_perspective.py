"""Seeing images from another point of view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor

from vision_core.transforms._interpolation import Interpolation, InterpolationMode, pillow_filter
from vision_core.transforms.functional._affine import pillow_fill
from vision_core.transforms.functional._dispatch import functional, mask_kernel, video_kernel
from vision_core.transforms.functional._matrix import homography, invert_homography
from vision_core.transforms.functional._move import move_boxes, move_keypoints
from vision_core.transforms.functional._pad import Fill
from vision_core.transforms.functional._warp import warp_mode, warp_perspective
from vision_core.tv_tensors import BoundingBoxFormat
from vision_core.tv_tensors._boxes import ClampingMode

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = [
    "perspective",
    "perspective_bounding_boxes",
    "perspective_image",
    "perspective_keypoints",
    "perspective_mask",
    "perspective_video",
]

Points = Sequence[Sequence[float]]


def _backward(
    startpoints: Points | None, endpoints: Points | None, coefficients: Sequence[float] | None
) -> list[float]:
    """Return the coefficients that say where points of the result come from."""
    if coefficients is not None:
        if startpoints is not None or endpoints is not None:
            raise ValueError("coefficients: expected either these or startpoints and endpoints, got both")
        if len(coefficients) != 8:
            raise ValueError(f"coefficients: expected 8, got {len(coefficients)}")
        return [float(value) for value in coefficients]
    if startpoints is None or endpoints is None:
        raise ValueError("startpoints, endpoints: expected both, or coefficients")
    return homography(endpoints, startpoints)


def perspective_image(
    image: Tensor,
    startpoints: Points | None,
    endpoints: Points | None,
    interpolation: Interpolation = InterpolationMode.BILINEAR,
    fill: Fill = None,
    coefficients: Sequence[float] | None = None,
) -> Tensor:
    """Map four points of images to four others, straight lines to straight lines.

    Args:
        image: `[..., C, H, W]`, any dtype.
        startpoints: four points (x, y) in the image: upper left, upper right, lower right, lower left.
        endpoints: where they go.
        interpolation: nearest, bilinear or bicubic, or its name.
        fill: of what was not in the image: one value or one per channel; 0 when None.
        coefficients: instead of points, `a, b, c, d, e, f, g, h`: what is at (x, y) of the result comes from
            `((a x + b y + c) / (g x + h y + 1), (d x + e y + f) / (g x + h y + 1))`.

    Returns:
        The same shape and dtype.

    Raises:
        ValueError: neither points nor coefficients or both, a wrong number of them, or three points on a line.

    Examples:
        >>> import torch
        >>> corners, lower = [[0, 0], [2, 0], [2, 2], [0, 2]], [[0, 1], [2, 1], [2, 3], [0, 3]]
        >>> perspective_image(torch.tensor([[[1, 2], [3, 4]]]), corners, lower, "nearest").tolist()
        [[[0, 0], [1, 2]]]
    """
    return warp_perspective(image, _backward(startpoints, endpoints, coefficients), warp_mode(interpolation), fill)


perspective_mask = mask_kernel(perspective_image)
perspective_video = video_kernel(perspective_image)


def perspective_bounding_boxes(
    bounding_boxes: Tensor,
    format: BoundingBoxFormat | str,
    canvas_size: tuple[int, int],
    startpoints: Points | None,
    endpoints: Points | None,
    coefficients: Sequence[float] | None = None,
    clamping_mode: ClampingMode = "soft",
) -> Tensor:
    """Move boxes `[..., K]` as `perspective_image` moves pixels; the result holds the four corners."""
    forward = invert_homography(_backward(startpoints, endpoints, coefficients))
    return move_boxes(bounding_boxes, format, forward, canvas_size, clamping_mode)


def perspective_keypoints(
    keypoints: Tensor,
    canvas_size: tuple[int, int],
    startpoints: Points | None,
    endpoints: Points | None,
    coefficients: Sequence[float] | None = None,
) -> Tensor:
    """Move keypoints `[..., 2]` as `perspective_image` moves pixels."""
    forward = invert_homography(_backward(startpoints, endpoints, coefficients))
    return move_keypoints(keypoints, forward)


def _perspective_pil(
    image: Image,
    startpoints: Points | None,
    endpoints: Points | None,
    interpolation: Interpolation = InterpolationMode.BILINEAR,
    fill: Fill = None,
    coefficients: Sequence[float] | None = None,
) -> Image:
    from PIL.Image import Transform

    backward = _backward(startpoints, endpoints, coefficients)
    resample: Any = pillow_filter(interpolation)
    return image.transform(image.size, Transform.PERSPECTIVE, backward, resample, fillcolor=pillow_fill(fill, image))


perspective = functional(
    perspective_image,
    mask=perspective_mask,
    boxes=perspective_bounding_boxes,
    keypoints=perspective_keypoints,
    pil=_perspective_pil,
)
