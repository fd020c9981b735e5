"""Mean average precision of boxes, masks and keypoints against pycocotools, on data sets of COCO's make.

Timed are `update` for each image and `compute`, against `COCOeval.evaluate` and `accumulate`: what both do with data
that is in memory. All numbers are asserted equal first. Run it as
`python packages/vision-core/benchmarks/bench_metrics.py --json out.json`.
"""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from benchmarks.harness import race, script, show, write_json
from vision_core.metrics import COCO_KEYPOINT_SIGMAS, MeanAveragePrecision
from vision_core.ops.rle import rle_encode

CLASSES = 80
# name: (kind, images, detections in an image)
CASES = {
    "boxes, 100 images": ("bbox", 100, 100),
    "boxes, 5,000 images": ("bbox", 5000, 100),
    "keypoints, 100 images": ("keypoints", 100, 20),
    "masks, 100 images": ("segm", 100, 30),
    "boxes, 1 image": ("bbox", 1, 100),
}
SIDE = 480


def scene(kind: str, images: int, detections: int) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """About 7 ground truths in an image, and detections: half of them around the ground truths, half anywhere."""
    rng = np.random.default_rng(0)
    classes = 1 if kind == "keypoints" else CLASSES
    out = []
    for image in range(images):
        count = rng.poisson(7) + 1
        true = _boxes(rng, count)
        true_labels = rng.integers(0, classes, count)
        near = rng.integers(0, count, detections // 2)
        found = true[near] + rng.normal(0, 0.08, (len(near), 4)) * np.tile(true[near, 2:], 2)
        found = np.concatenate((found, _boxes(rng, detections - len(near)))).round(2)
        found[:, 2:] = found[:, 2:].clip(1)
        labels = np.concatenate((true_labels[near], rng.integers(0, classes, detections - len(near))))
        preds = {"scores": rng.random(detections), "labels": labels}
        target = {"labels": true_labels, "iscrowd": rng.random(count) < 0.02, "image_id": image}
        target["area"] = true[:, 2] * true[:, 3] * 0.6
        preds |= _shapes(rng, kind, found, 1)
        target |= _shapes(rng, kind, true, 2) | {"boxes": true}
        if kind == "keypoints":  # people who were found, not points anywhere
            scale = np.sqrt(target["area"])[near, None, None]
            points = target["keypoints"][near, :, :2]
            preds["keypoints"][: len(near), :, :2] = points + rng.normal(0, 0.05, points.shape) * scale
        out.append((_tensors(preds), _tensors(target)))
    return out


def _boxes(rng: np.random.Generator, count: int) -> np.ndarray:
    size = np.exp(rng.uniform(np.log(10), np.log(300), (count, 2)))
    return np.concatenate((rng.uniform(0, SIDE - size), size), 1).round(2)


def _shapes(rng: np.random.Generator, kind: str, boxes: np.ndarray, visibility: int) -> dict[str, Any]:
    if kind == "bbox":
        return {"boxes": boxes}
    if kind == "keypoints":
        points = boxes[:, None, :2] + rng.random((len(boxes), len(COCO_KEYPOINT_SIGMAS), 2)) * boxes[:, None, 2:]
        flags = np.full((*points.shape[:2], 1), visibility)
        return {"keypoints": np.concatenate((points, flags), 2).round(2)}
    y, x = np.mgrid[:SIDE, :SIDE]
    masks = []
    for left, top, width, height in boxes:  # ellipses
        masks.append(((x - left) / width * 2 - 1) ** 2 + ((y - top) / height * 2 - 1) ** 2 <= 1)
    return {"masks": [dict(rle) for rle in rle_encode(torch.from_numpy(np.stack(masks)))]}


def _tensors(image: dict[str, Any]) -> dict[str, Any]:
    return {key: torch.from_numpy(value) if isinstance(value, np.ndarray) else value for key, value in image.items()}


def as_files(images: list[tuple[dict[str, Any], dict[str, Any]]], kind: str) -> tuple[dict[str, Any], list[Any]]:
    """What annotation and result files would hold."""
    key = {"bbox": "bbox", "segm": "segmentation", "keypoints": "keypoints"}[kind]
    truths, results = [], []
    for preds, target in images:
        image = target["image_id"]
        for i, label in enumerate(target["labels"].tolist()):
            truth = {"id": len(truths) + 1, "image_id": image, "category_id": label}
            truth |= {"bbox": target["boxes"][i].tolist(), "area": float(target["area"][i])}
            truth |= {"iscrowd": int(target["iscrowd"][i]), "num_keypoints": len(COCO_KEYPOINT_SIGMAS)}
            truths.append(truth | {key: _entry(target, kind, i)})
        for i, label in enumerate(preds["labels"].tolist()):
            result = {"image_id": image, "category_id": label, "score": float(preds["scores"][i])}
            results.append(result | {key: _entry(preds, kind, i)})
    categories = [{"id": i} for i in range(1 if kind == "keypoints" else CLASSES)]
    ids = [{"id": target["image_id"], "height": SIDE, "width": SIDE} for _, target in images]
    return {"info": {}, "images": ids, "annotations": truths, "categories": categories}, results


def _entry(image: dict[str, Any], kind: str, index: int) -> Any:
    if kind == "segm":
        return image["masks"][index]
    return image["boxes" if kind == "bbox" else kind][index].flatten().tolist()


def ours(images: list[tuple[dict[str, Any], dict[str, Any]]], kind: Any) -> Callable[[], Any]:
    """Update image by image, and compute."""

    def run() -> Any:
        metric = MeanAveragePrecision(kind, classes=1 if kind == "keypoints" else CLASSES, box_format="xywh")
        for preds, target in images:
            metric.update([preds], [target])
        return metric.compute()

    return run


def theirs(images: list[tuple[dict[str, Any], dict[str, Any]]], kind: Any) -> Callable[[], Any] | None:
    """Evaluate and accumulate, by pycocotools; None without it."""
    try:
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval
    except ImportError:
        return None
    truths, results = as_files(images, kind)
    with contextlib.redirect_stdout(io.StringIO()):
        data: Any = COCO()
        data.dataset = truths
        data.createIndex()
        detections = data.loadRes(results)

    def run() -> Any:
        with contextlib.redirect_stdout(io.StringIO()):
            evaluation = COCOeval(data, detections, kind)
            evaluation.evaluate()
            evaluation.accumulate()
        return evaluation

    return run


def main(path: Path) -> None:
    """Time every case and write the results."""
    results = {}
    for name, (kind, count, detections) in CASES.items():
        images = scene(kind, count, detections)
        candidates = {"vision-core": ours(images, kind)}
        peer = theirs(images, kind)
        if peer is not None:
            evaluation, result = peer(), candidates["vision-core"]()
            for values, key in ((result.precision, "precision"), (result.recall, "recall"), (result.scores, "scores")):
                np.testing.assert_allclose(values, evaluation.eval[key], atol=1e-9)
            assert result.ap > 0
            candidates["pycocotools"] = peer
        large = count > 1000
        results[name] = race(candidates, repeat=1 if large else 7, warmup=0 if large else 1, inner=1)
    show(results, title="mean average precision")
    write_json(path, results)


if __name__ == "__main__":
    script(main)
