from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vision_contract import ContractError
from vision_core import _native
from vision_core.ops import batched_nms, nms, nms_reference


def boxes_in(span: float, size: float, count: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    corner = torch.rand(count, 2, generator=generator, dtype=dtype) * span
    return torch.cat((corner, corner + torch.rand(count, 2, generator=generator, dtype=dtype) * size), 1)


def scores_of(count: int, seed: int = 1, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.rand(count, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def by_hand(boxes: Tensor, scores: Tensor, threshold: float) -> list[int]:
    """Greedy suppression pair by pair, one torch scalar operation after the other."""
    kept: list[int] = []
    for i in sorted(range(len(scores)), key=lambda i: (-math.inf if scores[i].isnan() else -float(scores[i]), i)):
        area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
        for k in kept:
            w = (torch.minimum(boxes[i, 2], boxes[k, 2]) - torch.maximum(boxes[i, 0], boxes[k, 0])).clamp(min=0)
            h = (torch.minimum(boxes[i, 3], boxes[k, 3]) - torch.maximum(boxes[i, 1], boxes[k, 1])).clamp(min=0)
            if float(w * h / (area[k] + area[i] - w * h)) > threshold:
                break
        else:
            kept.append(i)
    return kept


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("threshold", [-0.5, 0.0, 0.3, 0.7, 1.0])
def test_equals_suppression_by_hand(backend: str, dtype: torch.dtype, threshold: float) -> None:
    boxes, scores = boxes_in(40, 30, 50, dtype=dtype), scores_of(50, dtype=dtype)
    assert nms(boxes, scores, threshold).tolist() == by_hand(boxes, scores, threshold)


@pytest.mark.parametrize(
    ("count", "span", "size"),
    [(3000, 2000, 40), (3000, 1000, 500), (2500, 100, 60), (1200, 1e6, 1.0)],
    ids=["sparse", "large boxes", "dense", "far apart"],
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_grid_and_threads_change_nothing(
    backend: str, threads: int, count: int, span: float, size: float, dtype: torch.dtype
) -> None:
    boxes, scores = boxes_in(span, size, count, dtype=dtype), scores_of(count, dtype=dtype)
    assert torch.equal(nms(boxes, scores, 0.4), nms_reference(boxes, scores, 0.4))


def test_odd_values_suppress_nothing_and_break_nothing(backend: str) -> None:
    nan, inf = math.nan, math.inf
    odd = torch.tensor(
        [
            [nan, 0, 9, 9],
            [0, nan, 9, 9],
            [0, 0, inf, 9],
            [-inf, -inf, inf, inf],
            [9, 9, 0, 0],
            [5, 5, 5, 5],
            [9, 0, 0, 9],
        ]
    )
    boxes = torch.cat((boxes_in(500, 30, 1500), odd, odd, boxes_in(500, 30, 100, seed=5)))
    scores = scores_of(len(boxes))
    scores[7] = nan
    for threshold in (0.0, 0.5):
        kept = nms(boxes, scores, threshold)
        assert torch.equal(kept, nms_reference(boxes, scores, threshold))
        assert set(range(1500, 1514)) <= set(kept.tolist())
        assert kept[0] == 7  # NaN is the highest score
    assert torch.equal(nms(boxes, scores, nan), scores.sort(descending=True, stable=True).indices)


def test_scores_tie_in_their_order(backend: str) -> None:
    boxes = boxes_in(1e5, 10, 1000)
    scores = (scores_of(1000) * 5).floor() - 2
    scores[scores == 0] *= torch.where(torch.arange(int((scores == 0).sum())) % 2 == 0, 1.0, -1.0)  # 0.0 and -0.0
    assert torch.equal(nms(boxes, scores, 0.5), scores.sort(descending=True, stable=True).indices)


@settings(max_examples=60, deadline=None)
@given(
    corners=st.lists(st.tuples(*[st.integers(0, 12)] * 4), max_size=40),
    threshold=st.sampled_from([0.0, 0.25, 0.5, 0.9]),
    seed=st.integers(0, 9),
)
def test_small_cases_on_every_isa(corners: list[tuple[int, ...]], threshold: float, seed: int) -> None:
    boxes = torch.tensor(corners, dtype=torch.float32).reshape(-1, 4)
    scores = (scores_of(len(boxes), seed) * 8).floor()
    expected = by_hand(boxes, scores, threshold)
    for isa in _native.module.isas() if _native.module else []:
        _native.module.force_isa(isa)
        try:
            assert nms(boxes, scores, threshold).tolist() == expected, isa
        finally:
            _native.module.force_isa(None)
    assert nms_reference(boxes, scores, threshold).tolist() == expected


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(backend: str, dtype: torch.dtype) -> None:
    boxes, scores = boxes_in(60, 30, 80).to(dtype), scores_of(80).to(dtype)
    expected = nms_reference(boxes.float(), scores.float(), 0.5)
    assert torch.equal(nms(boxes, scores, 0.5), expected)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(nms(boxes, scores.float(), 0.5), expected)


def test_double_scores_of_float_boxes_are_not_rounded(backend: str) -> None:
    boxes = torch.tensor([[0.0, 0, 4, 4], [0, 0, 4, 4]])
    assert nms(boxes, torch.tensor([1.0, 1.0 + 1e-12], dtype=torch.float64), 0.5).tolist() == [1]


def test_any_strides_and_alignment(backend: str) -> None:
    boxes, scores = boxes_in(60, 30, 70), scores_of(70)
    expected = nms(boxes, scores, 0.5)
    wide = torch.zeros(70, 9)
    wide[:, 3:7] = boxes
    shifted = torch.zeros(281)[1:]
    shifted.copy_(boxes.flatten())
    for same in (wide[:, 3:7], boxes.t().contiguous().t(), shifted.view(70, 4)):
        assert torch.equal(nms(same, scores, 0.5), expected)


@pytest.mark.parametrize("count", [0, 1, 2, 300, 2000])
def test_batched_equals_one_call_per_category(backend: str, threads: int, count: int) -> None:
    boxes, scores = boxes_in(100, 60, count), scores_of(count)
    idxs = torch.randint(-3, 4, (count,), generator=torch.Generator().manual_seed(2)) * 10**6
    kept = torch.zeros(count, dtype=torch.bool)
    for category in idxs.unique():
        members = torch.where(idxs == category)[0]
        kept[members[nms_reference(boxes[members], scores[members], 0.4)]] = True
    order = scores.sort(descending=True, stable=True).indices
    expected = order[kept[order]]
    assert torch.equal(batched_nms(boxes, scores, idxs, 0.4), expected)
    assert torch.equal(batched_nms(boxes, scores, idxs.to(torch.int32), 0.4), expected)


def test_result_owns_no_more_memory_than_it_shows(backend: str) -> None:
    kept = nms(torch.zeros(100, 4) + torch.tensor([0.0, 0, 4, 4]), scores_of(100), 0.5)
    assert kept.shape == (1,)
    assert kept.untyped_storage().nbytes() == 8


def test_wrong_arguments_name_themselves(backend: str) -> None:
    boxes, scores = boxes_in(10, 5, 3), scores_of(3)
    with pytest.raises(ContractError, match="boxes"):
        nms(torch.zeros(3, 5), scores, 0.5)
    with pytest.raises(ContractError, match="scores"):
        nms(boxes, scores[:2], 0.5)
    with pytest.raises(ContractError, match="idxs"):
        batched_nms(boxes, scores, torch.zeros(2), 0.5)
    with pytest.raises(TypeError, match="floating point"):
        nms(boxes.long(), scores, 0.5)
    with pytest.raises((TypeError, RuntimeError), match="iou_threshold"):
        nms(boxes, scores, None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="fmt"):
        nms(boxes, scores, 0.5, fmt="yxyx")
