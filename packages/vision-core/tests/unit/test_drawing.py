from __future__ import annotations

import io
import math

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from vision_core.utils import (
    annotate_label,
    draw_bounding_boxes,
    draw_keypoints,
    draw_segmentation_masks,
    flow_to_image,
    make_grid,
    save_image,
)


def black(height: int = 40, width: int = 60, channels: int = 3) -> Tensor:
    return torch.zeros(channels, height, width, dtype=torch.uint8)


def noise(*shape: int) -> Tensor:
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("width", [1, 3])
def test_boxes_are_drawn_pixel_by_pixel(width: int) -> None:
    drawn = draw_bounding_boxes(black(), torch.tensor([[5, 6, 30, 25]]), colors=(10, 20, 30), width=width)
    expected = black()
    expected[:, 6:26, 5:31] = torch.tensor([10, 20, 30], dtype=torch.uint8).view(3, 1, 1)
    expected[:, 6 + width : 26 - width, 5 + width : 31 - width] = 0
    assert torch.equal(drawn, expected)


def test_boxes_of_several_colours_and_the_palette() -> None:
    boxes = torch.tensor([[1, 1, 5, 5], [10, 10, 20, 20], [30, 10, 35, 20]])
    drawn = draw_bounding_boxes(black(), boxes, colors=["red", (0, 255, 0), "#0000ff"])
    assert [drawn[:, y, x].tolist() for y, x in ((1, 1), (10, 10), (10, 30))] == [[255, 0, 0], [0, 255, 0], [0, 0, 255]]
    palette = draw_bounding_boxes(black() + 7, boxes)
    assert len({tuple(palette[:, y, x].tolist()) for y, x in ((1, 1), (10, 10), (10, 30))}) == 3
    with pytest.raises(ValueError, match="3 objects need at least 3 colours, got 1"):
        draw_bounding_boxes(black(), boxes, colors=["red"])


def test_filled_boxes_let_the_image_through() -> None:
    drawn = draw_bounding_boxes(black() + 100, torch.tensor([[5, 6, 30, 25]]), colors="white", fill=True)
    assert 155 <= drawn[0, 15, 15] <= 165  # 100 + 155 * 100 / 255
    assert drawn[0, 0, 0] == 100


def test_labels_and_their_background() -> None:
    boxes = torch.tensor([[5, 6, 55, 35]])
    plain = draw_bounding_boxes(black(), boxes, colors="red")
    named = draw_bounding_boxes(black(), boxes, ["cat"], colors="red", label_colors="lime")
    changed = (plain != named).any(0)
    assert changed.any()
    assert changed[:7].sum() == 0  # inside of the box
    assert named[1].max() > 200
    backed = draw_bounding_boxes(
        black(), boxes, ["cat"], colors="red", label_background_colors="blue", fill_labels=True
    )
    assert (backed[2] == 255).sum() > (changed).sum()
    assert torch.equal(draw_bounding_boxes(black(), boxes, [None], colors="red"), plain)


def test_rotated_boxes_touch_their_corners() -> None:
    corners = torch.tensor([[30.0, 5, 45, 20, 30, 35, 15, 20]])
    drawn = draw_bounding_boxes(black(), corners, colors="white")
    for x, y in ((30, 5), (45, 20), (30, 35), (15, 20), (37, 12)):
        assert drawn[0, y - 1 : y + 2, x - 1 : x + 2].max() == 255
    assert drawn[0, 20, 30] == 0
    filled = draw_bounding_boxes(black(), corners, colors="white", fill=True)
    assert filled[0, 20, 30] == 100


def test_dtypes_channels_and_the_original() -> None:
    image = noise(1, 40, 60)
    before = image.clone()
    boxes = torch.tensor([[5, 6, 30, 25]])
    drawn = draw_bounding_boxes(image, boxes, colors="white")
    assert drawn.shape == (3, 40, 60)
    assert torch.equal(image, before)
    as_float = draw_bounding_boxes(image / 255, boxes, colors="white")
    assert as_float.dtype == torch.float32
    torch.testing.assert_close(as_float, drawn / 255)


def test_boxes_refuse_what_they_cannot_draw() -> None:
    with pytest.warns(UserWarning, match="nothing to draw"):
        assert draw_bounding_boxes(black(), torch.zeros(0, 4)).shape == (3, 40, 60)
    with pytest.raises(TypeError, match="tensor"):
        draw_bounding_boxes(np.zeros((3, 4, 4)), torch.zeros(1, 4))  # type: ignore[arg-type]
    for image in (black()[None], torch.zeros(3, 4, 4, dtype=torch.int32), torch.zeros(2, 4, 4)):
        with pytest.raises(ValueError, match="image"):
            draw_bounding_boxes(image, torch.zeros(1, 4))
    for boxes in (torch.zeros(1, 5), torch.tensor([[5, 5, 1, 9]])):
        with pytest.raises(ValueError, match="boxes"):
            draw_bounding_boxes(black(), boxes)
    with pytest.raises(ValueError, match="labels"):
        draw_bounding_boxes(black(), torch.zeros(2, 4), labels=["one"])


@pytest.mark.parametrize("alpha", [0.0, 0.5, 0.8, 1.0])
def test_masks_blend_and_overlaps_are_black(alpha: float) -> None:
    image = noise(3, 5, 6)
    masks = torch.rand(3, 5, 6, generator=torch.Generator().manual_seed(1)) > 0.5
    colors = [(255, 0, 0), (0, 200, 0), (1, 2, 3)]
    painted = image.clone()
    for mask, color in zip(masks, colors, strict=True):
        for y, x in mask.nonzero().tolist():
            alone = masks[:, y, x].sum() == 1
            painted[:, y, x] = torch.tensor(color if alone else (0, 0, 0), dtype=torch.uint8)
    expected = (image * (1 - alpha) + painted * alpha).to(torch.uint8)
    assert torch.equal(draw_segmentation_masks(image, masks, alpha, colors), expected)
    in_floats = draw_segmentation_masks(image / 255, masks, alpha, colors)
    assert (in_floats * 255 - expected).abs().max() <= 1.01


def test_masks_refuse_what_they_cannot_draw() -> None:
    image = black()
    for masks in (torch.zeros(1, 40, 60), torch.zeros(4, 4, dtype=torch.bool), torch.zeros(1, 1, 40, 60) > 0):
        with pytest.raises(ValueError, match="masks"):
            draw_segmentation_masks(image, masks)
    with pytest.warns(UserWarning, match="nothing to draw"):
        draw_segmentation_masks(image, torch.zeros(0, 40, 60, dtype=torch.bool))


def test_keypoints_limbs_and_visibility() -> None:
    points = torch.tensor([[[10.0, 10], [30, 10], [30, 30]]])
    drawn = draw_keypoints(black(), points, [(0, 1), (1, 2)], colors="red", radius=2, width=1)
    assert drawn[:, 10, 20].tolist() == [255] * 3  # on the first limb
    assert drawn[:, 20, 30].tolist() == [255] * 3  # on the second one
    assert drawn[:, 10, 8].tolist() == [255, 0, 0]  # the rim of a disc
    assert drawn[0, 20, 20] == 0
    hidden = draw_keypoints(
        black(), points, [(0, 1), (1, 2)], colors="white", visibility=torch.tensor([[True, True, False]])
    )
    assert hidden[0, 10, 20] == 255
    assert hidden[0, 20:, :].max() == 0
    with pytest.raises(ValueError, match="keypoints"):
        draw_keypoints(black(), torch.zeros(3, 2))
    with pytest.raises(ValueError, match="visibility"):
        draw_keypoints(black(), points, visibility=torch.zeros(1, 2))


def test_grid_places_every_image() -> None:
    images = noise(5, 3, 4, 6)
    grid = make_grid(images, nrow=2, padding=1, pad_value=9)
    assert grid.shape == (3, 3 * 5 + 1, 2 * 7 + 1)
    rest = grid.clone()
    for index, image in enumerate(images):
        top, left = 1 + index // 2 * 5, 1 + index % 2 * 7
        assert torch.equal(grid[:, top : top + 4, left : left + 6], image)
        rest[:, top : top + 4, left : left + 6] = 9
    assert rest.unique().tolist() == [9]
    assert torch.equal(make_grid(list(images), nrow=2, padding=1, pad_value=9), grid)
    assert torch.equal(make_grid(images[0]), images[0])
    assert make_grid(images[0, 0]).shape == (3, 4, 6)
    assert make_grid(images[:, :1]).shape[0] == 3


def test_grid_normalises_a_copy() -> None:
    images = torch.tensor([[[[0.0, 4.0]]], [[[2.0, 8.0]]]])
    assert make_grid(images, padding=0, normalize=True)[0].tolist() == [[0, 0.5, 0.25, 1]]
    assert make_grid(images, padding=0, normalize=True, scale_each=True)[0].tolist() == [[0, 1, 0, 1]]
    assert make_grid(images, padding=0, normalize=True, value_range=(0, 4))[0].tolist() == [[0, 1, 0.5, 1]]
    assert images.max() == 8
    for wrong, error in ((3, TypeError), ([1], TypeError), (torch.zeros(1, 1, 1, 1, 1), ValueError)):
        with pytest.raises(error, match="tensor"):
            make_grid(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("scale", [1, 255])
def test_saved_images_come_back(scale: int) -> None:
    image = noise(3, 8, 9)
    file = io.BytesIO()
    save_image(image if scale == 1 else image / 255, file, format="png")
    assert np.array_equal(np.array(Image.open(file)), image.permute(1, 2, 0).numpy())


def test_flow_colours_of_the_benchmark() -> None:
    # Right, down, left, up and none, all of full length: hues of Baker et al.'s wheel at a quarter turn each.
    flow = torch.tensor([[[1.0, 0, -1, 0, 0]], [[0.0, 1, 0, -1, 0]]])
    image = flow_to_image(flow)
    assert image.dtype == torch.uint8
    right, down, left, up, still = (image[:, 0, i].int() for i in range(5))
    assert still.tolist() == [255, 255, 255]
    assert right[0] == 255
    assert right[1:].max() <= 1  # red
    assert left[0] <= 1
    assert left[2] > 200  # between cyan and blue
    assert down[0] > 200
    assert down[1] > 200
    assert down[2] <= 1  # yellow
    assert up[2] == 255
    assert up[1] <= 1
    half = flow_to_image(torch.cat((flow, flow / 2), 2))[:, 0, 5:].int()
    assert (half - (255 + image[:, 0].int()) // 2).abs().max() <= 2
    batch = torch.stack((flow, flow))
    assert torch.equal(flow_to_image(batch)[1], image)
    for wrong in (flow.double(), flow[0], torch.zeros(3, 4, 4)):
        with pytest.raises(ValueError, match="flow"):
            flow_to_image(wrong)


@pytest.mark.parametrize("position", ["top", "bottom"])
def test_captions_lie_on_a_band(position: str) -> None:
    image = torch.full((3, 120, 160), 200, dtype=torch.uint8)
    drawn = annotate_label(image, "archery", position=position)
    changed = (drawn != image).any(0).any(1)
    rows = changed.nonzero().flatten()
    assert rows.min() == (0 if position == "top" else 120 - len(rows))
    assert rows.max() - rows.min() + 1 == len(rows) < 40
    assert drawn.max() > 230  # white text, smoothed
    assert torch.equal(image.unique(), torch.tensor([200], dtype=torch.uint8))


def test_captions_show_the_score_as_a_bar() -> None:
    image = torch.zeros(3, 120, 160, dtype=torch.uint8)
    for score in (0.0, 0.25, 1.0):
        drawn = annotate_label(image, "x", score=score, colors=("white", "black", (1, 2, 250)))
        bar = (drawn == torch.tensor([1, 2, 250]).view(3, 1, 1)).all(0)
        assert bar.any(0).sum() == math.floor(score * 160)
    with pytest.raises(ValueError, match="score"):
        annotate_label(image, "x", score=1.5)
    with pytest.raises(ValueError, match="position"):
        annotate_label(image, "x", position="left")  # type: ignore[arg-type]


def test_captions_fit_whatever_their_length() -> None:
    image = torch.zeros(3, 60, 80, dtype=torch.uint8)
    for text in ("", "word", "many words " * 30, "two\nlines", "ä é 中"):
        drawn = annotate_label(image, text, score=0.5)
        assert drawn.shape == image.shape
        assert drawn[:, :, -2:].max() < 200  # no text runs over the margin
    assert annotate_label(image[:1] / 255, "grey").shape == (3, 60, 80)
    assert annotate_label(torch.zeros(3, 4, 5, dtype=torch.uint8), "tiny").shape == (3, 4, 5)
