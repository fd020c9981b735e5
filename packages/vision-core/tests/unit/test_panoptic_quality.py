"""Panoptic quality against a loop over pairs of pixel masks."""

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

from vision_core import _native
from vision_core.metrics import PanopticQuality

THINGS, STUFF = (1, 4), (2, 9)


def image(rng: np.random.Generator, crowds: bool) -> dict[str, Any]:
    """Rectangles over each other, some of void."""
    ids = np.zeros((12, 14), np.int64)
    infos = []
    for segment in rng.choice(np.arange(1, 10**6), rng.integers(0, 6), replace=False).tolist():
        y, x = rng.integers(0, 9, 2)
        ids[y : y + rng.integers(1, 9), x : x + rng.integers(1, 9)] = segment
        info = {"id": segment, "category_id": int(rng.choice(THINGS + STUFF))}
        infos.append(info | {"iscrowd": int(rng.random() < 0.3)} if crowds else info)
    ids[rng.integers(0, 12)] = 0
    return {"segmentation": ids, "segments_info": [info for info in infos if (ids == info["id"]).any()]}


def oracle(pairs: list[tuple[dict[str, Any], dict[str, Any]]]) -> dict[int, tuple[float, int, int, int]]:
    """Sum of IoU, and numbers of matched, wrong and missed segments of each category."""
    out = {}
    for category in THINGS + STUFF:
        total, matched, wrong, missed = 0.0, 0, 0, 0
        for found, true in pairs:
            void = true["segmentation"] == 0
            mine = [found["segmentation"] == s["id"] for s in found["segments_info"] if s["category_id"] == category]
            theirs = [s for s in true["segments_info"] if s["category_id"] == category]
            crowd = np.zeros_like(void)
            left = list(mine)
            for s in theirs:
                mask = true["segmentation"] == s["id"]
                if s["iscrowd"]:
                    crowd |= mask
                    continue
                values = [(mask & m).sum() / (mask | (m & ~void)).sum() for m in mine]
                hits = [i for i, v in enumerate(values) if v > 0.5]
                assert len(hits) <= 1
                missed += not hits
                for i in hits:
                    total, matched = total + values[i], matched + 1
                    left = [m for m in left if m is not mine[i]]
            wrong += sum((m & (void | crowd)).sum() / m.sum() <= 0.5 for m in left)
        out[category] = (total, matched, wrong, missed)
    return out


def quality(total: float, matched: int, wrong: int, missed: int) -> float:
    return total / (matched + wrong / 2 + missed / 2) if matched + wrong + missed else math.nan


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 100_000), st.booleans())
def test_equals_comparing_masks(seed: int, native: bool) -> None:
    rng = np.random.default_rng(seed)
    pairs = []
    for _ in range(3):
        true = image(rng, crowds=True)
        found = copy.deepcopy(true) if rng.random() < 0.7 else image(rng, crowds=False)
        found["segmentation"] = np.roll(found["segmentation"], rng.integers(0, 2), 1)
        present = np.unique(found["segmentation"])
        infos = [s for s in found["segments_info"] if s["id"] in present]
        found["segments_info"] = [{"id": s["id"], "category_id": s["category_id"]} for s in infos]
        pairs.append((found, true))
    metric = PanopticQuality(THINGS, STUFF)
    before, _native.module = _native.module, _native.module if native else None
    try:
        metric.update([f for f, _ in pairs], [t for _, t in pairs])
    finally:
        _native.module = before
    result, expected = metric.compute(), oracle(pairs)
    assert result.classes.tolist() == [1, 2, 4, 9]
    assert result.is_thing.tolist() == [True, False, True, False]
    for place, category in enumerate(result.classes.tolist()):
        total, matched, wrong, missed = expected[category]
        counts = (result.true_positives, result.false_positives, result.false_negatives)
        assert tuple(int(c[place]) for c in counts) == (matched, wrong, missed)
        assert result.pq_per_class[place].item() == pytest.approx(quality(*expected[category]), nan_ok=True, abs=1e-12)
        if matched:
            assert result.sq_per_class[place].item() == pytest.approx(total / matched, abs=1e-12)
    for name, group in (("pq", THINGS + STUFF), ("pq_things", THINGS), ("pq_stuff", STUFF)):
        values = [quality(*expected[c]) for c in group if sum(expected[c][1:])]
        mean = sum(values) / len(values) if values else math.nan
        assert getattr(result, name) == pytest.approx(mean, nan_ok=True, abs=1e-12)


def test_tensors_of_category_and_instance_mean_the_same(backend: str) -> None:
    # Two things of a category; stuff in two parts is one segment; category 77 is void.
    true = torch.tensor([[[1, 0], [1, 0], [1, 7], [2, 3], [2, 5], [77, 0]]])
    found = torch.tensor([[[1, 4], [1, 4], [2, 0], [2, 0], [2, 0], [2, 0]]])
    metric = PanopticQuality(THINGS, STUFF)
    metric.update(found[None], true[None].to(torch.int32))
    result = metric.compute()
    assert result.true_positives.tolist() == [1, 1, 0, 0]
    assert result.false_negatives.tolist() == [1, 0, 0, 0]
    assert result.false_positives.tolist() == [0, 0, 0, 0]
    assert result.sq_per_class[:2].tolist() == pytest.approx([1, 2 / 3])
    assert (result.rq_things, result.pq_stuff) == pytest.approx((2 / 3, 2 / 3))
    as_files = [
        {
            "segmentation": torch.tensor([[3, 3, 8, 5, 5, 0]]),
            "segments_info": [
                {"id": 3, "category_id": 1},
                {"id": 8, "category_id": 1},
                {"id": 5, "category_id": 2, "iscrowd": False},
            ],
        }
    ]
    second = PanopticQuality(THINGS, STUFF)
    second.update([found], as_files)
    assert str(second.compute()) == str(result)


def test_merge_copy_and_reset() -> None:
    rng = np.random.default_rng(5)
    images = [(image(rng, False), image(rng, True)) for _ in range(6)]
    whole, first, second = (PanopticQuality(THINGS, STUFF) for _ in range(3))
    for i, (found, true) in enumerate(images):
        whole.update([found], [true])
        (first if i < 2 else second).update([found], [true])
    kept = copy.deepcopy(first)
    first.merge(pickle.loads(pickle.dumps(second)))
    assert str(first.compute()) == str(whole.compute())
    assert str(kept.compute()) != str(first.compute())
    first.reset()
    assert math.isnan(first.compute().pq)
    with pytest.raises(ValueError, match=r"things is \(1, 4\) here and \(1,\) there"):
        first.merge(PanopticQuality([1], STUFF))


GOOD = {"segmentation": torch.ones(2, 2, dtype=torch.int64), "segments_info": [{"id": 1, "category_id": 1}]}


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            {"segmentation": torch.full((2, 2), 5)},
            ValueError,
            r"\['segmentation'\]: segments \[5\] are not in",
        ),
        ({"segmentation": torch.ones(2, 2)}, TypeError, r"expected integers, got float32"),
        ({"segmentation": torch.ones(4, dtype=torch.int64)}, ValueError, r"expected \[H, W\] segment ids, got \[4\]"),
        (
            {"segmentation": torch.ones(3, 2, dtype=torch.int64)},
            ValueError,
            r"maps of one size, got \[3, 2\] and \[2, 2\]",
        ),
        ({"segments_info": [{"id": 1, "category_id": 3}]}, ValueError, r"category 3 is neither of things nor of stuff"),
        ({"segments_info": [{"id": 0, "category_id": 1}]}, ValueError, r"different ids above 0, 0 is void"),
        ({"segments_info": [{"id": 1, "category_id": 1}] * 2}, ValueError, r"1 comes twice"),
    ],
)
def test_bad_input_is_named_and_nothing_taken_in(change: dict[str, Any], error: type[Exception], message: str) -> None:
    metric = PanopticQuality(THINGS, STUFF)
    with pytest.raises(error, match=message):
        metric.update([GOOD, GOOD | change][::-1], [GOOD, GOOD])
    assert math.isnan(metric.compute().pq)


def test_bad_calls_are_named() -> None:
    with pytest.raises(ValueError, match=r"\[2\] are in both"):
        PanopticQuality([1, 2], [2])
    with pytest.raises(ValueError, match=r"at least one category"):
        PanopticQuality([], [])
    metric = PanopticQuality(THINGS, STUFF)
    with pytest.raises(TypeError, match=r"pass \[preds\]"):
        metric.update(GOOD, GOOD)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"as many images in both, got 2 and 1"):
        metric.update([GOOD, GOOD], [GOOD])
    with pytest.raises(ValueError, match=r"preds\[0\]: expected \[H, W, 2\]"):
        metric.update(torch.zeros(1, 3, 3, dtype=torch.int64), [GOOD])
    with pytest.raises(ValueError, match=r"preds\[0\]: has no 'segments_info'"):
        metric.update([{"segmentation": GOOD["segmentation"]}], [GOOD])
    with pytest.raises(ValueError, match=r"expected instances in 0\.\.2\^32 - 1, got -1"):
        metric.update(torch.tensor([[[[1, -1]]]]), torch.tensor([[[[1, 1]]]]))
