"""The result of `MeanAveragePrecision`: the usual numbers, and the curves that they come from."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["MeanAveragePrecisionResult"]


@dataclass(frozen=True, eq=False, repr=False)
class MeanAveragePrecisionResult:
    """Average precision and recall by COCO's protocol: K classes, T IoU thresholds, R recall thresholds, A area ranges
    and M limits on the number of detections.

    Everything is in 0..1. Where there is no ground truth, a value is -1, and means leave it out, as COCO's own
    evaluation does.

    Attributes:
        iou_type: "bbox", "segm" or "keypoints".
        classes: `[K]` int64: the labels, ascending; of a class-agnostic result one, -1.
        iou_thresholds: `[T]` float64.
        recall_thresholds: `[R]` float64.
        area_ranges: name to (smallest, largest) area in square pixels.
        max_detections: M numbers, ascending.
        precision: `[T, R, K, A, M]` float64: interpolated precision at each recall threshold.
        recall: `[T, K, A, M]` float64: the largest recall.
        scores: `[T, R, K, A, M]` float64: the score at which the recall is reached.
    """

    iou_type: str
    classes: Tensor
    iou_thresholds: Tensor
    recall_thresholds: Tensor
    area_ranges: dict[str, tuple[float, float]]
    max_detections: tuple[int, ...]
    precision: Tensor
    recall: Tensor
    scores: Tensor

    @property
    def ap(self) -> float:
        """Average precision over all IoU thresholds: COCO's main number."""
        return self.average_precision()

    @property
    def ap50(self) -> float:
        """Average precision at IoU 0.5: that of PASCAL VOC. -1 if 0.5 is none of the thresholds."""
        return self.average_precision(0.5)

    @property
    def ap75(self) -> float:
        """Average precision at IoU 0.75. -1 if 0.75 is none of the thresholds."""
        return self.average_precision(0.75)

    @property
    def ap_per_class(self) -> Tensor:
        """`[K]` float64: average precision of each class over all IoU thresholds."""
        return self._per_class(self.precision)

    @property
    def ar_per_class(self) -> Tensor:
        """`[K]` float64: average recall of each class over all IoU thresholds, at most detections."""
        return self._per_class(self.recall)

    def average_precision(
        self,
        iou_threshold: float | None = None,
        *,
        area: str = "all",
        max_detections: int | None = None,
        label: int | None = None,
    ) -> float:
        """Return the mean precision over recall thresholds and whatever is not fixed here.

        Args:
            iou_threshold: one of `iou_thresholds`; None for the mean over all.
            area: one of `area_ranges`.
            max_detections: one of `max_detections`; None for the largest.
            label: one of `classes`; None for the mean over all.

        Returns:
            A number in 0..1; -1 without ground truth, or if the threshold or area range is none of the metric's.

        Raises:
            ValueError: a label or a number of detections that is none of the metric's.
        """
        return self._mean(self.precision, iou_threshold, area, max_detections, label)

    def average_recall(
        self,
        iou_threshold: float | None = None,
        *,
        area: str = "all",
        max_detections: int | None = None,
        label: int | None = None,
    ) -> float:
        """Return the mean of the largest recall over whatever is not fixed here.

        Args:
            iou_threshold: one of `iou_thresholds`; None for the mean over all.
            area: one of `area_ranges`.
            max_detections: one of `max_detections`; None for the largest.
            label: one of `classes`; None for the mean over all.

        Returns:
            A number in 0..1; -1 without ground truth, or if the threshold or area range is none of the metric's.

        Raises:
            ValueError: a label or a number of detections that is none of the metric's.
        """
        return self._mean(self.recall, iou_threshold, area, max_detections, label)

    def summary(self) -> dict[str, float]:
        """Return COCO's numbers by name, in COCO's order.

        Returns:
            For boxes and masks AP, AP50, AP75, APs, APm, APl, AR1, AR10, AR100 (or what `max_detections` says), ARs,
            ARm, ARl; for keypoints AP, AP50, AP75, APm, APl, AR, AR50, AR75, ARm, ARl.
        """
        areas = ("medium", "large") if self.iou_type == "keypoints" else ("small", "medium", "large")
        out = {"AP": self.ap, "AP50": self.ap50, "AP75": self.ap75}
        out |= {f"AP{area[0]}": self.average_precision(area=area) for area in areas}
        if self.iou_type == "keypoints":
            out["AR"] = self.average_recall()
            out |= {"AR50": self.average_recall(0.5), "AR75": self.average_recall(0.75)}
        else:
            out |= {f"AR{m}": self.average_recall(max_detections=m) for m in self.max_detections}
        return out | {f"AR{area[0]}": self.average_recall(area=area) for area in areas}

    @property
    def stats(self) -> Tensor:
        """`[12]` (keypoints: `[10]`) float64: the values of `summary()`."""
        return torch.tensor(list(self.summary().values()), dtype=torch.float64)

    def __repr__(self) -> str:
        numbers = ", ".join(f"{name}={value:.4f}" for name, value in self.summary().items())
        return f"MeanAveragePrecisionResult({self.iou_type}, {len(self.classes)} classes: {numbers})"

    def __str__(self) -> str:
        rows = [f"{name:<6}{value:8.4f}" for name, value in self.summary().items()]
        return "\n".join([f"{self.iou_type}, {len(self.classes)} classes", *rows])

    def _mean(
        self, values: Tensor, iou_threshold: float | None, area: str, max_detections: int | None, label: int | None
    ) -> float:
        if area not in self.area_ranges:
            return -1.0
        limit = -1 if max_detections is None else self._place(max_detections, self.max_detections, "max_detections")
        values = values[..., list(self.area_ranges).index(area), limit]  # [T, (R,) K]
        if label is not None:
            values = values[..., self._place(label, tuple(self.classes.tolist()), "label")]
        if iou_threshold is not None:
            values = values[(self.iou_thresholds - iou_threshold).abs() < 1e-9]
        values = values[values > -1]
        return float(values.mean()) if values.numel() else -1.0

    @staticmethod
    def _place(value: int, values: tuple[int, ...], name: str) -> int:
        if value not in values:
            raise ValueError(f"{name}: {value} was not evaluated, only {values}")
        return values.index(value)

    def _per_class(self, values: Tensor) -> Tensor:
        if "all" not in self.area_ranges:
            return torch.full((len(self.classes),), -1.0, dtype=torch.float64)
        values = values[..., list(self.area_ranges).index("all"), -1].flatten(0, -2)
        # Without ground truth all of a class is -1, otherwise nothing.
        return values.mean(0)
