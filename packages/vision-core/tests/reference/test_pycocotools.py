"""Mean average precision beside pycocotools, where that is installed: every number of every array."""

from __future__ import annotations

import contextlib
import copy
import io
from typing import Any

import numpy as np
import pytest

from vision_core import _native
from vision_core.metrics import MeanAveragePrecision

coco = pytest.importorskip("pycocotools.coco")
cocoeval = pytest.importorskip("pycocotools.cocoeval")


def evaluated(truths: dict[str, Any], results: list[dict[str, Any]], iou_type: str, **params: Any) -> Any:
    with contextlib.redirect_stdout(io.StringIO()):
        data = coco.COCO()
        data.dataset = copy.deepcopy(truths)
        data.createIndex()
        evaluation = cocoeval.COCOeval(data, data.loadRes(copy.deepcopy(results)), iou_type)
        for name, value in params.items():
            setattr(evaluation.params, name, value)
        evaluation.evaluate()
        evaluation.accumulate()
        if not params:
            evaluation.summarize()
    return evaluation


THRESHOLDS = [0.3, 0.5, 0.62, 1.0]
SETTINGS = [
    ({}, {}),
    ({"useCats": 0}, {"class_agnostic": True}),
    (
        {
            "iouThrs": np.array(THRESHOLDS),
            "recThrs": np.linspace(0, 1, 11),
            "maxDets": [1, 3, 5],
            "areaRng": [[0, 1e10], [100, 2000]],
            "areaRngLbl": ["all", "some"],
        },
        {
            "iou_thresholds": THRESHOLDS,
            "recall_thresholds": np.linspace(0, 1, 11).tolist(),
            "max_detections": (1, 3, 5),
            "area_ranges": {"all": (0, 1e10), "some": (100, 2000)},
        },
    ),
]


@pytest.mark.parametrize(("theirs", "ours"), SETTINGS)
@pytest.mark.parametrize("iou_type", ["bbox", "segm", "keypoints"])
def test_equals_pycocotools(coco_scene, monkeypatch: pytest.MonkeyPatch, iou_type: str, theirs: Any, ours: Any) -> None:
    if iou_type == "keypoints" and "useCats" in theirs:
        pytest.skip("pycocotools finds nothing then: it looks for keypoints of category -1")
    for seed in range(3):
        truths, results = coco_scene(seed, iou_type)
        peer = evaluated(truths, results, iou_type, **theirs)
        metric = MeanAveragePrecision.from_coco(truths, results, iou_type, **ours)
        for module in (_native.module, None):
            with monkeypatch.context() as patch:
                patch.setattr(_native, "module", module)
                found = metric.compute()
            np.testing.assert_allclose(found.precision, peer.eval["precision"], atol=1e-12)
            np.testing.assert_allclose(found.recall, peer.eval["recall"], atol=1e-12)
            np.testing.assert_allclose(found.scores, peer.eval["scores"], atol=1e-12)
            if not theirs:
                np.testing.assert_allclose(found.stats, peer.stats, atol=1e-12)
        objects = MeanAveragePrecision.from_coco(peer.cocoGt, peer.cocoDt, iou_type, **ours).compute()
        np.testing.assert_allclose(objects.precision, found.precision, atol=0)


@pytest.mark.parametrize(("iou_type", "of"), [("segm", "segm"), ("bbox", "segm"), ("keypoints", "keypoints")])
@pytest.mark.parametrize("boxes", [False, True])
def test_results_with_boxes_beside_other_shapes(coco_scene, iou_type: str, of: str, boxes: bool) -> None:
    truths, results = coco_scene(4, of)
    if boxes:  # which then decide the area
        results = [d | {"bbox": [5.0, 5.0, 4.0 + i % 120, 9.0 + i % 70]} for i, d in enumerate(results)]
    peer = evaluated(truths, results, iou_type)
    found = MeanAveragePrecision.from_coco(truths, results, iou_type).compute()
    np.testing.assert_allclose(found.precision, peer.eval["precision"], atol=1e-12)
    np.testing.assert_allclose(found.stats, peer.stats, atol=1e-12)
