"""Moving every pixel by a displacement of its own."""

from __future__ import annotations

from torch import Tensor

from vision_core.transforms._interpolation import Interpolation, InterpolationMode
from vision_core.transforms.functional._dispatch import functional, mask_kernel, video_kernel
from vision_core.transforms.functional._move import move_boxes, move_keypoints
from vision_core.transforms.functional._pad import Fill
from vision_core.transforms.functional._warp import warp_displacement, warp_mode
from vision_core.tv_tensors import BoundingBoxFormat
from vision_core.tv_tensors._boxes import ClampingMode

__all__ = [
    "elastic",
    "elastic_bounding_boxes",
    "elastic_image",
    "elastic_keypoints",
    "elastic_mask",
    "elastic_transform",
    "elastic_video",
]


def _check(displacement: Tensor, height: int, width: int) -> None:
    if not isinstance(displacement, Tensor):
        raise TypeError(f"displacement: expected a tensor, got {type(displacement).__name__}")
    if tuple(displacement.shape) != (1, height, width, 2):
        raise ValueError(f"displacement: expected {(1, height, width, 2)}, got shape {tuple(displacement.shape)}")


def elastic_image(
    image: Tensor,
    displacement: Tensor,
    interpolation: Interpolation = InterpolationMode.BILINEAR,
    fill: Fill = None,
) -> Tensor:
    """Move every pixel of images by a displacement of its own (Simard et al. 2003).

    Args:
        image: `[..., C, H, W]`, any dtype.
        displacement: `[1, H, W, 2]`, x and y: where a pixel comes from, relative to it; 2 is the width or the height.
        interpolation: nearest, bilinear or bicubic, or its name.
        fill: of what was not in the image: one value or one per channel; 0 when None.

    Returns:
        The same shape and dtype.

    Raises:
        TypeError: `displacement` is no tensor.
        ValueError: `displacement` has another shape.

    Examples:
        >>> import torch
        >>> by_one = torch.tensor([2 / 3, 0.0]).expand(1, 1, 3, 2)
        >>> elastic_image(torch.tensor([[[1.0, 2.0, 3.0]]]), by_one, "nearest").tolist()
        [[[2.0, 3.0, 0.0]]]
    """
    _check(displacement, image.shape[-2], image.shape[-1])
    return warp_displacement(image, displacement, warp_mode(interpolation), fill)


elastic_mask = mask_kernel(elastic_image)
elastic_video = video_kernel(elastic_image)


def _displaced(at: Tensor, displacement: Tensor) -> Tensor:
    """Move points against the displacement of the pixel that they are in; close to exact where it is smooth."""
    _, height, width, _ = displacement.shape
    column, row = at.unbind(-1)
    field = displacement[0].to(at)
    own = field[row.long().clamp(0, height - 1), column.long().clamp(0, width - 1)]
    return at - own * at.new_tensor([width * 0.5, height * 0.5])


def elastic_bounding_boxes(
    bounding_boxes: Tensor,
    format: BoundingBoxFormat | str,
    canvas_size: tuple[int, int],
    displacement: Tensor,
    clamping_mode: ClampingMode = "soft",
) -> Tensor:
    """Move boxes `[..., K]` as `elastic_image` moves pixels; the result holds the four corners."""
    _check(displacement, *canvas_size)
    return move_boxes(bounding_boxes, format, lambda at: _displaced(at, displacement), canvas_size, clamping_mode)


def elastic_keypoints(keypoints: Tensor, canvas_size: tuple[int, int], displacement: Tensor) -> Tensor:
    """Move keypoints `[..., 2]` as `elastic_image` moves pixels."""
    _check(displacement, *canvas_size)
    return move_keypoints(keypoints, lambda at: _displaced(at, displacement))


elastic = elastic_transform = functional(
    elastic_image, mask=elastic_mask, boxes=elastic_bounding_boxes, keypoints=elastic_keypoints
)
