"""What the leaves of a call are: for `make_params` and `check_inputs`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from torch import Tensor

from vision_core._pillow import is_pil_image
from vision_core.transforms._sample import ROLES, canvas_of, is_pure
from vision_core.tv_tensors import BoundingBoxes, Image, KeyPoints, Mask, Video

__all__ = [
    "check_type",
    "get_bounding_boxes",
    "get_keypoints",
    "has_all",
    "has_any",
    "query_chw",
    "query_size",
]

_SIZED = (Image, Video, Mask, BoundingBoxes, KeyPoints, is_pil_image, is_pure)

TypeOrCheck = type | Callable[[Any], bool]


def check_type(obj: Any, types_or_checks: tuple[TypeOrCheck, ...]) -> bool:
    """Say whether `obj` is of one of the types or passes one of the checks."""
    return any(isinstance(obj, kind) if isinstance(kind, type) else kind(obj) for kind in types_or_checks)


def has_any(flat_inputs: list[Any], *types_or_checks: TypeOrCheck) -> bool:
    """Say whether one of the inputs is of one of the types or passes one of the checks."""
    return any(check_type(inpt, types_or_checks) for inpt in flat_inputs)


def has_all(flat_inputs: list[Any], *types_or_checks: TypeOrCheck) -> bool:
    """Say whether there is an input for each of the types and checks."""
    return all(any(check_type(inpt, (kind,)) for inpt in flat_inputs) for kind in types_or_checks)


def get_bounding_boxes(flat_inputs: list[Any]) -> BoundingBoxes:
    """Return the first boxes.

    Raises:
        ValueError: there are none.
    """
    return _first(flat_inputs, BoundingBoxes)


def get_keypoints(flat_inputs: list[Any]) -> KeyPoints:
    """Return the first keypoints.

    Raises:
        ValueError: there are none.
    """
    return _first(flat_inputs, KeyPoints)


def _first(flat_inputs: list[Any], kind: type) -> Any:
    found = next((inpt for inpt in flat_inputs if isinstance(inpt, kind)), None)
    if found is None:
        raise ValueError(f"inputs: expected {kind.__name__} among them, got {_names(flat_inputs)}")
    return found


def query_chw(flat_inputs: list[Any]) -> tuple[int, int, int]:
    """Return channels, height and width that all images and videos have.

    Raises:
        TypeError: there is no image or video.
        ValueError: they differ.

    Examples:
        >>> import torch
        >>> query_chw([torch.zeros(3, 4, 6)])
        (3, 4, 6)
    """
    found = set()
    for inpt in flat_inputs:
        if type(inpt) is Tensor or type(inpt) is Image:
            shape = inpt.shape
            if len(shape) > 2:
                found.add((shape[-3], shape[-2], shape[-1]))
                continue
        size = canvas_of(inpt)
        if isinstance(inpt, (Image, Video)) or is_pure(inpt):
            channels = inpt.shape[-1] if isinstance(inpt, np.ndarray) else inpt.shape[-3]
            found.add((1 if inpt.ndim == 2 else channels, *(size or ())))
        elif is_pil_image(inpt):
            found.add((len(inpt.getbands()), inpt.height, inpt.width))
    return _single(found, flat_inputs, "an image or a video")


def query_size(flat_inputs: list[Any]) -> tuple[int, int]:
    """Return height and width that all images, videos, masks, boxes and keypoints have.

    Raises:
        TypeError: there are none of these.
        ValueError: they differ.

    Examples:
        >>> import torch
        >>> query_size([torch.zeros(3, 4, 6)])
        (4, 6)
    """
    found = {canvas_of(inpt) for inpt in flat_inputs if ROLES.get(type(inpt)) or check_type(inpt, _SIZED)}
    return _single(found, flat_inputs, "an image, a video, a mask, boxes or keypoints")


def _single(found: set[Any], flat_inputs: list[Any], wanted: str) -> Any:
    if not found:
        raise TypeError(f"inputs: expected {wanted} among them, got {_names(flat_inputs)}")
    if len(found) > 1:
        raise ValueError(f"inputs: expected one size, got {sorted(map(str, found))}")
    (only,) = found
    return only


def _names(flat_inputs: list[Any]) -> list[str]:
    return sorted({type(inpt).__name__ for inpt in flat_inputs})
