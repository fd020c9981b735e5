"""The protocol of COCO's detection challenge in NumPy: the oracle of the native core, and the fallback without it."""

from __future__ import annotations

import itertools

import numpy as np

from vision_core.metrics._columns import Array
from vision_core.metrics._detection_problem import DetectionProblem
from vision_core.metrics._detection_similarity import similarities

__all__ = ["evaluate_reference"]

EPSILON = np.finfo(np.float64).eps


def evaluate_reference(problem: DetectionProblem) -> tuple[Array, Array, Array]:
    """Do what `evaluate` does, class by class and image by image."""
    shape = (
        problem.num_classes,
        len(problem.area_ranges),
        len(problem.max_detections),
        len(problem.iou_thresholds),
    )
    recall = np.full(shape, -1.0)
    precision = np.full((*shape, len(problem.recall_thresholds)), -1.0)
    scores = np.full_like(precision, -1.0)
    detections, truths = problem.detections, problem.truths
    for c, of_detections in enumerate(_by_class(detections.classes, problem.num_classes)):
        of_truths = np.flatnonzero(truths.classes == c)
        ignored = _ignored(problem, of_truths)
        present = np.count_nonzero(~ignored, axis=1)
        matched = _match_class(problem, of_detections, of_truths, ignored)
        for a in np.flatnonzero(present):
            for m, limit in enumerate(problem.max_detections):
                kept, kept_rank, found, wrong = matched
                first = kept_rank < limit
                values = detections.scores[kept[first]]  # type: ignore[index]
                order = np.argsort(-values, kind="stable")
                for t in range(shape[3]):
                    curve = _curve(
                        found[first, a, t][order], wrong[first, a, t][order], values[order], present[a], problem
                    )
                    recall[c, a, m, t], precision[c, a, m, t], scores[c, a, m, t] = curve
    return precision, scores, recall


def _by_class(classes: Array, num_classes: int) -> list[Array]:
    order = np.argsort(classes, kind="stable")
    bounds = np.searchsorted(classes[order], np.arange(num_classes + 1))
    return [order[first:last] for first, last in itertools.pairwise(bounds)]


def _ignored(problem: DetectionProblem, truths: Array) -> Array:
    """Return `[A, truths]`: which do not count in each range of areas."""
    arrays = problem.truths
    flagged = (arrays.ignore[truths] != 0) | (arrays.crowd[truths] != 0)  # type: ignore[index]
    return flagged | _outside(problem, arrays.areas[truths])


def _outside(problem: DetectionProblem, areas: Array) -> Array:
    """Return `[A, areas]`."""
    return (areas < problem.area_ranges[:, :1]) | (areas > problem.area_ranges[:, 1:])


def _match_class(
    problem: DetectionProblem, detections: Array, truths: Array, ignored: Array
) -> tuple[Array, Array, Array, Array]:
    """Match the detections of a class with its ground truths, image by image.

    Returns:
        The detections that count, in the order of images and scores; the rank of each in its image; and for each, area
        range and threshold whether it is right (`found`) or wrong; `[kept, A, T]`.
    """
    image_of = np.searchsorted(problem.detections.offsets, detections, side="right")
    truth_image = np.searchsorted(problem.truths.offsets, truths, side="right")
    parts: list[tuple[Array, Array, Array, Array]] = []
    for image in np.unique(image_of):
        own = detections[image_of == image]
        order = np.argsort(-problem.detections.scores[own], kind="stable")  # type: ignore[index]
        own = own[order[: problem.max_detections[-1]]]
        here = np.flatnonzero(truth_image == image)
        parts.append((own, np.arange(len(own)), *_match_image(problem, own, truths[here], ignored[:, here])))
    if not parts:
        nothing = np.empty(0, np.int64)
        flags = np.empty((0, len(problem.area_ranges), len(problem.iou_thresholds)), bool)
        return nothing, nothing, flags, flags
    kept, rank, found, wrong = (np.concatenate(part) for part in zip(*parts, strict=True))
    return kept, rank, found, wrong


def _match_image(problem: DetectionProblem, detections: Array, truths: Array, ignored: Array) -> tuple[Array, Array]:
    shape = (len(detections), len(problem.area_ranges), len(problem.iou_thresholds))
    found = np.zeros(shape, bool)
    outside = _outside(problem, problem.detections.areas[detections])
    wrong = np.repeat(~outside.T[:, :, None], shape[2], axis=2)
    if len(truths) == 0:
        return found, wrong
    similarity = similarities(problem, detections, truths)
    crowd = problem.truths.crowd[truths] != 0  # type: ignore[index]
    for a in range(shape[1]):
        for t, threshold in enumerate(np.minimum(problem.iou_thresholds, 1 - 1e-10)):  # a perfect match always counts
            free = np.ones(len(truths), bool)
            for d in range(shape[0]):
                reached = (similarity[d] >= threshold) & free
                candidates = np.flatnonzero(reached & ~ignored[a])
                if len(candidates) == 0:  # an ignored ground truth is taken only when no other can be
                    candidates = np.flatnonzero(reached & ignored[a])
                if len(candidates) == 0:
                    continue
                values = similarity[d, candidates]
                best = candidates[len(values) - 1 - values[::-1].argmax()]  # of equal ones the last
                free[best] = crowd[best]
                found[d, a, t] = not ignored[a, best]
                wrong[d, a, t] = False
    return found, wrong


def _curve(
    found: Array, wrong: Array, scores: Array, present: int, problem: DetectionProblem
) -> tuple[float, Array, Array]:
    """Return recall, and precision and score at each recall threshold, from detections in the order of scores."""
    precision = np.zeros(len(problem.recall_thresholds))
    reached_at = np.zeros_like(precision)
    if len(found) == 0:
        return 0.0, precision, reached_at
    hits, misses = np.cumsum(found).astype(np.float64), np.cumsum(wrong).astype(np.float64)
    envelope = np.maximum.accumulate((hits / (misses + hits + EPSILON))[::-1])[::-1]
    recall = hits / present
    places = np.searchsorted(recall, problem.recall_thresholds, side="left")
    reached = places < len(recall)
    precision[reached] = envelope[places[reached]]
    reached_at[reached] = scores[places[reached]]
    return recall[-1], precision, reached_at
