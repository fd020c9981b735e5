"""Accuracy, confusion matrix and mean IoU against loops over samples."""

from __future__ import annotations

import copy
import math
import pickle

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vision_core.metrics import Accuracy, ConfusionMatrix, MeanIoU, accuracy, confusion_matrix, mean_iou


def ranked(scores: list[float]) -> list[int]:
    """Classes by score; NaN first, equal scores in order."""
    return sorted(
        range(len(scores)), key=lambda c: (not math.isnan(scores[c]), -scores[c] if scores[c] == scores[c] else 0)
    )


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 9),
    st.integers(1, 7),
    st.integers(0, 10_000),
    st.sampled_from(["float16", "bfloat16", "float32", "float64"]),
)
def test_accuracy_equals_sorting_each_sample(count: int, classes: int, seed: int, dtype: str) -> None:
    generator = torch.Generator().manual_seed(seed)
    output = (torch.randint(-3, 4, (count, classes), generator=generator) / 2).to(getattr(torch, dtype))  # many ties
    target = torch.randint(0, classes, (count,), generator=generator)
    topk = (1, classes)
    metric = Accuracy(topk)
    metric.update(output[: count // 2], target[: count // 2])
    metric.update(output[count // 2 :], target[count // 2 :])
    for k, value in zip(topk, accuracy(output, target, topk), strict=True):
        hits = sum(int(t) in ranked(row)[:k] for row, t in zip(output.tolist(), target, strict=True))
        expected = hits / count if count else math.nan
        assert value.item() == pytest.approx(100 * expected, nan_ok=True)
        assert metric.compute()[f"acc@{k}"] == pytest.approx(expected, nan_ok=True)


def test_accuracy_never_counts_nan_as_right() -> None:
    output = torch.tensor([[math.nan, 1.0, 0.0], [math.nan, 1.0, 0.0]])
    assert [v.item() for v in accuracy(output, torch.tensor([0, 1]), (1, 2))] == [0.0, 50.0]


def test_accuracy_of_dense_and_soft_targets() -> None:
    output = torch.randn(2, 5, 3, 4, generator=torch.Generator().manual_seed(0))
    target = torch.randint(0, 5, (2, 3, 4), generator=torch.Generator().manual_seed(1))
    target[0, 0, 0] = 255
    metric = Accuracy(ignore_index=255)
    metric.update(output, target)
    valid = target != 255
    assert metric.compute()["acc@1"] == pytest.approx((output.argmax(1) == target)[valid].double().mean().item())
    soft = torch.tensor([[0.9, 0.1], [0.4, 0.6]])
    assert accuracy(torch.tensor([[2.0, 1.0], [2.0, 1.0]]), soft)[0].item() == 50.0


@pytest.mark.parametrize(
    ("output", "target", "message"),
    [
        (torch.zeros(3), torch.zeros(3, dtype=torch.long), r"output: expected floating-point scores"),
        (torch.zeros(3, 2), torch.zeros(4, dtype=torch.long), r"target: expected class indices \(3,\)"),
        (torch.zeros(3, 2), torch.tensor([0, 2, 1]), r"target: class 2 is out of range, expected 0\.\.1"),
        (torch.zeros(3, 2), torch.tensor([0, -1, 1]), r"target: class -1 is out of range"),
    ],
)
def test_accuracy_names_what_is_wrong(output: torch.Tensor, target: torch.Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        accuracy(output, target)
    with pytest.raises(ValueError, match=r"topk: expected numbers in 1\.\.2"):
        accuracy(torch.zeros(3, 2), torch.zeros(3, dtype=torch.long), (3,))
    with pytest.raises(TypeError, match=r"target: expected integer class indices"):
        accuracy(torch.zeros(3, 2), torch.zeros(3))


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 5), st.integers(0, 40), st.integers(0, 10_000))
def test_confusion_matrix_and_iou_equal_counting(classes: int, count: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    preds = torch.randint(0, classes, (count,), generator=generator, dtype=torch.uint8)
    target = torch.randint(0, classes, (count,), generator=generator, dtype=torch.uint8)
    target[::5] = 255
    matrix = [[0] * classes for _ in range(classes)]
    for p, t in zip(preds.tolist(), target.tolist(), strict=True):
        if t != 255:
            matrix[t][p] += 1
    assert confusion_matrix(preds, target, classes, 255).tolist() == matrix
    result = MeanIoU(classes, ignore_index=255)
    result.update(preds, target)
    found = result.compute()
    ious = []
    for c in range(classes):
        union = sum(matrix[c]) + sum(row[c] for row in matrix) - matrix[c][c]
        if union:
            ious.append(matrix[c][c] / union)
            assert found.iou[c].item() == pytest.approx(ious[-1], abs=1e-12)
            assert found.dice[c].item() == pytest.approx(2 * ious[-1] / (1 + ious[-1]), abs=1e-12)
        else:
            assert math.isnan(found.iou[c])
    expected = sum(ious) / len(ious) if ious else math.nan
    assert found.mean_iou == pytest.approx(expected, nan_ok=True, abs=1e-12)
    assert mean_iou(preds, target, classes, 255) == pytest.approx(expected, nan_ok=True, abs=1e-12)
    total = sum(map(sum, matrix))
    right = sum(matrix[c][c] for c in range(classes))
    assert found.pixel_accuracy == pytest.approx(right / total if total else math.nan, nan_ok=True)


def test_confusion_matrix_normalises() -> None:
    preds, target = torch.tensor([0, 1, 1, 1]), torch.tensor([0, 0, 1, 1])
    expected = {"true": [[0.5, 0.5], [0, 1]], "pred": [[1, 1 / 3], [0, 2 / 3]], "all": [[0.25, 0.25], [0, 0.5]]}
    for name, matrix in expected.items():
        metric = ConfusionMatrix(2, normalize=name)
        metric.update(preds, target)
        torch.testing.assert_close(metric.compute(), torch.tensor(matrix, dtype=torch.float64))
    logits = torch.nn.functional.one_hot(preds, 2).float()
    assert torch.equal(confusion_matrix(logits, target, 2), confusion_matrix(preds, target, 2))


def test_confusion_matrix_names_what_is_wrong() -> None:
    labels = torch.tensor([0, 1])
    with pytest.raises(ValueError, match=r"preds, target: expected class indices of one shape"):
        confusion_matrix(labels, torch.tensor([0]), 2)
    with pytest.raises(ValueError, match=r"preds: class 2 is out of range"):
        confusion_matrix(torch.tensor([0, 2]), labels, 2)
    with pytest.raises(ValueError, match=r"preds: expected scores \[N, 2, \.\.\.\]"):
        confusion_matrix(torch.zeros(2, 3), labels, 2)
    with pytest.raises(TypeError, match=r"preds: expected integer class indices"):
        confusion_matrix(labels.float(), labels, 2)
    with pytest.raises(ValueError, match=r"num_classes"):
        ConfusionMatrix(0)
    with pytest.raises(ValueError, match=r"normalize"):
        ConfusionMatrix(2, normalize="rows")  # type: ignore[arg-type]


@pytest.mark.parametrize("make", [lambda: Accuracy((1, 2)), lambda: ConfusionMatrix(4), lambda: MeanIoU(4)])
def test_merge_copy_and_reset(make) -> None:
    generator = torch.Generator().manual_seed(3)
    batches = [
        (torch.randn(6, 4, generator=generator), torch.randint(0, 4, (6,), generator=generator)) for _ in range(3)
    ]
    whole, first, second = make(), make(), make()
    empty = str(make().compute())
    for batch in batches:
        whole.update(*batch)
    first.update(*batches[0])
    for batch in batches[1:]:
        second.update(*batch)
    kept = copy.deepcopy(first)
    before = str(kept.compute())
    first.merge(pickle.loads(pickle.dumps(second)))
    assert str(first.compute()) == str(whole.compute())
    assert str(kept.compute()) == before  # a copy shares nothing
    first.reset()
    assert str(first.compute()) == empty
