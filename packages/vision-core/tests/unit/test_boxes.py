from __future__ import annotations

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vision_core.ops import (
    box_area,
    box_convert,
    box_iou,
    clip_boxes_to_image,
    complete_box_iou,
    distance_box_iou,
    generalized_box_iou,
    masks_to_boxes,
    remove_small_boxes,
)

UPRIGHT = ("xyxy", "xywh", "cxcywh")
ROTATED = ("xywhr", "cxcywhr", "xyxyxyxy")

# One box in every format: 20 wide, 40 high, centred at (20, 40), turned by 30 degrees counter-clockwise.
C, S = math.cos(math.radians(30)), math.sin(math.radians(30))
TURNED = [[20 + x * C + y * S, 40 - x * S + y * C] for x, y in ((-10, -20), (10, -20), (10, 20), (-10, 20))]
SAME_UPRIGHT = {"xyxy": [10.0, 20, 30, 60], "xywh": [10.0, 20, 20, 40], "cxcywh": [20.0, 40, 20, 40]}
SAME_ROTATED = {
    "xywhr": [*TURNED[0], 20.0, 40, 30],
    "cxcywhr": [20.0, 40, 20, 40, 30],
    "xyxyxyxy": [value for corner in TURNED for value in corner],
}


@pytest.mark.parametrize("family", [SAME_UPRIGHT, SAME_ROTATED], ids=["upright", "rotated"])
def test_every_format_to_every_other(family: dict[str, list[float]]) -> None:
    for source, values in family.items():
        for target, expected in family.items():
            got = box_convert(torch.tensor([values]), source, target)
            torch.testing.assert_close(got, torch.tensor([expected]))


@pytest.mark.parametrize("source", UPRIGHT)
def test_upright_boxes_become_rotated_ones_without_angle(source: str) -> None:
    got = box_convert(torch.tensor([SAME_UPRIGHT[source]]), source, "cxcywhr")
    assert got.tolist() == [[20, 40, 20, 40, 0]]
    corners = box_convert(torch.tensor([SAME_UPRIGHT[source]]), source, "xyxyxyxy")
    assert corners.tolist() == [[10, 20, 30, 20, 30, 60, 10, 60]]


def test_convert_copies_and_refuses() -> None:
    boxes = torch.zeros(2, 4)
    assert box_convert(boxes, "xyxy", "xyxy").data_ptr() != boxes.data_ptr()
    with pytest.raises(ValueError, match="expected two of"):
        box_convert(boxes, "xyxy", "yxyx")
    with pytest.raises(ValueError, match="rotated"):
        box_convert(torch.zeros(2, 5), "cxcywhr", "xyxy")


def test_integer_boxes() -> None:
    boxes = torch.tensor([[3, 4, 10, 11]])
    assert box_convert(boxes, "xyxy", "cxcywh").tolist() == [[6.5, 7.5, 7, 7]]
    assert box_area(boxes.to(torch.int8)).tolist() == [49]
    assert box_area(torch.tensor([[0, 0, 100, 100]], dtype=torch.int8)).tolist() == [10000]  # no overflow
    assert box_iou(boxes, boxes).tolist() == [[1.0]]


@pytest.mark.parametrize("fmt", [*UPRIGHT, *ROTATED])
def test_area_in_every_format(fmt: str) -> None:
    values = {**SAME_UPRIGHT, **SAME_ROTATED}[fmt]
    torch.testing.assert_close(box_area(torch.tensor([values]), fmt), torch.tensor([800.0]))
    with pytest.raises(ValueError, match="fmt"):
        box_area(torch.zeros(1, 4), "yxyx")


def test_area_of_half_precision_does_not_overflow() -> None:
    assert box_area(torch.tensor([[0, 0, 300, 300]], dtype=torch.float16)).tolist() == [90000.0]


def counted_iou(a: list[int], b: list[int]) -> float:
    """Count the unit squares of boxes with whole corners."""
    squares = [{(x, y) for x in range(box[0], box[2]) for y in range(box[1], box[3])} for box in (a, b)]
    return len(squares[0] & squares[1]) / len(squares[0] | squares[1])


whole_box = st.tuples(*[st.integers(0, 8)] * 2, *[st.integers(1, 6)] * 2).map(
    lambda v: [v[0], v[1], v[0] + v[2], v[1] + v[3]]
)


@settings(max_examples=50, deadline=None)
@given(st.lists(whole_box, min_size=1, max_size=4), st.lists(whole_box, min_size=1, max_size=4))
def test_iou_counts_squares(first: list[list[int]], second: list[list[int]]) -> None:
    expected = torch.tensor([[counted_iou(a, b) for b in second] for a in first])
    a, b = torch.tensor(first, dtype=torch.float32), torch.tensor(second, dtype=torch.float32)
    torch.testing.assert_close(box_iou(a, b), expected)
    for fmt in (*UPRIGHT, *ROTATED):  # also as rotated boxes, whose overlap is computed in another way
        torch.testing.assert_close(
            box_iou(box_convert(a, "xyxy", fmt), box_convert(b, "xyxy", fmt), fmt), expected, atol=1e-5, rtol=0
        )


def test_rotated_iou_against_sampling() -> None:
    generator = torch.Generator().manual_seed(0)
    boxes = torch.rand(6, 5, generator=generator) * torch.tensor([6.0, 6, 8, 8, 360]) + torch.tensor([5.0, 5, 1, 1, 0])
    axis = (torch.arange(900) + 0.5) / 900 * 24 - 4
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    cx, cy, w, h, r = (v[:, None, None] for v in boxes.unbind(1))
    cos, sin = torch.cos(r.deg2rad()), torch.sin(r.deg2rad())
    along, across = (x - cx) * cos - (y - cy) * sin, (x - cx) * sin + (y - cy) * cos
    inside = ((along.abs() <= w / 2) & (across.abs() <= h / 2)).flatten(1).double()
    shared = inside @ inside.t()
    sizes = inside.sum(1)
    expected = (shared / (sizes[:, None] + sizes - shared)).float()
    torch.testing.assert_close(box_iou(boxes, boxes, "cxcywhr"), expected, atol=5e-3, rtol=0)


def test_published_values_of_the_other_ious() -> None:
    a = torch.tensor([[0.0, 0, 4, 4]])
    b = torch.tensor([[2.0, 2, 6, 8], [10, 10, 12, 12], [0, 0, 4, 4]])
    # By hand: IoU 4/36, 0, 1; around both 6 x 8, 12 x 12, 4 x 4; centres apart (2, 3), (9, 9), (0, 0).
    torch.testing.assert_close(generalized_box_iou(a, b), torch.tensor([[4 / 36 - 12 / 48, -124 / 144, 1.0]]))
    torch.testing.assert_close(distance_box_iou(a, b), torch.tensor([[4 / 36 - 13 / 100, -162 / 288, 1.0]]))
    v = 4 / math.pi**2 * (math.atan(1) - math.atan(4 / 6)) ** 2
    ciou = 4 / 36 - 13 / 100 - v * v / (1 - 4 / 36 + v)
    torch.testing.assert_close(complete_box_iou(a, b), torch.tensor([[ciou, -162 / 288, 1.0]]))


@pytest.mark.parametrize("function", [box_iou, generalized_box_iou, distance_box_iou])
def test_ious_have_right_gradients(function) -> None:
    a = torch.tensor([[0.0, 0, 4, 4], [1, 2, 5, 9]], dtype=torch.float64, requires_grad=True)
    b = torch.tensor([[2.0, 2.5, 6, 8], [0.5, 1, 3, 3]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(function, (a, b))


def test_no_boxes() -> None:
    empty, one = torch.zeros(0, 4), torch.ones(1, 4)
    for function in (box_iou, generalized_box_iou, distance_box_iou, complete_box_iou):
        assert function(empty, one).shape == (0, 1)
    assert clip_boxes_to_image(empty, (4, 4)).shape == (0, 4)
    assert remove_small_boxes(empty, 1).shape == (0,)
    assert box_iou(torch.zeros(0, 5), torch.zeros(3, 5), "cxcywhr").shape == (0, 3)


def test_clip_and_remove_small() -> None:
    boxes = torch.tensor([[-5.0, 2, 50, 60], [1, 1, 2, 9]])
    assert clip_boxes_to_image(boxes, (20, 30)).tolist() == [[0, 2, 30, 20], [1, 1, 2, 9]]
    assert clip_boxes_to_image(boxes[None], (20, 30)).shape == (1, 2, 4)
    assert remove_small_boxes(boxes, 1.0).tolist() == [0, 1]
    assert remove_small_boxes(boxes, 1.5).tolist() == [0]


def test_masks_to_boxes_looks_at_every_pixel() -> None:
    generator = torch.Generator().manual_seed(0)
    masks: Tensor = torch.rand(20, 7, 9, generator=generator) > 0.95
    masks[3] = False
    expected = []
    for mask in masks:
        ys, xs = torch.where(mask)
        corners = (xs.min(), ys.min(), xs.max(), ys.max()) if len(xs) else (0, 0, 0, 0)
        expected.append([float(v) for v in corners])
    for kind in (torch.bool, torch.uint8, torch.float32):
        assert masks_to_boxes(masks.to(kind)).tolist() == expected
    assert masks_to_boxes(torch.zeros(0, 5, 5)).shape == (0, 4)
    with pytest.raises(ValueError, match="N, H, W"):
        masks_to_boxes(torch.zeros(5, 5))


@pytest.mark.parametrize("dtype", [torch.int64, torch.int32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize(("in_fmt", "out_fmt"), itertools.permutations(UPRIGHT, 2))
def test_many_boxes_convert_as_few_do(dtype: torch.dtype, in_fmt: str, out_fmt: str) -> None:
    boxes = torch.randint(0, 99, (1500, 4), generator=torch.Generator().manual_seed(0)).to(dtype)
    boxes[:, 2:] += boxes[:, :2]
    few = torch.cat([box_convert(part, in_fmt, out_fmt) for part in boxes.split(100)])
    many = box_convert(boxes, in_fmt, out_fmt)
    assert many.dtype == few.dtype
    assert torch.equal(many, few)
