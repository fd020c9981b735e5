"""Panoptic quality: segmentation of things and of stuff in one number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from vision_core.metrics._batches import check_batches
from vision_core.metrics._columns import Array
from vision_core.metrics._metric import Metric
from vision_core.metrics._panoptic_inputs import VOID, Segments, check_known, read_segments, segment_pairs

__all__ = ["PanopticQuality", "PanopticQualityResult"]


@dataclass(frozen=True, eq=False)
class PanopticQualityResult:
    """What `PanopticQuality.compute` returns; everything is in 0..1 but counts.

    PQ = SQ * RQ in each class. Means are over the classes that occur in predictions or ground truth; NaN if none does.

    Attributes:
        pq: panoptic quality, mean over all classes.
        sq: segmentation quality: mean IoU of the matched segments; 0 in a class without any.
        rq: recognition quality: F1 score of the segments.
        pq_things: as `pq`, over things.
        sq_things: as `sq`, over things.
        rq_things: as `rq`, over things.
        pq_stuff: as `pq`, over stuff.
        sq_stuff: as `sq`, over stuff.
        rq_stuff: as `rq`, over stuff.
        classes: `[K]` int64: the categories, ascending.
        is_thing: `[K]` bool.
        pq_per_class: `[K]` float64; NaN for a class that does not occur.
        sq_per_class: `[K]` float64.
        rq_per_class: `[K]` float64.
        true_positives: `[K]` int64: matched segments.
        false_positives: `[K]` int64: predicted segments without match.
        false_negatives: `[K]` int64: segments of the ground truth without match.
    """

    pq: float
    sq: float
    rq: float
    pq_things: float
    sq_things: float
    rq_things: float
    pq_stuff: float
    sq_stuff: float
    rq_stuff: float
    classes: Tensor
    is_thing: Tensor
    pq_per_class: Tensor
    sq_per_class: Tensor
    rq_per_class: Tensor
    true_positives: Tensor
    false_positives: Tensor
    false_negatives: Tensor


class PanopticQuality(Metric[PanopticQualityResult]):
    """Panoptic quality (PQ) with its factors, segmentation (SQ) and recognition quality (RQ), over a data set.

    A predicted segment matches the one of the ground truth of its category with which its IoU is above 0.5; there is at
    most one. Void pixels of the ground truth do not count in the union. Crowds are never missed, and a predicted
    segment that lies by more than half in void or in crowds of its category is not wrong.

    Source: Kirillov et al., "Panoptic Segmentation", CVPR 2019, and COCO's panoptic challenge.

    Args:
        things: categories of countable objects.
        stuff: categories of amorphous regions.

    Raises:
        ValueError: no category, or one that is both.

    Examples:
        >>> import torch
        >>> metric = PanopticQuality(things=[0], stuff=[7])
        >>> target = torch.tensor([[[0, 1], [0, 1], [7, 0], [7, 0]]])  # category and instance of four pixels
        >>> preds = torch.tensor([[[0, 5], [0, 5], [0, 5], [7, 0]]])
        >>> metric.update(preds[None], target[None])
        >>> result = metric.compute()
        >>> round(result.pq_things, 4), result.pq_stuff
        (0.6667, 0.0)
    """

    def __init__(self, things: Iterable[int], stuff: Iterable[int]) -> None:
        self.things, self.stuff = (tuple(sorted({int(c) for c in group})) for group in (things, stuff))
        if set(self.things) & set(self.stuff):
            raise ValueError(f"things, stuff: {sorted(set(self.things) & set(self.stuff))} are in both")
        if not self.things and not self.stuff:
            raise ValueError("things, stuff: expected at least one category")
        self._classes = sorted(self.things + self.stuff)
        self._places = {category: place for place, category in enumerate(self._classes)}
        self.reset()

    def settings(self) -> dict[str, object]:
        """Return the arguments of the metric."""
        return {"things": self.things, "stuff": self.stuff}

    def reset(self) -> None:
        """Forget all images."""
        self._iou = np.zeros(len(self._classes))
        self._counts = np.zeros((3, len(self._classes)), np.int64)  # true positives, false positives, false negatives

    def update(
        self, preds: Sequence[Mapping[str, Any]] | Tensor, targets: Sequence[Mapping[str, Any]] | Tensor
    ) -> None:
        """Take in a batch of images. Nothing is taken in if anything is wrong.

        Args:
            preds: for each image the dictionary of COCO's panoptic format, `{"segmentation": [H, W] segment ids, 0 and
                less is void, "segments_info": [{"id", "category_id"}, ...]}`; or a tensor `[B, H, W, 2]` of category
                and instance, in which other categories than those of things and stuff are void, and the instance of
                stuff does not count.
            targets: the same; crowds have `"iscrowd": 1` in their `segments_info`.

        Raises:
            ValueError: sizes that differ, segments or categories that are unknown.
        """
        check_batches(preds, targets)
        things, stuff = set(self.things), set(self.stuff)
        images = []
        for i, (pred, target) in enumerate(zip(preds, targets, strict=True)):
            found = read_segments(pred, f"preds[{i}]", things, stuff)
            true = read_segments(target, f"targets[{i}]", things, stuff)
            if found.ids.shape != true.ids.shape:
                raise ValueError(
                    f"preds[{i}], targets[{i}]: expected maps of one size, got {list(found.ids.shape)} and "
                    f"{list(true.ids.shape)}"
                )
            pairs = segment_pairs(found.ids, true.ids)
            check_known({p for p, _, _ in pairs}, found.categories, f"preds[{i}]")
            check_known({g for _, g, _ in pairs}, true.categories, f"targets[{i}]")
            images.append((found, true, pairs))
        for image in images:
            self._add(*image)

    def merge(self, other: Self) -> None:
        """Take in the images of another metric."""
        self.check_mergeable(other)
        self._iou += other._iou
        self._counts += other._counts

    def compute(self) -> PanopticQualityResult:
        """Return the quality of each class, and the means."""
        matched, wrong, missed = self._counts
        occurs = self._counts.sum(0) > 0
        with np.errstate(invalid="ignore"):
            rq = np.where(occurs, matched / (matched + 0.5 * wrong + 0.5 * missed), np.nan)
            sq = np.where(occurs, np.where(matched > 0, self._iou / matched, 0), np.nan)
        is_thing = np.isin(self._classes, self.things)
        pq = sq * rq
        things, stuff = occurs & is_thing, occurs & ~is_thing
        matched, wrong, missed = (torch.from_numpy(counts.copy()) for counts in self._counts)
        return PanopticQualityResult(
            pq=_mean(pq[occurs]),
            sq=_mean(sq[occurs]),
            rq=_mean(rq[occurs]),
            pq_things=_mean(pq[things]),
            sq_things=_mean(sq[things]),
            rq_things=_mean(rq[things]),
            pq_stuff=_mean(pq[stuff]),
            sq_stuff=_mean(sq[stuff]),
            rq_stuff=_mean(rq[stuff]),
            classes=torch.tensor(self._classes),
            is_thing=torch.from_numpy(is_thing),
            pq_per_class=torch.from_numpy(pq),
            sq_per_class=torch.from_numpy(sq),
            rq_per_class=torch.from_numpy(rq),
            true_positives=matched,
            false_positives=wrong,
            false_negatives=missed,
        )

    def _add(self, found: Segments, true: Segments, pairs: list[tuple[int, int, int]]) -> None:
        found_area: dict[int, int] = {}
        true_area: dict[int, int] = {}
        excused: dict[int, int] = {}  # of each predicted segment, its pixels in void and in crowds of its category
        in_void: dict[int, int] = {}
        for p, g, pixels in pairs:
            found_area[p] = found_area.get(p, 0) + pixels
            true_area[g] = true_area.get(g, 0) + pixels
            if g == VOID:
                in_void[p] = pixels
            if p != VOID and (g == VOID or (g in true.crowds and true.categories[g] == found.categories[p])):
                excused[p] = excused.get(p, 0) + pixels
        matched_found, matched_true = set(), set()
        for p, g, pixels in pairs:
            if VOID in (p, g) or g in true.crowds or found.categories[p] != true.categories[g]:
                continue
            iou = pixels / (found_area[p] + true_area[g] - pixels - in_void.get(p, 0))
            if iou > 0.5:
                place = self._places[true.categories[g]]
                self._counts[0, place] += 1
                self._iou[place] += iou
                matched_found.add(p)
                matched_true.add(g)
        for p, area in found_area.items():
            if p != VOID and p not in matched_found and excused.get(p, 0) / area <= 0.5:
                self._counts[1, self._places[found.categories[p]]] += 1
        for g in true_area:
            if g != VOID and g not in matched_true and g not in true.crowds:
                self._counts[2, self._places[true.categories[g]]] += 1


def _mean(values: Array) -> float:
    return float(values.mean()) if len(values) else float("nan")
