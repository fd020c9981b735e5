"""Frames that are shaped in several steps: resized, then cropped, then resized again."""

from __future__ import annotations

import torch
from torch import Tensor

from vision_io._pixels.deep import DeepSlots
from vision_io._pixels.raw_frame import RawFrame
from vision_io._pixels.resize import resize_normalised
from vision_io._pixels.shaped import ShapedSlots
from vision_io._pixels.store import FrameSlots
from vision_io._video.view import View
from vision_io.transforms import Step

__all__ = ["StagedSlots", "slots_for"]


class StagedSlots:
    """The slots of a clip whose frames take more than one step.

    Between steps pictures are bytes, rounded, as they would be if the steps were done one by one.

    Args:
        frames: CPU tensor (N, 3, H, W) of the view's dtype and any strides.
        view: What is made of each frame; it has steps.
        display_size: (height, width) of the frames before that.
    """

    def __init__(self, frames: Tensor, view: View, display_size: tuple[int, int]) -> None:
        self._frames = frames
        self._view = view
        first, *rest = view.steps
        opening = View(crop=first.crop, size=first.size)
        self._rest: list[Step] = rest
        self._picture = torch.empty((1, 3, *opening.output_size(*display_size)), dtype=torch.uint8, device="cpu")
        self._first = FrameSlots(self._picture) if opening.plain else ShapedSlots(self._picture, opening, display_size)

    def write(self, slot: int, frame: RawFrame) -> None:
        """Shape ``frame`` into slot ``slot``."""
        self._first.write(0, frame)
        picture = self._picture[0]
        target = self._frames[slot]
        for place, step in enumerate(self._rest):
            if step.crop is not None:
                top, left, height, width = step.crop
                picture = picture[:, top : top + height, left : left + width]
            if step.size is not None and place + 1 < len(self._rest):
                picture = _resized(picture, *step.size)
        if self._view.dtype == torch.uint8 and picture.shape[1:] == target.shape[1:]:
            target.copy_(picture.flip(-1) if self._view.flip else picture)
            return
        shaped = torch.empty(tuple(target.shape), dtype=torch.float32, device="cpu")
        factor, bias = self._view.affine()
        resize_normalised(picture, target.shape[1], target.shape[2], self._view.flip, factor, bias, shaped)
        target.copy_(_bytes(shaped) if self._view.dtype == torch.uint8 else shaped)

    def repeat(self, source: int, slot: int) -> None:
        """Copy slot ``source`` to ``slot``."""
        self._frames[slot].copy_(self._frames[source])


def _bytes(values: Tensor) -> Tensor:
    return values.round_().clamp_(0, 255).to(torch.uint8)


def _resized(picture: Tensor, height: int, width: int) -> Tensor:
    ones, zeros = (1.0, 1.0, 1.0, 0.0), (0.0, 0.0, 0.0, 0.0)
    shaped = torch.empty((3, height, width), dtype=torch.float32, device="cpu")
    resize_normalised(picture, height, width, False, ones, zeros, shaped)
    return _bytes(shaped)


Slots = FrameSlots | ShapedSlots | StagedSlots | DeepSlots


def slots_for(frames: Tensor, view: View, display_size: tuple[int, int], bits: int) -> Slots:
    """The slots of a clip, of the simplest kind that does what the view says for samples of so many bits."""
    if view.plain:
        return FrameSlots(frames)
    if bits > 8 and view.dtype.is_floating_point:
        return DeepSlots(frames, view)
    return StagedSlots(frames, view, display_size) if view.steps else ShapedSlots(frames, view, display_size)
