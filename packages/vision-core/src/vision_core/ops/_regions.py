"""What all operators on regions share: their arguments, brought into one form and checked."""

from __future__ import annotations

import torch
from torch import Tensor
from torch._jit_internal import BroadcastingList2  # type: ignore[attr-defined]

__all__ = ["as_rois", "check_regions", "coordinates", "image_numbers", "kernel_boxes", "pair", "wrong_image"]


def as_rois(boxes: Tensor | list[Tensor], values: int) -> Tensor:
    """Return boxes as `[K, 1 + values]`, the index of the image first.

    Args:
        boxes: `[K, 1 + values]` already, or a list with `[L, values]` for each image.
        values: numbers that describe a box.

    Raises:
        ValueError: other shapes.
    """
    if isinstance(boxes, Tensor):
        if boxes.dim() != 2 or boxes.shape[1] != 1 + values:
            raise ValueError(
                f"boxes: expected [K, {1 + values}], the index of the image and {values} values a box, or a list of "
                f"[L, {values}] for each image; got {boxes.dim()} dimensions, {boxes.shape[-1:]} values"
            )
        return boxes
    numbered: list[Tensor] = []
    for index, part in enumerate(boxes):
        if part.dim() != 2 or part.shape[1] != values:
            raise ValueError(
                f"boxes: expected [L, {values}] for each image, got {part.dim()} dimensions, {part.shape[-1:]} values "
                f"for image {index}"
            )
        numbered.append(torch.cat([torch.full_like(part[:, :1], index), part], dim=1))
    if len(numbered) == 0:
        return torch.zeros([0, 1 + values])
    return torch.cat(numbered)


def pair(output_size: BroadcastingList2[int]) -> list[int]:
    """Return (height, width), which may be given as one value."""
    if isinstance(output_size, int):  # noqa: SIM108  (TorchScript compiles only one of two branches, but both of `if else`)
        size = [output_size, output_size]
    else:
        size = [output_size[0], output_size[1]]
    return size


def check_regions(input: Tensor, boxes: Tensor, output_size: list[int], values: int, sensitive: bool) -> None:
    """Check what an operator is given.

    Args:
        input: `[N, C, (D,) H, W]`, as many spatial axes as `output_size` has.
        boxes: `[K, 1 + values]`.
        output_size: bins along each spatial axis.
        values: numbers that describe a box.
        sensitive: whether the channels are divided among the bins.

    Raises:
        ValueError: shapes that do not fit.
        TypeError: dtypes that are not floating point.
        RuntimeError: tensors on different devices.
    """
    axes = len(output_size)
    if input.dim() != 2 + axes:
        layout = "[N, C, H, W]" if axes == 2 else "[N, C, D, H, W]"
        raise ValueError(f"input: expected {layout}, got {tuple(input.shape)}")
    if boxes.dim() != 2 or boxes.shape[1] != 1 + values:
        raise ValueError(
            f"boxes: expected [K, {1 + values}]: index of the image and {values} values, got {tuple(boxes.shape)}"
        )
    if not (input.is_floating_point() and boxes.is_floating_point()):
        raise TypeError(f"input, boxes: expected floating point, got {input.dtype} and {boxes.dtype}; convert them")
    if input.device != boxes.device:
        raise RuntimeError(f"input, boxes: expected one device, got {input.device} and {boxes.device}")
    bins = 1
    for size in output_size:
        if size < 0:
            raise ValueError(f"output_size: expected sizes of at least 0, got {list(output_size)}")
        bins = bins * size
    if sensitive and (bins == 0 or input.shape[1] % bins != 0):
        raise ValueError(
            f"input: expected channels that {bins} bins ({list(output_size)}) divide, got {input.shape[1]} channels"
        )


def coordinates(boxes: Tensor) -> Tensor:
    """Return boxes in a precision with enough digits for coordinates: at least float32."""
    boxes = boxes.detach()
    return boxes if boxes.dtype == torch.float64 else boxes.to(torch.float32)


def kernel_boxes(boxes: Tensor) -> Tensor:
    """Return boxes in a form that kernels read: contiguous float32 or float64."""
    if boxes.dtype is not torch.float32 and boxes.dtype is not torch.float64:
        boxes = boxes.to(torch.float32)
    return boxes.contiguous()


def image_numbers(boxes: Tensor, images: int) -> Tensor:
    """Return the image of each box, `[K]` int64, after a check.

    Raises:
        IndexError: a number that is not in 0..images-1.
    """
    numbers = boxes[:, 0]
    inside = (numbers > -1) & (numbers < images)
    if not bool(inside.all()):
        first = int((~inside).nonzero()[0, 0].item())
        raise wrong_image(boxes, first, images)
    return numbers.to(torch.int64)


def wrong_image(boxes: Tensor, box: int, images: int) -> IndexError:
    """Describe a box whose image does not exist."""
    return IndexError(
        f"boxes: box {box} is of image {boxes[box, 0].item():g}, but input has {images} images; "
        "the first column holds the index of the image"
    )
