"""Mean average precision of detections: boxes, masks and keypoints, by COCO's protocol."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self

import numpy as np
import torch

from vision_core.metrics._batches import check_batches
from vision_core.metrics._best_detections import best_detections
from vision_core.metrics._columns import Array, InstanceTable, ranges
from vision_core.metrics._detection_inputs import BOX_FORMATS, InputFormat, read_detections, read_ground_truths
from vision_core.metrics._detection_problem import DetectionProblem, InstanceArrays, evaluate
from vision_core.metrics._image_tables import ImageTables, concatenated, counts_of, image_ids_of
from vision_core.metrics._mean_average_precision_result import MeanAveragePrecisionResult
from vision_core.metrics._metric import Metric

__all__ = ["COCO_KEYPOINT_SIGMAS", "MeanAveragePrecision"]

IoUType = Literal["bbox", "segm", "keypoints"]

# fmt: off
COCO_KEYPOINT_SIGMAS = tuple(tenfold / 10 for tenfold in (
    0.26, 0.25, 0.25, 0.35, 0.35, 0.79, 0.79, 0.72, 0.72, 0.62, 0.62, 1.07, 1.07, 0.87, 0.87, 0.89, 0.89,
))
# fmt: on
"""Spread of the 17 keypoints of a person among annotators, relative to the size of the person."""

_AREA_RANGES = {
    "all": (0.0, 1e10),
    "small": (0.0, 32.0**2),
    "medium": (32.0**2, 96.0**2),
    "large": (96.0**2, 1e10),
}


class MeanAveragePrecision(Metric[MeanAveragePrecisionResult]):
    """Mean average precision (mAP) and recall of boxes, masks or keypoints over a data set.

    All numbers equal those of pycocotools on the same detections. In each image and class the detections are taken in
    the order of their scores, and each takes the free ground truth that it overlaps most, if that reaches the IoU
    threshold; crowds and ignored ground truths neither help nor harm. Precision, interpolated, is averaged over 101
    recall thresholds, 10 IoU thresholds and the classes.

    The state holds what is compared (not pixels: masks as run lengths) of all ground truths and, of the detections, as
    many as can count: `max_detections` in each image and class.

    The order of images matters only among detections of equal score: these count in the order of images, then in that
    in which they were given. With an `image_id` in each target, images are brought in the order of their ids (as
    pycocotools does) whatever the order of `update` and `merge`, and an image that comes again, as a distributed
    sampler makes it, counts once.

    Source: Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014; the protocol at cocodataset.org;
    keypoints: Ronchi & Perona, "Benchmarking and Error Diagnosis in Multi-Instance Pose Estimation", ICCV 2017.

    Args:
        iou_type: what is compared: "bbox", "segm" (masks) or "keypoints".
        classes: the labels that are evaluated, as numbers or as their number C for 0..C - 1 (other labels then raise).
            None: those that occur.
        box_format: of all `boxes`: "xyxy", "xywh" or "cxcywh", absolute pixels.
        iou_thresholds: of IoU, or of object keypoint similarity; None for 0.5, 0.55, ..., 0.95.
        recall_thresholds: ascending; None for 0, 0.01, ..., 1.
        max_detections: ascending: how many detections count in an image and class; None for (1, 10, 100), for
            keypoints (20,).
        area_ranges: name to (smallest, largest) area in square pixels, both included; None for COCO's all, small,
            medium and large (keypoints have no small).
        class_agnostic: take all classes as one: an image's detections may match ground truths of any class.
        keypoint_sigmas: one for each keypoint; None for the 17 of COCO's persons.

    Raises:
        ValueError: unknown names, thresholds or ranges that are none.

    Examples:
        >>> import torch
        >>> metric = MeanAveragePrecision()
        >>> boxes = torch.tensor([[10.0, 10, 60, 60], [100, 100, 150, 180]])
        >>> found = {"boxes": boxes, "scores": torch.tensor([0.9, 0.6]), "labels": torch.tensor([1, 2])}
        >>> true = {"boxes": boxes + torch.tensor([0.0, 0, 5, 0]), "labels": torch.tensor([1, 2])}
        >>> metric.update([found], [true])
        >>> result = metric.compute()
        >>> round(result.ap, 3), round(result.ap50, 3)
        (0.9, 1.0)
    """

    def __init__(
        self,
        iou_type: IoUType = "bbox",
        *,
        classes: int | Sequence[int] | None = None,
        box_format: str = "xyxy",
        iou_thresholds: Sequence[float] | None = None,
        recall_thresholds: Sequence[float] | None = None,
        max_detections: Sequence[int] | None = None,
        area_ranges: Mapping[str, tuple[float, float]] | None = None,
        class_agnostic: bool = False,
        keypoint_sigmas: Sequence[float] = COCO_KEYPOINT_SIGMAS,
    ) -> None:
        if iou_type not in ("bbox", "segm", "keypoints"):
            raise ValueError(f'iou_type: expected "bbox", "segm" or "keypoints", got {iou_type!r}')
        if box_format not in BOX_FORMATS:
            raise ValueError(f"box_format: expected one of {BOX_FORMATS}, got {box_format!r}")
        of_persons = iou_type == "keypoints"
        self.iou_type: IoUType = iou_type
        self.classes = _checked_classes(classes)
        self.box_format = box_format
        self.iou_thresholds = _thresholds(iou_thresholds, np.linspace(0.5, 0.95, 10), "iou_thresholds")
        self.recall_thresholds = _thresholds(recall_thresholds, np.linspace(0, 1, 101), "recall_thresholds")
        if list(self.recall_thresholds) != sorted(self.recall_thresholds):
            raise ValueError("recall_thresholds: expected ascending numbers")
        self.max_detections = tuple(max_detections or ((20,) if of_persons else (1, 10, 100)))
        if not self.max_detections or list(self.max_detections) != sorted({max(m, 1) for m in self.max_detections}):
            raise ValueError(f"max_detections: expected ascending numbers from 1 up, got {self.max_detections}")
        usual = {name: area for name, area in _AREA_RANGES.items() if not (of_persons and name == "small")}
        self.area_ranges = {name: (float(a), float(b)) for name, (a, b) in (area_ranges or usual).items()}
        self.class_agnostic = class_agnostic
        self.keypoint_sigmas = tuple(float(sigma) for sigma in keypoint_sigmas)
        if not all(sigma > 0 for sigma in self.keypoint_sigmas):
            raise ValueError(f"keypoint_sigmas: expected numbers above 0, got {self.keypoint_sigmas}")
        self.reset()

    @classmethod
    def from_coco(
        cls,
        annotations: str | os.PathLike[str] | Mapping[str, Any] | Any,
        results: str | os.PathLike[str] | Sequence[Mapping[str, Any]] | Any,
        iou_type: IoUType = "bbox",
        **settings: Any,
    ) -> Self:
        """Make a metric that holds the ground truth of a COCO annotation file and the detections of a result file.

        Everything is read as pycocotools reads it: all images and categories of the annotation file count; crowds, and
        persons without labelled keypoints, are ignored; the area of a detection is that of its `bbox`, if the results
        have one, otherwise that of its mask, or of the box around its keypoints. One thing differs: a ground truth
        whose id is 0 can be found (there, finding it counts as an error).

        Args:
            annotations: the file `instances_*.json` or `person_keypoints_*.json`, or what it holds, or pycocotools'
                `COCO` object of it.
            results: the file of results, or what it holds: a list of
                `{"image_id", "category_id", "score", "bbox" | "segmentation" | "keypoints"}`; or what `loadRes` of
                pycocotools made of it.
            iou_type: what is compared.
            settings: other arguments of the class. Boxes are "xywh", as in these files.

        Returns:
            The metric; `.compute()` it, or `update` it with more images.

        Raises:
            ValueError: results of images that the annotations do not have, or entries that are incomplete or damaged.

        Examples:
            >>> image = {"id": 7, "height": 100, "width": 100}
            >>> true = {"id": 1, "image_id": 7, "category_id": 3, "bbox": [0, 0, 50, 50], "area": 2500, "iscrowd": 0}
            >>> found = {"image_id": 7, "category_id": 3, "bbox": [0, 0, 50, 40], "score": 0.9}
            >>> files = {"images": [image], "annotations": [true], "categories": [{"id": 3}]}, [found]
            >>> round(MeanAveragePrecision.from_coco(*files).compute().ap, 3)
            0.7
        """
        from vision_core.metrics._coco_files import read_annotations, read_results

        truth = read_annotations(annotations, iou_type, len(settings.get("keypoint_sigmas", COCO_KEYPOINT_SIGMAS)))
        settings = {"classes": truth.categories, "box_format": "xywh", **settings}
        metric = cls(iou_type, **settings)
        counts, columns = read_results(results, iou_type, truth, len(metric.keypoint_sigmas))
        metric._images.add(truth.image_ids, counts, columns, truth.counts, truth.columns)
        return metric

    def settings(self) -> dict[str, Any]:
        """Return the arguments of the metric."""
        names = ("iou_type", "classes", "box_format", "iou_thresholds", "recall_thresholds", "max_detections")
        return {name: getattr(self, name) for name in (*names, "area_ranges", "class_agnostic", "keypoint_sigmas")}

    def __repr__(self) -> str:
        return f"MeanAveragePrecision({self.iou_type!r}, {len(self._images)} images)"

    def reset(self) -> None:
        """Forget all images."""
        points = len(self.keypoint_sigmas)
        found: dict[str, tuple[Any, ...]] = {"scores": (np.float64,), "labels": (np.int64,), "areas": (np.float64,)}
        true: dict[str, tuple[Any, ...]] = {"labels": (np.int64,), "areas": (np.float64,)}
        true |= {"crowd": (np.uint8,), "ignore": (np.uint8,)}
        if self.iou_type == "bbox":
            found["shapes"] = true["shapes"] = (np.float64, 4)
        elif self.iou_type == "keypoints":
            found["shapes"], true["shapes"] = (np.float64, points, 2), (np.float64, points, 3)
            true["boxes"] = (np.float64, 4)
        else:
            masks = {"texts": (np.uint8,), "text_lengths": (np.int64,), "sizes": (np.int64, 2)}
            found, true = found | masks, true | masks
        self._images = ImageTables(found, true)

    def update(self, preds: Sequence[Mapping[str, Any]], targets: Sequence[Mapping[str, Any]]) -> None:
        """Take in a batch of images. Nothing is taken in if anything is wrong.

        Args:
            preds: for each image `scores` `[N]` and `labels` `[N]`, and `boxes` `[N, 4]`, or `masks` (bool
                `[N, H, W]`, or N run-length masks as in COCO files), or `keypoints` `[N, P, 2 or 3]`. Maybe `area`
                `[N]` in place of that of the box, the mask, or the box around the keypoints.
            targets: for each image `labels` `[M]` and `boxes`, `masks` or `keypoints` `[M, P, 3]` (x, y, visibility:
                above 0 is labelled); maybe `iscrowd` `[M]`, `ignore` `[M]`, `area` `[M]` (it decides the area range,
                and the tolerance of keypoints), `boxes` with keypoints, and `image_id`. Instances without labelled
                keypoints are ignored.

        Raises:
            TypeError: labels that are no integers, soft masks.
            ValueError: lengths that differ, labels out of range, NaN, negative sizes, a key that is missing.
        """
        check_batches(preds, targets)
        fmt = InputFormat(
            self.iou_type,
            self.box_format,
            len(self.keypoint_sigmas),
            self.classes if isinstance(self.classes, int) else None,
        )
        found = [read_detections(image, f"preds[{i}]", fmt) for i, image in enumerate(preds)]
        true = [read_ground_truths(image, f"targets[{i}]", fmt) for i, image in enumerate(targets)]
        if self.iou_type == "segm":
            _check_sizes(found, true)
        if found:
            known = self.classes if isinstance(self.classes, tuple) else None
            limit = self.max_detections[-1]
            found = [best_detections(image, limit, known, class_agnostic=self.class_agnostic) for image in found]
            ids = image_ids_of(targets)
            self._images.add(ids, counts_of(found), concatenated(found), counts_of(true), concatenated(true))

    def merge(self, other: Self) -> None:
        """Take in the images of another metric, after the own ones; those with an `image_id` in the order of ids."""
        self.check_mergeable(other)
        self._images.extend(other._images)

    def compute(self) -> MeanAveragePrecisionResult:
        """Match all detections with the ground truths, and return precision and recall."""
        images = self._images.order()
        classes = self._evaluated_classes()
        problem = DetectionProblem(
            self.iou_type,
            1 if self.class_agnostic else len(classes),
            self._arrays(self._images.detections, images, classes),
            self._arrays(self._images.truths, images, classes),
            np.array(self.iou_thresholds),
            np.array(self.recall_thresholds),
            np.array(list(self.area_ranges.values())).reshape(-1, 2),
            np.array(self.max_detections, np.int64),
            (2 * np.array(self.keypoint_sigmas)) ** 2 if self.iou_type == "keypoints" else np.empty(0),
        )
        precision, scores, recall = evaluate(problem)  # [K, A, M, T, R], the same, [K, A, M, T]
        return MeanAveragePrecisionResult(
            self.iou_type,
            torch.tensor([-1]) if self.class_agnostic else torch.from_numpy(classes),
            torch.tensor(self.iou_thresholds, dtype=torch.float64),
            torch.tensor(self.recall_thresholds, dtype=torch.float64),
            dict(self.area_ranges),
            self.max_detections,
            torch.from_numpy(precision).permute(3, 4, 0, 1, 2),
            torch.from_numpy(recall).permute(3, 0, 1, 2),
            torch.from_numpy(scores).permute(3, 4, 0, 1, 2),
        )

    def _evaluated_classes(self) -> Array:
        if isinstance(self.classes, int):
            return np.arange(self.classes)
        if self.classes is not None:
            return np.array(self.classes, np.int64)
        return np.union1d(
            self._images.truths.columns["labels"].values, self._images.detections.columns["labels"].values
        )

    def _arrays(self, table: InstanceTable, images: Array, classes: Array) -> InstanceArrays:
        counts, columns = table.take(images)
        columns = dict(columns)
        labels = columns.pop("labels")
        if self.class_agnostic:  # in an image, instances stand in the order of their classes
            order = np.lexsort((labels, np.repeat(np.arange(len(counts)), counts)))
            labels = labels[order]
            texts, lengths = columns.pop("texts", None), columns.get("text_lengths")
            columns = {name: column[order] for name, column in columns.items()}
            if texts is not None and lengths is not None:
                columns["texts"] = texts[ranges((np.cumsum(lengths) - lengths)[order], lengths[order])]
        places = np.searchsorted(classes, labels).clip(max=max(len(classes) - 1, 0))
        known = classes[places] == labels if len(classes) else np.zeros(len(labels), bool)
        if "text_lengths" in columns:
            columns["text_offsets"] = _offsets(columns.pop("text_lengths"))
        indices = np.where(known, 0 if self.class_agnostic else places, -1).astype(np.int32)
        return InstanceArrays(_offsets(counts), indices, **columns)


def _offsets(counts: Array) -> Array:
    return np.concatenate((np.zeros(1, np.int64), np.cumsum(counts)))


def _check_sizes(found: list[dict[str, Array]], true: list[dict[str, Array]]) -> None:
    for i, (a, b) in enumerate(zip(found, true, strict=True)):
        sizes = np.unique(np.concatenate((a["sizes"], b["sizes"])), axis=0)
        if len(sizes) > 1:
            raise ValueError(f"preds[{i}], targets[{i}]: masks of one image have different sizes: {sizes.tolist()}")


def _checked_classes(classes: int | Sequence[int] | None) -> int | tuple[int, ...] | None:
    if classes is None:
        return None
    if isinstance(classes, int):
        if classes < 1:
            raise ValueError(f"classes: expected their number or the labels, got {classes}")
        return classes
    return tuple(sorted({int(label) for label in classes}))


def _thresholds(given: Sequence[float] | None, usual: Array, name: str) -> tuple[float, ...]:
    values = tuple(float(value) for value in (usual if given is None else given))
    if not values or not all(0 <= value <= 1 for value in values):
        raise ValueError(f"{name}: expected numbers in 0..1, got {values}")
    return values
