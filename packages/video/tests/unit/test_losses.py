import pytest
import torch
from torch.nn import functional as F

from video.losses import SoftTargetCrossEntropyLoss


@pytest.fixture
def logits():
    return torch.randn(5, 7, generator=torch.Generator().manual_seed(0), requires_grad=True)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_equals_torch(logits, reduction):
    loss = SoftTargetCrossEntropyLoss(reduction=reduction)
    labels = torch.tensor([0, 6, 3, 3, 1])
    expected = F.cross_entropy(logits, labels, reduction=reduction)
    torch.testing.assert_close(loss(logits, labels), expected)
    torch.testing.assert_close(loss(logits, F.one_hot(labels, 7)), expected)
    weights = torch.rand(5, 7, generator=torch.Generator().manual_seed(1))
    soft = F.cross_entropy(logits, weights / weights.sum(1, keepdim=True), reduction=reduction)
    torch.testing.assert_close(loss(logits, weights), soft)
    raw = SoftTargetCrossEntropyLoss(reduction=reduction, normalize_targets=False)
    torch.testing.assert_close(raw(logits, weights), F.cross_entropy(logits, weights, reduction=reduction))


@pytest.mark.parametrize("ignored", [-100, 3])
def test_ignored_indices(logits, ignored):
    labels = torch.tensor([0, ignored, 2, ignored, 1])
    loss = SoftTargetCrossEntropyLoss(ignore_index=ignored)
    expected = F.cross_entropy(logits, labels, ignore_index=ignored)
    torch.testing.assert_close(loss(logits, labels), expected)
    if ignored >= 0:
        torch.testing.assert_close(loss(logits, F.one_hot(labels, 7)), expected)


def test_an_ignored_column_leaves_the_rest(logits):
    weights = torch.tensor([[0.0, 0.5, 0.0, 0.5, 0, 0, 0]]).expand(5, 7)
    loss = SoftTargetCrossEntropyLoss(ignore_index=3)(logits, weights)
    torch.testing.assert_close(loss, F.cross_entropy(logits, torch.ones(5, dtype=torch.long)))
    loss.backward()
    assert torch.isfinite(logits.grad).all()


def test_nothing_counts(logits):
    loss = SoftTargetCrossEntropyLoss()(logits, torch.full((5,), -100))
    assert loss == 0
    loss.backward()


def test_errors(logits):
    with pytest.raises(ValueError, match="same shape"):
        SoftTargetCrossEntropyLoss()(logits, torch.rand(5, 6))
    with pytest.raises(ValueError, match="reduction"):
        SoftTargetCrossEntropyLoss(reduction="max")
    torch.jit.script(SoftTargetCrossEntropyLoss())(logits, torch.rand(5, 7))
