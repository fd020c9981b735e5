"""Frame mAP of AVA against a loop over detections."""

from __future__ import annotations

import copy
import math
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vision_core.metrics import FrameMeanAveragePrecision


def overlap(a: list[float], b: list[float]) -> float:
    w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    both = max(w, 0) * max(h, 0)
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


def oracle(frames: list[tuple[dict[str, Any], dict[str, Any]]], label: int, threshold: float) -> float:
    entries, truths = [], 0
    for i, (found, true) in enumerate(frames):
        own = [b for b, c in zip(true["boxes"], true["labels"], strict=True) if c == label]
        truths += len(own)
        for d in range(len(found["labels"])):
            if found["labels"][d] == label:
                entries.append((found["scores"][d], i, found["boxes"][d], own))
    if truths == 0:
        return math.nan
    taken, curve, right = set(), [], 0
    for rank, (_, frame, box, own) in enumerate(sorted(entries, key=lambda e: -e[0])):
        values = [overlap(box, b) for b in own]
        best = max(range(len(values)), key=lambda g: (values[g], -g), default=None)
        if best is not None and values[best] >= threshold and (frame, best) not in taken:
            taken.add((frame, best))
            right += 1
        curve.append((right / truths, right / (rank + 1)))
    area, recall = 0.0, 0.0
    for i, (r, _) in enumerate(curve):
        area += (r - recall) * max(p for _, p in curve[i:])
        recall = r
    return area


def frames_of(seed: int, count: int = 5) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    rng = np.random.default_rng(seed)
    frames = []
    for _ in range(count):
        n, m = rng.integers(0, 7, 2)

        def boxes(number: int) -> list[list[float]]:
            low = rng.integers(0, 4, (number, 2))
            return np.concatenate((low, low + rng.integers(1, 4, (number, 2))), 1).astype(float).tolist()

        found = {
            "boxes": boxes(n),
            "labels": rng.integers(1, 4, n).tolist(),
            "scores": (rng.integers(0, 9, n) / 8).tolist(),
        }
        frames.append((found, {"boxes": boxes(m), "labels": rng.integers(1, 4, m).tolist()}))
    return frames


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 100_000), st.sampled_from([0.3, 0.5, 1.0]))
def test_equals_a_loop_over_detections(seed: int, threshold: float) -> None:
    frames = frames_of(seed)
    metric = FrameMeanAveragePrecision(range(1, 5), iou_threshold=threshold)
    for found, true in frames:
        metric.update([found], [true])
    result = metric.compute()
    expected = [oracle(frames, label, threshold) for label in (1, 2, 3, 4)]
    assert result.ap_per_class.tolist() == pytest.approx(expected, nan_ok=True, abs=1e-12)
    known = [ap for ap in expected if not math.isnan(ap)]
    assert result.map == pytest.approx(sum(known) / len(known) if known else math.nan, nan_ok=True, abs=1e-12)
    only = FrameMeanAveragePrecision([2], iou_threshold=threshold)
    only.update(*(list(part) for part in zip(*frames, strict=True)))
    assert only.compute().map == pytest.approx(expected[1], nan_ok=True)


def test_a_column_for_each_class() -> None:
    boxes = torch.tensor([[0.1, 0.1, 0.5, 0.5], [0.4, 0.4, 0.9, 0.9]])
    scores = torch.tensor([[0.9, 0.1, 0.3], [0.2, 0.8, 0.7]], dtype=torch.bfloat16)
    labels = torch.tensor([[1, 0, 1], [0, 1, 0]])
    table, rows = FrameMeanAveragePrecision([3, 5, 8]), FrameMeanAveragePrecision([3, 5, 8])
    table.update([{"boxes": boxes, "scores": scores}], [{"boxes": boxes, "labels": labels}])
    rows.update(
        [{"boxes": boxes.repeat_interleave(3, 0), "scores": scores.flatten(), "labels": torch.tensor([3, 5, 8] * 2)}],
        [{"boxes": boxes[[0, 0, 1]], "labels": torch.tensor([3, 8, 5])}],
    )
    assert table.compute().ap_per_class.tolist() == [1, 1, 0.5] == rows.compute().ap_per_class.tolist()
    assert table.compute().truths_per_class.tolist() == [1, 1, 1]


def test_order_merge_copies_and_repeated_frames_change_nothing() -> None:
    frames = [(found, true | {"image_id": 100 - i}) for i, (found, true) in enumerate(frames_of(4, 8))]
    whole, first, second = (FrameMeanAveragePrecision() for _ in range(3))
    for found, true in frames[::-1]:
        whole.update([found], [true])
    for found, true in frames[:5]:
        first.update([found], [true])
    for found, true in frames[3:]:
        second.update([found], [true])
    kept = copy.deepcopy(second)
    second.merge(pickle.loads(pickle.dumps(first)))
    assert second.compute().ap_per_class.tolist() == whole.compute().ap_per_class.tolist()
    assert kept.compute().truths_per_class.tolist() != whole.compute().truths_per_class.tolist()
    second.reset()
    assert math.isnan(second.compute().map)


def test_boxes_that_do_not_count() -> None:
    box = [0.0, 0, 2, 2]
    metric = FrameMeanAveragePrecision(max_detections=2)
    found = {"boxes": [[1.0, 1, 1, 5], [5, 5, 6, 6], box, box], "scores": [0.9, 0.8, 0.7, 0.6], "labels": [0, 0, 0, 0]}
    metric.update([found], [{"boxes": [box], "labels": [0]}])
    assert metric.compute().map == 0.5  # without area: left out; the last: one too many


def test_files_of_ava(tmp_path) -> None:
    (tmp_path / "true.csv").write_text(
        "vid,0902,0.1,0.1,0.5,0.9,12,0\nvid,0902,0.1,0.1,0.5,0.9,80,0\nvid,0903,0.2,0.2,0.6,0.8,12,1\nvid,0904,,,,,,\n"
        "vid,0905,0.2,0.2,0.6,0.8,12,1\n"
    )
    (tmp_path / "found.csv").write_text(
        "vid,902,0.1,0.1,0.5,0.8,12,0.9\nvid,902,0.1,0.1,0.5,0.8,80,0.3\nvid,903,0.7,0.7,0.9,0.9,12,0.5\n"
        "vid,0904,0.7,0.7,0.9,0.9,80,0.5\nvid,0903,0.7,0.7,0.9,0.9,99,0.5\n"
    )
    (tmp_path / "excluded.csv").write_text("vid,0905\n")
    files = tmp_path / "true.csv", tmp_path / "found.csv"
    result = FrameMeanAveragePrecision.from_ava(*files, [12, 80], excluded=tmp_path / "excluded.csv").compute()
    assert result.classes.tolist() == [12, 80]
    assert result.ap_per_class.tolist() == [0.5, 0.5]
    assert result.truths_per_class.tolist() == [2, 1]
    assert FrameMeanAveragePrecision.from_ava(*files).compute().truths_per_class.tolist() == [3, 1, 0]
    (tmp_path / "found.csv").write_text("vid,902,0.1,0.1,0.5,0.8,12\n")
    with pytest.raises(ValueError, match=r"found\.csv: row 1: expected video, seconds, x1"):
        FrameMeanAveragePrecision.from_ava(*files)
    (tmp_path / "found.csv").write_text("vid,902,0.1,0.1,x,0.8,12,1\n")
    with pytest.raises(ValueError, match=r"row 1: expected a number, got 'x'"):
        FrameMeanAveragePrecision.from_ava(*files)


def test_bad_input_is_named() -> None:
    metric = FrameMeanAveragePrecision()
    good = {"boxes": torch.ones(1, 4), "labels": torch.tensor([1]), "scores": torch.ones(1)}
    for change, error, message in (
        ({"scores": torch.tensor([math.nan])}, ValueError, r"preds\[0\]\['scores'\]: some are NaN"),
        ({"scores": torch.ones(2)}, ValueError, r"preds\[0\]\['scores'\]: expected \[1\]"),
        ({"scores": torch.ones(1, 3)}, ValueError, r"say which with the argument classes"),
        ({"labels": torch.ones(1)}, TypeError, r"expected integers"),
        ({"boxes": torch.tensor([[3.0, 3, 1, 5]])}, ValueError, r"row 0 has a negative size"),
    ):
        with pytest.raises(error, match=message):
            metric.update([good | change], [good])
    with pytest.raises(TypeError, match=r"pass \[preds\]"):
        metric.update(good, good)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"as many images in both"):
        metric.update([good], [])
    assert math.isnan(metric.compute().map)
    for arguments in ({"classes": []}, {"iou_threshold": 2}, {"box_format": "x"}, {"max_detections": 0}):
        with pytest.raises(ValueError, match=next(iter(arguments))):
            FrameMeanAveragePrecision(**arguments)  # type: ignore[arg-type]
