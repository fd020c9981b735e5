"""Frames of more than 8 bits as floating-point numbers: nothing is rounded on the way."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from vision_io._pixels.colour import exact_coefficients
from vision_io._pixels.raw_frame import RawFrame
from vision_io._pixels.resize import resize_floats
from vision_io._pixels.store import FrameSlots
from vision_io._video.view import View
from vision_io.transforms import Step

__all__ = ["DeepSlots", "deep_planes"]


class DeepSlots:
    """The slots of a clip of floating-point frames.

    Args:
        frames: CPU tensor (N, 3, H, W) of the view's floating-point dtype and any strides.
        view: What is made of each frame.
    """

    def __init__(self, frames: Tensor, view: View) -> None:
        self._frames = frames
        self._flip = view.flip
        # A size of one number is that of the shorter side: the slots tell the whole.
        size = (frames.shape[2], frames.shape[3]) if isinstance(view.size, int) else view.size
        self._steps = view.steps or (Step(view.crop, size),)
        factor, bias = view.affine()
        self._factor = torch.tensor(factor[:3], device="cpu")[:, None, None]
        self._bias = torch.tensor(bias[:3], device="cpu")[:, None, None]

    def write(self, slot: int, frame: RawFrame) -> None:
        """Shape ``frame`` into slot ``slot``."""
        picture = _displayed(deep_planes(frame), frame)
        target = self._frames[slot]
        for step in self._steps:
            if step.crop is not None:
                top, left, height, width = step.crop
                picture = picture[:, top : top + height, left : left + width]
            if step.size is not None and step.size != picture.shape[1:]:
                picture = resize_floats(picture, *step.size)
        if self._flip:
            picture = picture.flip(-1)
        if target.dtype == torch.float32:
            torch.addcmul(self._bias, picture, self._factor, out=target)
        else:
            target.copy_(torch.addcmul(self._bias, picture, self._factor))

    def repeat(self, source: int, slot: int) -> None:
        """Copy slot ``source`` to ``slot``."""
        self._frames[slot].copy_(self._frames[source])


def deep_planes(frame: RawFrame) -> Tensor:
    """RGB, float32 (3, H, W) on the scale 0..255, before rotation; each chroma sample is repeated over its pixels."""
    layout, width, height = frame.format, frame.width, frame.height
    if layout.bits == 8 or layout.family == "packed":
        shown = torch.empty((1, 3, *frame.display_size), dtype=torch.uint8, device="cpu")
        FrameSlots(shown).write(0, frame)
        return _stored(shown[0].float(), frame)
    if layout.family in ("gbr", "gray"):
        scale = 255.0 / ((1 << layout.bits) - 1)
        planes = [_floats(frame.plane(i, width, height)) for i in (layout.order or (0,))]
        return torch.stack(planes).mul_(scale).expand(3, height, width)
    c = exact_coefficients(frame.matrix, frame.full_range, layout.bits)
    luma = _floats(frame.plane(0, width, height), layout.shift).sub_(c.y_offset).mul_(c.y_gain)
    across, down = layout.chroma_size(width, height)
    if layout.family == "nv":
        pairs = frame.plane(1, 2 * across, down)
        u, v = (_floats(pairs[:, place::2], layout.shift).sub_(c.centre) for place in layout.order)
    else:
        u, v = (_floats(frame.plane(i, across, down)).sub_(c.centre) for i in (1, 2))
    rgb = torch.empty((3, height, width), device="cpu", dtype=torch.float32)
    colour = torch.stack([v * c.v_to_r, u * c.u_to_g + v * c.v_to_g, u * c.u_to_b])
    for axis, shift in ((2, layout.chroma_shift[0]), (1, layout.chroma_shift[1])):
        colour = colour.repeat_interleave(1 << shift, axis) if shift else colour
    return torch.add(luma, colour[:, :height, :width], out=rgb).clamp_(0, 255)


def _floats(samples: np.ndarray, shift: int = 0) -> Tensor:
    return torch.from_numpy((samples >> shift if shift else samples).astype(np.float32))


def _displayed(rgb: Tensor, frame: RawFrame) -> Tensor:
    """Turned and mirrored for display."""
    rgb = torch.rot90(rgb, frame.rotation // 90, (1, 2)) if frame.rotation else rgb
    return rgb.flip(-1) if frame.mirrored else rgb


def _stored(shown: Tensor, frame: RawFrame) -> Tensor:
    """The inverse of that."""
    shown = shown.flip(-1) if frame.mirrored else shown
    return torch.rot90(shown, -(frame.rotation // 90), (1, 2)) if frame.rotation else shown
