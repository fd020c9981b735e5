"""Boxes and keypoints moved by the native kernels against the same moves by torch's operators, and by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vision_core import _native
from vision_core import tv_tensors as tv
from vision_core.transforms import functional as F

pytestmark = pytest.mark.skipif(_native.module is None, reason="the native module is absent")

CANVAS = (20, 30)
MOVES: dict[str, Callable[[Any], Any]] = {
    "horizontal_flip": F.horizontal_flip,
    "vertical_flip": F.vertical_flip,
    "crop": lambda x: F.crop(x, 3, -2, 12, 11),
    "pad": lambda x: F.pad(x, [1, 2, 3, 4]),
    "resize": lambda x: F.resize(x, [13, 37]),
    "resized_crop": lambda x: F.resized_crop(x, 2, 3, 10, 20, [15, 15]),
    "rotate": lambda x: F.rotate(x, 33.0, expand=True),
    "affine": lambda x: F.affine(x, 12.0, [3, -4], 1.3, [5.0, -7.0]),
    "perspective": lambda x: F.perspective(x, None, None, coefficients=[1.1, 0.1, 1.0, -0.2, 0.9, 2.0, 1e-3, 2e-3]),
}
BOX_MOVES = {
    **MOVES,
    "clamp": lambda x: F.clamp_bounding_boxes(x, clamping_mode="hard"),
    **{
        f"to {name}": lambda x, name=name: F.convert_bounding_box_format(x, new_format=name)
        for name in ("XYXY", "XYWH", "CXCYWH")
    },
}
POINT_MOVES = {**MOVES, "clamp": F.clamp_keypoints}


def by_torch(monkeypatch: pytest.MonkeyPatch, move: Callable[[Any], Any], inpt: Any) -> Any:
    with monkeypatch.context() as patch:
        patch.setattr(_native, "module", None)
        return move(inpt)


def same(result: Any, expected: Any) -> None:
    assert type(result) is type(expected)
    assert vars(result) == vars(expected)
    assert result.dtype == expected.dtype
    torch.testing.assert_close(result.as_subclass(Tensor), expected.as_subclass(Tensor), rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("format", ["XYXY", "XYWH", "CXCYWH"])
@pytest.mark.parametrize("mode", [None, "hard"])
@pytest.mark.parametrize("name", list(BOX_MOVES))
def test_boxes_move_as_by_torch(
    monkeypatch: pytest.MonkeyPatch, name: str, format: str, mode: Any, dtype: torch.dtype
) -> None:
    values = torch.rand(33, 4, dtype=dtype, generator=torch.Generator().manual_seed(0)) * 40 - 5
    values[3, 1] = math.nan
    values[4, 0] = math.inf
    for data in (values, values[:0], values.t().contiguous().t(), values[::2]):
        boxes = tv.BoundingBoxes(data, format=format, canvas_size=CANVAS, clamping_mode=mode)
        same(BOX_MOVES[name](boxes), by_torch(monkeypatch, BOX_MOVES[name], boxes))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", [(7, 2), (3, 5, 3), (0, 2)])
@pytest.mark.parametrize("name", list(POINT_MOVES))
def test_points_move_as_by_torch(
    monkeypatch: pytest.MonkeyPatch, name: str, shape: tuple[int, ...], dtype: torch.dtype
) -> None:
    points = torch.rand(shape, dtype=dtype, generator=torch.Generator().manual_seed(1)) * 40 - 5
    points[..., 1:2, 0] = math.nan
    typed = tv.KeyPoints(points, canvas_size=CANVAS)
    same(POINT_MOVES[name](typed), by_torch(monkeypatch, POINT_MOVES[name], typed))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(*[st.integers(-20, 60)] * 4), min_size=1, max_size=5), st.integers(-9, 9), st.integers(-9, 9))
def test_crop_by_hand(boxes: list[tuple[int, ...]], top: int, left: int) -> None:
    height, width = 11, 13
    moved = F.crop(tv.BoundingBoxes(torch.tensor(boxes).float(), format="XYXY", canvas_size=CANVAS), top, left, 11, 13)
    for box, (x1, y1, x2, y2) in zip(moved.tolist(), boxes, strict=True):
        xs = [min(max(x - left, 0), width) for x in (x1, x2)]
        ys = [min(max(y - top, 0), height) for y in (y1, y2)]
        assert box == [xs[0], ys[0], xs[1], ys[1]]
    assert moved.canvas_size == (height, width)


def test_a_turned_box_holds_its_corners() -> None:
    boxes = tv.BoundingBoxes([[10.0, 5.0, 20.0, 15.0]], format="XYXY", canvas_size=CANVAS, clamping_mode=None)
    half, turned = 5 * math.sqrt(2), F.rotate(boxes, 45.0)
    expected = torch.tensor([[15 - half, 10 - half, 15 + half, 10 + half]])  # its middle is that of the image
    torch.testing.assert_close(turned.as_subclass(Tensor), expected)


def test_gradients_and_other_dtypes_take_the_other_way() -> None:
    values = torch.tensor([[1.0, 2.0, 5.0, 6.0]], requires_grad=True)
    for name, move in MOVES.items():
        boxes = tv.BoundingBoxes(values, format="XYXY", canvas_size=CANVAS, clamping_mode=None)
        moved = move(boxes)
        assert moved.requires_grad, name
        (gradient,) = torch.autograd.grad(moved.as_subclass(Tensor).sum(), values)
        assert gradient.abs().sum() > 0
        with torch.no_grad():
            torch.testing.assert_close(move(boxes).as_subclass(Tensor), moved.as_subclass(Tensor).detach())
    points = torch.tensor([[1, 2], [7, 8]])
    assert F.horizontal_flip_keypoints(points, CANVAS).tolist() == [[28, 2], [22, 8]]
    assert F.horizontal_flip_keypoints(points.half(), CANVAS).dtype == torch.float16


def test_bad_arguments_of_the_kernels() -> None:
    values = torch.zeros(1, 4)
    address, out = values.data_ptr(), torch.zeros(1, 4)
    with pytest.raises(ValueError, match="6 or 8"):
        _native.module.map_boxes(0, address, 1, False, [1.0, 2.0], False, (1.0, 1.0), 1, out.data_ptr())
    with pytest.raises(ValueError, match="upright"):
        _native.module.scale_boxes(
            3, 0, address, 1, False, (1.0, 0.0), (1.0, 0.0), False, (1.0, 1.0), 1, out.data_ptr()
        )
