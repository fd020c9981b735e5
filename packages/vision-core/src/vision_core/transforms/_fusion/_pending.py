"""An image with what is still to be done to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vision_core._pixels._memory import holds_bytes
from vision_core._pixels._pass import PassStep, run_pass
from vision_core._resize_window import Box, resize_window
from vision_core.transforms._fusion._fallback import one_by_one
from vision_core.transforms._fusion._joined_warp import Warp
from vision_core.transforms._fusion._rules import Role, Rules
from vision_core.transforms.functional._dispatch import array_to_tensor, tensor_to_array
from vision_core.transforms.functional._flip import horizontal_flip_image, vertical_flip_image
from vision_core.tv_tensors import Image, Video
from vision_core.tv_tensors._base import plain

__all__ = ["Pending", "start"]

_FLOATS = (torch.float32, torch.float16, torch.bfloat16)
_NOTHING = torch.zeros((), dtype=torch.uint8)  # its views stand for images of which only the size matters
_NO_VALUE = np.zeros((), dtype=np.uint8)


def start(leaf: Any, tolerant: bool) -> Pending | None:
    """Return an image to which steps can be done later, or None where there are no passes for it."""
    kind = type(leaf)
    if kind is Tensor:
        pixels = leaf
    elif kind is Image or kind is Video:
        pixels = plain(leaf)
    elif kind is np.ndarray and leaf.dtype == np.uint8 and leaf.ndim >= 2:
        pixels = array_to_tensor(leaf)
    else:
        return None
    return Pending(leaf, pixels, kind, tolerant) if holds_bytes(pixels) else None


class Pending(Rules):
    """An 8-bit image on the CPU, and the steps that wait.

    The methods that are named as roles add a step; they return why they cannot, or "".

    Args:
        leaf: the image as it came.
        pixels: the same as a plain tensor `[..., C, H, W]`.
        kind: type of the result; arrays are `[..., H, W, C]`, or `[H, W]` if the leaf is.
        tolerant: see `Rules`.
    """

    top = left = 0  # of the region in what there is, or in what is resampled
    mirrored = upside_down = planar = False
    resize_to: tuple[Box, tuple[int, int], str, bool] | None = None
    warp: Warp | None = None
    dtype = torch.uint8
    mean: Sequence[float] | None = None
    std: Sequence[float] | None = None

    def __init__(self, leaf: Any, pixels: Tensor, kind: type, tolerant: bool) -> None:
        self.tolerant = tolerant
        self.leaf, self.pixels, self.kind = leaf, pixels, kind
        self._shape = shape = pixels.shape
        self.channels, self.height, self.width = shape[-3:]
        self.steps: list[PassStep] = []
        self.members: list[Any] = []
        self._stand_in: Any = leaf

    def stand_in(self) -> Any:
        """Return something of the type and size that the image has after the steps."""
        if self._stand_in is None:
            *batch, channels = self._shape[:-2]
            if self.kind is np.ndarray:
                size = (self.height, self.width) if self.leaf.ndim == 2 else (*batch, self.height, self.width, channels)
                self._stand_in = np.broadcast_to(_NO_VALUE, size)
            else:
                self._stand_in = self._typed(_NOTHING.expand(*batch, channels, self.height, self.width))
        return self._stand_in

    def retype(self, kind: type) -> None:
        """Let the result be of another type."""
        if kind is not self.kind:
            self.kind, self._stand_in = kind, None

    def crop(self, top: int, left: int, height: int, width: int) -> str:
        """Keep a region."""
        reason = self.refusal("crop")
        if reason:
            return reason
        if top < 0 or left < 0 or top + height > self.height or left + width > self.width:
            return "the region reaches beyond the image"
        if height < 1 or width < 1:
            return "the region has no pixels"
        self.top += self.height - top - height if self.upside_down else top
        self.left += self.width - left - width if self.mirrored else left
        self.height, self.width, self._stand_in = height, width, None
        return ""

    def flip(self, horizontally: bool) -> None:
        """Mirror left to right, or turn upside down."""
        self.flipped = True
        if horizontally:
            self.mirrored = not self.mirrored
        else:
            self.upside_down = not self.upside_down

    def resize(self, size: tuple[int, int], interpolation: str, antialias: bool) -> str:
        """Resize to (height, width)."""
        if size == (self.height, self.width):
            return ""
        reason = self.refusal("resize") or ("" if min(size) > 0 else "there are no pixels in the result")
        if reason:
            return reason
        self.resampled = "resize"
        self.resize_to = ((self.top, self.left, self.height, self.width), size, interpolation, antialias)
        self.top = self.left = 0
        self.height, self.width, self._stand_in = *size, None
        return ""

    def map(self, role: Role, warp: Warp) -> str:
        """Warp by a mapping; `warp` is about the image as it is after the steps before."""
        reason = self.refusal(role)
        if reason:
            return reason
        if self.warp is not None:
            if (self.warp.interpolation, self.warp.fill) != (warp.interpolation, warp.fill):
                return "two ways to interpolate or to fill are not one"
            region = (self.top, self.left, self.mirrored, self.upside_down)
            joined = self.warp.seen_through(region, (self.height, self.width)).then(warp)
            if not joined.is_affine and joined.size != joined.source:
                return "a perspective keeps the size of the image"
            self.top = self.left = 0
            self.mirrored = self.upside_down = False
        else:
            joined = warp
            mirrored, upside_down = self.mirrored, self.upside_down
            if mirrored or upside_down:  # of the source, which is read mirrored now
                joined = warp.from_mirrored(mirrored, upside_down, (self.height, self.width))
                self.mirrored = self.upside_down = False
            self._settle_region()
        self.warp, self.resampled = joined, role
        self.height, self.width = warp.size
        self._stand_in = None
        return ""

    def add_colours(self, steps: Sequence[PassStep]) -> None:
        """Change colours, which `refusal` has been asked for."""
        for step in steps:
            self.coloured = True
            if step[0] == "contrast":
                self.statistics = True
            self.steps.append(step)

    def scale(self, dtype: torch.dtype) -> str:
        """Convert to floating point in 0..1."""
        reason = self.refusal("scale")
        if reason or dtype not in _FLOATS:
            return reason or f"there is no pass that makes {dtype}"
        self.scaled, self.dtype = True, dtype
        return ""

    def normalise(self, mean: Sequence[float], std: Sequence[float]) -> str:
        """Subtract and divide, channel by channel."""
        reason = self.refusal("normalise")
        if reason:
            return reason
        if self.dtype != torch.float32 and not self.tolerant:
            return f"{self.dtype} is rounded after each step"
        channels = self.pixels.shape[-3]
        if len(mean) not in (1, channels) or len(std) not in (1, channels) or not all(std):
            return "mean and std do not fit the image"
        self.normalised, self.mean, self.std = True, mean, std
        return ""

    def _settle_region(self) -> None:
        """Cut the region out of what is there, as a view."""
        height, width = self.pixels.shape[-2:]
        if self.height != height:
            self.pixels = self.pixels.narrow(-2, self.top, self.height)
        if self.width != width:
            self.pixels = self.pixels.narrow(-1, self.left, self.width)
        self.top = self.left = 0

    def finish(self, passes: list[str] | None = None) -> Any:
        """Do all that waits, and return the image.

        Args:
            passes: gets a line for each pass over the pixels.
        """
        if self.resampled:
            self._resample(passes)
        mirrored, upside_down = self.mirrored, self.upside_down
        if self.steps or self.scaled or (mirrored and upside_down):
            result = self._colour_pass(passes)
        else:
            self._settle_region()
            result = self.pixels
            if mirrored or upside_down:
                _tell(passes, "a flip")
                result = horizontal_flip_image(result) if mirrored else vertical_flip_image(result)
            elif not self.resampled and self.kind is type(self.leaf) and result.shape == self._shape:
                return self.leaf  # nothing was to be done
        return self._typed(result)

    def _typed(self, result: Tensor) -> Any:
        if self.kind is Tensor:
            return result
        return tensor_to_array(result, self.leaf.ndim) if self.kind is np.ndarray else result.as_subclass(self.kind)

    def _resample(self, passes: list[str] | None) -> None:
        if self.resize_to is not None:
            region, size, interpolation, antialias = self.resize_to
            window, mirrored = (self.top, self.left, self.height, self.width), self.mirrored
            _tell(passes, "resize" + (" of a window" * (window != (0, 0, *size))) + (", mirrored" * mirrored))
            self.pixels = resize_window(self.pixels, region, size, window, mirrored, interpolation, antialias)
            self.mirrored = False
            self.top = self.left = 0
        elif self.warp is not None:
            warp = self.warp
            if (self.mirrored or self.upside_down) and warp.can_mirror and (self.height, self.width) == warp.size:
                warp = warp.mirrored(self.mirrored, self.upside_down)
                self.mirrored = self.upside_down = False
            _tell(passes, f"{warp.name} warp")
            self.pixels = warp.run(self.pixels)

    def _colour_pass(self, passes: list[str] | None) -> Tensor:
        mirrored, upside_down = self.mirrored, self.upside_down
        if passes is not None:
            parts = ["mirrored"] * (mirrored or upside_down) + [str(step[0]) for step in self.steps]
            parts += ["to " + str(self.dtype).removeprefix("torch.")] * self.scaled + ["normalised"] * self.normalised
            passes.append(f"one pass over the pixels ({', '.join(parts)})")
        result = run_pass(
            self.pixels,
            (self.top, self.left, self.height, self.width),
            self.steps,
            mirrored,
            upside_down,
            self.dtype,
            self.mean,
            self.std,
            planar=self.planar,
        )
        if result is not None:
            return result
        self._settle_region()
        image = self.pixels.flip([-1]) if mirrored else self.pixels
        image = image.flip([-2]) if upside_down else image
        return one_by_one(image, self.steps, self.dtype if self.scaled else None, self.mean, self.std, self.planar)


def _tell(passes: list[str] | None, what: str) -> None:
    if passes is not None:
        passes.append(what)
