"""Batches of pictures with objects in them, for the transforms that combine several pictures.

A batch comes in one of three forms, and goes back in the same one:

- `images, targets`: a tensor `[B, C, H, W]` or a list of images `[C, H, W]`, and a list of dicts;
- a list of pairs (image, dict), as a data set gives them;
- a list of dicts with an `image` each.

Dicts hold what belongs to a picture. An entry with as many rows as there are objects belongs to the objects: `boxes`
`[N, 4]` (left, top, right, bottom, or `BoundingBoxes` of any upright format), `masks` `[N, H, W]`, `keypoints`
`[N, K, 2 or 3]`, `labels` `[N]` and whatever else. `masks` or `mask` `[H, W]` is a map of classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor

from vision_core.ops import box_convert
from vision_core.tv_tensors import BoundingBoxes, BoundingBoxFormat, KeyPoints, TVTensor
from vision_core.tv_tensors._base import plain

__all__ = ["Batch", "Scene", "join"]

_OF_THE_PICTURE = frozenset({"image_id", "size", "orig_size"})
_COUNTING = ("boxes", "masks", "keypoints", "labels")
_MAPS = ("mask", "masks")


@dataclass
class Scene:
    """A picture with its objects, all as plain tensors.

    Attributes:
        image: `[C, H, W]`.
        objects: entries with one row for each object; `boxes` are left, top, right, bottom.
        maps: maps of classes `[H, W]`.
        rest: everything else.
        types: for each entry the typed tensor that it came as.
    """

    image: Tensor
    objects: dict[str, Tensor] = field(default_factory=dict)
    maps: dict[str, Tensor] = field(default_factory=dict)
    rest: dict[str, Any] = field(default_factory=dict)
    types: dict[str, TVTensor] = field(default_factory=dict)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.image.shape[-2], self.image.shape[-1]

    @property
    def count(self) -> int:
        """Number of objects."""
        return next((len(rows) for rows in self.objects.values()), 0)

    def keep(self, chosen: Tensor) -> Scene:
        """Return the scene with some of the objects, by a mask or by numbers."""
        rows = {name: values[chosen.to(values.device)] for name, values in self.objects.items()}
        return Scene(self.image, rows, dict(self.maps), dict(self.rest), dict(self.types))

    @classmethod
    def parse(cls, image: Any, target: Mapping[str, Any]) -> Scene:
        """Sort the entries of a target.

        Raises:
            TypeError: an image that is no tensor.
            ValueError: rotated boxes.
        """
        if not isinstance(image, Tensor) or image.ndim != 3:
            got = tuple(image.shape) if isinstance(image, Tensor) else type(image).__name__
            raise TypeError(f"image: expected a tensor [C, H, W], got {got}; put ToImage() before")
        scene = cls(_plain(image))
        if isinstance(image, TVTensor):
            scene.types["image"] = image
        count = _count(target)
        for name, value in target.items():
            if isinstance(value, TVTensor):
                scene.types[name] = value
            if name in _MAPS and isinstance(value, Tensor) and value.ndim == 2:
                scene.maps[name] = _plain(value)
            elif count is not None and _belongs_to_objects(name, value, count):
                scene.objects[name] = _to_xyxy(value) if name == "boxes" else _plain(value)
            else:
                scene.rest[name] = value
        return scene

    def target(self) -> dict[str, Any]:
        """Return the entries, in the types that they came in."""
        found: dict[str, Any] = {**self.rest, **self.objects, **self.maps}
        for name, like in self.types.items():
            if name == "image" or name not in found or name in self.rest:
                continue
            if isinstance(like, BoundingBoxes):
                boxes = box_convert(found[name], "xyxy", like.format.name.lower())
                found[name] = BoundingBoxes.wrap(boxes, like, canvas_size=self.size)
            elif isinstance(like, KeyPoints):
                found[name] = KeyPoints.wrap(found[name], like, canvas_size=self.size)
            else:
                found[name] = type(like).wrap(found[name], like)
        return found

    def typed_image(self) -> Tensor:
        """Return the image in the type that it came in."""
        like = self.types.get("image")
        return self.image if like is None else type(like).wrap(self.image, like)


def _plain(value: Tensor) -> Tensor:
    return plain(value) if isinstance(value, TVTensor) else value


def _count(target: Mapping[str, Any]) -> int | None:
    for name in _COUNTING:
        value = target.get(name)
        if isinstance(value, Tensor) and value.ndim >= (3 if name == "masks" else 1):
            return len(value)
    return None


def _belongs_to_objects(name: str, value: Any, count: int) -> bool:
    return isinstance(value, Tensor) and value.ndim >= 1 and len(value) == count and name not in _OF_THE_PICTURE


def _to_xyxy(boxes: Tensor) -> Tensor:
    if not isinstance(boxes, BoundingBoxes) or boxes.format == BoundingBoxFormat.XYXY:
        return _plain(boxes)
    if boxes.shape[1] != 4:
        raise ValueError(f"boxes: expected an upright format, got {boxes.format.name}")
    return box_convert(_plain(boxes), boxes.format.name.lower(), "xyxy")


def join(first: Scene, *others: Scene) -> Scene:
    """Put the objects of several scenes into the first one. Entries that one of them lacks are left out."""
    shared = [name for name in first.objects if all(name in other.objects for other in others)]
    rows = {name: torch.cat([first.objects[name], *(other.objects[name] for other in others)]) for name in shared}
    return Scene(first.image, rows, dict(first.maps), dict(first.rest), dict(first.types))


class Batch:
    """A batch of scenes that remembers its form."""

    def __init__(self, form: Literal["columns", "pairs", "dicts"], stacked: bool, scenes: list[Scene]) -> None:
        self.form = form
        self.stacked = stacked
        self.scenes = scenes

    @classmethod
    def parse(cls, inputs: tuple[Any, ...]) -> Batch | None:
        """Recognise a batch, or return None."""
        if len(inputs) == 1 and _is_list(inputs[0]) and len(inputs[0]) > 0:
            samples = inputs[0]
            if all(isinstance(sample, Mapping) and "image" in sample for sample in samples):
                rest = [{name: value for name, value in sample.items() if name != "image"} for sample in samples]
                images = [sample["image"] for sample in samples]
                return cls("dicts", False, [Scene.parse(*pair) for pair in zip(images, rest, strict=True)])
            if all(_is_list(sample) and len(sample) == 2 and isinstance(sample[1], Mapping) for sample in samples):
                return cls("pairs", False, [Scene.parse(image, target) for image, target in samples])
            inputs = tuple(inputs[0])
        if len(inputs) != 2 or not _is_list(inputs[1]) or not all(isinstance(t, Mapping) for t in inputs[1]):
            return None
        images, targets = inputs
        if len(images) != len(targets):
            raise ValueError(f"targets: expected one for each of {len(images)} images, got {len(targets)}")
        scenes = [Scene.parse(image, target) for image, target in zip(images, targets, strict=True)]
        return cls("columns", isinstance(images, Tensor), scenes)

    def rebuild(self, scenes: list[Scene]) -> Any:
        """Return other scenes in the form of this batch."""
        if self.form == "dicts":
            return [{"image": scene.typed_image(), **scene.target()} for scene in scenes]
        if self.form == "pairs":
            return [(scene.typed_image(), scene.target()) for scene in scenes]
        targets = [scene.target() for scene in scenes]
        if self.stacked:
            return torch.stack([scene.image for scene in scenes]), targets
        return [scene.typed_image() for scene in scenes], targets


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes, Tensor))
