"""Nested inputs as a flat list of leaves, and back; and the types that the keys of sample dicts tell.

Dicts, lists and tuples of any nesting are walked, as is whatever else torch's pytrees know. In a dict with an `image`
or a `video`, plain tensors and arrays have a meaning by their key:

| key | holds |
|---|---|
| `image` | an image `[..., C, H, W]`, array `[..., H, W, C]` |
| `video` | frames `[..., T, C, H, W]`, array `[..., T, H, W, C]` |
| `boxes` | `[N, 4]`, left, top, right, bottom in pixels |
| `masks`, `mask` | `[N, H, W]` or `[H, W]` |
| `keypoints` | `[N, K, 2]` x, y, or `[N, K, 3]` with visibility |

Everything else (`labels`, `scores`, text, numbers) passes through.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from vision_core._pillow import is_pil_image
from vision_core.transforms.functional._dispatch import array_to_tensor, tensor_to_array
from vision_core.tv_tensors import BoundingBoxes, BoundingBoxFormat, Image, KeyPoints, Mask, TVTensor, Video
from vision_core.tv_tensors._base import plain

__all__ = ["ROLES", "Sample", "canvas_of", "is_pure", "role_of"]

_DICTS = (dict, OrderedDict, defaultdict)
_TYPES = {"image": Image, "video": Video, "boxes": BoundingBoxes, "masks": Mask, "mask": Mask, "keypoints": KeyPoints}

# What a leaf is to a transform, by its type; 0 is what transforms do not look at.
_OTHER, _TYPED, _IMAGE, _TENSOR, _ARRAY = range(5)
ROLES: dict[type, int] = {
    **dict.fromkeys((bool, bytes, float, int, str, type(None)), _OTHER),
    **dict.fromkeys((BoundingBoxes, KeyPoints, Mask), _TYPED),
    **dict.fromkeys((Image, Video), _IMAGE),
    Tensor: _TENSOR,
    np.ndarray: _ARRAY,
}


def role_of(leaf: Any) -> int:
    """Return what a leaf is to a transform; 0: nothing."""
    role = ROLES.get(type(leaf))
    if role is not None:
        return role
    if isinstance(leaf, TVTensor):
        return _IMAGE if isinstance(leaf, (Image, Video)) else _TYPED
    if isinstance(leaf, Tensor):
        return _TENSOR
    if isinstance(leaf, np.ndarray):
        return _ARRAY
    if is_pil_image(leaf):
        ROLES[type(leaf)] = _IMAGE  # from now on, as Pillow is imported
        return _IMAGE
    return _OTHER


def is_pure(leaf: Any) -> bool:
    """Whether a leaf is a tensor or an array whose type says nothing about what it holds."""
    return type(leaf) is Tensor or (isinstance(leaf, (Tensor, np.ndarray)) and not isinstance(leaf, TVTensor))


def canvas_of(leaf: Any) -> tuple[int, int] | None:
    """Return (height, width) of the image, video or mask that a leaf is, or that its boxes are in, or None."""
    if isinstance(leaf, (BoundingBoxes, KeyPoints)):
        return leaf.canvas_size
    if isinstance(leaf, Tensor):
        return (leaf.shape[-2], leaf.shape[-1]) if leaf.ndim >= 2 else None
    if isinstance(leaf, np.ndarray):
        return leaf.shape[-3 if leaf.ndim > 2 else -2 :][:2] if leaf.ndim >= 2 else None
    return (leaf.height, leaf.width) if is_pil_image(leaf) else None


class Sample:
    """The leaves of nested inputs.

    Attributes:
        inputs: the arguments of a call, which the leaves are of.
        leaves: in the order of the nesting; transforms replace them here.
        origins: for a part of a batch, what each leaf is: (position in the batch's leaves, entry or None for all).
    """

    __slots__ = ("_is_part", "_keyed", "inputs", "leaves", "origins")

    def __init__(self, inputs: tuple[Any, ...]) -> None:
        self.start(inputs)

    def start(self, inputs: tuple[Any, ...]) -> None:
        """Take the leaves of other inputs."""
        self.inputs = inputs
        self._is_part = False
        self.leaves: list[Any] = []
        self._keyed: dict[int, int] = {}  # position of what got its type from its key: ndim of an array, 0: a tensor
        for node in inputs:
            if type(node) in ROLES:
                self.leaves.append(node)
            else:
                self._collect(node)

    def _collect(self, node: Any) -> None:
        kind = type(node)
        if kind in ROLES:
            self.leaves.append(node)
        elif kind in _DICTS:
            for key, value in node.items():
                if key in _TYPES and is_pure(value) and (canvas := _canvas_of_dict(node)) is not None:
                    self._keyed[len(self.leaves)] = value.ndim if isinstance(value, np.ndarray) else 0
                    self.leaves.append(_typed_by_key(key, value, canvas))
                elif type(value) in ROLES:
                    self.leaves.append(value)
                else:
                    self._collect(value)
        elif kind is tuple or kind is list or (isinstance(node, tuple) and hasattr(node, "_fields")):
            for value in node:
                self._collect(value)
        elif kind in pytree.SUPPORTED_NODES:
            self.leaves.extend(pytree.tree_leaves(node))
        else:
            self.leaves.append(node)

    @classmethod
    def part(cls, origins: list[tuple[int, int | None]], leaves: list[Any]) -> Sample:
        """Return a sample with some leaves of another one, or with one entry of each."""
        part = cls.__new__(cls)
        part.inputs = ()
        part._keyed = {}
        part._is_part = True
        part.origins = origins
        part.leaves = leaves
        return part

    def chosen(self) -> list[int]:
        """Return the positions of the leaves that a transform gets.

        These are typed tensors and PIL images and, where none of them is an image or a video, the first plain tensor
        or array: what comes behind is taken for labels.
        """
        if self._is_part:  # of what was chosen in the batch
            return list(range(len(self.leaves)))
        typed, pure, has_image = [], -1, False
        for position, leaf in enumerate(self.leaves):
            role = ROLES.get(type(leaf))
            role = role_of(leaf) if role is None else role
            if role == _IMAGE:
                typed.append(position)
                has_image = True
            elif role == _TYPED:
                typed.append(position)
            elif role and pure < 0 and (role == _TENSOR or leaf.ndim > 1):
                pure = position
        return typed if has_image or pure < 0 else sorted([*typed, pure])

    def rebuild(self) -> Any:
        """Return the leaves in the nesting of the inputs, one input without a tuple around it.

        What got its type from its key loses it again.
        """
        if len(self.inputs) == 1 and type(self.inputs[0]) in ROLES:
            return self.leaves[0]
        restored = list(self.leaves) if self._keyed else self.leaves
        for position, ndim in self._keyed.items():
            leaf = restored[position]
            if isinstance(leaf, TVTensor):
                values: Any = plain(leaf)
                if ndim:
                    values = tensor_to_array(values, ndim) if isinstance(leaf, Video) else values.numpy()
                restored[position] = values
        leaves = iter(restored)
        if len(self.inputs) == 1:
            return _build(self.inputs[0], leaves)
        return tuple([_build(node, leaves) for node in self.inputs])


def _canvas_of_dict(node: dict[Any, Any]) -> tuple[int, int] | None:
    image = node.get("image")
    return canvas_of(node.get("video") if image is None else image)


def _typed_by_key(key: str, value: Any, canvas: tuple[int, int]) -> Any:
    if isinstance(value, np.ndarray):
        if key in ("image", "video"):
            return value if key == "image" else array_to_tensor(value).as_subclass(Video)
        value = torch.from_numpy(value)
    typed: Any = value.as_subclass(_TYPES[key])
    if key == "boxes":
        typed.format, typed.canvas_size, typed.clamping_mode = BoundingBoxFormat.XYXY, canvas, "soft"
    elif key == "keypoints":
        typed.canvas_size = canvas
    return typed


def _build(template: Any, leaves: Iterator[Any]) -> Any:
    kind = type(template)
    if kind in ROLES:
        return next(leaves)
    if kind is dict:
        return {k: next(leaves) if type(v) in ROLES else _build(v, leaves) for k, v in template.items()}
    if kind is tuple or kind is list:
        return kind([next(leaves) if type(v) in ROLES else _build(v, leaves) for v in template])
    if kind in _DICTS:
        built = template.copy()
        for key, value in template.items():
            built[key] = _build(value, leaves)
        return built
    if isinstance(template, tuple) and hasattr(template, "_fields"):
        return kind(*[_build(value, leaves) for value in template])
    if kind in pytree.SUPPORTED_NODES:
        structure = pytree.tree_structure(template)
        return pytree.tree_unflatten([next(leaves) for _ in range(structure.num_leaves)], structure)
    return next(leaves)
