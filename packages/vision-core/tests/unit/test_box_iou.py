"""The overlap of boxes: kernels and references against plain Python in double precision."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vision_core import _native
from vision_core.ops import (
    box_area,
    box_convert,
    box_iou,
    box_iou_3d,
    clip_boxes_to_image,
    complete_box_iou,
    distance_box_iou,
    generalized_box_iou,
    remove_small_boxes,
)

FAMILY = [box_iou, generalized_box_iou, distance_box_iou, complete_box_iou]
SIZES = [(0, 0), (0, 3), (3, 0), (1, 1), (1, 40), (40, 1), (7, 17), (33, 70)]


def boxes_of(count: int, seed: int = 0, dtype: torch.dtype = torch.float32, axes: int = 2) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    corner = torch.rand(count, axes, generator=generator, dtype=dtype) * 40
    return torch.cat((corner, corner + torch.rand(count, axes, generator=generator, dtype=dtype) * 30 + 0.5), 1)


def by_hand(name: str, a: list[float], b: list[float], eps: float = 1e-7) -> float:
    """One pair, as the papers write it."""
    width = max(min(a[2], b[2]) - max(a[0], b[0]), 0)
    height = max(min(a[3], b[3]) - max(a[1], b[1]), 0)
    sizes = [(box[2] - box[0], box[3] - box[1]) for box in (a, b)]
    union = sum(w * h for w, h in sizes) - width * height
    iou = width * height / union
    around = max(a[2], b[2]) - min(a[0], b[0]), max(a[3], b[3]) - min(a[1], b[1])
    if name == "box_iou":
        return iou
    if name == "generalized_box_iou":
        return iou - (around[0] * around[1] - union) / (around[0] * around[1])
    apart = [(a[i] + a[i + 2] - b[i] - b[i + 2]) / 2 for i in (0, 1)]
    diou = iou - (apart[0] ** 2 + apart[1] ** 2) / (around[0] ** 2 + around[1] ** 2 + eps)
    if name == "distance_box_iou":
        return diou
    v = 4 / math.pi**2 * (math.atan(sizes[0][0] / sizes[0][1]) - math.atan(sizes[1][0] / sizes[1][1])) ** 2
    return diou - v * v / (1 - iou + v + eps)


@pytest.mark.parametrize("function", FAMILY)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_every_pair_equals_the_paper(backend: str, threads: int, function: Callable, dtype: torch.dtype) -> None:
    for n, m in SIZES:
        a, b = boxes_of(n, 1, dtype), boxes_of(m, 2, dtype)
        got = function(a, b)
        assert got.shape == (n, m)
        assert got.dtype == dtype
        expected = [[by_hand(function.__name__, x, y) for y in b.tolist()] for x in a.tolist()]
        torch.testing.assert_close(got, torch.tensor(expected, dtype=dtype).reshape(n, m))


@pytest.mark.parametrize("function", FAMILY)
def test_kernels_equal_the_reference_bit_for_bit(function: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    if _native.module is None:
        pytest.skip("no native module")
    odd = [math.nan, math.inf, -math.inf, 0.0, 3.0]
    strange = torch.tensor([[odd[(i * k) % 5] for i in (1, 2, 3, 4)] for k in range(1, 60)])
    a, b = torch.cat((boxes_of(300), strange)), torch.cat((boxes_of(41, 3), strange))
    results = []
    for isa in _native.module.isas():
        _native.module.force_isa(isa)
        results.append(function(a, b))
        _native.module.force_isa(None)
    monkeypatch.setattr(_native, "module", None)
    expected = function(a, b)
    for got in results:
        # The angle in the complete IoU is another library's: one unit in the last place.
        tolerance = 3e-7 if function is complete_box_iou else 0
        torch.testing.assert_close(got, expected, rtol=tolerance, atol=tolerance, equal_nan=True)


def test_many_threads_write_every_pair(backend: str, threads: int) -> None:
    a, b = boxes_of(3000), boxes_of(50, 1)
    rows = torch.tensor([0, 1, 777, 1500, 2998, 2999])
    assert torch.equal(box_iou(a, b)[rows], box_iou(a[rows], b))


@pytest.mark.parametrize("function", FAMILY)
def test_strides_batches_and_other_dtypes(backend: str, function: Callable) -> None:
    a, b = boxes_of(12), boxes_of(5, 1)
    expected = function(a, b)
    wide = torch.zeros(12, 9)
    wide[:, 2:6] = a
    for same in (wide[:, 2:6], a.t().contiguous().t(), a.repeat_interleave(2, 0)[::2]):
        assert torch.equal(function(same, b), expected)
    torch.testing.assert_close(function(a.view(3, 4, 4), b), expected.view(3, 4, 5))
    torch.testing.assert_close(function(a.view(3, 4, 4), b.expand(3, 5, 4)), expected.view(3, 4, 5))
    assert function(a.double(), b).dtype == torch.float64
    torch.testing.assert_close(function(a.double(), b).float(), expected)
    for half in (torch.float16, torch.bfloat16):
        got = function(a.to(half), b.to(half))
        assert got.dtype == torch.float32
        assert torch.equal(got, function(a.to(half).float(), b.to(half).float()))
    with torch.autocast("cpu", torch.bfloat16):
        assert function(a, b).dtype == torch.float32


@pytest.mark.parametrize("function", FAMILY)
@pytest.mark.parametrize("dtype", [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64])
def test_whole_boxes_do_not_overflow(backend: str, function: Callable, dtype: torch.dtype) -> None:
    a = torch.tensor([[0, 0, 100, 120], [3, 4, 9, 8], [90, 90, 110, 127]])
    got = function(a.to(dtype), a.flip(0).to(dtype))
    assert got.dtype == torch.float32
    torch.testing.assert_close(got, function(a.double(), a.flip(0).double()).float())


@pytest.mark.parametrize("fmt", ["xywh", "cxcywh"])
def test_iou_in_other_formats(backend: str, fmt: str) -> None:
    a, b = boxes_of(9), boxes_of(4, 1)
    got = box_iou(box_convert(a, "xyxy", fmt), box_convert(b, "xyxy", fmt), fmt)
    torch.testing.assert_close(got, box_iou(a, b))


def test_degenerate_boxes_have_defined_results(backend: str) -> None:
    point, inside_out, good = [1.0, 1, 1, 1], [3.0, 3, 1, 1], [0.0, 0, 2, 2]
    a = torch.tensor([point, inside_out, good])
    assert box_iou(a, a)[0].isnan().tolist() == [True, False, False]  # 0 / 0 with itself, 0 with others
    assert box_iou(a, a)[1].tolist() == [0, 0, 0]  # overlaps nothing, itself included
    assert box_iou(torch.tensor([[math.nan, 0, 1, 1]]), a).isnan().all()


@pytest.mark.parametrize("function", [box_iou, generalized_box_iou, distance_box_iou])
def test_gradients(function: Callable) -> None:
    a, b = boxes_of(3, dtype=torch.float64).requires_grad_(), boxes_of(4, 1, torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(function, (a, b))
    with torch.no_grad():
        without = function(a, b)
    torch.testing.assert_close(function(a, b).detach(), without)


def test_the_weight_of_the_complete_iou_is_constant_for_the_gradient() -> None:
    a, b = boxes_of(3, dtype=torch.float64).requires_grad_(), boxes_of(3, 1, torch.float64)
    (got,) = torch.autograd.grad(complete_box_iou(a, b).sum(), a)
    aspect = [torch.atan((x[:, 2] - x[:, 0]) / (x[:, 3] - x[:, 1])) for x in (a, b)]
    v = 4 / math.pi**2 * (aspect[0][:, None] - aspect[1]) ** 2
    weight = (v / (1 - box_iou(a, b) + v + 1e-7)).detach()
    (expected,) = torch.autograd.grad((distance_box_iou(a, b) - weight * v).sum(), a)
    torch.testing.assert_close(got, expected)


@pytest.mark.parametrize("function", [*FAMILY, box_iou_3d])
def test_wrong_shapes_are_named(backend: str, function: Callable) -> None:
    for a, b in ((torch.zeros(2, 7), torch.zeros(2, 7)), (torch.zeros(4), torch.zeros(4)), (torch.zeros(1, 3),) * 2):
        with pytest.raises(ValueError, match="boxes1, boxes2: expected"):
            function(a, b)


def test_iou_3d_counts_cubes(backend: str, threads: int) -> None:
    generator = torch.Generator().manual_seed(0)
    low = torch.randint(0, 6, (9, 3), generator=generator)
    boxes = torch.cat((low, low + torch.randint(1, 5, (9, 3), generator=generator)), 1)
    grid = torch.zeros(9, 12, 12, 12, dtype=torch.bool)
    for cubes, (x1, y1, z1, x2, y2, z2) in zip(grid, boxes.tolist(), strict=True):
        cubes[x1:x2, y1:y2, z1:z2] = True
    flat = grid.flatten(1).double()
    shared = flat @ flat.t()
    expected = shared / (flat.sum(1)[:, None] + flat.sum(1) - shared)
    torch.testing.assert_close(box_iou_3d(boxes.double(), boxes.double()), expected)
    for dtype in (torch.float32, torch.bfloat16, torch.int32):
        torch.testing.assert_close(box_iou_3d(boxes.to(dtype), boxes.to(dtype)), expected.float())
    torch.testing.assert_close(box_iou_3d(boxes.view(3, 3, 6).double(), boxes.double()), expected.view(3, 3, 9))
    assert box_iou_3d(boxes[:0], boxes).shape == (0, 9)


def test_iou_3d_has_right_gradients() -> None:
    a, b = boxes_of(3, dtype=torch.float64, axes=3).requires_grad_(), boxes_of(2, 1, torch.float64, axes=3)
    assert torch.autograd.gradcheck(box_iou_3d, (a, b))


@settings(max_examples=40, deadline=None)
@given(
    batch=st.lists(st.integers(0, 3), max_size=2),
    count=st.integers(0, 5),
    dtype=st.sampled_from([torch.float32, torch.float64, torch.bfloat16, torch.int64]),
    formats=st.permutations(["xyxy", "xywh", "cxcywh"]),
    strided=st.booleans(),
)
def test_simple_operators_agree_with_arithmetic(
    batch: list[int], count: int, dtype: torch.dtype, formats: list[str], strided: bool
) -> None:
    shape = [*batch, count, 4]
    exact = torch.randint(0, 12, shape, generator=torch.Generator().manual_seed(count)) * 2
    exact[..., 2:] += exact[..., :2]
    boxes = exact.to(dtype)
    if strided:
        boxes = torch.stack((boxes, boxes), -1)[..., 0]
    x1, y1, x2, y2 = exact.unbind(-1)
    assert torch.equal(box_area(boxes).long(), (x2 - x1) * (y2 - y1))
    assert torch.equal(clip_boxes_to_image(boxes, (7, 9))[..., 2].long(), x2.clamp(0, 9))
    assert torch.equal(clip_boxes_to_image(boxes, (7, 9))[..., 1].long(), y1.clamp(0, 7))
    assert clip_boxes_to_image(boxes, (7, 9)).dtype == dtype
    values = {
        "xyxy": exact,
        "xywh": torch.stack((x1, y1, x2 - x1, y2 - y1), -1),
        "cxcywh": torch.stack(((x1 + x2) // 2, (y1 + y2) // 2, x2 - x1, y2 - y1), -1),
    }
    source, target = formats[:2]
    converted = box_convert(values[source].to(dtype), source, target)
    assert converted.shape == exact.shape
    assert torch.equal(converted.long(), values[target])
    if not batch:
        kept = remove_small_boxes(boxes, 5)
        assert kept.tolist() == [i for i, b in enumerate(exact.tolist()) if b[2] - b[0] >= 5 and b[3] - b[1] >= 5]
        assert kept.dtype == torch.int64
