"""Fixtures that several test files share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vision_core import _native
from vision_core.ops.rle import rle_counts, rle_encode

ISAS = _native.module.isas() if _native.module is not None else []


@pytest.fixture(params=["reference", *ISAS])
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Run a test without the native module, and with it on every instruction set of this machine."""
    if request.param == "reference":
        monkeypatch.setattr(_native, "module", None)
        yield request.param
        return
    _native.module.force_isa(request.param)
    yield request.param
    _native.module.force_isa(None)


@pytest.fixture(params=ISAS or [pytest.param("none", marks=pytest.mark.skip(reason="no native module"))])
def isa(request: pytest.FixtureRequest) -> Iterator[str]:
    """Run a test of a native kernel on every instruction set of this machine."""
    _native.module.force_isa(request.param)
    yield request.param
    _native.module.force_isa(None)


@pytest.fixture
def memory_orders() -> Callable[[torch.Tensor], list[torch.Tensor]]:
    """Give back the same image in planes, with interleaved pixels, and as parts of larger images of both kinds."""

    def orders(image: torch.Tensor) -> list[torch.Tensor]:
        interleaved = image.movedim(-3, -1).contiguous().movedim(-1, -3)
        larger = torch.nn.functional.pad(image, (2, 3, 1, 1))[..., 1:-1, 2:-3]
        larger_interleaved = torch.nn.functional.pad(interleaved.movedim(-3, -1), (0, 0, 2, 3)).movedim(-1, -3)
        return [image, interleaved, larger, larger_interleaved[..., 2:-3]]

    return orders


@pytest.fixture
def typed_graphs() -> None:
    """Skip a test that compiles typed tensors where torch's compiler knows no subclasses of tensors."""
    if tuple(map(int, torch.__version__.split(".")[:2])) < (2, 7):
        pytest.skip("the compiler of torch 2.6 takes no typed tensors")


@pytest.fixture(params=[1, 3])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.fixture
def shared() -> Path:
    """The folder with real files; tests that need it are skipped without it."""
    folder = Path(os.environ.get("VISION_SHARED", Path(__file__).resolve().parents[3].parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"no shared files in {folder}; set VISION_SHARED")
    return folder


@pytest.fixture
def coco_scene() -> Callable[..., tuple[dict[str, Any], list[dict[str, Any]]]]:
    """A function that makes what COCO's annotation and result files hold, from a seed.

    Images come in no order, one category has no ground truth, detections tie, some are of a category that does not
    exist, images without ground truths and without detections occur, and so do crowds.
    """
    return _coco_scene


def _coco_scene(
    seed: int, iou_type: str = "bbox", images: int = 20, classes: int = 5, truths: int = 7, detections: int = 15
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    rng = np.random.default_rng(seed)
    side = 200
    ids = [int(i) for i in rng.permutation(images) * 3 + 1]
    annotations: list[dict[str, Any]] = []
    results: list[dict[str, Any]] = []

    def box() -> np.ndarray:
        size = np.exp(rng.uniform(np.log(6), np.log(150), 2))
        return np.concatenate((rng.uniform(0, side - size), size)).round(1)

    def points(x: float, y: float, w: float, h: float) -> np.ndarray:
        return np.stack((x + rng.random(17) * w, y + rng.random(17) * h, rng.integers(0, 3, 17)), 1).round(1)

    def pixels(x: float, y: float, w: float, h: float, share: float) -> dict[str, Any]:
        x, y = max(x, 0), max(y, 0)
        mask = torch.zeros(1, side, side, dtype=torch.bool)
        area = mask[0, int(y) : int(y + h) + 1, int(x) : int(x + w) + 1]
        area[:] = torch.from_numpy(rng.random(tuple(area.shape)) < share)
        return dict(rle_encode(mask)[0])

    for image in ids:
        own: list[dict[str, Any]] = []
        for _ in range(rng.integers(0, truths + 1)):
            x, y, w, h = (float(v) for v in box())
            truth: dict[str, Any] = {"id": len(annotations) + 1, "image_id": image, "bbox": [x, y, w, h]}
            truth |= {"category_id": int(rng.integers(0, classes)) * 2 + 1, "iscrowd": int(rng.random() < 0.15)}
            truth["area"] = float(w * h * rng.uniform(0.5, 1))
            if iou_type == "keypoints":
                keypoints = points(x, y, w, h)
                keypoints[:, 2] *= rng.random() < 0.8
                keypoints[keypoints[:, 2] == 0] = 0
                truth |= {"keypoints": keypoints.ravel().tolist(), "num_keypoints": int((keypoints[:, 2] > 0).sum())}
            elif iou_type == "segm" and truth["iscrowd"]:
                mask = pixels(x, y, w, h, 0.7)
                truth["segmentation"] = {"size": mask["size"], "counts": rle_counts(mask)}
            elif iou_type == "segm":
                truth["segmentation"] = [[x, y, x + w, y, x + 0.8 * w, y + h, x, y + 0.9 * h]]
                if rng.random() < 0.3:
                    truth["segmentation"].append([x + 1, y + 2, x + w, y + 9, x + 0.3 * w, y + h])
            own.append(truth)
            annotations.append(truth)
        for _ in range(rng.integers(0, detections + 1)):
            near = own[rng.integers(len(own))] if own and rng.random() < 0.7 else None
            place = box()
            if near is not None:
                place = np.array(near["bbox"])
                place = place + rng.choice([0, 0.03, 0.1]) * rng.normal(size=4) * np.tile(place[2:], 2)
                place[2:] = place[2:].clip(1)
            x, y, w, h = (float(v) for v in place.round(2))
            found: dict[str, Any] = {"image_id": image, "score": round(float(rng.random()), int(rng.integers(1, 4)))}
            found["category_id"] = int(rng.integers(0, classes + 2)) * 2 + 1
            if near is not None and rng.random() < 0.9:
                found["category_id"] = near["category_id"]
            if iou_type == "bbox":
                found["bbox"] = [x, y, w, h]
            elif iou_type == "segm":
                found["segmentation"] = pixels(x, y, w, h, 1)
            else:
                keypoints = points(x, y, w, h)
                if near is not None:
                    keypoints = np.array(near["keypoints"]).reshape(17, 3)
                    keypoints = keypoints + rng.choice([0, 1, 5]) * rng.normal(size=(17, 3))
                found["keypoints"] = keypoints.round(2).ravel().tolist()
            results.append(found)
    categories = [{"id": int(c) * 2 + 1, "name": f"class {c}"} for c in rng.permutation(classes + 1)]
    sizes = [{"id": image, "height": side, "width": side} for image in ids]
    results = [results[i] for i in rng.permutation(len(results))]
    return {"info": {}, "images": sizes, "annotations": annotations, "categories": categories}, results
