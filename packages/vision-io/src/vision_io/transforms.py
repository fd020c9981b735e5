"""What a video decoder may do to every frame, in the words of torchvision: ``VideoDecoder(..., transforms=[...])``.

The classes describe; the decoder applies them while it converts the pixels. Names and arguments are TorchCodec's.
Transforms of torchvision, and of libraries that follow it, are accepted as well where they mean the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

__all__ = ["CenterCrop", "DecoderTransform", "RandomCrop", "Resize", "Step", "steps_of"]


@dataclass(frozen=True, slots=True)
class Step:
    """One change of a picture: what is kept of it, or how large it becomes.

    Attributes:
        crop: (top, left, height, width), or ``None`` for all of it.
        size: (height, width), or ``None`` to leave it as it is.
    """

    crop: tuple[int, int, int, int] | None = None
    size: tuple[int, int] | None = None


class DecoderTransform:
    """Base class of the transforms of this module.

    Args:
        size: (height, width) of the result; :class:`Resize` takes an integer too, for the shorter side.
    """

    def __init__(self, size: int | Sequence[int]) -> None:
        sizes = [size] if isinstance(size, int) else [int(value) for value in size]
        if len(sizes) not in (1, 2) or min(sizes) < 1:
            raise ValueError(f"size: got {size}, expected (height, width) of 1 pixel or more")
        self.size = sizes

    def __repr__(self) -> str:
        return f"{type(self).__name__}(size={self.size})"

    def step(self, height: int, width: int) -> Step:
        """The change for a picture of this size."""
        raise TypeError(f"{type(self).__name__}: expected Resize, CenterCrop or RandomCrop")


class Resize(DecoderTransform):
    """Resize frames, bilinear with antialias.

    Args:
        size: (height, width), or what the shorter side becomes.

    Examples:
        >>> Resize((224, 224)).step(480, 640)
        Step(crop=None, size=(224, 224))
        >>> Resize(240).step(480, 640).size
        (240, 320)
    """

    def step(self, height: int, width: int) -> Step:
        """The change for a picture of this size."""
        if len(self.size) == 2:
            return Step(size=(self.size[0], self.size[1]))
        short, long = min(height, width), max(height, width)
        long = max(int(self.size[0] * long / short), 1)
        return Step(size=(self.size[0], long) if height <= width else (long, self.size[0]))


class CenterCrop(DecoderTransform):
    """Keep the middle of frames.

    Args:
        size: (height, width); one number stands for both.

    Examples:
        >>> CenterCrop((100, 200)).step(480, 640).crop
        (190, 220, 100, 200)
    """

    def step(self, height: int, width: int) -> Step:
        """The change for a picture of this size."""
        rows, columns = _within(self, height, width)
        return Step(crop=(round((height - rows) / 2.0), round((width - columns) / 2.0), rows, columns))


class RandomCrop(DecoderTransform):
    """Keep a part of frames, the same of all of them, chosen when the decoder is made.

    Args:
        size: (height, width); one number stands for both.

    Examples:
        >>> RandomCrop((480, 640)).step(480, 640).crop
        (0, 0, 480, 640)
    """

    def step(self, height: int, width: int) -> Step:
        """The change for a picture of this size; torch's global random numbers choose the place."""
        rows, columns = _within(self, height, width)
        top = int(torch.randint(0, height - rows + 1, ()))
        left = int(torch.randint(0, width - columns + 1, ()))
        return Step(crop=(top, left, rows, columns))


def _within(transform: DecoderTransform, height: int, width: int) -> tuple[int, int]:
    rows, columns = transform.size[0], transform.size[-1]
    if rows > height or columns > width:
        raise ValueError(
            f"{transform!r}: does not fit into frames of {height} x {width} (height x width); a decoder does not pad"
        )
    return rows, columns


_OURS: dict[str, type[DecoderTransform]] = {"Resize": Resize, "CenterCrop": CenterCrop, "RandomCrop": RandomCrop}
# Arguments that torchvision's transforms have and a decoder has not, with the values that ask for nothing else.
_PLAIN: dict[str, tuple[Any, ...]] = {
    "interpolation": ("bilinear", 2),
    "antialias": (True,),
    "max_size": (None,),
    "padding": (None,),
    "pad_if_needed": (False,),
}


def _as_ours(transform: Any) -> DecoderTransform:
    if isinstance(transform, DecoderTransform):
        return transform
    kind = type(transform).__name__
    size = getattr(transform, "size", None)
    if kind not in _OURS or size is None:
        raise TypeError(
            f"transforms: got {kind}, expected Resize, CenterCrop or RandomCrop, of this package or of torchvision; "
            "flip=, mean= and std= of the decoder do what RandomHorizontalFlip and Normalize do"
        )
    for name, plain in _PLAIN.items():
        value = getattr(transform, name, plain[0])
        if getattr(value, "value", value) not in plain:
            raise ValueError(f"transforms: {kind}({name}={value}) is not what a decoder does; expected {plain[0]!r}")
    return _OURS[kind](size if isinstance(size, int) else tuple(size))


def steps_of(transforms: Iterable[Any], height: int, width: int) -> tuple[Step, ...]:
    """What transforms do to frames of one size, one after the other, as few steps as they are.

    Args:
        transforms: Of this module, or torchvision's of the same names.
        height: Rows of a frame.
        width: Columns of a frame.

    Raises:
        TypeError: A transform that a decoder does not do.
        ValueError: One that does not fit into the frames, or has settings that a decoder does not know.

    Examples:
        >>> steps_of([Resize((240, 320)), CenterCrop((224, 224))], 480, 640)
        (Step(crop=None, size=(240, 320)), Step(crop=(8, 48, 224, 224), size=None))
        >>> steps_of([CenterCrop((400, 400)), CenterCrop((200, 200)), Resize((64, 64))], 480, 640)
        (Step(crop=(140, 220, 200, 200), size=(64, 64)),)
    """
    steps: list[Step] = []
    for transform in transforms:
        step = _as_ours(transform).step(height, width)
        last = steps[-1] if steps else None
        if last is not None and last.size is None and last.crop is not None:
            steps.pop()
            crop = last.crop
            if step.crop is not None:
                crop = (last.crop[0] + step.crop[0], last.crop[1] + step.crop[1], *step.crop[2:])
            step = Step(crop, step.size)
        steps.append(step)
        height, width = step.size or (step.crop[2:] if step.crop is not None else (height, width))
    return tuple(steps)
