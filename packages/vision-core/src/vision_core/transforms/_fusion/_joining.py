"""What each class of transforms does to a pending image.

A class is described by the roles of its steps, for the plan, and by a function that adds them to a pending image, given
what was drawn. Subclasses are not looked up: they may do something else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from vision_core.transforms._color import (
    Grayscale,
    RandomChannelPermutation,
    RandomGrayscale,
    RandomInvert,
    RandomPosterize,
    RandomSolarize,
)
from vision_core.transforms._color_jitter import ColorJitter, RandomPhotometricDistort
from vision_core.transforms._conversion import ConvertImageDtype, Normalize, PILToTensor, ToDtype, ToImage, ToTensor
from vision_core.transforms._cropping import CenterCrop, RandomCrop, RandomResizedCrop
from vision_core.transforms._fill import fill_for_type
from vision_core.transforms._flipping import RandomHorizontalFlip, RandomVerticalFlip
from vision_core.transforms._fusion._joined_warp import Warp
from vision_core.transforms._fusion._pending import Pending
from vision_core.transforms._fusion._rules import Role
from vision_core.transforms._interpolation import interpolation_name
from vision_core.transforms._keypoint_flip import RandomHorizontalFlipKeypoints
from vision_core.transforms._resizing import RandomResize, RandomShortestSize, Resize, ScaleJitter
from vision_core.transforms._transform import Identity
from vision_core.transforms._warping import RandomAffine, RandomPerspective, RandomRotation
from vision_core.transforms.functional._affine import affine_backward, rotation_backward
from vision_core.transforms.functional._crop import center_of, two_sizes
from vision_core.transforms.functional._resize import target_size
from vision_core.tv_tensors import Image

__all__ = ["JOINING", "Joining"]

_ORDER = ("brightness", "contrast", "saturation", "hue")
_FACTORS = tuple(f"{name}_factor" for name in _ORDER)


class Joining(NamedTuple):
    """How the transforms of a class join a run.

    Args:
        add: adds the steps of a transform with its params to a pending image, and returns "" or why it cannot.
        roles: of these steps, as far as the transform tells without its params; None if it does not join.
        looks: whether its drawing looks at the inputs.
        retypes: whether it makes plain tensors of typed inputs, so that other inputs may be chosen behind it.
    """

    add: Callable[[Any, Pending, dict[str, Any]], str]
    roles: Callable[[Any], tuple[Role, ...] | None]
    looks: bool = False
    retypes: bool = False


def _always(*roles: Role) -> Callable[[Any], tuple[Role, ...] | None]:
    return lambda transform: roles


def _nothing(transform: Any, image: Pending, params: dict[str, Any]) -> str:
    return ""


def _center_crop(transform: CenterCrop, image: Pending, params: dict[str, Any]) -> str:
    return image.crop(*center_of(image.height, image.width, transform.size))


def _crop(transform: RandomCrop, image: Pending, params: dict[str, Any]) -> str:
    if params["padding"] is not None:
        return "padding writes a border"
    return image.crop(params["top"], params["left"], params["height"], params["width"])


def _resized_crop(transform: RandomResizedCrop, image: Pending, params: dict[str, Any]) -> str:
    # Both or none: what would be refused is asked before the first.
    reason = image.refusal("crop") or image.refusal("resize")
    if reason:
        return reason
    before = (image.top, image.left, image.height, image.width)
    reason = image.crop(params["top"], params["left"], params["height"], params["width"])
    if not reason:
        size = two_sizes(transform.size)
        reason = image.resize(
            (size[0], size[1]), interpolation_name(transform.interpolation), bool(transform.antialias)
        )
        if reason:
            image.top, image.left, image.height, image.width = before
    return reason


def _resize(transform: Any, image: Pending, params: dict[str, Any]) -> str:
    size = params.get("size", getattr(transform, "size", None))
    limit = params["max_size"] if "max_size" in params else getattr(transform, "max_size", None)
    new = target_size(image.height, image.width, size, limit)
    return image.resize(new, interpolation_name(transform.interpolation), bool(transform.antialias))


def _flip_horizontally(transform: Any, image: Pending, params: dict[str, Any]) -> str:
    image.flip(True)
    return ""


def _flip_vertically(transform: Any, image: Pending, params: dict[str, Any]) -> str:
    image.flip(False)
    return ""


def _warp(transform: Any, image: Pending, role: Role, numbers: Any, size: tuple[int, int]) -> str:
    fill = fill_for_type(transform.fill, image.kind)
    name = interpolation_name(transform.interpolation)
    if name not in ("nearest", "bilinear", "bicubic"):
        return f"warps do not know {name}"
    return image.map(role, Warp(tuple(numbers), (image.height, image.width), size, name, fill))


def _rotate(transform: RandomRotation, image: Pending, params: dict[str, Any]) -> str:
    angle = params["angle"]
    if angle % 90 == 0:
        return "quarter turns move whole pixels"
    found = rotation_backward((image.height, image.width), angle, transform.expand, transform.center)
    return _warp(transform, image, "affine", *found)


def _affine(transform: RandomAffine, image: Pending, params: dict[str, Any]) -> str:
    size = (image.height, image.width)
    return _warp(transform, image, "affine", affine_backward(size, **params, center=transform.center), size)


def _perspective(transform: RandomPerspective, image: Pending, params: dict[str, Any]) -> str:
    return _warp(transform, image, "perspective", params["coefficients"], (image.height, image.width))


def _in_turn(image: Pending, steps: list[tuple[Any, ...]]) -> str:
    """Add changes of colour, all or none."""
    reason = image.refusal("colour") if steps else ""
    if steps and image.channels not in (1, 3):
        reason = "changes of colour want 1 or 3 channels"
    if reason:
        return reason
    if image.channels == 1:  # gray images have neither saturation nor hue
        steps = [step for step in steps if step[0] not in ("saturation", "hue")]
    image.add_colours(steps)
    return ""


def _jitter(transform: ColorJitter, image: Pending, params: dict[str, Any]) -> str:
    steps: list[tuple[Any, ...]] = []
    for number in params["fn_idx"]:
        factor = params[_FACTORS[number]]
        if factor is not None:
            steps.append((_ORDER[number], factor))
    return _in_turn(image, steps)


def _jitter_roles(transform: ColorJitter) -> tuple[Role, ...]:
    return ("statistics" if transform.contrast is not None else "colour",)


def _distort(transform: RandomPhotometricDistort, image: Pending, params: dict[str, Any]) -> str:
    if image.channels != 3:
        return "distorting channels wants three of them"
    order = _ORDER if params["contrast_before"] else ("brightness", "saturation", "hue", "contrast")
    steps: list[tuple[Any, ...]] = [(name, params[f"{name}_factor"]) for name in order]
    steps = [step for step in steps if step[1] is not None]
    if params["channel_permutation"] is not None:
        steps.append(("order", tuple(params["channel_permutation"])))
    return _in_turn(image, steps)


def _gray(transform: Any, image: Pending, params: dict[str, Any]) -> str:
    wanted = params.get("num_output_channels", getattr(transform, "num_output_channels", 1))
    if image.channels != 3 or wanted != 3:
        return "the number of channels changes"
    return _in_turn(image, [("gray",)])


def _permute(transform: Any, image: Pending, params: dict[str, Any]) -> str:
    if image.channels != 3:
        return "changing the order of channels wants three of them"
    return _in_turn(image, [("order", tuple(params["permutation"]))])


_INVERTED = bytes(range(255, -1, -1))


def _table(image: Pending, table: bytes) -> str:
    reason = image.refusal("colour")
    if not reason:
        image.add_colours([("table", table)])
    return reason


def _invert(transform: Any, image: Pending, params: dict[str, Any]) -> str:
    return _table(image, _INVERTED)


def _posterize(transform: RandomPosterize, image: Pending, params: dict[str, Any]) -> str:
    bits = params["bits"]
    if not isinstance(bits, int) or not 0 <= bits <= 8:
        return "the number of bits is out of range"
    return _table(image, bytes(value & (0xFF00 >> bits) & 0xFF for value in range(256)))


def _solarize(transform: RandomSolarize, image: Pending, params: dict[str, Any]) -> str:
    threshold = params["threshold"]
    if not threshold <= 255:
        return "the threshold is out of range"
    from_here = torch.tensor(threshold, dtype=torch.float32).item()  # torch compares as float32
    return _table(image, bytes(255 - value if value >= from_here else value for value in range(256)))


def _image_dtype(transform: Any, kind: type) -> torch.dtype | None:
    dtype = transform.dtype
    return dtype if isinstance(dtype, torch.dtype) else dtype.get(kind, dtype.get("others"))


def _to_dtype(transform: ToDtype, image: Pending, params: dict[str, Any]) -> str:
    kind = Tensor if image.kind is np.ndarray else image.kind
    if not isinstance(transform.dtype, torch.dtype) and kind not in transform.dtype and "others" not in transform.dtype:
        return "the dict of dtypes says nothing about it"
    dtype = _image_dtype(transform, kind)
    if dtype is None or dtype == image.dtype:
        return ""
    return image.scale(dtype) if transform.scale else "values that are not scaled need no pass"


def _to_dtype_roles(transform: ToDtype) -> tuple[Role, ...] | None:
    dtype = _image_dtype(transform, Image)
    if dtype in (None, torch.uint8):
        return ()
    return ("scale",) if transform.scale and dtype.is_floating_point else None


def _convert(transform: ConvertImageDtype, image: Pending, params: dict[str, Any]) -> str:
    return "" if transform.dtype == image.dtype else image.scale(transform.dtype)


def _to_image(transform: ToImage, image: Pending, params: dict[str, Any]) -> str:
    if image.kind in (Tensor, np.ndarray):
        image.retype(Image)
    return ""


def _to_tensor(transform: ToTensor, image: Pending, params: dict[str, Any]) -> str:
    if image.kind is not np.ndarray:
        return ""
    if image.pixels.dim() != 3:
        return "it is no single image"
    reason = "" if image.scaled else image.scale(torch.get_default_dtype())
    if not reason:
        image.retype(Tensor)
        image.planar = True
    return reason


def _normalise(transform: Normalize, image: Pending, params: dict[str, Any]) -> str:
    return image.normalise(transform.mean, transform.std)


_resizing = Joining(_resize, _always("resize"))
JOINING: dict[type, Joining] = {
    CenterCrop: Joining(_center_crop, _always("crop")),
    ColorJitter: Joining(_jitter, _jitter_roles),
    ConvertImageDtype: Joining(_convert, lambda t: ("scale",) if t.dtype.is_floating_point else None),
    Grayscale: Joining(_gray, lambda t: ("colour",) if t.num_output_channels == 3 else None),
    Identity: Joining(_nothing, _always()),
    Normalize: Joining(_normalise, _always("normalise")),
    PILToTensor: Joining(_nothing, _always(), retypes=True),
    RandomAffine: Joining(_affine, _always("affine"), looks=True),
    RandomChannelPermutation: Joining(_permute, _always("colour"), looks=True),
    RandomCrop: Joining(_crop, lambda t: ("crop",) if t.padding is None and not t.pad_if_needed else None, looks=True),
    RandomGrayscale: Joining(_gray, _always("colour"), looks=True),
    RandomHorizontalFlip: Joining(_flip_horizontally, _always("flip")),
    RandomHorizontalFlipKeypoints: Joining(_flip_horizontally, _always("flip")),
    RandomInvert: Joining(_invert, _always("colour")),
    RandomPerspective: Joining(_perspective, _always("perspective"), looks=True),
    RandomPhotometricDistort: Joining(_distort, lambda t: ("statistics",), looks=True),
    RandomPosterize: Joining(_posterize, _always("colour")),
    RandomResize: _resizing,
    RandomResizedCrop: Joining(_resized_crop, _always("crop", "resize"), looks=True),
    RandomRotation: Joining(_rotate, _always("affine")),
    RandomShortestSize: Joining(_resize, _always("resize"), looks=True),
    RandomSolarize: Joining(_solarize, _always("colour")),
    RandomVerticalFlip: Joining(_flip_vertically, _always("flip")),
    Resize: _resizing,
    ScaleJitter: Joining(_resize, _always("resize"), looks=True),
    ToDtype: Joining(_to_dtype, _to_dtype_roles),
    ToImage: Joining(_to_image, _always()),
    ToTensor: Joining(_to_tensor, _always("scale"), retypes=True),
}
