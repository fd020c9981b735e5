from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from vision_core.utils import annotate_detections, annotate_label, annotate_masks, annotate_tracks, draw_bounding_boxes

BOXES = torch.tensor([[10, 30, 60, 70], [70, 5, 110, 60]])


def black(height: int = 80, width: int = 120) -> Tensor:
    return torch.zeros(3, height, width, dtype=torch.uint8)


def square() -> Tensor:
    mask = torch.zeros(80, 120, dtype=torch.bool)
    mask[20:60, 30:90] = True
    return mask


ANNOTATORS = {
    "detections": lambda image: annotate_detections(image, BOXES, ["cat", "dog"], [0.9, 0.4]),
    "label": lambda image: annotate_label(image, "archery", score=0.5),
    "masks": lambda image: annotate_masks(image, square()),
    "tracks": lambda image: annotate_tracks(image, [torch.tensor([[1.0, 2], [30, 40], [60, 40]])]),
}


@pytest.mark.parametrize("name", ANNOTATORS)
def test_tensors_and_arrays_of_every_dtype_show_the_same(name: str) -> None:
    annotate = ANNOTATORS[name]
    generator = torch.Generator().manual_seed(0)
    image = torch.randint(0, 256, (3, 80, 120), dtype=torch.uint8, generator=generator)
    before = image.clone()
    drawn = annotate(image)
    assert torch.equal(image, before)
    assert not torch.equal(drawn, image)
    array = image.permute(1, 2, 0).numpy()
    on_array = annotate(array)
    assert isinstance(on_array, np.ndarray)
    assert on_array.dtype == np.uint8
    assert np.array_equal(on_array, drawn.permute(1, 2, 0).numpy())
    as_float = annotate(image / 255)
    assert as_float.dtype == torch.float32
    torch.testing.assert_close(as_float, drawn / 255)
    assert annotate(array.astype(np.float64) / 255).dtype == np.float64
    assert annotate(array[:, :, 0]).shape == (80, 120, 3)
    with pytest.raises(TypeError, match="image"):
        annotate([1, 2])
    with pytest.raises(ValueError, match="image"):
        annotate(image[None])
    with pytest.raises(ValueError, match="image"):
        annotate(array.transpose(2, 0, 1))


def test_tags_stand_on_their_boxes_and_the_best_lies_on_top() -> None:
    drawn = annotate_detections(black(), BOXES, ["cat", "dog"], colors=["red", "blue"])
    assert drawn[:, 31, 10].tolist() == [255, 0, 0]
    assert drawn[0, 18:29, 11:30].max() == 255  # above the first box
    assert drawn[2, 6:16, 72:90].max() == 255  # within the second one, which has no room above
    assert drawn[2, :5].max() == 0
    same = torch.tensor([[10, 30, 60, 70]] * 2)
    for scores, top in (([0.2, 0.9], "blue"), ([0.9, 0.2], "red")):
        drawn = annotate_detections(black(), same, scores=torch.tensor(scores), colors=["red", "blue"])
        assert drawn[:, 70, 30].tolist() == ([0, 0, 255] if top == "blue" else [255, 0, 0])
    plain = annotate_detections(black(), BOXES.numpy(), colors="red", width=2)
    assert torch.equal(plain, draw_bounding_boxes(black(), BOXES, colors="red", width=2))
    assert torch.equal(annotate_detections(black(), torch.zeros(0, 4)), black())
    outside = annotate_detections(black(), torch.tensor([[-50, -60, 300, 300]]), ["far"])
    assert outside.any()
    for arguments in ({"labels": ["one"]}, {"scores": [0.1]}, {"colors": ["red"]}):
        with pytest.raises(ValueError, match="2 "):
            annotate_detections(black(), BOXES, **arguments)
    with pytest.raises(ValueError, match=r"\[N, 4\]"):
        annotate_detections(black(), torch.zeros(4))


def test_tracks_fade_and_stop_where_the_object_was_not_seen() -> None:
    path = torch.tensor([[10.0, 40], [40, 40], [70, 40], [100, 40]])
    drawn = annotate_tracks(black(), [path], colors="white", radius=0)
    assert 0 < drawn[0, 40, 25] < drawn[0, 40, 55] < drawn[0, 40, 85] == 255
    short = annotate_tracks(black(), [path], colors="white", length=2, radius=0)
    assert short[0, :, :69].max() == 0
    path[1] = torch.nan
    broken = annotate_tracks(black(), [path], colors="white", radius=0)
    assert broken[0, :, :69].max() == 0
    boxes = torch.tensor([[0.0, 0, 20, 30], [10, 10, 30, 50]])
    by_foot = annotate_tracks(black(), [boxes], colors="lime")
    assert by_foot[:, 50, 20].tolist() == [0, 255, 0]
    assert torch.equal(annotate_tracks(black(), []), black())
    assert torch.equal(annotate_tracks(black(), [torch.full((3, 2), torch.nan)]), black())
    with pytest.raises(ValueError, match="tracks"):
        annotate_tracks(black(), [torch.zeros(3)])
    with pytest.raises(ValueError, match="length"):
        annotate_tracks(black(), [], length=0)


def test_halos_glow_outside_and_fade() -> None:
    drawn = annotate_masks(black(), square(), colors="white", opacity=0.5, halo=8, outline=2)[0].int()
    assert drawn[40, 60] == 128
    assert drawn[40, 30] == drawn[40, 31] == 255  # outline
    assert drawn[40, 32] == 128
    glow = drawn[40, 10:30].flip(0)
    assert glow[0] > 150
    assert (glow.diff() <= 0).all()
    assert glow[-1] == 0
    inside_only = annotate_masks(black(), square(), colors="white", opacity=0.5, halo=0, outline=0)[0]
    assert torch.equal(inside_only, square() * torch.tensor(128, dtype=torch.uint8))
    for masks in (square().float(), square()[:5], square()[None, None]):
        with pytest.raises(ValueError, match="masks"):
            annotate_masks(black(), masks)
    with pytest.raises(ValueError, match="opacity"):
        annotate_masks(black(), square(), opacity=2)
