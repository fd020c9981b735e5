"""In what form frames are handed out: which part, how large, which way round, in which numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypedDict

import torch

from vision_io._pixels.resize import Four, normalisation
from vision_io.transforms import Step, steps_of

__all__ = ["FrameOptions", "View"]

_DTYPES = (torch.uint8, torch.float16, torch.bfloat16, torch.float32)
_RGB = 3


class FrameOptions(TypedDict, total=False):
    """Arguments of :class:`vision_io.VideoDecoder` that each of its methods can replace for one call."""

    crop: Sequence[int] | None
    size: int | Sequence[int] | None
    flip: bool
    mean: Sequence[float] | float | None
    std: Sequence[float] | float | None
    dtype: torch.dtype | None


@dataclass(frozen=True)
class View:
    """The options, checked; `crop` and `size` are None where nothing changes.

    Attributes:
        crop: (top, left, height, width) of the part that is kept.
        size: int: what its shorter side becomes; or (height, width).
        flip: Mirror it left to right.
        mean: Per channel, on the scale 0..1.
        std: Per channel, on the scale 0..1.
        dtype: uint8 (0..255), or a floating-point type (0..1 before `mean` and `std`).
        steps: More than one change of the picture, in order; `crop` and `size` are None then.
    """

    crop: tuple[int, int, int, int] | None = None
    size: int | tuple[int, int] | None = None
    flip: bool = False
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    dtype: torch.dtype = torch.uint8
    steps: tuple[Step, ...] = ()

    @staticmethod
    def of(options: FrameOptions) -> View:
        """Check the options.

        Raises:
            ValueError: One is out of its range, or two contradict each other.
        """
        mean, std = (_per_channel(name, options.get(name)) for name in ("mean", "std"))
        if std is not None and not all(value > 0 for value in std):
            raise ValueError(f"std: got {std}, expected positive numbers on the scale 0..1")
        normalised = mean is not None or std is not None
        dtype = options.get("dtype") or (torch.float32 if normalised else torch.uint8)
        if dtype not in _DTYPES:
            raise ValueError(f"dtype: got {dtype}, expected one of {', '.join(map(str, _DTYPES))}")
        if normalised and dtype == torch.uint8:
            raise ValueError("mean, std: cannot be applied to torch.uint8; leave dtype out, or choose torch.float32")
        crop, size = options.get("crop"), options.get("size")
        return View(
            crop=None if crop is None else _crop(crop),
            size=None if size is None else _size(size),
            flip=bool(options.get("flip", False)),
            mean=mean,
            std=std,
            dtype=dtype,
        )

    def replaced(self, options: FrameOptions) -> View:
        """This view with other options for one call."""
        if not options:
            return self
        mine: dict[str, Any] = {
            "crop": self.crop,
            "size": self.size,
            "flip": self.flip,
            "mean": self.mean,
            "std": self.std,
            "dtype": self.dtype,
        }
        unknown = set(options) - set(mine)
        if unknown:
            raise TypeError(f"unknown options {', '.join(sorted(unknown))}; there are {', '.join(mine)}")
        if self.dtype == torch.uint8 and "dtype" not in options:
            mine["dtype"] = None  # a mean given for this call chooses float32
        view = View.of({**mine, **options})  # type: ignore[typeddict-item]
        kept = "crop" not in options and "size" not in options
        return replace(view, steps=self.steps) if self.steps and kept else view

    def transformed(self, transforms: Sequence[Any], height: int, width: int) -> View:
        """This view with transforms for frames of this size, in the place of `crop` and `size`."""
        steps = steps_of(transforms, height, width)
        if len(steps) == 1:
            return replace(self, crop=steps[0].crop, size=steps[0].size)
        return replace(self, steps=steps)

    @property
    def plain(self) -> bool:
        """Frames are handed out as they are."""
        return self == _PLAIN

    def region(self, height: int, width: int) -> tuple[int, int, int, int]:
        """The part (top, left, height, width) of frames of this size.

        Raises:
            ValueError: It does not lie within them.
        """
        if self.crop is None:
            return 0, 0, height, width
        top, left, rows, columns = self.crop
        if top + rows > height or left + columns > width:
            raise ValueError(
                f"crop: rows {top} to {top + rows} and columns {left} to {left + columns} do not lie within frames of "
                f"{height} x {width} (height x width)"
            )
        return self.crop

    def output_size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of what is handed out for frames of this size."""
        if self.steps:
            crop, size = self.steps[-1].crop, self.steps[-1].size
            return size or (crop[2:] if crop is not None else (height, width))
        _, _, height, width = self.region(height, width)
        if self.size is None:
            return height, width
        if isinstance(self.size, tuple):
            return self.size
        short, long = min(height, width), max(height, width)
        long = max(int(self.size * long / short), 1)
        return (self.size, long) if height <= width else (long, self.size)

    def affine(self) -> tuple[Four, Four]:
        """Factor and summand per channel that take bytes to the numbers handed out."""
        if self.dtype == torch.uint8:
            return (1.0, 1.0, 1.0, 0.0), (0.0, 0.0, 0.0, 0.0)
        return normalisation(_RGB, self.mean, self.std)


_PLAIN = View()


def _per_channel(name: str, value: Sequence[float] | float | None) -> tuple[float, ...] | None:
    if value is None:
        return None
    values = (float(value),) * _RGB if isinstance(value, (int, float)) else tuple(float(v) for v in value)
    if len(values) != _RGB or not all(map(math.isfinite, values)):
        raise ValueError(f"{name}: got {value}, expected one finite number, or three for R, G and B")
    return values


def _crop(crop: Sequence[int]) -> tuple[int, int, int, int]:
    if len(crop) != 4 or min(crop) < 0 or min(crop[2:]) < 1:
        raise ValueError(f"crop: got {tuple(crop)}, expected (top, left, height, width) in pixels of a displayed frame")
    top, left, height, width = (int(value) for value in crop)
    return top, left, height, width


def _size(size: int | Sequence[int]) -> int | tuple[int, int]:
    sizes = (size,) if isinstance(size, int) else tuple(int(value) for value in size)
    if len(sizes) not in (1, 2) or min(sizes) < 1:
        raise ValueError(f"size: got {size}, expected the shorter side, or (height, width), of 1 pixel or more")
    return sizes[0] if len(sizes) == 1 else (sizes[0], sizes[1])
