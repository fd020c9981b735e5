"""Rotated boxes: formats, overlap and suppression, against polygons cut in plain Python."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vision_core import _native
from vision_core.ops import batched_nms, box_area, box_convert, box_iou, nms, nms_reference
from vision_core.ops._rotated_iou import rotated_iou_reference

FORMATS = ("cxcywhr", "xywhr", "xyxyxyxy")


def rotated(count: int, seed: int = 0, dtype: torch.dtype = torch.float32, span: float = 30) -> Tensor:
    scale = torch.tensor([span, span, 12, 12, 720], dtype=dtype)
    values = torch.rand(count, 5, generator=torch.Generator().manual_seed(seed), dtype=dtype)
    return values * scale + torch.tensor([0, 0, 0.5, 0.5, -360], dtype=dtype)


def test_kernel_and_reference_agree_although_they_compute_in_different_ways(backend: str, threads: int) -> None:
    a, b = rotated(70), rotated(40, 1)
    expected = rotated_iou_reference(a.double(), b.double())
    assert (expected > 0).float().mean() > 0.1
    torch.testing.assert_close(box_iou(a, b, "cxcywhr"), expected.float(), atol=1e-6, rtol=1e-5)
    got = box_iou(a.double(), b.double(), "cxcywhr")
    assert got.dtype == torch.float64
    torch.testing.assert_close(got, expected, atol=1e-11, rtol=1e-9)


@pytest.mark.parametrize("fmt", FORMATS)
def test_overlap_does_not_depend_on_the_format(backend: str, fmt: str) -> None:
    a, b = rotated(20, dtype=torch.float64), rotated(9, 1, torch.float64)
    got = box_iou(box_convert(a, "cxcywhr", fmt), box_convert(b, "cxcywhr", fmt), fmt)
    torch.testing.assert_close(got, box_iou(a, b, "cxcywhr"), atol=1e-9, rtol=1e-9)
    for dtype in (torch.float16, torch.bfloat16):
        low = box_convert(a, "cxcywhr", fmt).to(dtype)
        torch.testing.assert_close(box_iou(low, low, fmt), box_iou(low.float(), low.float(), fmt))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(*[st.integers(-4, 4)] * 2, *[st.integers(1, 6)] * 2), min_size=2, max_size=2),
    st.sampled_from([0, 90, 180, -90, 450]),
    st.sampled_from([0, 90, 270]),
)
def test_right_angles_count_exactly(boxes: list[tuple[int, ...]], turn_a: int, turn_b: int) -> None:
    sides = []
    for (cx, cy, w, h), turn in zip(boxes, (turn_a, turn_b), strict=True):
        if turn % 180:
            w, h = h, w
        sides.append(
            [Fraction(2 * cx - w, 2), Fraction(2 * cy - h, 2), Fraction(2 * cx + w, 2), Fraction(2 * cy + h, 2)]
        )
    (ax1, ay1, ax2, ay2), (bx1, by1, bx2, by2) = sides
    inter = max(min(ax2, bx2) - max(ax1, bx1), 0) * max(min(ay2, by2) - max(ay1, by1), 0)
    union = (ax2 - ax1) * (ay2 - ay1) + (bx2 - bx1) * (by2 - by1) - inter
    a, b = (
        torch.tensor([[*box, turn]], dtype=torch.float64) for box, turn in zip(boxes, (turn_a, turn_b), strict=True)
    )
    for module in (_native.module, None):  # edges and corners coincide often here
        before, _native.module = _native.module, module
        try:
            assert box_iou(a, b, "cxcywhr").item() == pytest.approx(float(inter / union), abs=1e-9)
        finally:
            _native.module = before


def test_known_overlaps(backend: str) -> None:
    square = torch.tensor([[0.0, 0, 2, 2, 0]], dtype=torch.float64)
    turned = torch.tensor([[0.0, 0, 2, 2, 45]], dtype=torch.float64)
    octagon = 8 * (math.sqrt(2) - 1)  # a regular octagon of height 2
    assert box_iou(square, turned, "cxcywhr").item() == pytest.approx(octagon / (8 - octagon))
    assert box_iou(square, square, "cxcywhr").item() == 1
    assert box_iou(turned, turned + torch.tensor([0, 0, 0, 0, 360.0]), "cxcywhr").item() == pytest.approx(1)
    inside = torch.tensor([[0.1, 0, 0.5, 1, 77]], dtype=torch.float64)
    assert box_iou(square, inside, "cxcywhr").item() == pytest.approx(0.5 / 4)
    touching = torch.tensor([[2.0, 0, 2, 2, 0]], dtype=torch.float64)
    assert box_iou(square, touching, "cxcywhr").item() == 0


@pytest.mark.parametrize("offset", [0.0, 1e4, 1e6])
@pytest.mark.parametrize("nudge", [0.0, 1e-12, 1e-9, 1e-5])
def test_nearly_coincident_boxes(backend: str, offset: float, nudge: float) -> None:
    for angle in (0.0, 13.0, 45.0, 90.0, 179.99):
        a = torch.tensor([[offset, offset, 7, 3, angle]], dtype=torch.float64)
        b = a + torch.tensor([nudge, -nudge, nudge, 0, nudge], dtype=torch.float64)
        assert box_iou(a, b, "cxcywhr").item() == pytest.approx(1, abs=1e-4)


def test_what_is_no_box_overlaps_nothing(backend: str) -> None:
    nan, inf = math.nan, math.inf
    bad = torch.tensor(
        [[1, 1, 0, 0, 0], [1, 1, -2, 2, 10], [nan, 0, 1, 1, 0], [0, 0, inf, 1, 0], [0, 0, 2, 2, inf], [0, 0, 2, 2, nan]]
    )
    good = torch.tensor([[0.0, 0, 4, 4, 20]])
    both = torch.cat((bad, good))
    expected = torch.zeros(7, 7)
    expected[6, 6] = 1
    torch.testing.assert_close(box_iou(both, both, "cxcywhr"), expected)
    huge = torch.tensor([[0, 0, 3e38, 3e38, 30], [1e38, 0, 1e38, 2e38, 0]])
    assert ((box_iou(huge, huge, "cxcywhr") >= 0) & (box_iou(huge, huge, "cxcywhr") <= 1)).all()


def test_gradients() -> None:
    a = rotated(5, dtype=torch.float64).requires_grad_()
    b = rotated(4, 1, torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(lambda a, b: box_iou(a, b, "cxcywhr"), (a, b))
    zero = torch.zeros(1, 5, dtype=torch.float64, requires_grad=True)
    box_iou(zero, b.detach(), "cxcywhr").sum().backward()
    assert torch.equal(zero.grad, torch.zeros(1, 5, dtype=torch.float64))  # type: ignore[arg-type]


@pytest.mark.parametrize("source", FORMATS)
@pytest.mark.parametrize("target", FORMATS)
def test_formats_there_and_back(backend: str, source: str, target: str) -> None:
    boxes = rotated(40, dtype=torch.float64)
    boxes[:, 4] = boxes[:, 4] / 2.2
    start = box_convert(boxes, "cxcywhr", source)
    there = box_convert(start, source, target)
    torch.testing.assert_close(box_convert(there, target, source), start)
    torch.testing.assert_close(box_area(there, target), boxes[:, 2] * boxes[:, 3])
    batch = box_convert(start.view(4, 10, -1), source, target)
    assert torch.equal(batch, there.view(4, 10, -1))
    low = box_convert(start.float(), source, target)
    torch.testing.assert_close(low, there.float(), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("fmt", FORMATS)
def test_wrong_shapes_are_named(backend: str, fmt: str) -> None:
    with pytest.raises(ValueError, match="boxes"):
        box_iou(torch.zeros(2, 4), torch.zeros(2, 4), fmt)
    with pytest.raises(ValueError, match="boxes"):
        box_iou(torch.zeros(1, 2, 5), torch.zeros(1, 2, 5), fmt)
    with pytest.raises(ValueError, match="boxes"):
        box_convert(torch.zeros(2, 4), fmt, "cxcywhr" if fmt != "cxcywhr" else "xywhr")
    with pytest.raises(ValueError, match="fmt"):
        box_iou(torch.zeros(2, 4), torch.zeros(2, 4), "cxcywhrr")


def suppressed_by_hand(boxes: Tensor, scores: Tensor, idxs: list[int], threshold: float) -> list[int]:
    overlap = rotated_iou_reference(boxes.double(), boxes.double()).tolist()
    kept: list[int] = []
    for i in sorted(range(len(scores)), key=lambda i: (-float(scores[i]), i)):
        if not any(idxs[k] == idxs[i] and overlap[k][i] > threshold for k in kept):
            kept.append(i)
    return kept


@pytest.mark.parametrize("count", [0, 1, 2, 40, 90])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_suppression(backend: str, count: int, dtype: torch.dtype) -> None:
    boxes = rotated(count, dtype=dtype)
    scores = torch.rand(count, generator=torch.Generator().manual_seed(3), dtype=dtype)
    idxs = torch.randint(0, 3, (count,), generator=torch.Generator().manual_seed(4))
    for threshold in (0.0, 0.3, 0.7):
        kept = nms(boxes, scores, threshold, fmt="cxcywhr")
        assert kept.tolist() == suppressed_by_hand(boxes, scores, [0] * count, threshold)
        kept = batched_nms(boxes, scores, idxs, threshold, fmt="cxcywhr")
        assert kept.tolist() == suppressed_by_hand(boxes, scores, idxs.tolist(), threshold)
    assert len(nms(boxes, scores, -0.5, fmt="cxcywhr")) == min(count, 1)


def test_suppression_in_blocks_and_formats(threads: int) -> None:
    boxes = rotated(700, dtype=torch.float64, span=170)
    scores = torch.rand(700, generator=torch.Generator().manual_seed(5))
    expected = nms_reference(boxes, scores, 0.2, fmt="cxcywhr")
    assert 200 < len(expected) < 700
    for fmt in FORMATS:
        assert torch.equal(nms(box_convert(boxes, "cxcywhr", fmt), scores, 0.2, fmt=fmt), expected)


def test_upright_boxes_are_suppressed_alike_in_every_format(backend: str) -> None:
    generator = torch.Generator().manual_seed(0)
    corner = torch.randint(0, 30, (40, 2), generator=generator).double()
    boxes = torch.cat((corner, corner + 2 * torch.randint(1, 9, (40, 2), generator=generator)), 1)
    scores = torch.rand(40, generator=generator, dtype=torch.float64)
    for threshold in (0.123, 0.456):
        expected = nms(boxes, scores, threshold)
        for fmt in ("xywh", "cxcywh", *FORMATS):
            assert torch.equal(nms(box_convert(boxes, "xyxy", fmt), scores, threshold, fmt=fmt), expected)
