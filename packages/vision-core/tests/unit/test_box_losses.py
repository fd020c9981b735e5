from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from vision_core.ops import (
    complete_box_iou,
    complete_box_iou_loss,
    distance_box_iou,
    distance_box_iou_loss,
    generalized_box_iou,
    generalized_box_iou_loss,
)

PAIRS = [
    (generalized_box_iou_loss, generalized_box_iou),
    (distance_box_iou_loss, distance_box_iou),
    (complete_box_iou_loss, complete_box_iou),
]
LOSSES = [loss for loss, _ in PAIRS]


def boxes_of(count: int, seed: int, dtype: torch.dtype = torch.float64) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    corner = torch.rand(count, 2, generator=generator, dtype=dtype) * 10
    return torch.cat((corner, corner + 1 + torch.rand(count, 2, generator=generator, dtype=dtype) * 8), 1)


@pytest.mark.parametrize(("loss", "overlap"), PAIRS)
def test_loss_is_one_less_the_overlap(loss: Callable, overlap: Callable) -> None:
    a, b = boxes_of(30, 0), boxes_of(30, 1)
    expected = 1 - overlap(a, b).diagonal()
    torch.testing.assert_close(loss(a, b), expected)
    torch.testing.assert_close(loss(a, b, reduction="mean"), expected.mean())
    torch.testing.assert_close(loss(a, b, "sum"), expected.sum())
    torch.testing.assert_close(loss(a.view(2, 15, 4), b.view(2, 15, 4)), expected.view(2, 15))
    torch.testing.assert_close(loss(a[0], b[0]), expected[0])


@pytest.mark.parametrize("loss", LOSSES)
def test_no_pairs(loss: Callable) -> None:
    a = torch.zeros(0, 4, requires_grad=True)
    assert loss(a, a).shape == (0,)
    for reduction in ("mean", "sum"):
        total = loss(a, torch.zeros(0, 4), reduction=reduction)
        assert total.item() == 0
        total.backward()  # a step without boxes trains on


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.int32, torch.float32])
def test_other_dtypes_are_computed_in_float32(loss: Callable, dtype: torch.dtype) -> None:
    a, b = boxes_of(5, 0).to(dtype), boxes_of(5, 1).to(dtype)
    got = loss(a, b)
    assert got.dtype == torch.float32
    assert torch.equal(got, loss(a.float(), b.float()))
    with torch.autocast("cpu", torch.bfloat16):
        assert loss(a.float(), b.float()).dtype == torch.float32


@pytest.mark.parametrize("loss", [generalized_box_iou_loss, distance_box_iou_loss])
def test_gradients(loss: Callable) -> None:
    a, b = boxes_of(6, 0).requires_grad_(), boxes_of(6, 1).requires_grad_()
    for reduction in ("none", "mean", "sum"):
        assert torch.autograd.gradcheck(lambda a, b, r=reduction: loss(a, b, r), (a, b))
    assert torch.autograd.gradgradcheck(lambda a, b: loss(a, b, "sum"), (a, b))


def test_the_weight_of_the_complete_loss_is_constant_for_the_gradient() -> None:
    a, b = boxes_of(6, 0).requires_grad_(), boxes_of(6, 1)
    (got,) = torch.autograd.grad(complete_box_iou_loss(a, b, "sum"), a)
    (expected,) = torch.autograd.grad((1 - complete_box_iou(a, b).diagonal()).sum(), a)
    torch.testing.assert_close(got, expected)


@pytest.mark.parametrize("loss", LOSSES)
def test_boxes_apart_and_without_area_have_a_finite_loss(loss: Callable) -> None:
    a = torch.tensor([[0.0, 0, 1, 1], [0, 0, 0, 2]], requires_grad=True)
    b = torch.tensor([[5.0, 5, 6, 7], [3, 3, 4, 9]])
    got = loss(a, b)
    assert (got > 1).all()
    (gradient,) = torch.autograd.grad(got.sum(), a)
    assert gradient.isfinite().all()
    assert gradient[0].abs().sum() > 0  # it pulls boxes together that do not touch
    assert loss(torch.full((1, 4), math.nan), b[:1]).isnan().all()


@pytest.mark.parametrize("loss", LOSSES)
def test_wrong_arguments(loss: Callable) -> None:
    a = boxes_of(2, 0)
    with pytest.raises(ValueError, match="reduction: expected none, mean or sum, got average"):
        loss(a, a, "average")
    with pytest.raises(ValueError, match="boxes1, boxes2"):
        loss(torch.zeros(2, 5), torch.zeros(2, 5))


def test_modules_of_the_losses() -> None:
    from vision_core.ops import ciou_loss, diou_loss, giou_loss

    assert giou_loss.generalized_box_iou_loss is generalized_box_iou_loss
    assert diou_loss.distance_box_iou_loss is distance_box_iou_loss
    assert ciou_loss.complete_box_iou_loss is complete_box_iou_loss
