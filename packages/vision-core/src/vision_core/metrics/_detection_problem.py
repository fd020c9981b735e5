"""Average precision of detections by COCO's protocol, as arrays in and arrays out.

The work is done by the native core, or by the reference in NumPy (`_detection_reference`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from vision_core import _native
from vision_core.metrics._columns import Array

__all__ = ["DetectionProblem", "InstanceArrays", "evaluate"]

SHAPES = {"bbox": 0, "keypoints": 1, "segm": 2}


@dataclass
class InstanceArrays:
    """Detections or ground truths of all images, one image after the other: N instances of I images.

    Attributes:
        offsets: `[I + 1]` int64: where each image begins.
        classes: `[N]` int32: 0..K-1; -1 is left out.
        areas: `[N]` float64, square pixels.
        shapes: float64: boxes `[N, 4]` x, y, width, height; keypoints `[N, P, 2]`, those of ground truths `[N, P, 3]`
            with visibility.
        scores: `[N]` float64, of detections.
        boxes: `[N, 4]` float64 x, y, width, height, of ground truths with keypoints.
        crowd: `[N]` uint8, of ground truths: a region that any number of detections may match.
        ignore: `[N]` uint8, of ground truths: neither found nor missed.
        texts: uint8: the counts of all run-length masks, one after the other.
        text_offsets: `[N + 1]` int64: where each mask begins in `texts`.
        sizes: `[N, 2]` int64: height and width of each mask; the same for all masks of an image.
    """

    offsets: Array
    classes: Array
    areas: Array
    shapes: Array | None = None
    scores: Array | None = None
    boxes: Array | None = None
    crowd: Array | None = None
    ignore: Array | None = None
    texts: Array | None = None
    text_offsets: Array | None = None
    sizes: Array | None = None


@dataclass
class DetectionProblem:
    """What is to be evaluated, and how.

    Attributes:
        iou_type: "bbox", "segm" or "keypoints".
        num_classes: K.
        detections: what was found.
        truths: what there is.
        iou_thresholds: `[T]` float64.
        recall_thresholds: `[R]` float64, ascending.
        area_ranges: `[A, 2]` float64, both ends belong to a range.
        max_detections: `[M]` int64, ascending: how many detections count in an image and class.
        variances: `[P]` float64: (2 sigma)^2 of each keypoint.
    """

    iou_type: str
    num_classes: int
    detections: InstanceArrays
    truths: InstanceArrays
    iou_thresholds: Array
    recall_thresholds: Array
    area_ranges: Array
    max_detections: Array
    variances: Array = field(default_factory=lambda: np.empty(0))


def evaluate(problem: DetectionProblem) -> tuple[Array, Array, Array]:
    """Return precision `[K, A, M, T, R]`, the scores there, and recall `[K, A, M, T]`; -1 without ground truth.

    Args:
        problem: what to evaluate.

    Returns:
        Three float64 arrays.
    """
    if _native.module is None:
        from vision_core.metrics._detection_reference import evaluate_reference

        return evaluate_reference(problem)
    areas, limits = len(problem.area_ranges), len(problem.max_detections)
    recall = np.empty((problem.num_classes, areas, limits, len(problem.iou_thresholds)))
    precision = np.empty((*recall.shape, len(problem.recall_thresholds)))
    scores = np.empty_like(precision)
    alive: list[Array] = [recall, precision, scores]  # what the addresses below point into
    native = _native.module.DetectionProblem()
    native.shape = SHAPES[problem.iou_type]
    native.images, native.classes = len(problem.detections.offsets) - 1, problem.num_classes
    native.keypoints = len(problem.variances)
    native.detections = _instances(problem.detections, alive)
    native.truths = _instances(problem.truths, alive)
    for name, count, dtype in (
        ("iou_thresholds", "iou_count", np.float64),
        ("recall_thresholds", "recall_count", np.float64),
        ("area_ranges", "area_count", np.float64),
        ("max_detections", "max_count", np.int64),
    ):
        values = getattr(problem, name)
        setattr(native, count, len(values))
        setattr(native, name, _address(values, dtype, alive))
    native.variances = _address(problem.variances, np.float64, alive)
    native.precision, native.scores, native.recall = precision.ctypes.data, scores.ctypes.data, recall.ctypes.data
    _native.module.evaluate_detections(native, torch.get_num_threads())
    return precision, scores, recall


_DTYPES = {
    "offsets": np.int64,
    "classes": np.int32,
    "areas": np.float64,
    "shapes": np.float64,
    "scores": np.float64,
    "boxes": np.float64,
    "crowd": np.uint8,
    "ignore": np.uint8,
    "texts": np.uint8,
    "text_offsets": np.int64,
    "sizes": np.int64,
}


def _instances(arrays: InstanceArrays, alive: list[Array]) -> Any:
    native = _native.module.Instances()
    for name, dtype in _DTYPES.items():
        values = getattr(arrays, name)
        if values is not None:
            setattr(native, name, _address(values, dtype, alive))
    return native


def _address(values: Array, dtype: Any, alive: list[Array]) -> int:
    alive.append(np.ascontiguousarray(values, dtype))
    return alive[-1].ctypes.data
