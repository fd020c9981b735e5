"""The suite of ``nms``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vision_contract.testing.suite import OperatorConformance, raises

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["NMSConformance", "brute_force_nms"]

# No ratio of small integers: whether the IoU is rounded before it is compared makes no difference.
THRESHOLDS = (0.0, 0.1234567, 0.31415926, 0.5, 0.70710678, 1.0)


def brute_force_nms(boxes: Tensor, scores: Tensor, iou_threshold: float) -> list[int]:
    """Greedy suppression, pair by pair, in double precision and plain Python."""
    corners = boxes.double().tolist()
    values = scores.double().tolist()
    kept: list[int] = []
    for i in sorted(range(len(values)), key=lambda i: (-values[i], i)):
        if not any(_iou(corners[i], corners[j]) > iou_threshold for j in kept):
            kept.append(i)
    return kept


def _iou(a: list[float], b: list[float]) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    inter = width * height
    return inter / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inter)


class NMSConformance(OperatorConformance):
    """What an ``nms`` must do: see :class:`vision_contract.NMS`.

    Examples:
        >>> class TestNMS(NMSConformance):
        ...     operator = staticmethod(my_package.nms)
    """

    def test_equals_brute_force(self) -> None:
        for seed, n in enumerate((1, 2, 3, 17, 64, 65, 130)):
            boxes, scores = self._crowd(n, seed)
            for threshold in THRESHOLDS:
                self._compare(boxes, scores, threshold)

    def test_double_precision(self) -> None:
        boxes, scores = self._crowd(40, 11)
        self._compare(boxes.double(), scores.double(), 0.31415926)

    def test_coordinates_anywhere(self) -> None:
        boxes, scores = self._crowd(60, 3)
        for shift in (-200.0, 8000.0):
            self._compare(boxes + shift, scores, 0.31415926)
        self._compare(boxes / 64, scores, 0.31415926)

    def test_negative_and_infinite_scores(self) -> None:
        boxes, scores = self._crowd(30, 4)
        scores = scores - 0.5
        scores[3], scores[7] = float("inf"), float("-inf")
        self._compare(boxes, scores, 0.31415926)

    def test_equal_scores_keep_their_order(self) -> None:
        boxes, scores = self._crowd(200, 5)
        self._compare(boxes, (scores * 4).floor(), 0.31415926)
        self._compare(boxes, scores * 0, 1.0)

    def test_only_a_greater_overlap_suppresses(self) -> None:
        boxes = self._tensor([[0, 0, 2, 1], [0, 0, 1, 1], [10, 0, 14, 1], [10, 0, 13, 1]])  # IoU 1/2 and 3/4
        scores = self._tensor([0.9, 0.8, 0.7, 0.6])
        assert self.operator(boxes, scores, 0.5).tolist() == [0, 1, 2]
        assert self.operator(boxes, scores, 0.75).tolist() == [0, 1, 2, 3]
        assert self.operator(boxes, scores, 0.49).tolist() == [0, 2]

    def test_a_suppressed_box_suppresses_nothing(self) -> None:
        boxes = self._tensor([[0, 0, 10, 1], [4, 0, 14, 1], [8, 0, 18, 1]])  # each overlaps the next by 6/14
        assert self.operator(boxes, self._tensor([0.9, 0.8, 0.7]), 0.4).tolist() == [0, 2]

    def test_boxes_without_area_overlap_nothing(self) -> None:
        boxes = self._tensor([[1, 1, 1, 1], [1, 1, 1, 1], [0, 0, 4, 4], [2, 0, 2, 4], [0, 0, 0, 0]])
        scores = self._tensor([0.9, 0.8, 0.7, 0.6, 0.5])
        assert self.operator(boxes, scores, 0.5).tolist() == [0, 1, 2, 3, 4]
        assert self.operator(boxes, scores, 0.0).tolist() == [0, 1, 2, 3, 4]

    def test_no_boxes(self) -> None:
        import torch

        kept = self.operator(self._tensor([]).reshape(0, 4), self._tensor([]), 0.5)
        assert kept.shape == (0,)
        assert kept.dtype == torch.int64

    def test_any_strides(self) -> None:
        boxes, scores = self._crowd(50, 6)
        padded = self.random(50, 6)
        padded[:, 1:5] = boxes
        expected = brute_force_nms(boxes, scores, 0.31415926)
        assert self.operator(padded[:, 1:5], scores, 0.31415926).tolist() == expected
        assert self.operator(boxes.t().contiguous().t(), scores, 0.31415926).tolist() == expected
        assert self.operator(boxes, scores.repeat_interleave(2)[::2], 0.31415926).tolist() == expected

    def test_leaves_its_arguments_alone(self) -> None:
        import torch

        boxes, scores = self._crowd(50, 7)
        before = boxes.clone(), scores.clone()
        self.operator(boxes, scores, 0.31415926)
        assert torch.equal(boxes, before[0])
        assert torch.equal(scores, before[1])

    def test_wrong_arguments_are_refused(self) -> None:
        boxes, scores = self._crowd(5, 8)
        with raises(what="(5, 5) boxes"):
            self.operator(self.random(5, 5), scores, 0.5)
        with raises(what="boxes of one axis"):
            self.operator(boxes[0], scores[:1], 0.5)
        with raises(what="fewer scores than boxes"):
            self.operator(boxes, scores[:4], 0.5)
        with raises(what="scores of two axes"):
            self.operator(boxes, scores[:, None], 0.5)

    def test_compiles_and_exports(self) -> None:
        import torch

        self.promises("compiles")
        compiled = self.compiled()
        boxes, scores = self._crowd(20, 9)
        n = torch.export.Dim("n", min=2, max=4096)
        exported = self.exported((boxes, scores), ({0: n}, {0: n}), iou_threshold=0.31415926)
        for count, seed in ((20, 9), (33, 10)):
            boxes, scores = self._crowd(count, seed)
            expected = brute_force_nms(boxes, scores, 0.31415926)
            assert compiled(boxes, scores, 0.31415926).tolist() == expected
            assert exported(boxes, scores).tolist() == expected

    def test_scripts(self) -> None:
        self.promises("scripts")
        boxes, scores = self._crowd(50, 12)
        assert self.scripted()(boxes, scores, 0.31415926).tolist() == brute_force_nms(boxes, scores, 0.31415926)

    def _crowd(self, n: int, seed: int) -> tuple[Tensor, Tensor]:
        """Overlapping boxes with whole corners: all arithmetic on them is exact."""
        import torch

        corner = (self.random(n, 2, seed=seed) * (8 + n)).floor()
        size = (self.random(n, 2, seed=seed + 1000) * 24).floor() + 1
        return torch.cat([corner, corner + size], dim=1), self.random(n, seed=seed + 2000)

    def _tensor(self, values: list) -> Tensor:
        import torch

        return torch.tensor(values, dtype=torch.float32, device=self.device)

    def _compare(self, boxes: Tensor, scores: Tensor, threshold: float) -> None:
        import torch

        kept = self.operator(boxes, scores, threshold)
        expected = brute_force_nms(boxes, scores, threshold)
        assert kept.dtype == torch.int64
        assert kept.device.type == boxes.device.type
        assert kept.tolist() == expected, (
            f"{len(boxes)} boxes, iou_threshold={threshold}: {kept.tolist()}, not {expected}"
        )
