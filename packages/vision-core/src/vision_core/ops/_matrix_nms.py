"""Matrix NMS: the scores of all boxes are lowered at once."""

from __future__ import annotations

import torch
from torch import Tensor

from vision_core import _native
from vision_core._direct import nothing_watches
from vision_core._library import library
from vision_core.ops._box_3d import box_iou_3d
from vision_core.ops._iou import box_iou
from vision_core.ops._nms_reference import prepared
from vision_core.ops._soft_nms import METHODS

__all__ = ["matrix_nms"]


def matrix_nms(
    boxes: Tensor,
    scores: Tensor,
    idxs: Tensor | None = None,
    method: str = "gaussian",
    sigma: float = 2.0,
    fmt: str = "xyxy",
) -> Tensor:
    """Lower the scores of boxes that overlap better ones, all at once.

    Wang et al., "SOLOv2: Dynamic and Fast Instance Segmentation", NeurIPS 2020. Every better box of the same category
    lowers a box's score by a factor f(IoU), divided by what the better box itself is likely to be lowered by,
    f(its greatest IoU with a box better than itself); the least of these factors counts. Parallel, of static size,
    differentiable, and fit for `torch.func.vmap`.

    Args:
        boxes: `[N, 4]` floating point: x1, y1, x2, y2; `[N, 5]` or `[N, 8]` for rotated formats, `[N, 6]` for "xyzxyz".
        scores: `[N]` floating point; which of two boxes is better is decided by these.
        idxs: `[N]`: the category of each box; one category if None.
        method: "gaussian": f is exp(-sigma * IoU^2); "linear": 1 - IoU.
        sigma: gaussian only: a greater one lowers more; greater than 0.
        fmt: format of `boxes`, see `nms`; also "xyzxyz".

    Returns:
        `[N]`: the lowered scores, in the order and the dtype of `scores`. Boxes below a threshold are then dropped:
        `keep = torch.where(matrix_nms(boxes, scores) > 0.05)[0]`.

    Raises:
        ValueError: other shapes, an unknown method or format, or `sigma` of 0 or less.
        TypeError: integer boxes or scores.

    Examples:
        >>> import torch
        >>> boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 5], [20, 20, 30, 30]])
        >>> matrix_nms(boxes, torch.tensor([0.9, 0.8, 0.7]), method="linear")
        tensor([0.9000, 0.4000, 0.7000])
    """
    if method != "linear" and method != "gaussian":
        raise ValueError(f"method: expected linear or gaussian, got {method}")
    if not sigma > 0:
        raise ValueError(f"sigma: expected a number above 0, got {sigma}")
    if not torch.jit.is_scripting():  # pyright: ignore[reportPrivateImportUsage]
        lowered = _native_matrix_nms(boxes, scores, idxs, method, sigma, fmt)
        if lowered is not None:
            return lowered
    if boxes.dim() != 2 or scores.dim() != 1 or boxes.shape[0] != scores.shape[0]:
        raise ValueError(f"boxes, scores: expected [N, 4] and [N], got {list(boxes.shape)} and {list(scores.shape)}")
    if not boxes.is_floating_point() or not scores.is_floating_point():
        raise TypeError(f"boxes, scores: expected floating point, got {boxes.dtype} and {scores.dtype}; convert them")
    order = scores.sort(descending=True, stable=True)[1]
    better = boxes[order]
    iou = box_iou_3d(better, better) if fmt == "xyzxyz" else box_iou(better, better, fmt)
    iou = torch.where(iou > 0, iou, torch.zeros_like(iou)).triu(1)  # (N, N): row before column, NaN is no overlap
    if idxs is not None:
        group = idxs[order]
        iou = torch.where(group.unsqueeze(1) == group.unsqueeze(0), iou, torch.zeros_like(iou))
    none = torch.zeros_like(scores, dtype=iou.dtype).unsqueeze(0)  # what follows holds for no boxes, too
    most = torch.cat((none, iou)).amax(0).unsqueeze(1)  # of each row's box
    factor = torch.exp(sigma * (most * most - iou * iou)) if method == "gaussian" else (1 - iou) / (1 - most)
    factor = torch.where((iou > 0) & (factor < 1), factor, torch.ones_like(factor))
    least = torch.cat((none + 1, factor)).amin(0)
    return (scores * least[order.argsort()]).to(scores.dtype)


def _native_matrix_nms(
    boxes: Tensor, scores: Tensor, idxs: Tensor | None, method: str, sigma: float, fmt: str
) -> Tensor | None:
    native = _native.module
    if not nothing_watches() or native is None or type(boxes) is not Tensor or type(scores) is not Tensor:
        return None
    if not boxes.is_cpu or (torch.is_grad_enabled() and (boxes.requires_grad or scores.requires_grad)):
        return None
    dtype = scores.dtype
    boxes, scores, groups, shape = prepared(boxes, scores, idxs, fmt)
    boxes, scores = boxes.contiguous(), scores.contiguous()
    groups = None if groups is None else groups.contiguous()
    lowered = torch.empty_like(scores)
    native.matrix_nms(
        boxes.data_ptr(),
        scores.data_ptr(),
        0 if groups is None else groups.data_ptr(),
        boxes.shape[0],
        METHODS.index(method),
        sigma,
        shape,
        boxes.dtype is torch.float64,
        torch.get_num_threads(),
        lowered.data_ptr(),
    )
    return lowered.to(dtype)


library.define(
    'matrix_nms(Tensor boxes, Tensor scores, Tensor? idxs=None, str method="gaussian", float sigma=2.0, '
    'str fmt="xyxy") -> Tensor'
)
library.impl("matrix_nms", matrix_nms, "CompositeImplicitAutograd")
