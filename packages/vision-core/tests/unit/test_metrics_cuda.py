"""Metrics of tensors on a GPU equal those of the same tensors on the CPU."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from vision_core.metrics import (
    Accuracy,
    ConfusionMatrix,
    FrameMeanAveragePrecision,
    MeanAveragePrecision,
    MeanIoU,
    PanopticQuality,
)

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")


def moved(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.cuda()
    if isinstance(value, dict):
        return {name: moved(item) for name, item in value.items()}
    return [moved(item) for item in value] if isinstance(value, list) else value


SEED = torch.Generator().manual_seed(0)
BOXES = torch.rand(6, 4, generator=SEED).cumsum(1) * 40
LABELS = torch.randint(0, 3, (6,), generator=SEED)
FOUND = {"boxes": BOXES + 1, "scores": torch.rand(6, generator=SEED).half(), "labels": LABELS}
TRUE = {"boxes": BOXES, "labels": LABELS, "iscrowd": LABELS == 2, "image_id": torch.tensor(4)}
MASKS = torch.rand(6, 9, 8, generator=SEED) < 0.7
POINTS = torch.cat((BOXES[:, None, :2] + torch.rand(6, 17, 2, generator=SEED), torch.ones(6, 17, 1)), 2)


@pytest.mark.parametrize(
    ("metric", "arguments"),
    [
        (Accuracy((1, 2)), (torch.rand(6, 3, generator=SEED).half(), LABELS)),
        (ConfusionMatrix(3), (LABELS.flip(0), LABELS)),
        (MeanIoU(3), (torch.rand(1, 3, 2, 3, generator=SEED), LABELS.reshape(1, 2, 3))),
        (MeanAveragePrecision(), ([FOUND], [TRUE])),
        (MeanAveragePrecision("segm"), ([FOUND | {"masks": MASKS.flip(0)}], [TRUE | {"masks": MASKS}])),
        (MeanAveragePrecision("keypoints"), ([FOUND | {"keypoints": POINTS}], [TRUE | {"keypoints": POINTS}])),
        (FrameMeanAveragePrecision(), ([FOUND], [TRUE])),
        (PanopticQuality([0], [1]), (LABELS.reshape(1, 1, 3, 2) % 2, LABELS.flip(0).reshape(1, 1, 3, 2) % 2)),
    ],
)
def test_cuda_equals_cpu(metric: Any, arguments: tuple[Any, ...]) -> None:
    metric.update(*arguments)
    expected = str(metric.compute())
    metric.reset()
    metric.update(*(moved(argument) for argument in arguments))
    assert str(metric.compute()) == expected
