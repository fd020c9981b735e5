"""Geometry against maths in float64, against Pillow, and boxes, masks and keypoints against pixels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vision_core import tv_tensors as tv
from vision_core.transforms import functional as F

HEIGHT, WIDTH = 48, 64
SQUARE = [[0, 0], [WIDTH - 1, 0], [WIDTH - 1, HEIGHT - 1], [0, HEIGHT - 1]]


def smooth(channels: int = 3, height: int = HEIGHT, width: int = WIDTH, dtype: torch.dtype = torch.float64) -> Tensor:
    y, x = torch.meshgrid(torch.linspace(0, 3, height), torch.linspace(0, 4, width), indexing="ij")
    planes = [0.5 + 0.5 * torch.sin(x * (1 + c) + y) * torch.cos(y * 0.7 - c) for c in range(channels)]
    image = torch.stack(planes).to(torch.float64)
    return image.to(dtype) if dtype.is_floating_point else (image * 255).round().to(dtype)


def noise(*shape: int) -> Tensor:
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def bilinear(image: Tensor, x: float, y: float) -> Tensor:
    """Read `[C, H, W]` at a position measured from the middle of the first pixel, zeros around it."""
    value = torch.zeros(image.shape[0], dtype=torch.float64)
    for row in (math.floor(y), math.floor(y) + 1):
        for column in (math.floor(x), math.floor(x) + 1):
            if 0 <= row < image.shape[1] and 0 <= column < image.shape[2]:
                value += image[:, row, column] * ((1 - abs(y - row)) * (1 - abs(x - column)))
    return value


def turned_by_hand(image: Tensor, angle: float, center: tuple[float, float]) -> Tensor:
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    result = torch.zeros_like(image)
    for row in range(image.shape[1]):
        for column in range(image.shape[2]):
            x, y = column + 0.5 - center[0], row + 0.5 - center[1]
            result[:, row, column] = bilinear(
                image, center[0] + cos * x - sin * y - 0.5, center[1] + sin * x + cos * y - 0.5
            )
    return result


@pytest.mark.parametrize("center", [None, [3.0, 7.5]])
@pytest.mark.parametrize("angle", [30.0, -117.0])
def test_rotation_is_what_its_formula_says(angle: float, center: list[float] | None) -> None:
    image = smooth(2, 11, 13)
    expected = turned_by_hand(image, angle, (6.5, 5.5) if center is None else (center[0], center[1]))
    torch.testing.assert_close(F.rotate(image, angle, "bilinear", center=center), expected, atol=1e-9, rtol=0)
    bytes_ = (image * 255).round().to(torch.uint8)
    expected = turned_by_hand(bytes_.double(), angle, (6.5, 5.5) if center is None else (center[0], center[1]))
    difference = (F.rotate(bytes_, angle, "bilinear", center=center).double() - expected).abs()
    assert difference.max() <= 1.01
    as_affine = F.affine(image, -angle, [0, 0], 1.0, 0.0, "bilinear", center=center)
    torch.testing.assert_close(as_affine, F.rotate(image, angle, "bilinear", center=center))


def test_warps_of_every_dtype_agree() -> None:
    exact = smooth(3, 20, 30)
    displacement = 0.1 * torch.sin(torch.arange(20 * 30 * 2, dtype=torch.float32)).view(1, 20, 30, 2)
    end = [[2, 1], [27, 0], [29, 18], [0, 19]]
    start = [[0, 0], [29, 0], [29, 19], [0, 19]]
    for warp in (
        lambda x: F.rotate(x, 25.0, "bilinear"),
        lambda x: F.affine(x, 10, [2, -1], 1.2, [5, -3], "bilinear"),
        lambda x: F.perspective(x, start, end, "bilinear"),
        lambda x: F.elastic(x, displacement, "bilinear"),
    ):
        reference = warp(exact)
        for dtype, tolerance in ((torch.float32, 1e-4), (torch.float16, 2e-3), (torch.bfloat16, 2e-2)):
            assert (warp(exact.to(dtype)).double() - reference).abs().max() < tolerance
        for dtype, top in ((torch.uint8, 255), (torch.uint16, 65535), (torch.int32, 10**6)):
            whole = (exact * top).round().to(dtype)
            result = warp(whole)
            assert result.dtype == dtype
            assert (result.double() / top - reference).abs().max() < 2 / top + 1e-4


def test_pixels_of_warps_are_pillows() -> None:
    image = noise(3, 30, 40)
    picture = F.to_pil_image(image)
    for warp in (
        lambda x: F.rotate(x, 33.0),
        lambda x: F.rotate(x, 33.0, expand=True, fill=9),
        lambda x: F.affine(x, 12, [3, 2], 0.9, [4, 0]),
        lambda x: F.perspective(x, SQUARE, [[2, 1], [60, 3], [62, 40], [0, 47]], "nearest"),
    ):
        ours, theirs = warp(image), F.pil_to_tensor(warp(picture))
        assert ours.shape == theirs.shape
        assert (ours != theirs).float().mean() < 0.01  # pixels whose position is just between two


def test_quarter_turns_are_exact() -> None:
    image = noise(3, 6, 8)
    assert torch.equal(F.rotate(image, 90, expand=True), torch.rot90(image, 1, (-2, -1)))
    assert torch.equal(F.rotate(image, 180, "bilinear"), image.flip(-1, -2))
    assert torch.equal(F.rotate(image, -360), image)
    assert F.rotate(image, 45, expand=True).shape == (3, 10, 10)


def test_what_is_uncovered_is_filled() -> None:
    for dtype in (torch.uint8, torch.float32):
        image = torch.zeros(3, 12, 12, dtype=dtype)
        filled = F.rotate(image, 45, fill=[1.0, 2.0, 3.0])
        assert filled[:, 0, 0].tolist() == [1, 2, 3]
        assert F.rotate(image, 45, "bilinear", fill=7)[0, 0, 0] == 7
        assert F.rotate(image, 45)[0, 0, 0] == 0
    with pytest.raises(ValueError, match="fill"):
        F.rotate(torch.zeros(3, 4, 4), 45, fill=[1.0, 2.0])
    mask = torch.ones(12, 12, dtype=torch.bool)
    assert F.rotate_mask(mask, 45).shape == (12, 12)
    assert not F.rotate_mask(mask, 45)[0, 0]


OPERATIONS: list[tuple[str, dict[str, Any]]] = [
    ("horizontal_flip", {}),
    ("vertical_flip", {}),
    ("crop", {"top": 5, "left": -4, "height": 40, "width": 50}),
    ("center_crop", {"output_size": [41, 39]}),
    ("center_crop", {"output_size": [61, 39]}),
    ("pad", {"padding": [3, 1, 4, 7]}),
    ("resize", {"size": [90, 37]}),
    ("resized_crop", {"top": 4, "left": 6, "height": 40, "width": 50, "size": [77, 81]}),
    ("rotate", {"angle": 27.0}),
    ("rotate", {"angle": 27.0, "center": [10.0, 20.0]}),
    ("rotate", {"angle": -113.0, "expand": True}),
    ("rotate", {"angle": 41.0, "expand": True}),
    ("affine", {"angle": 20.0, "translate": [3, -5], "scale": 1.3, "shear": [8.0, -4.0]}),
    ("perspective", {"startpoints": SQUARE, "endpoints": [[4, 2], [58, 5], [62, 44], [1, 40]]}),
]


@pytest.mark.parametrize("fill", [12.0, [255.0, 0.0, 100.4], [300.0, -5.0, 20.0]])
@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
def test_fills_of_8_bit_images_are_those_of_exact_ones(fill: Any, mode: str) -> None:
    image = smooth(dtype=torch.uint8)
    field = torch.rand(1, HEIGHT, WIDTH, 2, generator=torch.Generator().manual_seed(0)) * 0.5 - 0.25
    for warp in (
        lambda x: F.rotate(x, 33.0, mode, fill=fill),
        lambda x: F.affine(x, 10.0, [5, 3], 0.7, [4.0, 2.0], mode, fill=fill),
        lambda x: F.perspective(x, SQUARE, [[5, 3], [60, 8], [50, 40], [2, 45]], mode, fill=fill),
        lambda x: F.elastic(x, field, mode, fill=fill),
    ):
        exact = warp(image.double())
        fits = (exact >= 0) & (exact <= 255)  # what 8 bits cannot hold is cut off elsewhere, or wraps around
        far = (warp(image).double() - exact)[fits].abs() > 1
        assert far.double().mean() <= (0.005 if mode == "nearest" else 0)


@pytest.mark.parametrize(("name", "arguments"), OPERATIONS)
@settings(max_examples=8, deadline=None)
@given(st.integers(0, 40), st.integers(0, 28), st.integers(8, 22), st.integers(8, 18))
def test_boxes_masks_and_points_move_with_the_pixels(
    name: str, arguments: dict[str, Any], left: int, top: int, width: int, height: int
) -> None:
    operation = getattr(F, name)
    painted = torch.zeros(1, HEIGHT, WIDTH)
    painted[:, top : top + height, left : left + width] = 1
    canvas = (HEIGHT, WIDTH)
    box = tv.BoundingBoxes(
        [[left, top, left + width, top + height]], format="XYXY", canvas_size=canvas, dtype=torch.float64
    )
    seen = operation(painted, **arguments)[0] > 0.5
    moved = operation(box, **arguments)
    assert moved.canvas_size == tuple(seen.shape)
    mask = operation(tv.Mask(painted[0].bool()), **arguments)
    assert (mask.as_subclass(Tensor) != seen).float().mean() < 0.05  # nearest pixels may differ along the border
    if not seen.any():
        return
    rows, columns = seen.any(1).nonzero(), seen.any(0).nonzero()
    found = torch.stack([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]).double()
    # A corner of a turned box is sharper than pixels show.
    tolerance = 1.01 if name in ("horizontal_flip", "vertical_flip", "crop", "center_crop", "pad") else 2.6
    low, high = found[:2] - moved[0, :2], moved[0, 2:] - found[2:]
    assert min(low.min(), high.min()) >= -tolerance, (moved, found)
    free = tv.wrap(box, like=box, clamping_mode=None)
    if torch.equal(operation(free, **arguments), moved) or tolerance < 2:  # else what shows is less than its corners
        assert max(low.max(), high.max()) <= tolerance, (moved, found)
    middle = tv.KeyPoints([[left + width / 2 - 0.5, top + height / 2 - 0.5]], canvas_size=canvas, dtype=torch.float64)
    x, y = operation(middle, **arguments)[0].tolist()
    if 2 <= x < seen.shape[1] - 2 and 2 <= y < seen.shape[0] - 2:
        assert seen[round(y), round(x)]


@pytest.mark.parametrize("format", ["XYWH", "CXCYWH", "XYWHR", "CXCYWHR", "XYXYXYXY"])
@pytest.mark.parametrize(("name", "arguments"), OPERATIONS)
def test_every_format_of_boxes_moves_alike(format: str, name: str, arguments: dict[str, Any]) -> None:
    corners = torch.tensor([[10.0, 12.0, 30.0, 28.0], [22.0, 20.0, 40.0, 41.0]], dtype=torch.float64)
    upright = tv.BoundingBoxes(corners, format="XYXY", canvas_size=(HEIGHT, WIDTH), clamping_mode=None)
    rotated = tv.is_rotated_bounding_format(format)
    centred = F.convert_bounding_box_format(corners, "xyxy", "cxcywh")
    if rotated:
        turned = torch.cat((centred, torch.zeros(2, 1, dtype=torch.float64)), 1)
        values = F.convert_bounding_box_format(turned, "cxcywhr", format)
    else:
        values = F.convert_bounding_box_format(centred, "cxcywh", format)
    other = tv.BoundingBoxes(values, format=format, canvas_size=(HEIGHT, WIDTH), clamping_mode=None)
    operation = getattr(F, name)
    expected, moved = operation(upright, **arguments), operation(other, **arguments)
    assert moved.format is tv.BoundingBoxFormat[format]
    assert moved.canvas_size == expected.canvas_size
    if not rotated:
        back = F.convert_bounding_box_format(moved.as_subclass(Tensor), format, "xyxy")
        torch.testing.assert_close(back, expected.as_subclass(Tensor))
        return
    points = F.convert_bounding_box_format(moved.as_subclass(Tensor), format, "xyxyxyxy").unflatten(1, (4, 2))
    corner_points = tv.KeyPoints(
        torch.stack([corners[:, [0, 1]], corners[:, [2, 1]], corners[:, [2, 3]], corners[:, [0, 3]]], 1),
        canvas_size=(HEIGHT, WIDTH),
    )
    if "flip" in name:  # of keypoints they count pixels
        return
    moved_corners = operation(corner_points, **arguments).as_subclass(Tensor)
    # Every corner lies in the moved box, which is no larger than it has to be where nothing is sheared.
    first, across, down = points[:, 0], points[:, 1] - points[:, 0], points[:, 3] - points[:, 0]
    for axis in (across, down):
        share = ((moved_corners - first[:, None]) * axis[:, None]).sum(-1) / axis.square().sum(-1)[:, None]
        assert share.min() > -1e-6
        assert share.max() < 1 + 1e-6
        assert share.min() < 1e-6
        assert share.max() > 1 - 1e-6


def test_expanded_rotation_is_right_to_a_part_of_a_pixel() -> None:
    image = torch.zeros(1, 40, 60, dtype=torch.float64)
    image[:, 10:30, 20:50] = 1
    boxes = tv.BoundingBoxes([[35.0, 20.0, 30.0, 20.0, 0.0]], format="CXCYWHR", canvas_size=(40, 60))
    for angle in (10.0, 33.0, 77.0, 149.0):
        seen = F.rotate(image, angle, "bilinear", expand=True)[0]
        moved = F.rotate(boxes, angle, expand=True)[0]
        y, x = torch.meshgrid(torch.arange(seen.shape[0]) + 0.5, torch.arange(seen.shape[1]) + 0.5, indexing="ij")
        mass = seen.sum()
        assert abs(float((seen * x).sum() / mass) - float(moved[0])) < 0.02
        assert abs(float((seen * y).sum() / mass) - float(moved[1])) < 0.02


def test_integer_boxes_stay_integers() -> None:
    for format, values in (("XYXY", [[1, 2, 6, 9]]), ("XYWH", [[1, 2, 5, 7]]), ("CXCYWH", [[3, 5, 5, 7]])):
        boxes = tv.BoundingBoxes(values, format=format, canvas_size=(20, 20))
        for name, arguments in OPERATIONS:
            if name != "perspective":
                assert getattr(F, name)(boxes, **arguments).dtype == torch.int64
        assert F.horizontal_flip(F.horizontal_flip(boxes)).tolist() == values
    assert F.convert_bounding_box_format(torch.tensor([[1, 2, 6, 9]]), "xyxy", "cxcywh").tolist() == [[3, 5, 5, 7]]
    assert F.convert_bounding_box_format(torch.tensor([[3, 5, 5, 7]]), "cxcywh", "xywh").tolist() == [[0, 1, 5, 7]]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(["soft", "hard"]))
def test_clamped_rotated_boxes_stay_within(seed: int, mode: Any) -> None:
    generator = torch.Generator().manual_seed(seed)
    draw = torch.rand(4, 5, generator=generator, dtype=torch.float64)
    boxes = draw * torch.tensor([80.0, 60.0, 40.0, 40.0, 360.0]) + torch.tensor([-8.0, -6.0, 0.5, 0.5, -180.0])
    clamped = F.clamp_bounding_boxes(boxes, "cxcywhr", (HEIGHT, WIDTH), mode)
    assert (clamped[:, 2:4] <= boxes[:, 2:4] + 1e-6).all()
    torch.testing.assert_close(clamped[:, 4], boxes[:, 4])
    again = F.clamp_bounding_boxes(clamped, "cxcywhr", (HEIGHT, WIDTH), mode)
    torch.testing.assert_close(again, clamped, atol=1e-2, rtol=1e-3)  # to a hundredth of a pixel
    if mode == "soft":  # every visible point of a box is kept
        y, x = torch.meshgrid(torch.arange(0.5, HEIGHT), torch.arange(0.5, WIDTH), indexing="ij")
        assert (_inside(boxes, x, y) <= _inside(clamped, x, y, 1e-3)).all()


def _inside(boxes: Tensor, x: Tensor, y: Tensor, slack: float = 0.0) -> Tensor:
    cx, cy, w, h, r = (value[:, None, None] for value in boxes.unbind(1))
    angle = torch.deg2rad(r)
    u = (x - cx) * torch.cos(angle) - (y - cy) * torch.sin(angle)
    v = (x - cx) * torch.sin(angle) + (y - cy) * torch.cos(angle)
    return (u.abs() <= w / 2 + slack) & (v.abs() <= h / 2 + slack)


def test_arguments_of_boxes_and_points() -> None:
    values = torch.tensor([[1.0, 2.0, 5.0, 6.0]])
    typed = tv.BoundingBoxes(values, format="XYXY", canvas_size=(8, 8))
    for wrong in (
        lambda: F.convert_bounding_box_format(values, new_format="xywh"),
        lambda: F.convert_bounding_box_format(typed, "xyxy", "xywh"),
        lambda: F.convert_bounding_box_format(typed, new_format="xywhr"),
        lambda: F.clamp_bounding_boxes(values),
        lambda: F.clamp_bounding_boxes(typed, canvas_size=(8, 8)),
        lambda: F.clamp_keypoints(values[:, :2]),
        lambda: F.sanitize_bounding_boxes(values),
        lambda: F.sanitize_keypoints(values[:, :2]),
        lambda: F.pad(typed, [1], padding_mode="reflect"),
        lambda: F.perspective(torch.zeros(1, 4, 4), None, None),
        lambda: F.affine(torch.zeros(1, 4, 4), 0, [0, 0], -1.0, 0),
        lambda: F.affine(torch.zeros(1, 4, 4), 0, [0], 1.0, 0),
        lambda: F.rotate(torch.zeros(1, 4, 4), 5, "lanczos"),
        lambda: F.elastic(torch.zeros(1, 4, 4), torch.zeros(1, 3, 4, 2)),
        lambda: F.five_crop(torch.zeros(1, 4, 4), 5),
    ):
        with pytest.raises(ValueError, match=r"expected|know|become"):
            wrong()
    with pytest.raises(TypeError, match="angle"):
        F.affine(torch.zeros(1, 4, 4), "a", [0, 0], 1.0, 0)
    with pytest.raises(TypeError, match="expected"):
        F.clamp_bounding_boxes([1])  # type: ignore[arg-type]
    assert F.clamp_keypoints(torch.tensor([[9.0, -1.0, 2.0]]), (8, 8)).tolist() == [[7, 0, 2]]
    assert F.get_size(typed) == [8, 8]
    assert F.get_size(np.zeros((4, 5, 3))) == [4, 5]


COMPILED = [(name, arguments) for name, arguments in OPERATIONS if name != "elastic"]


@pytest.mark.usefixtures("typed_graphs")
@pytest.mark.parametrize(("name", "arguments"), COMPILED[::2])
def test_one_graph_for_tensors_and_typed_tensors(name: str, arguments: dict[str, Any]) -> None:
    image = smooth(dtype=torch.float32)
    boxes = tv.BoundingBoxes([[10.0, 12.0, 30.0, 28.0]], format="XYXY", canvas_size=(HEIGHT, WIDTH))
    operation = getattr(F, name)

    def both(image: Tensor, boxes: tv.BoundingBoxes) -> tuple[Tensor, Tensor]:
        return operation(image, **arguments), operation(boxes, **arguments)

    torch._dynamo.reset()
    seen, moved = torch.compile(both, fullgraph=True, backend="eager")(image, boxes)
    torch.testing.assert_close(seen, operation(image, **arguments))
    torch.testing.assert_close(moved, operation(boxes, **arguments))
    assert moved.canvas_size == operation(boxes, **arguments).canvas_size


def nearest_by_hand(image: Tensor, matrix: list[float], fill: float) -> Tensor:
    """Take nearest pixels as torchvision does: float32 positions, mapped as `grid_sample` does it, ties to even."""
    _, height, width = image.shape
    x = torch.arange(width, dtype=torch.float32) + 0.5 - width / 2
    y = torch.arange(height, dtype=torch.float32) + 0.5 - height / 2
    ones = torch.ones(height, width)
    pixels = torch.stack((x.expand(height, width), y[:, None].expand(height, width), ones), -1).view(1, -1, 3)
    theta = torch.tensor(matrix, dtype=torch.float32).view(2, 3).t() / torch.tensor([0.5 * width, 0.5 * height])
    grid = (pixels @ theta).view(height, width, 2).numpy()
    columns = np.rint(((grid[..., 0] + np.float32(1)) * np.float32(width) - np.float32(1)) / np.float32(2)).astype(int)
    rows = np.rint(((grid[..., 1] + np.float32(1)) * np.float32(height) - np.float32(1)) / np.float32(2)).astype(int)
    inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    picked = image.numpy()[:, rows.clip(0, height - 1), columns.clip(0, width - 1)]
    return torch.from_numpy(np.where(inside, picked, fill).astype(picked.dtype))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
@pytest.mark.parametrize("shape", [(1, 53, 37), (3, 61, 83), (3, 32, 32), (1, 100, 75)])
def test_ties_of_shear_are_those_of_torchvision(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    pixels = noise(*shape).to(dtype)
    for number in range(-6, 7):
        level = number * 0.05  # slopes for which many positions lie halfway between two pixels
        sheared = F.affine(pixels, 0.0, [0, 0], 1.0, [0.0, math.degrees(math.atan(level))], fill=[128.0])
        slope = math.tan(math.radians(math.degrees(math.atan(level))))
        expected = nearest_by_hand(pixels, [1.0, 0.0, 0.0, slope, 1.0, 0.0], 128.0)
        assert torch.equal(sheared, expected), (level, (sheared != expected).sum())
