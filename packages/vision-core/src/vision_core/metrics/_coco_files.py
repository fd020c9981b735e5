"""Reads annotation and result files of COCO, as pycocotools understands them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vision_core.metrics._columns import Array
from vision_core.metrics._detection_inputs import check_boxes, mask_columns
from vision_core.ops.rle import rle_from_polygons, rle_merge, rle_to_boxes

__all__ = ["CocoAnnotations", "read_annotations", "read_results"]


@dataclass(frozen=True)
class CocoAnnotations:
    """The ground truths of an annotation file, image by image in the order of ids.

    Attributes:
        image_ids: `[I]` int64, ascending.
        image_sizes: (height, width) of each image, where the file tells.
        categories: their ids, ascending.
        counts: `[I]` int64: instances in each image.
        columns: columns of `MeanAveragePrecision`'s table.
    """

    image_ids: Array
    image_sizes: dict[int, tuple[int, int]]
    categories: tuple[int, ...]
    counts: Array
    columns: dict[str, Array]


def read_annotations(source: Any, iou_type: str, keypoints: int) -> CocoAnnotations:
    """Read ground truths.

    Args:
        source: a file, what it holds, or an object with that as `dataset`.
        iou_type: "bbox", "segm" or "keypoints".
        keypoints: how many an instance has.

    Returns:
        The ground truths of all images.

    Raises:
        ValueError: entries that are incomplete or damaged.
    """
    data = _loaded(source, "annotations")
    if not isinstance(data, Mapping) or "images" not in data:
        raise ValueError('annotations: expected {"images": [...], "annotations": [...], "categories": [...]}')
    image_ids = np.unique(np.array([image["id"] for image in data["images"]], np.int64))
    sizes = {image["id"]: (image["height"], image["width"]) for image in data["images"] if "height" in image}
    entries = _in_images(data.get("annotations", []), image_ids)
    where = "annotations"
    crowd = np.array([bool(entry.get("iscrowd", 0)) for entry in entries], bool)
    columns: dict[str, Array] = {"labels": _field(entries, "category_id", where, np.int64), "crowd": crowd}
    columns["ignore"] = crowd
    boxes = _boxes(entries, where) if iou_type != "segm" else np.empty((0, 4))
    areas = boxes[:, 2] * boxes[:, 3]
    if iou_type == "bbox":
        columns["shapes"] = boxes
    elif iou_type == "keypoints":
        columns["shapes"], columns["boxes"] = _keypoints(entries, where, keypoints), boxes
        labelled = (columns["shapes"][..., 2] > 0).sum(1)
        numbers = [entry.get("num_keypoints", own) for entry, own in zip(entries, labelled, strict=True)]
        columns["ignore"] = crowd | (np.array(numbers, np.int64) == 0)
    else:
        columns |= mask_columns(_masks(entries, sizes, where), where)
        areas = columns["areas"]
    given = [entry.get("area", own) for entry, own in zip(entries, areas.tolist(), strict=True)]
    columns["areas"] = np.array(given, np.float64)
    categories = tuple(sorted(category["id"] for category in data.get("categories", [])))
    return CocoAnnotations(image_ids, sizes, categories, _counts(entries, image_ids), columns)


def read_results(
    source: Any, iou_type: str, annotations: CocoAnnotations, keypoints: int
) -> tuple[Array, dict[str, Array]]:
    """Read detections.

    Args:
        source: a file, what it holds, or an object with that as `dataset["annotations"]`.
        iou_type: "bbox", "segm" or "keypoints".
        annotations: what they are compared with.
        keypoints: how many an instance has.

    Returns:
        How many each image has, and the columns of `MeanAveragePrecision`'s table.

    Raises:
        ValueError: results of images that the annotations do not have, or entries that are incomplete or damaged.
    """
    data = _loaded(source, "results")
    prepared = isinstance(data, Mapping)  # pycocotools has been through it: areas are settled
    if prepared:
        data = data["annotations"]
    where = "results"
    given = _field(data, "image_id", where, np.int64)
    unknown = ~np.isin(given, annotations.image_ids)
    if unknown.any():
        raise ValueError(f"results: the annotations have no images {np.unique(given[unknown]).tolist()[:8]}")
    entries = _in_images(data, annotations.image_ids)
    columns: dict[str, Array] = {
        "labels": _field(entries, "category_id", where, np.int64),
        "scores": _field(entries, "score", where, np.float64),
    }
    if np.isnan(columns["scores"]).any():
        raise ValueError("results: some scores are NaN; remove these entries")
    has_boxes = len(entries) > 0 and len(entries[0].get("bbox", ())) > 0
    boxes = _boxes(entries, where) if has_boxes else np.empty((0, 4))
    areas = boxes[:, 2] * boxes[:, 3]
    if iou_type == "bbox" and (has_boxes or not entries):
        columns["shapes"] = boxes
    elif iou_type == "keypoints":
        columns["shapes"] = _keypoints(entries, where, keypoints)[..., :2]
        extent = np.ptp(columns["shapes"], axis=1) if entries else np.empty((0, 2))
        areas = areas if has_boxes else extent[:, 0] * extent[:, 1]
    else:
        masks = _masks(entries, annotations.image_sizes, where)
        of_masks = mask_columns(masks, where)
        areas = areas if has_boxes else of_masks["areas"]
        columns |= {"shapes": rle_to_boxes(masks).numpy()} if iou_type == "bbox" else of_masks
    if prepared:
        areas = [entry.get("area", own) for entry, own in zip(entries, areas.tolist(), strict=True)]
    columns["areas"] = np.array(areas, np.float64)
    return _counts(entries, annotations.image_ids), columns


def _loaded(source: Any, name: str) -> Any:
    if isinstance(source, str | os.PathLike):
        return json.loads(Path(source).read_bytes())
    if isinstance(source, Mapping | Sequence):
        return source
    if hasattr(source, "dataset"):  # pycocotools' own object
        return source.dataset
    raise TypeError(f"{name}: expected a file or what it holds, got {type(source).__name__}")


def _in_images(entries: Sequence[Mapping[str, Any]], image_ids: Array) -> list[Mapping[str, Any]]:
    """Return the entries of known images, in the order of images; within an image the order stays."""
    ids = np.array([entry["image_id"] for entry in entries], np.int64)
    order = np.argsort(ids, kind="stable")
    return [entries[i] for i in order[np.isin(ids[order], image_ids)]]


def _counts(entries: list[Mapping[str, Any]], image_ids: Array) -> Array:
    ids = np.array([entry["image_id"] for entry in entries], np.int64)
    return np.bincount(np.searchsorted(image_ids, ids), minlength=len(image_ids)).astype(np.int64)


def _field(entries: Sequence[Mapping[str, Any]], key: str, where: str, dtype: Any) -> Array:
    try:
        return np.array([entry[key] for entry in entries], dtype)
    except KeyError:
        index = next(i for i, entry in enumerate(entries) if key not in entry)
        raise ValueError(f"{where}: {_short(entries[index])} has no {key!r}") from None


def _boxes(entries: list[Mapping[str, Any]], where: str) -> Array:
    boxes = _field(entries, "bbox", where, np.float64).reshape(-1, 4)
    check_boxes(boxes, f"{where}, bbox, in the order of images")
    return boxes


def _keypoints(entries: list[Mapping[str, Any]], where: str, count: int) -> Array:
    for entry in entries:
        if len(entry.get("keypoints", ())) != 3 * count:
            raise ValueError(
                f"{where}: {_short(entry)}: expected {3 * count} numbers in 'keypoints' (x, y, visibility), "
                f"got {len(entry.get('keypoints', ()))}; pass keypoint_sigmas for another number of keypoints"
            )
    return _field(entries, "keypoints", where, np.float64).reshape(-1, count, 3)


def _masks(entries: list[Mapping[str, Any]], sizes: dict[int, tuple[int, int]], where: str) -> list[Mapping[str, Any]]:
    return [_mask(entry, sizes, where) for entry in entries]


def _mask(entry: Mapping[str, Any], sizes: dict[int, tuple[int, int]], where: str) -> Mapping[str, Any]:
    shape = entry.get("segmentation")
    size = sizes.get(entry["image_id"])
    if isinstance(shape, Mapping):
        if size is not None and tuple(shape["size"]) != tuple(size):
            raise ValueError(f"{where}: {_short(entry)}: mask of {shape['size']} in an image of {list(size)}")
        return shape
    if not shape:
        raise ValueError(f"{where}: {_short(entry)} has no 'segmentation'")
    if size is None:
        raise ValueError(f"{where}: {_short(entry)} is of polygons: its image needs a height and a width")
    parts = rle_from_polygons(shape, size)
    return parts[0] if len(parts) == 1 else rle_merge(parts)


def _short(entry: Mapping[str, Any]) -> str:
    return f"entry { ({key: entry[key] for key in ('id', 'image_id', 'category_id') if key in entry}) }"
