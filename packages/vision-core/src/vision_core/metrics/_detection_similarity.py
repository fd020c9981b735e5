"""How alike detections and ground truths are: IoU of boxes and masks, object keypoint similarity (OKS).

The reference of `native/detection_similarity.cpp`, operation by operation in float64.
"""

from __future__ import annotations

import numpy as np

from vision_core.metrics._columns import Array
from vision_core.metrics._detection_problem import DetectionProblem, InstanceArrays
from vision_core.ops.rle import RLE, rle_iou

__all__ = ["similarities"]


def similarities(problem: DetectionProblem, detections: Array, truths: Array) -> Array:
    """Return how alike each detection is to each ground truth.

    Args:
        problem: the instances.
        detections: `[D]` indices.
        truths: `[G]` indices.

    Returns:
        `[D, G]` float64 in 0..1. For crowds the share of the detection that lies in the crowd.
    """
    if problem.iou_type == "keypoints":
        return _keypoint_similarity(problem, detections, truths)
    crowd = problem.truths.crowd[truths] != 0  # type: ignore[index]
    if problem.iou_type == "segm":
        return rle_iou(_masks(problem.detections, detections), _masks(problem.truths, truths), crowd.tolist()).numpy()
    d, g = problem.detections.shapes[detections][:, None], problem.truths.shapes[truths]  # type: ignore[index]
    low, high = np.maximum(d[..., :2], g[:, :2]), np.minimum(d[..., 2:] + d[..., :2], g[:, 2:] + g[:, :2])
    sides = (high - low).clip(min=0)
    both, area = sides[..., 0] * sides[..., 1], d[..., 2] * d[..., 3]
    whole = np.where(crowd, area, area + g[:, 2] * g[:, 3] - both)
    return np.divide(both, whole, out=np.zeros_like(both), where=both > 0)


def _masks(instances: InstanceArrays, indices: Array) -> list[RLE]:
    masks: list[RLE] = []
    for index in indices:
        first, last = instances.text_offsets[index : index + 2]  # type: ignore[index]
        size = instances.sizes[index].tolist()  # type: ignore[index]
        masks.append({"size": size, "counts": instances.texts[first:last].tobytes()})  # type: ignore[index]
    return masks


def _keypoint_similarity(problem: DetectionProblem, detections: Array, truths: Array) -> Array:
    found = problem.detections.shapes[detections]  # type: ignore[index]
    true, boxes = problem.truths.shapes[truths], problem.truths.boxes[truths]  # type: ignore[index]
    out = np.zeros((len(detections), len(truths)))
    for j, (keypoints, box) in enumerate(zip(true, boxes, strict=True)):
        labelled = keypoints[:, 2] > 0
        if labelled.any():
            distance = found[:, labelled] - keypoints[labelled, :2]
            variances = problem.variances[labelled]
        else:  # nothing is labelled: distance to the box, blown up to three times its size
            low, high = box[:2] - box[2:], box[:2] + 2 * box[2:]
            distance = (low - found).clip(min=0) + (found - high).clip(min=0)
            variances = problem.variances
        scale = problem.truths.areas[truths[j]] + np.finfo(np.float64).eps
        error = (distance[..., 0] ** 2 + distance[..., 1] ** 2) / variances / scale / 2
        out[:, j] = np.exp(-error).sum(1) / error.shape[1]
    return out
