"""Operators on masks against loops over pixels and torch's own interpolation."""

from __future__ import annotations

import math
import warnings

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vision_core import _native
from vision_core.ops import mask_iou, masks_to_boxes, paste_masks

DTYPES = [
    torch.bool,
    torch.uint8,
    torch.int16,
    torch.int64,
    torch.float16,
    torch.bfloat16,
    torch.float32,
    torch.float64,
]


def masks_of(count: int, height: int, width: int, share: float = 0.4, seed: int = 0) -> Tensor:
    return torch.rand(count, height, width, generator=torch.Generator().manual_seed(seed)) < share


def boxes_by_hand(masks: Tensor) -> list[list[float]]:
    boxes = []
    for mask in masks:
        where = [(y, x) for y, row in enumerate(mask.tolist()) for x, value in enumerate(row) if value]
        rows, columns = [y for y, _ in where], [x for _, x in where]
        boxes.append([min(columns), min(rows), max(columns), max(rows)] if where else [0, 0, 0, 0])
    return boxes


@pytest.mark.parametrize("dtype", DTYPES)
def test_boxes_of_any_dtype(backend: str, threads: int, dtype: torch.dtype) -> None:
    for share in (0.0, 0.001, 0.01, 0.5):
        masks = (masks_of(4, 37, 91, share) * 3).to(dtype)
        boxes = masks_to_boxes(masks)
        assert boxes.dtype == torch.float32
        assert boxes.tolist() == boxes_by_hand(masks)
        odd = masks.permute(2, 0, 1).contiguous().permute(1, 2, 0)
        assert torch.equal(masks_to_boxes(odd), boxes)


@settings(max_examples=100, deadline=None)
@given(
    size=st.tuples(st.integers(1, 20), st.integers(1, 700)),
    pixels=st.lists(st.tuples(st.integers(0, 19), st.integers(0, 699)), max_size=5),
    dtype=st.sampled_from(DTYPES),
)
def test_boxes_on_every_isa(size: tuple[int, int], pixels: list[tuple[int, int]], dtype: torch.dtype) -> None:
    mask = torch.zeros(1, *size, dtype=dtype)
    for y, x in pixels:
        mask[0, y % size[0], x % size[1]] = 1
    expected = boxes_by_hand(mask)
    if dtype.is_floating_point:
        mask = torch.where(mask == 0, -0.0, mask)
    for isa in _native.module.isas() if _native.module else []:
        _native.module.force_isa(isa)
        try:
            assert masks_to_boxes(mask).tolist() == expected, isa
        finally:
            _native.module.force_isa(None)


def test_boxes_of_nothing_and_of_nan(backend: str) -> None:
    for shape in ((0, 4, 5), (2, 0, 5), (2, 4, 0)):
        assert masks_to_boxes(torch.zeros(shape)).tolist() == [[0.0] * 4] * shape[0]
    mask = torch.full((1, 3, 4), -0.0)
    assert masks_to_boxes(mask).tolist() == [[0.0] * 4]
    mask[0, 1, 2] = math.nan  # is not 0
    assert masks_to_boxes(mask).tolist() == [[2.0, 1.0, 2.0, 1.0]]


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.float32])
@pytest.mark.parametrize("size", [(1, 1), (7, 9), (33, 65)])
def test_iou_counts_pixels(backend: str, threads: int, dtype: torch.dtype, size: tuple[int, int]) -> None:
    a = torch.cat((masks_of(5, *size), torch.zeros(1, *size, dtype=torch.bool)))
    b = torch.cat((masks_of(3, *size, seed=1), torch.zeros(1, *size, dtype=torch.bool)))
    inter, union = (a[:, None] & b).sum((2, 3)), (a[:, None] | b).sum((2, 3))
    expected = torch.where(union > 0, inter.double() / union, 0.0).float()
    assert torch.equal(mask_iou((a * 2).to(dtype), (b * 2).to(dtype)), expected)
    assert torch.equal(mask_iou(a.transpose(1, 2).contiguous().transpose(1, 2), b), expected)
    assert mask_iou(a[:0], b).shape == (0, 4)
    assert mask_iou(a, b[:0]).shape == (6, 0)


def paste_by_hand(masks: Tensor, boxes: Tensor, size: tuple[int, int], padding: int) -> Tensor:
    """Enlarge each padded mask with torch's interpolation, and copy it pixel by pixel."""
    out = torch.zeros(len(masks), *size)
    for mask, box, image in zip(masks.float(), boxes.tolist(), out, strict=True):
        grow = (mask.shape[1] + 2 * padding) / mask.shape[1]
        middle, half = [(box[i] + box[i + 2]) / 2 for i in (0, 1)], [(box[i + 2] - box[i]) / 2 * grow for i in (0, 1)]
        x1, y1, x2, y2 = (math.trunc(v) for v in (*(m - h for m, h in zip(middle, half, strict=True)),
                                                  *(m + h for m, h in zip(middle, half, strict=True))))  # fmt: skip
        padded = torch.nn.functional.pad(mask, [padding] * 4)[None, None]
        extent = (max(y2 - y1 + 1, 1), max(x2 - x1 + 1, 1))
        large = torch.nn.functional.interpolate(padded, extent, mode="bilinear", align_corners=False)[0, 0]
        for y in range(max(y1, 0), min(y2 + 1, size[0])):
            for x in range(max(x1, 0), min(x2 + 1, size[1])):
                image[y, x] = large[y - y1, x - x1]
    return out


BOXES = torch.tensor(
    [
        [1.25, 2.5, 8.0, 9.75],
        [-5.0, -3.0, 6.5, 30.0],
        [10.0, 8.0, 40.0, 40.0],
        [3.0, 3.0, 3.0, 3.0],
        [5.0, 5.0, 2.0, 9.0],
        [-30.0, -30.0, -20.0, -20.0],
        [90.0, 2.0, 99.0, 8.0],
    ]
)


@pytest.mark.parametrize("shape", [(28, 28), (1, 1), (5, 9)])
@pytest.mark.parametrize("padding", [0, 1, 3])
def test_paste_enlarges_and_copies(backend: str, threads: int, shape: tuple[int, int], padding: int) -> None:
    masks = torch.rand(len(BOXES), *shape, generator=torch.Generator().manual_seed(0))
    expected = paste_by_hand(masks, BOXES, (14, 17), padding)
    pasted = paste_masks(masks, BOXES, (14, 17), padding=padding)
    torch.testing.assert_close(pasted, expected, rtol=1e-4, atol=1e-5)
    above = paste_masks(masks, BOXES, (14, 17), threshold=0.5, padding=padding)
    assert above.dtype == torch.bool
    assert torch.equal(above, pasted > 0.5)


def test_paste_takes_odd_boxes(backend: str) -> None:
    nan, inf = math.nan, math.inf
    boxes = torch.tensor(
        [[nan, 0, 5, 5], [0, 0, inf, 5], [-inf, -inf, inf, inf], [0, 0, 1e30, 1e30], [-1e30, 0, 1e30, 9]]
    )
    pasted = paste_masks(torch.ones(5, 4, 4), boxes, (6, 7))
    assert bool(pasted.isfinite().all())
    assert pasted[0].sum() == 0
    assert paste_masks(torch.ones(0, 4, 4), torch.zeros(0, 4), (6, 7)).shape == (0, 6, 7)
    assert paste_masks(torch.ones(5, 4, 4), boxes, (0, 7)).shape == (5, 0, 7)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_paste_keeps_the_dtype(backend: str, dtype: torch.dtype) -> None:
    masks = torch.rand(len(BOXES), 4, 4, generator=torch.Generator().manual_seed(0)).to(dtype)
    pasted = paste_masks(masks, BOXES.to(dtype), (14, 17))
    assert pasted.dtype == dtype
    torch.testing.assert_close(pasted.float(), paste_by_hand(masks, BOXES, (14, 17), 1), rtol=1e-2, atol=1e-2)


def test_paste_is_differentiable(backend: str) -> None:
    masks = torch.rand(3, 3, 4, generator=torch.Generator().manual_seed(0)).requires_grad_()
    weights = torch.rand(3, 14, 17, generator=torch.Generator().manual_seed(1))
    pasted = paste_masks(masks, BOXES[:3], (14, 17))
    torch.testing.assert_close(pasted.detach(), paste_masks(masks.detach(), BOXES[:3], (14, 17)), rtol=1e-4, atol=1e-5)
    (pasted * weights).sum().backward()
    step = torch.zeros(3, 3, 4)
    step[1, 2, 1] = 1.0  # pasting is linear: a difference is the derivative
    with torch.no_grad():
        change = (paste_masks(masks + step, BOXES[:3], (14, 17)) - pasted) * weights
    assert masks.grad is not None
    torch.testing.assert_close(masks.grad[1, 2, 1], change.sum(), rtol=1e-3, atol=1e-4)


def test_wrong_arguments_name_themselves(backend: str) -> None:
    masks = torch.ones(2, 4, 4)
    with pytest.raises(ValueError, match=r"masks: expected \[N, H, W\], got 2"):
        masks_to_boxes(masks[0])
    with pytest.raises(ValueError, match="masks2: expected the size of masks1"):
        mask_iou(masks, masks[:, :3])
    for boxes in (torch.zeros(3, 4), torch.zeros(2, 5), torch.zeros(8)):
        with pytest.raises(ValueError, match="a box for each mask"):
            paste_masks(masks, boxes, (5, 5))
    with pytest.raises(ValueError, match="size, padding"):
        paste_masks(masks, torch.zeros(2, 4), (-1, 5))
    with pytest.raises(ValueError, match="with values"):
        paste_masks(masks[:, :0], torch.zeros(2, 4), (5, 5))
    with pytest.raises(TypeError, match="floating point"):
        paste_masks(masks.bool(), torch.zeros(2, 4), (5, 5))


def heads(masks: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
    pasted = paste_masks(masks, boxes, (14, 17), threshold=0.5)
    return masks_to_boxes(pasted), mask_iou(pasted, pasted)


def test_compiles_exports_and_scripts() -> None:
    masks = torch.rand(len(BOXES), 5, 5, generator=torch.Generator().manual_seed(0))
    operators = torch.ops.vision_core
    torch.library.opcheck(operators.masks_to_boxes.default, (masks > 0.5,))
    torch.library.opcheck(operators.mask_iou.default, (masks > 0.5, masks > 0.7))
    torch.library.opcheck(operators.paste_masks.default, (masks, BOXES, 14, 17, None, 1))
    torch.library.opcheck(operators.paste_masks.default, (masks, BOXES, 14, 17, 0.5, 1))

    class Heads(torch.nn.Module):
        def forward(self, masks: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
            return heads(masks, boxes)

    expected = heads(masks, BOXES)
    compiled = torch.compile(heads, fullgraph=True, backend="eager")(masks, BOXES)
    n = torch.export.Dim("n", min=2, max=100)
    exported = torch.export.export(Heads(), (masks, BOXES), dynamic_shapes=({0: n}, {0: n})).module()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        scripted = torch.jit.script(heads)(masks, BOXES)
    for found in (compiled, exported(masks, BOXES), scripted):
        assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))
    assert exported(masks[:3], BOXES[:3])[0].shape == (3, 4)
