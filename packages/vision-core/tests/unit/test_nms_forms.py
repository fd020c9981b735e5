"""Suppression in other forms: as a mask, in three dimensions, and by lowering scores."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from vision_contract import ContractError
from vision_core.ops import (
    batched_nms,
    box_iou,
    box_iou_3d,
    matrix_nms,
    nms,
    nms_3d,
    nms_mask,
    nms_reference,
    soft_nms,
)


def boxes_of(count: int, seed: int = 0, axes: int = 2, dtype: torch.dtype = torch.float32) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    corner = torch.rand(count, axes, generator=generator, dtype=dtype) * 60
    return torch.cat((corner, corner + torch.rand(count, axes, generator=generator, dtype=dtype) * 40), 1)


def rotated_of(count: int, seed: int = 0) -> Tensor:
    values = torch.rand(count, 5, generator=torch.Generator().manual_seed(seed))
    return values * torch.tensor([60.0, 60, 40, 40, 360])


def scores_of(count: int, seed: int = 1, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.rand(count, generator=torch.Generator().manual_seed(seed), dtype=dtype)


SHAPES = {"xyxy": boxes_of, "cxcywhr": rotated_of, "xyzxyz": lambda n, seed=0: boxes_of(n, seed, 3)}


def overlap_of(boxes: Tensor, fmt: str) -> Tensor:
    boxes = boxes.double()
    return (box_iou_3d(boxes, boxes) if fmt == "xyzxyz" else box_iou(boxes, boxes, fmt)).nan_to_num(0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("count", [0, 1, 100, 700])
def test_3d_equals_suppression_by_hand(backend: str, threads: int, count: int, dtype: torch.dtype) -> None:
    boxes, scores = boxes_of(count, axes=3).to(dtype), scores_of(count)
    wide = boxes if dtype == torch.float64 else boxes.float()
    overlap = box_iou_3d(wide, wide).tolist()
    kept: list[int] = []
    for i in sorted(range(count), key=lambda i: -float(scores[i])):
        if not any(overlap[k][i] > 0.2 for k in kept):
            kept.append(i)
    assert nms_3d(boxes, scores, 0.2).tolist() == kept


def test_3d_refuses_what_is_not_3d(backend: str) -> None:
    with pytest.raises(ContractError, match="boxes"):
        nms_3d(boxes_of(4), scores_of(4), 0.5)
    with pytest.raises(TypeError, match="floating point"):
        nms_3d(torch.zeros(2, 6, dtype=torch.int64), scores_of(2), 0.5)


@pytest.mark.parametrize("fmt", SHAPES)
@pytest.mark.parametrize("count", [0, 1, 60])
def test_mask_marks_what_is_kept(backend: str, fmt: str, count: int) -> None:
    boxes, scores = SHAPES[fmt](count), scores_of(count)
    idxs = torch.randint(0, 3, (count,), generator=torch.Generator().manual_seed(2))
    expected = torch.zeros(count, dtype=torch.bool)
    expected[nms_reference(boxes, scores, 0.3, fmt=fmt)] = True
    assert torch.equal(nms_mask(boxes, scores, 0.3, fmt=fmt), expected)
    if fmt != "xyzxyz":
        expected = torch.zeros(count, dtype=torch.bool)
        expected[batched_nms(boxes, scores, idxs, 0.3, fmt=fmt)] = True
        assert torch.equal(nms_mask(boxes, scores, 0.3, idxs, fmt=fmt), expected)


def test_mask_in_batches_and_under_vmap(backend: str) -> None:
    boxes = torch.stack([boxes_of(50, seed) for seed in range(6)])
    scores = torch.stack([scores_of(50, seed) for seed in range(6)])
    idxs = torch.randint(0, 3, (6, 50), generator=torch.Generator().manual_seed(2))
    rows = torch.stack([nms_mask(b, s, 0.3) for b, s in zip(boxes, scores, strict=True)])
    grouped = torch.stack([nms_mask(b, s, 0.3, i) for b, s, i in zip(boxes, scores, idxs, strict=True)])
    assert torch.equal(nms_mask(boxes, scores, 0.3), rows)
    assert torch.equal(nms_mask(boxes.view(2, 3, 50, 4), scores.view(2, 3, 50), 0.3), rows.view(2, 3, 50))
    assert torch.equal(torch.func.vmap(lambda b, s: nms_mask(b, s, 0.3))(boxes, scores), rows)
    assert torch.equal(torch.func.vmap(lambda b, s, i: nms_mask(b, s, 0.3, i))(boxes, scores, idxs), grouped)
    nested = torch.func.vmap(torch.func.vmap(lambda b, s: nms_mask(b, s, 0.3)))
    assert torch.equal(nested(boxes.view(2, 3, 50, 4), scores.view(2, 3, 50)), rows.view(2, 3, 50))
    shared = torch.func.vmap(lambda s: nms_mask(boxes[0], s, 0.3), in_dims=1)(scores.t())
    assert torch.equal(shared, torch.stack([nms_mask(boxes[0], s, 0.3) for s in scores]))
    assert nms_mask(boxes[:0], scores[:0], 0.3).shape == (0, 50)
    assert nms_mask(boxes[:, :0], scores[:, :0], 0.3).shape == (6, 0)


@pytest.mark.parametrize("function", [nms, nms_3d])
def test_vmap_names_the_form_for_it(backend: str, function) -> None:
    boxes = torch.stack([boxes_of(5, axes=3 if function is nms_3d else 2)] * 2)
    with pytest.raises(RuntimeError, match=r"use vision_core\.ops\.nms_mask"):
        torch.func.vmap(lambda b, s: function(b, s, 0.5))(boxes, torch.rand(2, 5))
    with pytest.raises(RuntimeError, match=r"use vision_core\.ops\.nms_mask"):
        torch.func.vmap(lambda b, s: batched_nms(b, s, torch.zeros(5), 0.5))(boxes[..., :4], torch.rand(2, 5))
    with pytest.raises(RuntimeError, match=r"use vision_core\.ops\.matrix_nms"):
        torch.func.vmap(lambda b, s: soft_nms(b, s))(boxes[..., :4], torch.rand(2, 5))


def test_mask_refuses_wrong_shapes(backend: str) -> None:
    wrong = (((3, 4), (2,)), ((4,), ()), ((3, 5), (3,)))
    for boxes, scores in [(torch.zeros(a), torch.zeros(b)) for a, b in wrong]:
        with pytest.raises(ContractError):
            nms_mask(boxes, scores, 0.5)
    with pytest.raises(ContractError, match="idxs"):
        nms_mask(torch.zeros(3, 4), torch.zeros(3), 0.5, torch.zeros(2))


def softened_by_hand(
    overlap: list[list[float]], scores: list[float], method: str, threshold: float, sigma: float, least: float
) -> dict[int, float]:
    """The loop of the paper, in double precision."""
    left = {i: s for i, s in enumerate(scores) if s > least}
    taken: dict[int, float] = {}
    while left:
        best = max(left, key=lambda i: (left[i], -i))
        taken[best] = left.pop(best)
        for i in list(left):
            iou = overlap[best][i]
            if method == "gaussian":
                left[i] *= math.exp(-iou * iou / sigma)
            elif iou > threshold:
                left[i] *= 1 - iou
            if left[i] <= least:
                del left[i]
    return taken


@pytest.mark.parametrize("fmt", SHAPES)
@pytest.mark.parametrize("method", ["linear", "gaussian"])
@pytest.mark.parametrize("count", [0, 1, 30])
def test_soft_nms_equals_the_loop_of_the_paper(backend: str, fmt: str, method: str, count: int) -> None:
    boxes, scores = SHAPES[fmt](count), scores_of(count)
    for threshold, sigma, least in ((0.3, 0.5, 0.001), (0.1, 0.1, 0.2), (0.0, 2.0, 0.0)):
        expected = softened_by_hand(overlap_of(boxes, fmt).tolist(), scores.tolist(), method, threshold, sigma, least)
        indices, lowered = soft_nms(
            boxes, scores, threshold, method=method, sigma=sigma, score_threshold=least, fmt=fmt
        )
        assert indices.dtype == torch.int64
        assert indices.tolist() == list(expected)
        torch.testing.assert_close(lowered.tolist(), list(expected.values()), atol=1e-5, rtol=1e-4)
        assert lowered.tolist() == sorted(lowered.tolist(), reverse=True)


def test_soft_nms_of_odd_values(backend: str) -> None:
    nan = math.nan
    boxes = torch.tensor([[0.0, 0, 4, 4], [nan, 0, 4, 4], [0, 0, 4, 4], [9, 9, 1, 1], [0, 0, math.inf, 4]])
    indices, lowered = soft_nms(boxes, torch.tensor([0.5, 0.9, nan, 0.8, 0.7]), method="linear")
    assert indices.tolist() == [1, 3, 4, 0]  # no score: dropped; no overlap: not lowered
    assert lowered.tolist() == pytest.approx([0.9, 0.8, 0.7, 0.5])
    same = torch.tensor([[0.0, 0, 4, 4]] * 3)
    assert soft_nms(same, torch.tensor([0.5, 0.5, 0.5]), method="linear")[0].tolist() == [0]
    indices, lowered = soft_nms(boxes_of(9).bfloat16(), scores_of(9).bfloat16())
    assert lowered.dtype == torch.bfloat16


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"method": "cubic"}, "method"),
        ({"sigma": 0.0}, "sigma"),
        ({"score_threshold": -1.0}, "score_threshold"),
        ({"fmt": "x"}, "fmt"),
    ],
)
def test_soft_nms_names_wrong_arguments(backend: str, arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        soft_nms(boxes_of(3), scores_of(3), **arguments)
    if message != "score_threshold":
        with pytest.raises(ValueError, match=message):
            matrix_nms(boxes_of(3), scores_of(3), **arguments)


def lowered_by_hand(
    overlap: list[list[float]], scores: list[float], groups: list[int], method: str, sigma: float
) -> list[float]:
    """The formula of the paper, pair by pair."""

    def f(iou: float) -> float:
        return math.exp(-sigma * iou * iou) if method == "gaussian" else 1 - iou

    def better(i: int) -> list[int]:
        return [k for k in range(len(scores)) if (scores[k], -k) > (scores[i], -i) and groups[k] == groups[i]]

    most = [max((overlap[k][i] for k in better(i)), default=0.0) for i in range(len(scores))]
    return [s * min([1.0, *(f(overlap[k][i]) / f(most[k]) for k in better(i))]) for i, s in enumerate(scores)]


@pytest.mark.parametrize("fmt", SHAPES)
@pytest.mark.parametrize("method", ["linear", "gaussian"])
@pytest.mark.parametrize("count", [0, 1, 40])
def test_matrix_nms_equals_the_formula(backend: str, fmt: str, method: str, count: int) -> None:
    boxes, scores = SHAPES[fmt](count), scores_of(count)
    idxs = torch.randint(0, 3, (count,), generator=torch.Generator().manual_seed(2))
    for groups in (None, idxs):
        of = [0] * count if groups is None else groups.tolist()
        expected = lowered_by_hand(overlap_of(boxes, fmt).tolist(), scores.tolist(), of, method, 2.0)
        got = matrix_nms(boxes, scores, groups, method=method, fmt=fmt)
        assert got.dtype == scores.dtype
        torch.testing.assert_close(got.tolist(), expected, atol=1e-5, rtol=1e-4)
    assert matrix_nms(boxes.bfloat16(), scores.bfloat16(), fmt=fmt).dtype == torch.bfloat16


def test_matrix_nms_under_transforms(backend: str) -> None:
    boxes, scores = boxes_of(20, dtype=torch.float64), scores_of(20, dtype=torch.float64)
    several = torch.stack([scores_of(20, seed, torch.float64) for seed in range(3)])
    rows = torch.stack([matrix_nms(boxes, s) for s in several])
    torch.testing.assert_close(torch.func.vmap(lambda s: matrix_nms(boxes, s))(several), rows)
    assert torch.autograd.gradcheck(matrix_nms, (boxes[:8].requires_grad_(), scores[:8].requires_grad_()))


def test_errors_name_devices() -> None:
    with pytest.raises(ValueError, match="one device, got cpu and meta"):
        nms(boxes_of(3), torch.zeros(3, device="meta"), 0.5)
    with pytest.raises(ValueError, match="one device, got cpu and meta"):
        batched_nms(boxes_of(3), scores_of(3), torch.zeros(3, device="meta"), 0.5)


def test_fractional_categories_stay_apart(backend: str) -> None:
    boxes = torch.tensor([[0.0, 0, 4, 4]] * 3)
    assert batched_nms(boxes, torch.tensor([0.9, 0.8, 0.7]), torch.tensor([1.0, 1.5, 1.0]), 0.5).tolist() == [0, 1]
    assert batched_nms(boxes, torch.tensor([0.9, 0.8, 0.7]), torch.tensor([True, False, True]), 0.5).tolist() == [0, 1]
