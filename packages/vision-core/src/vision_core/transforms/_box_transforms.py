"""Transforms of boxes and keypoints themselves: their format, their limits, and which of them to keep."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor

from vision_core.transforms import functional as F
from vision_core.transforms._labels import LabelsGetter, to_labels_getter
from vision_core.transforms._per_sample import retype
from vision_core.transforms._query import get_bounding_boxes, get_keypoints
from vision_core.transforms._sample import Sample
from vision_core.transforms._transform import Transform
from vision_core.transforms.functional._boxes import valid_boxes, valid_keypoints
from vision_core.tv_tensors import BoundingBoxes, BoundingBoxFormat, KeyPoints, Mask, TVTensor
from vision_core.tv_tensors._base import plain
from vision_core.tv_tensors._boxes import ClampingMode, check_clamping_mode, to_format

__all__ = [
    "ClampBoundingBoxes",
    "ClampKeyPoints",
    "ConvertBoundingBoxFormat",
    "SanitizeBoundingBoxes",
    "SanitizeKeyPoints",
    "SetClampingMode",
]


class ConvertBoundingBoxFormat(Transform):
    """Converts the format of boxes; see `functional.convert_bounding_box_format`.

    Args:
        format: a `BoundingBoxFormat` or its name.

    Examples:
        >>> from vision_core.tv_tensors import BoundingBoxes
        >>> boxes = BoundingBoxes([[1, 2, 4, 8]], format="XYXY", canvas_size=(8, 8))
        >>> ConvertBoundingBoxFormat("xywh")(boxes).tolist()
        [[1, 2, 3, 6]]
    """

    format: BoundingBoxFormat | str

    def __post_init__(self) -> None:
        self.format = to_format(self.format)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.convert_bounding_box_format(inpt, new_format=self.format) if isinstance(inpt, BoundingBoxes) else inpt


class ClampBoundingBoxes(Transform):
    """Cuts off what of boxes lies outside of their image; see `functional.clamp_bounding_boxes`.

    Args:
        clamping_mode: "hard", "soft", None, or "auto": as the boxes say.

    Examples:
        >>> from vision_core.tv_tensors import BoundingBoxes
        >>> ClampBoundingBoxes()(BoundingBoxes([[-1, 2, 9, 8]], format="XYXY", canvas_size=(8, 8))).tolist()
        [[0, 2, 8, 8]]
    """

    clamping_mode: ClampingMode | str = "auto"

    def __post_init__(self) -> None:
        if self.clamping_mode != "auto":
            check_clamping_mode(self.clamping_mode)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        if not isinstance(inpt, BoundingBoxes):
            return inpt
        return F.clamp_bounding_boxes(inpt, clamping_mode=self.clamping_mode)


class ClampKeyPoints(Transform):
    """Moves keypoints that lie outside of their image to its nearest pixel; see `functional.clamp_keypoints`.

    Examples:
        >>> from vision_core.tv_tensors import KeyPoints
        >>> ClampKeyPoints()(KeyPoints([[-1, 2]], canvas_size=(8, 8))).tolist()
        [[0, 2]]
    """

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.clamp_keypoints(inpt) if isinstance(inpt, KeyPoints) else inpt


class SetClampingMode(Transform):
    """Sets how the transforms that follow treat boxes that reach beyond their image; see `BoundingBoxes`.

    Args:
        clamping_mode: "hard", "soft" or None.

    Examples:
        >>> from vision_core.tv_tensors import BoundingBoxes
        >>> boxes = BoundingBoxes([[1, 2, 4, 8]], format="XYXY", canvas_size=(8, 8))
        >>> SetClampingMode("hard")(boxes).clamping_mode
        'hard'
    """

    clamping_mode: ClampingMode

    def __post_init__(self) -> None:
        check_clamping_mode(self.clamping_mode)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        if not isinstance(inpt, BoundingBoxes):
            return inpt
        return BoundingBoxes.wrap(plain(inpt), inpt, clamping_mode=self.clamping_mode)


class _Sanitize(Transform):
    """Keeps some of the objects: what `make_params` calls valid."""

    _belongs: ClassVar[tuple[type, ...]] = ()

    def run_on(self, sample: Sample) -> bool | None:
        """Drop objects from a sample."""
        self.sample_on(sample, run=True)
        return True

    def apply_one(self, sample: Sample, params: Any) -> None:
        """Keep the valid ones of boxes, masks, keypoints and labels."""
        valid = params["valid"]
        count = valid.shape[0]
        own: Any = self
        wanted = sample.inputs and own.labels_getter is not None
        found = to_labels_getter(own.labels_getter)(sample.rebuild()) if wanted else None
        labels = () if found is None else tuple(found) if isinstance(found, (tuple, list)) else (found,)
        for label in labels:
            if not isinstance(label, Tensor):
                raise ValueError(f"labels: expected tensors, got {type(label).__name__}; pass labels_getter")
            if label.ndim < 1 or label.shape[0] != count:
                raise ValueError(f"labels: expected one for each of {count} objects, got shape {tuple(label.shape)}")
        for i, leaf in enumerate(sample.leaves):
            if any(leaf is label for label in labels) or self._is_aligned(leaf, count):
                sample.leaves[i] = _keep(leaf, valid)

    def _is_aligned(self, leaf: Any, count: int) -> bool:
        if not isinstance(leaf, self._belongs):
            return False
        # A mask of classes belongs to the image, as do keypoints that are not grouped by object.
        per_object = isinstance(leaf, BoundingBoxes) or leaf.ndim == 3 or isinstance(self, SanitizeKeyPoints)
        return per_object and leaf.shape[0] == count


def _keep(leaf: Any, valid: Tensor) -> Any:
    kept = plain(leaf) if isinstance(leaf, TVTensor) else leaf
    kept = kept[valid.to(kept.device)]
    return retype(kept, leaf) if isinstance(leaf, TVTensor) else kept


class SanitizeBoundingBoxes(_Sanitize):
    """Drops boxes that are too small or reach out of their image, with their labels, masks and keypoints.

    It belongs at the end of a chain, after `ClampBoundingBoxes` where boxes may reach out.

    Args:
        min_size: smallest width and height to keep, in pixels; at least 1.
        min_area: smallest area to keep, in square pixels; at least 1.
        labels_getter: where the labels are: "default" looks for a key with "label" in it, or takes the second of two
            inputs; a key; a function of the inputs that returns one tensor or several; None: there are none.

    Raises:
        ValueError: no boxes or no labels among the inputs, or labels that are not one per box.

    Examples:
        >>> import torch
        >>> sample = {"image": torch.zeros(3, 8, 8), "boxes": torch.tensor([[0, 0, 4, 4], [1, 1, 1, 2]]),
        ...           "labels": torch.tensor([7, 8])}
        >>> SanitizeBoundingBoxes()(sample)["labels"].tolist()
        [7]
    """

    min_size: float = 1.0
    min_area: float = 1.0
    labels_getter: LabelsGetter = "default"

    _belongs = (BoundingBoxes, Mask, KeyPoints)

    def __post_init__(self) -> None:
        for name in ("min_size", "min_area"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: expected 1 or more, got {getattr(self, name)}")
        to_labels_getter(self.labels_getter)  # complains now rather than at the first sample

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Say which boxes stay."""
        return {"valid": valid_boxes(get_bounding_boxes(flat_inputs), self.min_size, self.min_area)}


class SanitizeKeyPoints(_Sanitize):
    """Drops keypoints outside of their image, or the objects one of whose keypoints is, with their labels.

    Args:
        labels_getter: where the labels are; see `SanitizeBoundingBoxes`. Default: there are none.

    Raises:
        ValueError: no keypoints among the inputs, or labels that are not one per entry.

    Examples:
        >>> from vision_core.tv_tensors import KeyPoints
        >>> SanitizeKeyPoints()(KeyPoints([[1, 1], [9, 1]], canvas_size=(8, 8))).tolist()
        [[1, 1]]
    """

    labels_getter: LabelsGetter = None

    _belongs = (KeyPoints,)

    def __post_init__(self) -> None:
        to_labels_getter(self.labels_getter)  # complains now rather than at the first sample

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Say which keypoints stay."""
        points = get_keypoints(flat_inputs)
        return {"valid": valid_keypoints(plain(points), points.canvas_size)}
