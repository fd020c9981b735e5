"""Reads the dictionaries of detections and ground truths that users have, checks them, and makes arrays of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vision_core.metrics._columns import Array
from vision_core.ops.rle import rle_area, rle_encode, rle_from_counts

__all__ = ["InputFormat", "check_boxes", "mask_columns", "read_detections", "read_ground_truths", "rows_of", "to_xywh"]

BOX_FORMATS = ("xyxy", "xywh", "cxcywh")


@dataclass(frozen=True)
class InputFormat:
    """What the dictionaries hold.

    Attributes:
        iou_type: "bbox", "segm" or "keypoints".
        box_format: "xyxy", "xywh" or "cxcywh".
        keypoints: how many an instance has.
        num_classes: labels are below it; None for any.
    """

    iou_type: str
    box_format: str = "xyxy"
    keypoints: int = 0
    num_classes: int | None = None


def read_detections(image: Mapping[str, Any], where: str, fmt: InputFormat) -> dict[str, Array]:
    """Return the columns of the detections in one image.

    Args:
        image: `scores`, `labels`, and `boxes`, `masks` or `keypoints`; maybe `area`.
        where: names the image in errors.
        fmt: what `image` holds.

    Returns:
        `scores`, `labels`, `areas` and what belongs to the kind of shape.

    Raises:
        TypeError: labels that are no integers, soft masks.
        ValueError: a key is missing, lengths differ, NaN, labels out of range, negative sizes.
    """
    scores = rows_of(image, "scores", where)
    if scores.size and not np.isfinite(scores.sum()) and np.isnan(scores).any():
        raise ValueError(f"{where}['scores']: NaN at {np.flatnonzero(np.isnan(scores)).tolist()[:8]}; remove them")
    count = len(scores)
    columns = {"scores": scores, "labels": _labels(image, where, count, fmt)}
    if fmt.iou_type == "bbox":
        columns["shapes"] = _boxes(image, where, count, fmt)
        areas = columns["shapes"][:, 2] * columns["shapes"][:, 3]
    elif fmt.iou_type == "segm":
        columns |= _masks(image, where, count)
        areas = columns.pop("areas")
    else:
        columns["shapes"] = _keypoints(image, where, count, fmt, (2, 3))[..., :2]
        low, high = _extent(columns["shapes"])
        areas = (high - low).prod(-1)
    columns["areas"] = _areas(image, where, count, areas)
    return columns


def read_ground_truths(image: Mapping[str, Any], where: str, fmt: InputFormat) -> dict[str, Array]:
    """Return the columns of the ground truths in one image.

    Args:
        image: `labels`, and `boxes`, `masks` or `keypoints`; maybe `area`, `iscrowd`, `ignore`.
        where: names the image in errors.
        fmt: what `image` holds.

    Returns:
        `labels`, `areas`, `crowd`, `ignore` and what belongs to the kind of shape.

    Raises:
        TypeError: labels that are no integers, soft masks.
        ValueError: a key is missing, lengths differ, NaN, labels out of range, negative sizes.
    """
    count = len(rows_of(image, "labels", where))
    columns = {
        "labels": _labels(image, where, count, fmt),
        "crowd": _flags(image, "iscrowd", where, count),
        "ignore": _flags(image, "ignore", where, count),
    }
    if fmt.iou_type == "bbox":
        columns["shapes"] = _boxes(image, where, count, fmt)
        areas = columns["shapes"][:, 2] * columns["shapes"][:, 3]
    elif fmt.iou_type == "segm":
        columns |= _masks(image, where, count)
        areas = columns.pop("areas")
    else:
        keypoints = _keypoints(image, where, count, fmt, (3,))
        if "boxes" in image:
            columns["boxes"] = _boxes(image, where, count, fmt)
        else:
            columns["boxes"] = _labelled_boxes(keypoints)
        columns["shapes"] = keypoints
        columns["ignore"] = columns["ignore"] | ~(keypoints[..., 2] > 0).any(1)
        areas = columns["boxes"][:, 2] * columns["boxes"][:, 3]
    columns["areas"] = _areas(image, where, count, areas)
    return columns


def rows_of(image: Mapping[str, Any], key: str, where: str, count: int | None = None, *row: int) -> Array:
    """Return `image[key]` as an array `[count, *row]` in NumPy, float16 and bfloat16 as float32.

    Args:
        image: the dictionary.
        key: the name.
        where: names the dictionary in errors.
        count: the expected number of rows, None for any.
        row: the expected shape of a row.

    Raises:
        ValueError: the key is missing, or the shape is another one.
    """
    if key not in image:
        raise ValueError(f"{where}: has no {key!r}, only {sorted(image)}")
    value = image[key]
    if isinstance(value, Tensor):
        value = value.detach().cpu()
        array = (value.float() if value.dtype in (torch.float16, torch.bfloat16) else value).numpy()
    else:
        array = np.asarray(value)
    if array.size == 0 and not count:  # an empty list says nothing about the shape of its rows
        return array.reshape((0, *row))
    if array.shape[1:] != row or array.ndim == 0 or (count is not None and len(array) != count):
        expected = ["N" if count is None else count, *row]
        raise ValueError(f"{where}[{key!r}]: expected {expected}, as many as labels, got {list(array.shape)}")
    return array


def to_xywh(boxes: Array, box_format: str) -> Array:
    """Return float64 boxes x, y, width, height; exact for float32 corners."""
    boxes = boxes.astype(np.float64)
    if box_format == "xyxy":
        with np.errstate(invalid="ignore"):  # infinities are found later
            boxes[:, 2:] -= boxes[:, :2]
    elif box_format == "cxcywh":
        boxes[:, :2] -= boxes[:, 2:] / 2
    return boxes


def check_boxes(xywh: Array, where: str) -> None:
    """Check that boxes are finite and have no negative size.

    Raises:
        ValueError: naming the first that is not.
    """
    good = np.isfinite(xywh).all(1) & (xywh[:, 2:] >= 0).all(1)
    if not good.all():
        row = int(np.flatnonzero(~good)[0])
        what = "a negative size" if np.isfinite(xywh[row]).all() else "NaN or infinity"
        raise ValueError(f"{where}: row {row} has {what}, x, y, width, height = {xywh[row].tolist()}; remove or clip")


def mask_columns(rles: Sequence[Mapping[str, Any]], where: str) -> dict[str, Array]:
    """Return run-length masks as columns, with their areas; their counts are read, and so checked.

    Raises:
        ValueError: damaged counts.
    """
    texts, sizes = [], []
    for i, rle in enumerate(rles):
        if not isinstance(rle, Mapping) or "counts" not in rle or "size" not in rle:
            raise ValueError(f'{where}: row {i}: expected {{"size": [height, width], "counts": ...}}, got {rle!r:.80}')
        size, counts = rle["size"], rle["counts"]
        if type(counts) is not bytes:
            counts = counts.encode() if isinstance(counts, str) else rle_from_counts(counts, size)["counts"]
        texts.append(counts)
        sizes.append(size)
    try:
        shapes, areas = _measured(texts, sizes)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error
    return {
        "texts": np.frombuffer(b"".join(texts), np.uint8),
        "text_lengths": np.array([len(text) for text in texts], np.int64),
        "sizes": shapes,
        "areas": areas.astype(np.float64),
    }


def _measured(texts: list[bytes], sizes: list[Any]) -> tuple[Array, Array]:
    """Return the sizes of run-length masks as `[N, 2]` and their areas."""
    rles = [{"size": size, "counts": text} for size, text in zip(sizes, texts, strict=True)]
    return np.array(sizes, np.int64).reshape(-1, 2), rle_area(rles).numpy()


def _labels(image: Mapping[str, Any], where: str, count: int, fmt: InputFormat) -> Array:
    labels = rows_of(image, "labels", where, count)
    if labels.size == 0:
        return labels.astype(np.int64)
    if labels.dtype.kind not in "iu":
        raise TypeError(f"{where}['labels']: expected integers, got {labels.dtype}")
    if labels.min() < 0 or (fmt.num_classes is not None and labels.max() >= fmt.num_classes):
        wrong = int(labels.min() if labels.min() < 0 else labels.max())
        limit = "0 and up" if fmt.num_classes is None else f"0..{fmt.num_classes - 1}"
        raise ValueError(f"{where}['labels']: label {wrong} is out of range, expected {limit}")
    return labels


def _boxes(image: Mapping[str, Any], where: str, count: int, fmt: InputFormat) -> Array:
    boxes = to_xywh(rows_of(image, "boxes", where, count, 4), fmt.box_format)
    check_boxes(boxes, f"{where}['boxes']")
    return boxes


def _keypoints(image: Mapping[str, Any], where: str, count: int, fmt: InputFormat, widths: tuple[int, ...]) -> Array:
    value = image.get("keypoints")
    width = widths[-1] if value is None or len(value) == 0 else np.shape(value)[-1]
    keypoints = rows_of(image, "keypoints", where, count, fmt.keypoints, width if width in widths else widths[-1])
    keypoints = keypoints.astype(np.float64)
    if not np.isfinite(keypoints[..., :2]).all():
        row = int(np.flatnonzero(~np.isfinite(keypoints[..., :2]).all((1, 2)))[0])
        raise ValueError(f"{where}['keypoints']: row {row} has NaN or infinity; set what is not labelled to 0")
    return keypoints


def _extent(points: Array) -> tuple[Array, Array]:
    return points.min(1), points.max(1)


def _labelled_boxes(keypoints: Array) -> Array:
    """Return boxes x, y, width, height around the labelled points; zeros where there are none."""
    boxes = np.zeros((len(keypoints), 4))
    for box, points in zip(boxes, keypoints, strict=True):
        labelled = points[points[:, 2] > 0, :2]
        if len(labelled):
            box[:2], box[2:] = labelled.min(0), np.ptp(labelled, axis=0)
    return boxes


def _masks(image: Mapping[str, Any], where: str, count: int) -> dict[str, Array]:
    if "masks" not in image:
        raise ValueError(f"{where}: has no 'masks', only {sorted(image)}")
    masks = image["masks"]
    where = f"{where}['masks']"
    if isinstance(masks, np.ndarray):
        masks = torch.from_numpy(masks)
    if isinstance(masks, Tensor):
        if masks.is_floating_point():
            raise TypeError(f"{where}: expected bool masks or run-length masks, got {masks.dtype}; pass masks > 0.5")
        if masks.ndim == 4 and masks.shape[1] == 1:
            masks = masks[:, 0]
        if masks.ndim != 3 and masks.numel():
            raise ValueError(f"{where}: expected [N, H, W], got {list(masks.shape)}")
        rles = rle_encode(masks) if masks.numel() else [{"size": [0, 0], "counts": b""}] * len(masks)
    else:
        rles = masks
    if len(rles) != count:
        raise ValueError(f"{where}: expected {count}, as many as labels, got {len(rles)}")
    return mask_columns(rles, where)


def _flags(image: Mapping[str, Any], key: str, where: str, count: int) -> Array:
    if key not in image:
        return np.zeros(count, bool)
    return rows_of(image, key, where, count) != 0


def _areas(image: Mapping[str, Any], where: str, count: int, default: Array) -> Array:
    if "area" not in image:
        return default
    areas = rows_of(image, "area", where, count)
    if not (areas >= 0).all():
        raise ValueError(f"{where}['area']: expected numbers from 0 up, got {areas.tolist()[:8]}")
    return areas
