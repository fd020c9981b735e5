"""Masks of pixels: the boxes around them, how they overlap, and the small masks of detectors put into images."""

from __future__ import annotations

import torch
from torch import Tensor

from vision_core import _native
from vision_core._library import library

__all__ = ["mask_iou", "masks_to_boxes", "paste_masks"]

_FAR = 1 << 30  # where the corners of boxes end, in pixels


def masks_to_boxes(masks: Tensor) -> Tensor:
    """Return the smallest boxes around masks.

    Args:
        masks: `[N, H, W]`; what is not 0 belongs to the mask.

    Returns:
        `[N, 4]` float32: x1, y1, x2, y2, the first and the last column and row of each mask (both inside of it); zeros
        for an empty mask.

    Raises:
        ValueError: masks of other than three dimensions.

    Examples:
        >>> import torch
        >>> mask = torch.zeros(1, 5, 6, dtype=torch.bool)
        >>> mask[0, 1:3, 2:5] = True
        >>> masks_to_boxes(mask).tolist()
        [[2.0, 1.0, 4.0, 2.0]]
    """
    return torch.ops.vision_core.masks_to_boxes(masks)


def mask_iou(masks1: Tensor, masks2: Tensor) -> Tensor:
    """Return the intersection over union of masks, pair by pair.

    Args:
        masks1: `[N, H, W]`; what is not 0 belongs to the mask.
        masks2: `[M, H, W]`.

    Returns:
        `[N, M]` float32; 0 for two empty masks.

    Raises:
        ValueError: other shapes, or images of different sizes.

    Examples:
        >>> import torch
        >>> left, all = torch.tensor([[[1, 0]]]), torch.tensor([[[1, 1]]])
        >>> mask_iou(left, torch.cat((left, all))).tolist()
        [[1.0, 0.5]]
    """
    return torch.ops.vision_core.mask_iou(masks1, masks2)


def paste_masks(
    masks: Tensor, boxes: Tensor, size: tuple[int, int], threshold: float | None = None, padding: int = 1
) -> Tensor:
    """Enlarge the masks that a detector gives for its boxes, and put them into images.

    The masks get a border of zeros, the boxes grow as much about their centres and are rounded towards 0, and the masks
    are enlarged bilinearly to the pixels from the first to the last corner, as in Mask R-CNN (He et al., ICCV 2017) and
    in torchvision's detectors. Differentiable with respect to `masks` unless there is a threshold.

    Args:
        masks: `[N, h, w]` floating point, usually 28 x 28 probabilities.
        boxes: `[N, 4]`: x1, y1, x2, y2 in pixels of the image; they may lie partly or wholly outside. A box with NaN
            gets an empty mask.
        size: (height, width) of the image.
        threshold: when given, the result is whether values are above it: a quarter of the memory, in one pass.
        padding: width of the border of zeros, in values of the mask.

    Returns:
        `[N, height, width]`, dtype of `masks`, or bool with a threshold.

    Raises:
        ValueError: shapes that do not fit, or a negative size or padding.
        TypeError: masks or boxes that are not floating point.

    Examples:
        >>> import torch
        >>> pasted = paste_masks(torch.ones(1, 2, 2), torch.tensor([[1.0, 1.0, 3.0, 2.0]]), (4, 5), threshold=0.5)
        >>> pasted[0].int().tolist()
        [[0, 0, 0, 0, 0], [0, 1, 1, 1, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]]
    """
    return torch.ops.vision_core.paste_masks(masks, boxes, size[0], size[1], threshold, padding)


library.define("masks_to_boxes(Tensor masks) -> Tensor")
library.define("mask_iou(Tensor masks1, Tensor masks2) -> Tensor")
library.define(
    "paste_masks(Tensor masks, Tensor boxes, SymInt height, SymInt width, float? threshold, int padding) -> Tensor"
)


def _check_masks(masks: Tensor, name: str) -> None:
    if masks.dim() != 3:
        raise ValueError(f"{name}: expected [N, H, W], got {masks.dim()} dimensions")


@torch.library.impl(library, "masks_to_boxes", "CompositeExplicitAutograd")
def _boxes_reference(masks: Tensor) -> Tensor:
    _check_masks(masks, "masks")
    if masks.numel() == 0:
        return torch.zeros((masks.shape[0], 4), dtype=torch.float32, device=masks.device)
    inside = masks != 0
    x1, x2 = _extent(inside.any(1))
    y1, y2 = _extent(inside.any(2))
    return torch.stack((x1, y1, x2, y2), dim=1).to(torch.float32)


def _extent(occupied: Tensor) -> tuple[Tensor, Tensor]:
    """First and last true position of each row of `[N, L]`, 0 and 0 where there is none."""
    length = occupied.shape[1]
    first = occupied.to(torch.uint8).argmax(1)
    last = length - 1 - occupied.flip(1).to(torch.uint8).argmax(1)
    return first, torch.where(occupied.any(1), last, 0)


@torch.library.impl(library, "masks_to_boxes", "CPU")
def _boxes_cpu(masks: Tensor) -> Tensor:
    native = _native.module
    if native is None or masks.is_complex():
        return _boxes_reference(masks)
    _check_masks(masks, "masks")
    masks = masks.contiguous()
    count, height, width = masks.shape
    boxes = torch.empty((count, 4), dtype=torch.float32)
    native.masks_to_boxes(
        masks.data_ptr(), count, height, width, masks.element_size(), masks.is_floating_point(),
        torch.get_num_threads(), boxes.data_ptr(),
    )  # fmt: skip
    return boxes


@torch.library.register_fake("vision_core::masks_to_boxes", lib=library)
def _boxes_fake(masks: Tensor) -> Tensor:
    _check_masks(masks, "masks")
    return masks.new_empty((masks.shape[0], 4), dtype=torch.float32)


def _check_pair(masks1: Tensor, masks2: Tensor) -> None:
    _check_masks(masks1, "masks1")
    _check_masks(masks2, "masks2")
    if masks1.shape[1] != masks2.shape[1] or masks1.shape[2] != masks2.shape[2]:
        raise ValueError(f"masks2: expected the size of masks1, {list(masks1.shape[1:])}, got {list(masks2.shape[1:])}")
    if masks1.device != masks2.device:
        raise ValueError(f"masks2: expected the device of masks1, {masks1.device}, got {masks2.device}")


@torch.library.impl(library, "mask_iou", "CompositeExplicitAutograd")
def _iou_reference(masks1: Tensor, masks2: Tensor) -> Tensor:
    _check_pair(masks1, masks2)
    exact = masks1.shape[1] * masks1.shape[2] <= 1 << 24  # areas are whole numbers in float32
    dtype = torch.float32 if exact else torch.float64
    a, b = (masks1 != 0).flatten(1).to(dtype), (masks2 != 0).flatten(1).to(dtype)
    with torch.autocast(masks1.device.type, enabled=False):
        inter = a @ b.t()
    union = a.sum(1)[:, None] + b.sum(1) - inter
    return torch.where(union > 0, inter / union, 0.0).to(torch.float32)


@torch.library.impl(library, "mask_iou", "CPU")
def _iou_cpu(masks1: Tensor, masks2: Tensor) -> Tensor:
    native = _native.module
    if native is None:
        return _iou_reference(masks1, masks2)
    _check_pair(masks1, masks2)
    a, b = _as_bytes(masks1), _as_bytes(masks2)
    iou = torch.empty((a.shape[0], b.shape[0]), dtype=torch.float32)
    pixels = a.shape[1] * a.shape[2]
    native.mask_iou(a.data_ptr(), a.shape[0], b.data_ptr(), b.shape[0], pixels, torch.get_num_threads(), iou.data_ptr())
    return iou


def _as_bytes(masks: Tensor) -> Tensor:
    if masks.dtype != torch.bool and masks.dtype != torch.uint8:
        masks = masks != 0
    return masks.contiguous()


@torch.library.register_fake("vision_core::mask_iou", lib=library)
def _iou_fake(masks1: Tensor, masks2: Tensor) -> Tensor:
    _check_pair(masks1, masks2)
    return masks1.new_empty((masks1.shape[0], masks2.shape[0]), dtype=torch.float32)


def _check_paste(masks: Tensor, boxes: Tensor, height: int, width: int, padding: int) -> None:
    _check_masks(masks, "masks")
    if not (masks.is_floating_point() and boxes.is_floating_point()):
        raise TypeError(f"masks, boxes: expected floating point, got {masks.dtype} and {boxes.dtype}; convert them")
    if boxes.dim() != 2 or boxes.shape[0] != masks.shape[0] or boxes.shape[1] != 4:
        raise ValueError(f"boxes: expected [{masks.shape[0]}, 4], a box for each mask, got {list(boxes.shape)}")
    if masks.shape[1] == 0 or masks.shape[2] == 0:
        raise ValueError(f"masks: expected masks with values, got {list(masks.shape)}")
    if height < 0 or width < 0 or padding < 0:
        raise ValueError(f"size, padding: expected numbers from 0 on, got ({height}, {width}) and {padding}")


def _grown(boxes: Tensor, mask_width: int, padding: int) -> Tensor:
    """The first and last pixels `[N, 4]` (int64) that the masks and their borders cover."""
    if boxes.dtype != torch.float64:
        boxes = boxes.to(torch.float32)
    half = (boxes[:, 2:] - boxes[:, :2]) * 0.5 * ((mask_width + 2 * padding) / mask_width)
    centre = (boxes[:, 2:] + boxes[:, :2]) * 0.5
    corners = torch.cat((centre - half, centre + half), 1)
    return torch.where(corners.isnan().any(1, keepdim=True), -_FAR, corners.clamp(-_FAR, _FAR)).to(torch.int64)


def _paste_reference(
    masks: Tensor, boxes: Tensor, height: int, width: int, threshold: float | None, padding: int
) -> Tensor:
    _check_paste(masks, boxes, height, width, padding)
    dtype = masks.dtype
    corners = _grown(boxes.detach(), masks.shape[2], padding)
    values = torch.nn.functional.pad(masks.to(torch.float32), [padding, padding, padding, padding])
    rows = _shares(corners[:, 1], corners[:, 3], height, values.shape[1])
    columns = _shares(corners[:, 0], corners[:, 2], width, values.shape[2])
    pasted = rows @ values @ columns.transpose(1, 2)
    return pasted.to(dtype) if threshold is None else pasted > threshold


def _shares(first: Tensor, last: Tensor, pixels: int, values: int) -> Tensor:
    """How much each value of the masks counts for each pixel: (N, pixels, values)."""
    pixel = torch.arange(pixels, device=first.device)
    count = (last - first + 1).clamp(min=1)[:, None]
    inside = (pixel >= first[:, None]) & (pixel <= last[:, None])
    position = (pixel - first[:, None] + 0.5) * (values / count.to(torch.float32)) - 0.5
    position = position.clamp(0.0, values - 1.0)
    share = (1 - (position[:, :, None] - torch.arange(values, device=first.device)).abs()).clamp(min=0.0)
    return torch.where(inside[:, :, None], share, 0.0)


@torch.library.impl(library, "paste_masks", "CompositeExplicitAutograd")
def _paste_any(masks: Tensor, boxes: Tensor, height: int, width: int, threshold: float | None, padding: int) -> Tensor:
    with torch.autocast(masks.device.type, enabled=False):
        return _paste_reference(masks, boxes, height, width, threshold, padding)


@torch.library.impl(library, "paste_masks", "CPU")
def _paste_cpu(masks: Tensor, boxes: Tensor, height: int, width: int, threshold: float | None, padding: int) -> Tensor:
    native = _native.module
    if native is None:
        return _paste_any(masks, boxes, height, width, threshold, padding)
    _check_paste(masks, boxes, height, width, padding)
    corners = _grown(boxes, masks.shape[2], padding).contiguous()
    values = torch.nn.functional.pad(masks.to(torch.float32), [padding] * 4).contiguous()
    count, mask_height, mask_width = values.shape
    pasted = torch.empty((count, height, width), dtype=torch.float32 if threshold is None else torch.bool)
    native.paste_masks(
        values.data_ptr(), corners.data_ptr(), count, mask_height, mask_width, height, width, threshold is not None,
        threshold or 0.0, torch.get_num_threads(), pasted.data_ptr(),
    )  # fmt: skip
    return pasted.to(masks.dtype) if threshold is None else pasted


@torch.library.register_fake("vision_core::paste_masks", lib=library)
def _paste_fake(masks: Tensor, boxes: Tensor, height: int, width: int, threshold: float | None, padding: int) -> Tensor:
    _check_masks(masks, "masks")
    dtype = masks.dtype if threshold is None else torch.bool
    return masks.new_empty((masks.shape[0], height, width), dtype=dtype)


@torch.library.impl(library, "paste_masks", "Autograd")
def _paste_autograd(
    masks: Tensor, boxes: Tensor, height: int, width: int, threshold: float | None, padding: int
) -> Tensor:
    if threshold is None and masks.requires_grad and torch.is_grad_enabled():
        return _paste_any(masks, boxes, height, width, None, padding)
    with torch._C._AutoDispatchBelowAutograd():
        return torch.ops.vision_core.paste_masks(masks, boxes, height, width, threshold, padding)
