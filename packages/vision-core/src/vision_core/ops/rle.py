"""Run-length masks of the COCO data set: masks as short texts, and areas, boxes, IoU and unions without pixels.

A run-length mask is the dictionary of COCO files, `{"size": [height, width], "counts": ...}`. The counts are the
lengths of runs of 0s and 1s, in turns and beginning with 0s, down the columns of the mask from left to right; either a
list of them, or a text (bytes or str) in which each is the difference to the one two before it (from the fourth on), in
signed groups of five bits. What these functions return always has bytes, equal to those of pycocotools.

The functions work on sequences of masks and check what they read: counts that are cut off, or that do not fill the mask
exactly, raise ValueError with the place of the damage. A mask has less than 2^31 pixels.

Source: Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014, and the data format at cocodataset.org.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, TypedDict

import numpy as np
import torch
from torch import Tensor

from vision_core import _native
from vision_core.ops import _rle_text as reference

__all__ = [
    "RLE",
    "rle_area",
    "rle_counts",
    "rle_decode",
    "rle_encode",
    "rle_from_counts",
    "rle_from_polygons",
    "rle_iou",
    "rle_merge",
    "rle_to_boxes",
]

_MOST_PIXELS = 2**31 - 1  # lengths are 32-bit numbers in every implementation of the format
_MOST_COORDINATE = 4e8  # of polygons: five times as much fits 32 bits, too


class RLE(TypedDict):
    """A run-length mask as it stands in COCO files."""

    size: list[int]
    counts: bytes


AnyRLE: TypeAlias = Mapping[str, Any]  # like RLE, but the counts may also be a str or a list of lengths


def rle_encode(masks: Tensor) -> list[RLE]:
    """Write masks as run-length masks.

    Args:
        masks: `[N, H, W]`, any dtype; what is not 0 belongs to the mask.

    Returns:
        N run-length masks.

    Raises:
        ValueError: masks of other than three dimensions, or of 2^31 pixels and more.

    Examples:
        >>> import torch
        >>> rle_encode(torch.tensor([[[0, 1, 1], [0, 0, 1]]]))
        [{'size': [2, 3], 'counts': b'2111'}]
    """
    if masks.dim() != 3:
        hint = "; for one mask pass masks[None]" if masks.dim() == 2 else ""
        raise ValueError(f"masks: expected [N, H, W], got {masks.dim()} dimensions{hint}")
    count, height, width = masks.shape
    _checked_size((height, width), "masks")
    if masks.dtype != torch.bool and masks.dtype != torch.uint8:
        masks = masks != 0
    masks = masks.detach().cpu().contiguous()
    native = _native.module
    if native is not None:
        texts = native.rle_encode(masks.data_ptr(), count, height, width, torch.get_num_threads())
    else:
        texts = [reference.encoded(mask) for mask in masks.numpy()]
    return [{"size": [height, width], "counts": counts} for counts in texts]


def rle_decode(rles: Sequence[AnyRLE]) -> Tensor:
    """Turn run-length masks into masks.

    Args:
        rles: N run-length masks of one size, at least one.

    Returns:
        `[N, H, W]` bool.

    Raises:
        ValueError: no mask, different sizes, or damaged counts.

    Examples:
        >>> rle_decode([{"size": [2, 3], "counts": "2111"}]).int().tolist()
        [[[0, 1, 1], [0, 0, 1]]]
    """
    height, width = _one_size(rles[:1] if isinstance(rles, list) else rles)
    native = _native.module
    if native is not None:
        decoded = torch.empty((len(rles), height, width), dtype=torch.bool)
        rest = len(decoded), height, width, torch.get_num_threads(), decoded.data_ptr()
        if not native.rle_decode(rles, *rest):
            _one_size(rles)
            native.rle_decode(_plain(rles), *rest)
        return decoded
    _one_size(rles)
    masks = [reference.decoded(runs, height, width) for runs in _parsed(rles, _texts(rles))]
    return torch.from_numpy(np.stack(masks)).bool()


def rle_area(rles: Sequence[AnyRLE]) -> Tensor:
    """Count the pixels of run-length masks.

    Args:
        rles: N run-length masks, also of different sizes.

    Returns:
        `[N]` int64.

    Raises:
        ValueError: damaged counts.

    Examples:
        >>> rle_area([{"size": [2, 3], "counts": [2, 1, 1, 2]}]).tolist()
        [3]
    """
    native = _native.module
    if native is None:
        return torch.tensor([reference.area_of(runs) for runs in _parsed(rles, _texts(rles))], dtype=torch.int64)
    area = torch.empty(len(rles), dtype=torch.int64)
    if not native.rle_area(rles, len(area), area.data_ptr()):
        native.rle_area(_plain(rles), len(area), area.data_ptr())
    return area


def rle_to_boxes(rles: Sequence[AnyRLE]) -> Tensor:
    """Return the boxes around run-length masks, in COCO's format.

    Args:
        rles: N run-length masks, also of different sizes.

    Returns:
        `[N, 4]` float64: x, y, width, height; zeros for an empty mask.

    Raises:
        ValueError: damaged counts.

    Examples:
        >>> rle_to_boxes([{"size": [2, 3], "counts": [2, 1, 1, 2]}]).tolist()
        [[1.0, 0.0, 2.0, 2.0]]
    """
    native = _native.module
    if native is None:
        parsed = zip(_parsed(rles, _texts(rles)), rles, strict=True)
        boxes = [reference.box_of(runs, *rle["size"]) for runs, rle in parsed]
        return torch.tensor(boxes, dtype=torch.float64).reshape(-1, 4)
    found = torch.empty((len(rles), 4), dtype=torch.float64)
    if not native.rle_boxes(rles, len(found), found.data_ptr()):
        native.rle_boxes(_plain(rles), len(found), found.data_ptr())
    return found


def rle_iou(
    rles1: Sequence[AnyRLE], rles2: Sequence[AnyRLE], iscrowd: Tensor | Sequence[bool] | Sequence[int] | None = None
) -> Tensor:
    """Return the intersection over union of run-length masks, pair by pair.

    Args:
        rles1: N run-length masks: detections.
        rles2: M run-length masks of the same size: ground truth.
        iscrowd: `[M]`: where it is set, the area of the detection takes the place of the union, so that detections
            within a crowd count as found.

    Returns:
        `[N, M]` float64.

    Raises:
        ValueError: different sizes, damaged counts, or an `iscrowd` of another length.

    Examples:
        >>> left, all = {"size": [2, 2], "counts": [0, 2, 2]}, {"size": [2, 2], "counts": [0, 4]}
        >>> rle_iou([left], [left, all, all], [0, 0, 1]).tolist()
        [[1.0, 0.5, 1.0]]
    """
    crowd = torch.zeros(len(rles2), dtype=torch.uint8)
    if iscrowd is not None:
        crowd = (torch.as_tensor(iscrowd) != 0).to(torch.uint8).cpu().contiguous()
        if crowd.shape != (len(rles2),):
            raise ValueError(f"iscrowd: expected one value for each of {len(rles2)} masks, got {tuple(crowd.shape)}")
    iou = torch.zeros((len(rles1), len(rles2)), dtype=torch.float64)
    if iou.numel() == 0:
        return iou
    native = _native.module
    if native is not None:
        rest = crowd.data_ptr(), torch.get_num_threads(), iou.data_ptr()
        if not native.rle_iou(rles1, iou.shape[0], rles2, iou.shape[1], *rest):
            _one_size([*rles1, *rles2])
            native.rle_iou(_plain(rles1), iou.shape[0], _plain(rles2), iou.shape[1], *rest)
        return iou
    _one_size([*rles1, *rles2])
    texts1, texts2 = _texts(rles1), _texts(rles2)
    parsed1, parsed2 = _parsed(rles1, texts1, "rles1"), _parsed(rles2, texts2, "rles2")
    flags = crowd.tolist()
    rows = [[reference.iou_of(a, b, bool(flag)) for b, flag in zip(parsed2, flags, strict=True)] for a in parsed1]
    return torch.tensor(rows, dtype=torch.float64)


def rle_merge(rles: Sequence[AnyRLE], intersect: bool = False) -> RLE:
    """Return the union, or the intersection, of run-length masks.

    Args:
        rles: run-length masks of one size, at least one.
        intersect: return what all masks have in common.

    Returns:
        A run-length mask.

    Raises:
        ValueError: no mask, different sizes, or damaged counts.

    Examples:
        >>> first, last = {"size": [1, 4], "counts": [0, 2, 2]}, {"size": [1, 4], "counts": [3, 1]}
        >>> rle_counts(rle_merge([first, last]))
        [0, 2, 1, 1]
    """
    native = _native.module
    counts = None if native is None else native.rle_merge(rles, intersect)
    if counts is not None:
        return {"size": [int(side) for side in rles[0]["size"]], "counts": counts}
    height, width = _one_size(rles)
    if native is not None:
        counts = native.rle_merge(_plain(rles), intersect)
    else:
        runs = _parsed(rles, _texts(rles))
        counts = reference.format_runs(reference.merged(runs, height * width, intersect))
    return {"size": [height, width], "counts": counts}


def rle_from_polygons(polygons: Sequence[Sequence[float] | Tensor], size: tuple[int, int]) -> list[RLE]:
    """Fill polygons, to the same pixels as the COCO tools.

    Args:
        polygons: N polygons, each `[2 P]` (x1, y1, x2, y2, ...) or `[P, 2]` with three corners at least, in pixels;
            corners may lie outside of the image. An object of several polygons is their `rle_merge`.
        size: (height, width) of the image.

    Returns:
        N run-length masks.

    Raises:
        ValueError: fewer than three corners, an odd number of coordinates, or coordinates that are not finite or beyond
            4e8.

    Examples:
        >>> square = [1.0, 1.0, 1.0, 3.0, 3.0, 3.0, 3.0, 1.0]
        >>> rle_decode(rle_from_polygons([square], (4, 4)))[0].int().tolist()
        [[0, 0, 0, 0], [0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]]
    """
    height, width = _checked_size(size, "size")
    corners = [_corners(polygon, i) for i, polygon in enumerate(polygons)]
    if not corners:
        return []
    native = _native.module
    if native is not None:
        xy = np.concatenate(corners)
        ends = np.cumsum([len(part) for part in corners], dtype=np.int64)
        texts = native.rle_polygons(xy.ctypes.data, ends.ctypes.data, len(corners), height, width)
    else:
        texts = [reference.format_runs(reference.polygon_runs(part, height, width)) for part in corners]
    return [{"size": [height, width], "counts": counts} for counts in texts]


def rle_from_counts(counts: Sequence[int], size: tuple[int, int]) -> RLE:
    """Write the lengths of runs as text.

    Args:
        counts: lengths of runs of 0s and 1s, in turns; they add up to the number of pixels.
        size: (height, width) of the mask.

    Returns:
        A run-length mask.

    Raises:
        ValueError: lengths below 0, or of another sum.

    Examples:
        >>> rle_from_counts([2, 1, 1, 2], (2, 3))
        {'size': [2, 3], 'counts': b'2111'}
    """
    height, width = _checked_size(size, "size")
    return {"size": [height, width], "counts": _compressed(counts, height * width, "counts")}


def rle_counts(rle: AnyRLE) -> list[int]:
    """Read the lengths of runs of a mask: its uncompressed counts.

    Args:
        rle: a run-length mask.

    Returns:
        Lengths of runs of 0s and 1s, in turns.

    Raises:
        ValueError: damaged counts.

    Examples:
        >>> rle_counts({"size": [2, 3], "counts": b"2111"})
        [2, 1, 1, 2]
    """
    height, width = _one_size([rle])
    text = _texts([rle])[0]
    native = _native.module
    return (
        reference.parse_runs(text, height, width, "rles[0]")
        if native is None
        else native.rle_counts(text, height, width)
    )


def _parsed(rles: Sequence[AnyRLE], texts: list[bytes], name: str = "rles") -> list[list[int]]:
    parsed = []
    for i, (text, rle) in enumerate(zip(texts, rles, strict=True)):
        height, width = rle["size"]
        parsed.append(reference.parse_runs(text, height, width, f"{name}[{i}]"))
    return parsed


def _plain(rles: Sequence[AnyRLE]) -> list[RLE]:
    """The same masks as the native functions take them: counts as bytes, whole numbers as sizes; all checked."""
    texts = _texts(rles)
    return [{"size": list(_size_of(rle, i)), "counts": texts[i]} for i, rle in enumerate(rles)]


def _refuse_one(rles: object) -> None:
    if isinstance(rles, Mapping):
        raise TypeError("rles: expected a sequence of run-length masks, got one; pass [rle]")


def _one_size(rles: Sequence[AnyRLE]) -> tuple[int, int]:
    _refuse_one(rles)
    if len(rles) == 0:
        raise ValueError("rles: expected at least one run-length mask, whose size is that of the result, got none")
    first = _size_of(rles[0], 0)
    for i, rle in enumerate(rles):
        if rle["size"] != rles[0]["size"] and _size_of(rle, i) != first:
            raise ValueError(f"rles[{i}]: expected the size of rles[0], {first}, got {_size_of(rle, i)}")
    return first


def _size_of(rle: AnyRLE, index: int) -> tuple[int, int]:
    if not isinstance(rle, Mapping) or "size" not in rle or "counts" not in rle:
        raise ValueError(f'rles[{index}]: expected {{"size": [height, width], "counts": ...}}, got {rle!r:.80}')
    return _checked_size(rle["size"], f"rles[{index}]")


def _checked_size(size: Sequence[int], name: str) -> tuple[int, int]:
    if len(size) != 2 or any(not hasattr(side, "__index__") or side < 0 for side in size):
        raise ValueError(f"{name}: expected a size of (height, width), whole numbers from 0 on, got {size!r:.80}")
    height, width = int(size[0]), int(size[1])
    if height > _MOST_PIXELS or width > _MOST_PIXELS or height * width > _MOST_PIXELS:
        raise ValueError(f"{name}: a mask of {height} x {width} is too large, expected less than 2^31 pixels")
    return height, width


def _texts(rles: Sequence[AnyRLE]) -> list[bytes]:
    """The counts of masks as bytes; their sizes are checked, too."""
    _refuse_one(rles)
    texts: list[bytes] = []
    for i, rle in enumerate(rles):
        height, width = _size_of(rle, i)
        counts = rle["counts"]
        if type(counts) is bytes:
            texts.append(counts)
        elif isinstance(counts, str):
            texts.append(counts.encode("utf-8"))  # what is not ASCII is found when the counts are read
        elif isinstance(counts, bytes | bytearray | memoryview):
            texts.append(bytes(counts))
        else:
            texts.append(_compressed(counts, height * width, f"rles[{i}]"))
    return texts


def _compressed(counts: Sequence[int], pixels: int, name: str) -> bytes:
    try:
        runs = np.asarray(counts)
    except (ValueError, OverflowError):
        runs = np.empty(0, object)
    if runs.ndim != 1 or (runs.size and runs.dtype.kind not in "iu"):
        raise ValueError(f"{name}: expected counts as bytes, a str or a list of whole numbers, got {counts!r:.80}")
    if runs.size and (runs.min() < 0 or runs.max() > pixels):
        raise ValueError(
            f"{name}: expected counts from 0 to {pixels}, the pixels of the mask, got {runs.min()} to {runs.max()}"
        )
    total = int(runs.sum(dtype=np.int64)) if runs.size <= _MOST_PIXELS else -1
    if total != pixels:
        raise ValueError(f"{name}: counts add up to {total}, expected the number of pixels, {pixels}")
    native = _native.module
    if native is None:
        return reference.format_runs(runs.tolist())
    runs = np.ascontiguousarray(runs, np.int64)
    return native.rle_compress(runs.ctypes.data, len(runs))


def _corners(polygon: Sequence[float] | Tensor, index: int) -> np.ndarray:
    values = polygon.detach().cpu().numpy() if isinstance(polygon, Tensor) else np.asarray(polygon)
    if values.size < 6 or values.size % 2 or values.ndim > 2 or (values.ndim == 2 and values.shape[1] != 2):
        raise ValueError(
            f"polygons[{index}]: expected x1, y1, x2, y2, ... or [P, 2] with three corners at least, got {values.shape}"
        )
    xy = np.ascontiguousarray(values, np.float64).reshape(-1, 2)
    if not np.abs(xy).max() <= _MOST_COORDINATE:
        raise ValueError(f"polygons[{index}]: expected finite coordinates of at most {_MOST_COORDINATE:g}")
    return xy
