"""Frame mAP of the AVA data set: which actions happen where in a frame."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from vision_core.metrics._batches import check_batches
from vision_core.metrics._columns import Array
from vision_core.metrics._detection_inputs import BOX_FORMATS, check_boxes, rows_of, to_xywh
from vision_core.metrics._image_tables import ImageTables, concatenated, counts_of, image_ids_of
from vision_core.metrics._metric import Metric

__all__ = ["FrameMeanAveragePrecision", "FrameMeanAveragePrecisionResult"]


@dataclass(frozen=True, eq=False)
class FrameMeanAveragePrecisionResult:
    """What `FrameMeanAveragePrecision.compute` returns.

    Attributes:
        map: mean of `ap_per_class` over the classes with ground truth; NaN if there is none.
        classes: `[K]` int64: the labels, ascending.
        ap_per_class: `[K]` float64 in 0..1; NaN without ground truth.
        truths_per_class: `[K]` int64: how many ground truths there are.
    """

    map: float
    classes: Tensor
    ap_per_class: Tensor
    truths_per_class: Tensor


class FrameMeanAveragePrecision(Metric[FrameMeanAveragePrecisionResult]):
    """Mean average precision over frames by the protocol of ActivityNet's AVA challenge, that of PASCAL VOC.

    In each frame and class a detection belongs to the ground truth that it overlaps most, if their IoU reaches the
    threshold; the first one of a ground truth, in the order of scores, is right, all others are wrong. The average
    precision of a class is the area under its interpolated curve of precision over recall (every point of it, as from
    VOC 2010 on).

    A detection is judged when it is taken in, so that the state holds a score, a label and a verdict for each, and no
    boxes. Detections of equal score count in the order of frames (by `image_id` if the targets have one, and then a
    frame that comes again counts once), then in that in which they were given.

    Source: Gu et al., "AVA: A Video Dataset of Spatio-temporally Localized Atomic Visual Actions", CVPR 2018;
    Everingham et al., "The PASCAL Visual Object Classes Challenge", IJCV 2010.

    Args:
        classes: the labels that are evaluated, or their number C for 0..C - 1; others are left out. None: those that
            occur. AVA's challenge evaluates 60 of the labels 1..80.
        iou_threshold: in 0..1.
        box_format: of all `boxes`: "xyxy", "xywh" or "cxcywh"; pixels or shares of the image.
        max_detections: labelled boxes that count in a frame, best scores first; the challenge takes 50, None takes all.

    Raises:
        ValueError: a threshold, format or number that is none.

    Examples:
        >>> import torch
        >>> metric = FrameMeanAveragePrecision(classes=2)
        >>> person = torch.tensor([[0.1, 0.1, 0.5, 0.9]])
        >>> target = {"boxes": person, "labels": torch.tensor([[1, 1]])}  # does both
        >>> metric.update([{"boxes": person + 0.02, "scores": torch.tensor([[0.9, 0.2]])}], [target])
        >>> metric.compute().map
        1.0
    """

    def __init__(
        self,
        classes: int | Sequence[int] | None = None,
        *,
        iou_threshold: float = 0.5,
        box_format: str = "xyxy",
        max_detections: int | None = None,
    ) -> None:
        if isinstance(classes, int):
            classes = range(classes)
        self.classes = None if classes is None else tuple(sorted({int(label) for label in classes}))
        if self.classes == ():
            raise ValueError("classes: expected the labels or their number, got none")
        if not 0 <= iou_threshold <= 1:
            raise ValueError(f"iou_threshold: expected a number in 0..1, got {iou_threshold}")
        if box_format not in BOX_FORMATS:
            raise ValueError(f"box_format: expected one of {BOX_FORMATS}, got {box_format!r}")
        if max_detections is not None and max_detections < 1:
            raise ValueError(f"max_detections: expected a number from 1 up, or None, got {max_detections}")
        self.iou_threshold = float(iou_threshold)
        self.box_format = box_format
        self.max_detections = max_detections
        self.reset()

    @classmethod
    def from_ava(
        cls,
        annotations: str | os.PathLike[str],
        results: str | os.PathLike[str],
        classes: Iterable[int] | None = None,
        *,
        excluded: str | os.PathLike[str] | None = None,
        **settings: Any,
    ) -> Self:
        """Make a metric that holds what AVA's CSV files hold.

        Args:
            annotations: rows `video, seconds, x1, y1, x2, y2, action, person`.
            results: rows `video, seconds, x1, y1, x2, y2, action, score`.
            classes: the actions that are evaluated; None for those that occur.
            excluded: rows `video, seconds` of frames that do not count.
            settings: other arguments of the class.

        Returns:
            The metric; `.compute()` it.

        Raises:
            ValueError: a row that is damaged.
        """
        from vision_core.metrics._ava_files import read_frames

        metric = cls(None if classes is None else tuple(classes), **settings)
        preds, targets = read_frames(annotations, results, excluded)
        metric.update(preds, targets)
        return metric

    def settings(self) -> dict[str, Any]:
        """Return the arguments of the metric."""
        return {name: getattr(self, name) for name in ("classes", "iou_threshold", "box_format", "max_detections")}

    def reset(self) -> None:
        """Forget all frames."""
        detections = {"scores": (np.float64,), "labels": (np.int64,), "right": (np.bool_,)}
        self._frames = ImageTables(detections, {"labels": (np.int64,)})

    def update(self, preds: Sequence[Mapping[str, Any]], targets: Sequence[Mapping[str, Any]]) -> None:
        """Take in a batch of frames. Nothing is taken in if anything is wrong.

        Args:
            preds: for each frame `boxes` `[N, 4]`, and `scores` `[N]` with `labels` `[N]`, or `scores` `[N, C]` of
                every class, in the order of `classes`. Boxes without area are left out.
            targets: for each frame `boxes` `[M, 4]` and `labels` `[M]` (a box with several labels comes several
                times), or `labels` `[M, C]`, which of the `classes` each box has; maybe `image_id`.

        Raises:
            ValueError: lengths that differ, NaN, negative sizes, a key that is missing.
        """
        check_batches(preds, targets)
        found, true = [], []
        for i, (pred, target) in enumerate(zip(preds, targets, strict=True)):
            truth = self._labelled_boxes(target, f"targets[{i}]", scored=False)
            true.append({"labels": truth[1]})
            found.append(self._judged(self._labelled_boxes(pred, f"preds[{i}]", scored=True), truth))
        if found:
            ids = image_ids_of(targets)
            self._frames.add(ids, counts_of(found), concatenated(found), counts_of(true), concatenated(true))

    def merge(self, other: Self) -> None:
        """Take in the frames of another metric, after the own ones; those with an `image_id` in the order of ids."""
        self.check_mergeable(other)
        self._frames.extend(other._frames)

    def compute(self) -> FrameMeanAveragePrecisionResult:
        """Return the average precision of each class and their mean."""
        frames = self._frames.order()
        found, true = self._frames.detections.take(frames)[1], self._frames.truths.take(frames)[1]
        classes = np.union1d(found["labels"], true["labels"]) if self.classes is None else np.array(self.classes)
        aps = np.full(len(classes), np.nan)
        numbers = np.array([np.count_nonzero(true["labels"] == label) for label in classes], np.int64)
        for i in np.flatnonzero(numbers):
            own = found["labels"] == classes[i]
            right = found["right"][own][np.argsort(-found["scores"][own], kind="stable")]
            aps[i] = _average_precision(right, int(numbers[i]))
        return FrameMeanAveragePrecisionResult(
            float(aps[numbers > 0].mean()) if numbers.any() else float("nan"),
            torch.from_numpy(classes.astype(np.int64)),
            torch.from_numpy(aps),
            torch.from_numpy(numbers),
        )

    def _labelled_boxes(self, frame: Mapping[str, Any], where: str, *, scored: bool) -> tuple[Array, Array, Array]:
        """Return boxes x, y, width, height, label and score of each labelled box."""
        boxes = to_xywh(rows_of(frame, "boxes", where, None, 4), self.box_format)
        check_boxes(boxes, f"{where}['boxes']")
        key = "scores" if scored else "labels"
        if key in frame and np.ndim(frame[key]) == 2:
            if self.classes is None:
                raise ValueError(f"{where}[{key!r}]: has a column for each class; say which with the argument classes")
            table = rows_of(frame, key, where, len(boxes), len(self.classes))
            rows, columns = np.nonzero(np.ones(table.shape, bool) if scored else table != 0)
            labels, scores = np.array(self.classes)[columns], table[rows, columns].astype(np.float64)
        else:
            rows = np.arange(len(boxes))
            labels = rows_of(frame, "labels", where, len(boxes))
            scores = rows_of(frame, "scores", where, len(boxes)).astype(np.float64) if scored else np.ones(len(boxes))
            if labels.size and labels.dtype.kind not in "iu":
                raise TypeError(f"{where}['labels']: expected integers, got {labels.dtype}")
        if np.isnan(scores).any():
            raise ValueError(f"{where}['scores']: some are NaN; remove them")
        kept = np.ones(len(rows), bool) if self.classes is None else np.isin(labels, self.classes)
        if scored:
            kept &= (boxes[rows, 2:] > 0).all(1)
        return boxes[rows][kept], labels[kept].astype(np.int64), scores[kept]

    def _judged(self, found: tuple[Array, Array, Array], true: tuple[Array, Array, Array]) -> dict[str, Array]:
        """Return labels, scores and verdicts of the detections that count, in the order of scores."""
        boxes, labels, scores = found
        order = np.argsort(-scores, kind="stable")[: self.max_detections]
        boxes, labels, scores = boxes[order], labels[order], scores[order]
        right = np.zeros(len(labels), bool)
        if len(labels) and len(true[1]):
            iou = np.where(labels[:, None] == true[1], _box_iou(boxes, true[0]), -1)
            best = iou.argmax(1)
            reached = np.flatnonzero(iou[np.arange(len(best)), best] >= self.iou_threshold)
            first = np.unique(best[reached], return_index=True)[1]
            right[reached[first]] = True
        return {"scores": scores, "labels": labels, "right": right}


def _box_iou(a: Array, b: Array) -> Array:
    a = a[:, None]
    low, high = np.maximum(a[..., :2], b[:, :2]), np.minimum(a[..., :2] + a[..., 2:], b[:, :2] + b[:, 2:])
    both = (high - low).clip(min=0).prod(-1)
    return both / (a[..., 2] * a[..., 3] + b[:, 2] * b[:, 3] - both)


def _average_precision(right: Array, truths: int) -> float:
    """Return the area under precision, made to fall, over recall."""
    hits = np.cumsum(right)
    precision = np.maximum.accumulate((hits / np.arange(1, len(right) + 1))[::-1])[::-1]
    return float(precision[right].sum() / truths)  # recall grows by 1 / truths at each hit
