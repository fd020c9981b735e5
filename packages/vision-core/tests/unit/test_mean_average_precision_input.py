"""What mean average precision says of damaged input, and that it takes in nothing of it."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
import torch

from vision_core.metrics import MeanAveragePrecision

GOOD = {"boxes": torch.zeros(2, 4), "scores": torch.zeros(2), "labels": torch.zeros(2, dtype=torch.int64)}


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"scores": torch.tensor([0.5, math.nan])}, ValueError, r"preds\[0\]\['scores'\]: NaN at \[1\]"),
        ({"scores": torch.zeros(3)}, ValueError, r"preds\[0\]\['labels'\]: expected \[3\]"),
        ({"boxes": torch.zeros(3, 4)}, ValueError, r"preds\[0\]\['boxes'\]: expected \[2, 4\].*got \[3, 4\]"),
        ({"boxes": torch.tensor([[0, 0, 1, 1], [5.0, 5, 3, 9]])}, ValueError, r"row 1 has a negative size"),
        ({"boxes": torch.full((2, 4), math.inf)}, ValueError, r"row 0 has NaN or infinity"),
        ({"labels": torch.zeros(2)}, TypeError, r"preds\[0\]\['labels'\]: expected integers"),
        ({"labels": torch.tensor([0, -1])}, ValueError, r"label -1 is out of range, expected 0\.\.4"),
        ({"labels": torch.tensor([0, 5])}, ValueError, r"label 5 is out of range, expected 0\.\.4"),
        ({"area": torch.tensor([1.0, -1])}, ValueError, r"preds\[0\]\['area'\]: expected numbers from 0 up"),
    ],
)
def test_bad_input_is_named_and_nothing_taken_in(change: dict[str, Any], error: type[Exception], message: str) -> None:
    metric = MeanAveragePrecision(classes=5)
    target = {"boxes": torch.ones(1, 4), "labels": torch.zeros(1, dtype=torch.int64)}
    with pytest.raises(error, match=message):
        metric.update([GOOD | change], [target])
    assert repr(metric) == "MeanAveragePrecision('bbox', 0 images)"


def test_bad_calls_are_named() -> None:
    metric = MeanAveragePrecision("segm")
    scores, labels = [0.5], [0]
    with pytest.raises(TypeError, match=r"pass \[preds\]"):
        metric.update(GOOD, GOOD)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"as many images in both, got 1 and 0"):
        metric.update([GOOD], [])
    with pytest.raises(ValueError, match=r"has no 'masks', only \['labels', 'scores'\]"):
        metric.update([{"scores": scores, "labels": labels}], [{"labels": []}])
    with pytest.raises(TypeError, match=r"pass masks > 0\.5"):
        metric.update(
            [{"scores": scores, "labels": labels, "masks": torch.rand(1, 4, 4)}], [{"labels": [], "masks": []}]
        )
    masks = torch.ones(1, 4, 4, dtype=torch.bool)
    with pytest.raises(ValueError, match=r"masks of one image have different sizes: \[\[4, 4\], \[5, 4\]\]"):
        metric.update(
            [{"scores": scores, "labels": labels, "masks": masks}],
            [{"labels": [0], "masks": torch.ones(1, 5, 4, dtype=torch.bool)}],
        )
    with pytest.raises(ValueError, match=r"preds\[0\]\['masks'\]"):
        metric.update(
            [{"scores": scores, "labels": labels, "masks": [{"size": [4, 4], "counts": b"zz"}]}],
            [{"labels": [], "masks": []}],
        )
    boxes = MeanAveragePrecision()
    boxes.update([GOOD], [{"boxes": [], "labels": [], "image_id": 3}])
    with pytest.raises(ValueError, match=r"some images have an image_id and others do not"):
        boxes.update([GOOD], [{"boxes": [], "labels": []}])
    with pytest.raises(ValueError, match=r"targets\[1\]: has no 'image_id'"):
        boxes.update([GOOD, GOOD], [{"boxes": [], "labels": [], "image_id": 3}, {"boxes": [], "labels": []}])
    for arguments, message in (
        ({"iou_type": "boxes"}, "iou_type"),
        ({"box_format": "xxyy"}, "box_format"),
        ({"iou_thresholds": (0.5, 1.5)}, "iou_thresholds"),
        ({"recall_thresholds": (0.5, 0.1)}, "recall_thresholds"),
        ({"max_detections": (10, 1)}, "max_detections"),
        ({"classes": 0}, "classes"),
        ({"keypoint_sigmas": (0.0,)}, "keypoint_sigmas"),
    ):
        with pytest.raises(ValueError, match=message):
            MeanAveragePrecision(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "mask",
    [
        {"size": [4, 4], "counts": b"zz"},
        {"size": [-4, -4], "counts": [16]},
        {"size": [4, 4.0], "counts": b"0`0"},
        {"size": [4], "counts": b"`0"},
        {"size": [2**20, 2**20], "counts": b"`0"},
        {"size": [2**40, 2**40], "counts": b"`0"},
        {"counts": b"`0"},
        [16],
    ],
)
def test_damaged_masks_are_named(mask: Any, backend: str) -> None:
    metric = MeanAveragePrecision("segm")
    with pytest.raises(ValueError, match=r"preds\[0\]\['masks'\]|size"):
        metric.update([{"scores": [1.0], "labels": [0], "masks": [mask]}], [{"labels": [], "masks": []}])
    assert repr(metric) == "MeanAveragePrecision('segm', 0 images)"


def test_files_are_read_and_damage_in_them_is_named(coco_scene, tmp_path) -> None:
    truths, results = coco_scene(1)
    expected = MeanAveragePrecision.from_coco(truths, results).compute()
    (tmp_path / "truths.json").write_text(json.dumps(truths))
    (tmp_path / "results.json").write_text(json.dumps(results))
    found = MeanAveragePrecision.from_coco(tmp_path / "truths.json", str(tmp_path / "results.json")).compute()
    assert torch.equal(found.precision, expected.precision)
    assert torch.equal(found.scores, expected.scores)
    with pytest.raises(ValueError, match=r"results: the annotations have no images \[-5\]"):
        MeanAveragePrecision.from_coco(truths, [{**results[0], "image_id": -5}])
    without = {key: value for key, value in results[0].items() if key != "score"}
    with pytest.raises(ValueError, match=r"results: entry .* has no 'score'"):
        MeanAveragePrecision.from_coco(truths, [without])
    with pytest.raises(ValueError, match=r"has no 'segmentation'"):
        MeanAveragePrecision.from_coco(truths, results, "segm")
    with pytest.raises(ValueError, match=r"expected 51 numbers in 'keypoints'"):
        MeanAveragePrecision.from_coco(truths, results, "keypoints")
    assert MeanAveragePrecision.from_coco(truths, []).compute().ap == 0
