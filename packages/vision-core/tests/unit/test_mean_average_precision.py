"""Mean average precision against a brute-force reading of COCO's protocol, and against literal numbers."""

from __future__ import annotations

import copy
import math
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vision_core import _native
from vision_core.metrics import COCO_KEYPOINT_SIGMAS, MeanAveragePrecision
from vision_core.ops.rle import rle_decode, rle_from_polygons, rle_merge

IOU = [0.5 + 0.05 * i for i in range(10)]
RECALL = [i / 100 for i in range(101)]
AREAS = {"all": (0, 1e10), "small": (0, 1024), "medium": (1024, 9216), "large": (9216, 1e10)}


# The oracle: plain Python over the entries of the files.


def pixels(entry: dict[str, Any]) -> torch.Tensor:
    shape = entry["segmentation"]
    if isinstance(shape, list):
        shape = rle_merge(rle_from_polygons(shape, (200, 200)))
    return rle_decode([shape])[0]


def box_overlap(found: dict[str, Any], true: dict[str, Any]) -> float:
    (ax, ay, aw, ah), (bx, by, bw, bh) = found["bbox"], true["bbox"]
    w = min(ax + aw, bx + bw) - max(ax, bx)
    h = min(ay + ah, by + bh) - max(ay, by)
    both = max(w, 0) * max(h, 0)
    return both / (aw * ah if true["iscrowd"] else aw * ah + bw * bh - both)


def mask_overlap(found: dict[str, Any], true: dict[str, Any]) -> float:
    a, b = pixels(found), pixels(true)
    whole = a.sum() if true["iscrowd"] else (a | b).sum()
    return float((a & b).sum()) / float(whole) if whole else 0.0


def point_similarity(found: dict[str, Any], true: dict[str, Any]) -> float:
    x0, y0, w, h = true["bbox"]
    labelled = any(v > 0 for v in true["keypoints"][2::3])
    values = []
    for k, sigma in enumerate(COCO_KEYPOINT_SIGMAS):
        x, y = found["keypoints"][3 * k : 3 * k + 2]
        gx, gy, visible = true["keypoints"][3 * k : 3 * k + 3]
        if labelled and visible == 0:
            continue
        dx, dy = x - gx, y - gy
        if not labelled:
            dx = max(0, x0 - w - x) + max(0, x - (x0 + 2 * w))
            dy = max(0, y0 - h - y) + max(0, y - (y0 + 2 * h))
        values.append(math.exp(-(dx * dx + dy * dy) / (2 * sigma) ** 2 / (true["area"] + 2**-52) / 2))
    return sum(values) / len(values)


def area_of(found: dict[str, Any]) -> float:
    if "bbox" in found:
        return found["bbox"][2] * found["bbox"][3]
    if "segmentation" in found:
        return float(pixels(found).sum())
    x, y = found["keypoints"][0::3], found["keypoints"][1::3]
    return (max(x) - min(x)) * (max(y) - min(y))


def oracle(
    truths: dict[str, Any], results: list[dict[str, Any]], overlap: Any, areas: dict[str, Any], limits: list[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Precision [T, R, K, A, M] and recall [T, K, A, M], one cell at a time."""
    classes = sorted(c["id"] for c in truths["categories"])
    images = sorted(i["id"] for i in truths["images"])
    precision = -np.ones((len(IOU), 101, len(classes), len(areas), len(limits)))
    recall = -np.ones((len(IOU), len(classes), len(areas), len(limits)))
    for k, label in enumerate(classes):
        pairs = []
        for image in images:
            mine = [d for d in results if d["image_id"] == image and d["category_id"] == label]
            mine.sort(key=lambda d: -d["score"])
            own = [g for g in truths["annotations"] if g["image_id"] == image and g["category_id"] == label]
            mine = mine[: limits[-1]]
            pairs.append((mine, own, [area_of(d) for d in mine], [[overlap(d, g) for g in own] for d in mine]))
        for (a, (low, high)), (t, threshold) in [(x, y) for x in enumerate(areas.values()) for y in enumerate(IOU)]:
            entries, present = [], 0
            for mine, own, sizes, table in pairs:
                ignored = [g["iscrowd"] or g.get("num_keypoints") == 0 or not low <= g["area"] <= high for g in own]
                present += ignored.count(False)
                taken = [False] * len(own)
                for rank, found in enumerate(mine):
                    free = [
                        g
                        for g in range(len(own))
                        if table[rank][g] >= threshold and (own[g]["iscrowd"] or not taken[g])
                    ]
                    choice = [g for g in free if not ignored[g]] or free
                    state = "wrong" if low <= sizes[rank] <= high else "ignored"
                    if choice:
                        best = max(choice, key=lambda g: (table[rank][g], g))
                        taken[best] = True
                        state = "ignored" if ignored[best] else "right"
                    entries.append((found["score"], rank, state))
            for m, limit in enumerate(limits):
                if present == 0:
                    continue
                curve, right, wrong = [], 0, 0
                for _, rank, state in sorted(entries, key=lambda e: -e[0]):
                    if rank < limit:
                        right, wrong = right + (state == "right"), wrong + (state == "wrong")
                        curve.append((right / present, right / (right + wrong) if right else 0.0))
                recall[t, k, a, m] = curve[-1][0] if curve else 0
                for r, wanted in enumerate(RECALL):
                    precision[t, r, k, a, m] = max([p for q, p in curve if q >= wanted - 1e-12], default=0)
    return precision, recall


OVERLAPS = {"bbox": box_overlap, "segm": mask_overlap, "keypoints": point_similarity}


@pytest.mark.parametrize("iou_type", OVERLAPS)
@pytest.mark.parametrize("seed", range(2))
def test_equals_brute_force(coco_scene, backend: str, threads: int, iou_type: str, seed: int) -> None:
    truths, results = coco_scene(seed, iou_type, images=8, classes=2)
    areas = {name: area for name, area in AREAS.items() if iou_type != "keypoints" or name != "small"}
    limits = [1, 3, 10]
    found = MeanAveragePrecision.from_coco(truths, results, iou_type, max_detections=limits).compute()
    precision, recall = oracle(truths, results, OVERLAPS[iou_type], areas, limits)
    np.testing.assert_allclose(found.precision, precision, atol=1e-12)
    np.testing.assert_allclose(found.recall, recall, atol=1e-12)
    assert found.ap == pytest.approx(precision[:, :, :, 0, -1][precision[:, :, :, 0, -1] >= 0].mean(), abs=1e-12)
    assert (precision >= 0).any()
    assert (precision < 0).any()


# Written down from pycocotools 2.0.11 on the same scenes.
# fmt: off
LITERAL = {
    "bbox": [
        0.35391103387376505, 0.43168063324680145, 0.3904494025470975, 0.3624407297872644,
        0.4076385451045105, 0.7524752475247524, 0.4015347459557986, 0.5895757575757575,
        0.5895757575757575, 0.5570128205128204, 0.5964285714285714, 0.75,
    ],
    "segm": [
        0.14953013168155857, 0.3752738350758152, 0.1415689261233816, 0.19330410183875532,
        0.12968599717114568, -1.0, 0.1548181818181818, 0.28315151515151515,
        0.28315151515151515, 0.30261904761904757, 0.26849999999999996, -1.0,
    ],
    "keypoints": [
        0.17881467183000688, 0.25301666199008566, 0.16351702752692848, 0.3376336633663366,
        0.1570238095238095, 0.4135357142857143, 0.4828571428571428, 0.40178571428571425,
        0.37809523809523804, 1.0,
    ],
}
# fmt: on


@pytest.mark.parametrize("iou_type", LITERAL)
def test_equals_the_numbers_of_the_coco_tools(coco_scene, backend: str, iou_type: str) -> None:
    stats = MeanAveragePrecision.from_coco(*coco_scene(7, iou_type), iou_type).compute().stats
    assert stats.tolist() == pytest.approx(LITERAL[iou_type], abs=1e-9)


# Tensors.


def as_tensors(truths: dict[str, Any], results: list[dict[str, Any]], dtype: torch.dtype = torch.float64):
    """The same as dictionaries of tensors: (id, detections, ground truths) of each image, in no order."""
    out = []
    for image in truths["images"]:
        found = [d for d in results if d["image_id"] == image["id"]]
        true = [g for g in truths["annotations"] if g["image_id"] == image["id"]]
        preds = {
            "boxes": torch.tensor([d["bbox"] for d in found], dtype=dtype).reshape(-1, 4),
            "scores": torch.tensor([d["score"] for d in found], dtype=dtype),
            "labels": torch.tensor([d["category_id"] for d in found], dtype=torch.int64),
        }
        target = {
            "image_id": image["id"],
            "boxes": torch.tensor([g["bbox"] for g in true], dtype=dtype).reshape(-1, 4),
            "labels": torch.tensor([g["category_id"] for g in true], dtype=torch.int32),
            "iscrowd": torch.tensor([g["iscrowd"] for g in true], dtype=torch.int64),
            "area": torch.tensor([g["area"] for g in true], dtype=torch.float64),
        }
        out.append((preds, target))
    return out


def same(a: Any, b: Any) -> bool:
    return torch.equal(a.precision, b.precision) and torch.equal(a.recall, b.recall) and torch.equal(a.scores, b.scores)


def test_order_merge_copies_and_repeated_images_change_nothing(coco_scene) -> None:
    truths, results = coco_scene(3)
    expected = MeanAveragePrecision.from_coco(truths, results).compute()
    classes = sorted(c["id"] for c in truths["categories"])
    images = as_tensors(truths, results)
    first, second = (MeanAveragePrecision(classes=classes, box_format="xywh") for _ in range(2))
    for preds, target in images[:6]:
        first.update([preds], [target])
    second.update([p for p, _ in images[4:]], [t for _, t in images[4:]])  # two images twice
    second = pickle.loads(pickle.dumps(second))
    kept = copy.deepcopy(second)
    second.merge(first)
    assert same(second.compute(), expected)
    assert same(second.compute(), expected)  # computing changes nothing
    first.merge(kept)
    assert same(first.compute(), expected)
    first.reset()
    assert first.compute().ap == -1
    first.merge(second)
    assert same(first.compute(), expected)


def test_without_image_ids_the_order_of_updates_counts(coco_scene) -> None:
    truths, results = coco_scene(3)
    images = sorted(as_tensors(truths, results), key=lambda pair: pair[1]["image_id"])
    for _, target in images:
        del target["image_id"]
    metric = MeanAveragePrecision(box_format="xywh", classes=sorted(c["id"] for c in truths["categories"]))
    for start in range(0, len(images), 3):
        metric.update(*(list(part) for part in zip(*images[start : start + 3], strict=True)))
    assert same(metric.compute(), MeanAveragePrecision.from_coco(truths, results).compute())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_formats_and_precisions_of_boxes(dtype: torch.dtype, backend: str) -> None:
    corners = torch.tensor([[8.0, 8, 24, 40], [64, 64, 96, 128], [0, 0, 0, 0]])
    found = corners + torch.tensor([[0.0, 0, 4, 0], [0, 0, 0, -16], [0, 0, 0, 0]])
    results = []
    for fmt in ("xyxy", "xywh", "cxcywh"):
        metric = MeanAveragePrecision(box_format=fmt)

        def convert(boxes: torch.Tensor, fmt: str = fmt) -> torch.Tensor:
            size = boxes[:, 2:] - boxes[:, :2]
            return {
                "xyxy": boxes,
                "xywh": torch.cat((boxes[:, :2], size), 1),
                "cxcywh": torch.cat((boxes[:, :2] + size / 2, size), 1),
            }[fmt].to(dtype)

        scores = torch.tensor([0.5, 0.25, 0.125], dtype=dtype)
        labels = torch.tensor([0, 0, 1])
        metric.update(
            [{"boxes": convert(found), "scores": scores, "labels": labels}],
            [{"boxes": convert(corners), "labels": labels}],
        )
        results.append(metric.compute())
    # IoU 0.8 and 0.75; the box without area cannot be found
    expected = {0.5: 1, 0.75: 1, 0.8: 0.5049504950495049, 0.85: 0}
    for result in results:
        for threshold, value in expected.items():
            assert result.average_precision(threshold, label=0) == pytest.approx(value, abs=1e-12)
        assert result.average_precision(label=1) == 0
        assert same(result, results[0])


def test_masks_as_tensors_and_as_run_lengths(coco_scene, backend: str) -> None:
    truths, results = coco_scene(2, "segm", images=6)
    expected = MeanAveragePrecision.from_coco(truths, results, "segm").compute()
    tensors, texts = (MeanAveragePrecision("segm", classes=expected.classes.tolist()) for _ in range(2))
    for image in truths["images"]:
        found = [d for d in results if d["image_id"] == image["id"]]
        true = [g for g in truths["annotations"] if g["image_id"] == image["id"]]
        preds = {"scores": [d["score"] for d in found], "labels": [d["category_id"] for d in found]}
        target = {
            "labels": torch.tensor([g["category_id"] for g in true], dtype=torch.int64),
            "iscrowd": [g["iscrowd"] for g in true],
            "area": [g["area"] for g in true],
            "image_id": torch.tensor([image["id"]]),
        }
        of_found = torch.stack([pixels(d) for d in found]) if found else torch.zeros(0, 200, 200, dtype=torch.bool)
        of_true = torch.stack([pixels(g) for g in true]) if true else torch.zeros(0, 200, 200, dtype=torch.bool)
        tensors.update([preds | {"masks": of_found[:, None]}], [target | {"masks": of_true}])
        merged = [
            rle_merge(rle_from_polygons(g["segmentation"], (200, 200)))
            if isinstance(g["segmentation"], list)
            else g["segmentation"]
            for g in true
        ]
        texts.update([preds | {"masks": [d["segmentation"] for d in found]}], [target | {"masks": merged}])
    assert same(tensors.compute(), expected)
    assert same(texts.compute(), expected)
    merged_metric = MeanAveragePrecision("segm", classes=expected.classes.tolist())
    merged_metric.merge(pickle.loads(pickle.dumps(texts)))
    assert same(merged_metric.compute(), expected)


@pytest.mark.parametrize("class_agnostic", [False, True])
@pytest.mark.parametrize("iou_type", ["bbox", "segm"])
def test_what_cannot_count_is_not_kept(coco_scene, iou_type: str, class_agnostic: bool) -> None:
    truths, results = coco_scene(6, iou_type, images=6, detections=40)
    options: dict[str, Any] = {"max_detections": (1, 4), "class_agnostic": class_agnostic}
    expected = MeanAveragePrecision.from_coco(truths, results, iou_type, **options).compute()
    classes = sorted(c["id"] for c in truths["categories"])
    metric = MeanAveragePrecision(iou_type, classes=classes, box_format="xywh", **options)
    key = {"bbox": "boxes", "segm": "masks"}[iou_type]
    for image in truths["images"]:
        found = [d for d in results if d["image_id"] == image["id"]]
        true = [g for g in truths["annotations"] if g["image_id"] == image["id"]]
        preds = {"scores": [d["score"] for d in found], "labels": [d["category_id"] for d in found]}
        target = {name: [g[name] for g in true] for name in ("iscrowd", "area")} | {"image_id": image["id"]}
        target["labels"] = [g["category_id"] for g in true]
        if iou_type == "bbox":
            preds[key], target[key] = [d["bbox"] for d in found], [g["bbox"] for g in true]
        else:
            preds[key] = [d["segmentation"] for d in found]
            target[key] = torch.stack([pixels(g) for g in true]) if true else []
        metric.update([preds], [target])
    assert same(metric.compute(), expected)
    kept = metric._images.detections.counts.values
    assert (
        kept.max()
        <= 4 * (1 if class_agnostic else len(classes))
        < max(sum(d["image_id"] == image["id"] for d in results) for image in truths["images"])
    )


def test_class_agnostic_is_one_class_in_the_order_of_classes(coco_scene, backend: str) -> None:
    for iou_type in ("bbox", "segm", "keypoints"):
        truths, results = coco_scene(5, iou_type, images=8)
        found = MeanAveragePrecision.from_coco(truths, results, iou_type, class_agnostic=True).compute()
        known = {c["id"] for c in truths["categories"]}
        one_class = {**truths, "categories": [{"id": 1}]}
        one_class["annotations"] = sorted(truths["annotations"], key=lambda g: g["category_id"])
        one_class["annotations"] = [{**g, "category_id": 1} for g in one_class["annotations"]]
        detections = sorted((d for d in results if d["category_id"] in known), key=lambda d: d["category_id"])
        expected = MeanAveragePrecision.from_coco(
            one_class, [{**d, "category_id": 1} for d in detections], iou_type
        ).compute()
        assert same(found, expected)
        assert found.classes.tolist() == [-1]


def test_ignored_ground_truths_neither_help_nor_harm() -> None:
    box = torch.tensor([[0.0, 0, 50, 50]])
    label = torch.tensor([3])
    other = {"boxes": box + 100, "labels": label}
    found = {
        "boxes": torch.cat((box, box, box + 100)),
        "scores": torch.tensor([0.9, 0.8, 0.7]),
        "labels": label.repeat(3),
    }
    for flag, expected in (("ignore", 0.5), ("iscrowd", 1.0)):  # a crowd takes both, an ignored instance one
        metric = MeanAveragePrecision()
        target = {"boxes": torch.cat((box, other["boxes"])), "labels": label.repeat(2), flag: torch.tensor([1, 0])}
        metric.update([found], [target])
        assert metric.compute().ap50 == pytest.approx(expected)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.integers(1, 4), st.booleans())
def test_native_and_reference_agree(seed: int, classes: int, agnostic: bool) -> None:
    rng = np.random.default_rng(seed)
    metric = MeanAveragePrecision(
        classes=classes, class_agnostic=agnostic, max_detections=(1, 2, 6), iou_thresholds=(0, 0.3, 0.5, 1)
    )
    for _ in range(4):
        d, g = rng.integers(0, 9, 2)

        def boxes(count: int) -> np.ndarray:  # on a small grid, so that overlaps tie, some of no size
            low = rng.integers(0, 6, (count, 2))
            return np.concatenate((low, low + rng.integers(0, 4, (count, 2))), 1)

        preds = {"boxes": boxes(d), "scores": rng.integers(0, 4, d) / 4, "labels": rng.integers(0, classes, d)}
        target = {"boxes": boxes(g), "labels": rng.integers(0, classes, g), "iscrowd": rng.random(g) < 0.2}
        metric.update([preds], [target])
    native = metric.compute()
    before, _native.module = _native.module, None
    try:
        assert same(metric.compute(), native)
    finally:
        _native.module = before


def test_nothing_is_minus_one_and_no_detection_is_zero(backend: str) -> None:
    metric = MeanAveragePrecision()
    assert metric.compute().summary() == dict.fromkeys(metric.compute().summary(), -1.0)
    empty = {"boxes": torch.empty(0), "scores": torch.empty(0), "labels": torch.empty(0, dtype=torch.int64)}
    metric.update([empty], [{"boxes": [[0, 0, 50, 50]], "labels": [4]}])
    result = metric.compute()
    assert result.classes.tolist() == [4]
    assert (result.ap, result.average_recall(), result.average_precision(area="small")) == (0, 0, -1)
    metric.update([], [])
    assert result.average_precision(0.33) == -1  # not one of the thresholds
    with pytest.raises(ValueError, match=r"label: 9 was not evaluated, only \(4,\)"):
        result.average_precision(label=9)
    with pytest.raises(ValueError, match=r"max_detections: 7 was not evaluated"):
        result.average_recall(max_detections=7)
