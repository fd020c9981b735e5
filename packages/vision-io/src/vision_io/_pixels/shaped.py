"""Writing parts of decoded frames, resized and normalised, into the slots of a clip."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from vision_io._native import kernels
from vision_io._pixels.colour import exact_coefficients, ffmpeg_coefficients
from vision_io._pixels.raw_frame import RawFrame
from vision_io._pixels.reference import uses_ffmpeg_arithmetic
from vision_io._pixels.resize import Four, resize_normalised
from vision_io._pixels.store import FrameSlots, chroma_planes, write_rgb
from vision_io._video.view import View

__all__ = ["ShapedSlots"]

_STORED = (torch.float32, torch.uint8)


class ShapedSlots:
    """The slots of a clip of shaped frames.

    Resizing averages with a triangle filter as wide as the scale (bilinear with antialias), in float arithmetic;
    numbers are rounded once, at the end, where they are handed out as bytes.

    Args:
        frames: CPU tensor (N, 3, H, W) of the view's dtype and any strides.
        view: What is made of each frame.
        display_size: (height, width) of the frames before that.
    """

    def __init__(self, frames: Tensor, view: View, display_size: tuple[int, int]) -> None:
        self._frames = frames
        self._view = view
        self._display_size = display_size
        self._region = view.region(*display_size)
        self._resizes = view.output_size(*display_size) != self._region[2:]
        self._affine = view.affine()

    def write(self, slot: int, frame: RawFrame) -> None:
        """Shape ``frame`` into slot ``slot``."""
        if frame.display_size != self._display_size:
            raise ValueError(f"frame of {frame.display_size} where {self._display_size} was expected (height, width)")
        target = self._frames[slot]
        if not self._resizes and target.dtype == torch.uint8:
            part = self._part(frame)
            target.copy_(part.flip(-1) if self._view.flip else part)
        elif target.dtype in _STORED and target.stride(2) == 1:
            self._shape(frame, target)
        else:
            dtype = torch.uint8 if target.dtype == torch.uint8 else torch.float32
            shaped = torch.empty(target.shape, dtype=dtype, device="cpu")
            self._shape(frame, shaped)
            target.copy_(shaped)

    def _shape(self, frame: RawFrame, target: Tensor) -> None:
        """The region, resized and normalised, as float32 or as rounded bytes with contiguous rows."""
        if _converts_rows(frame):
            _shape_yuv(frame, self._region, self._view.flip, self._affine, target)
        elif target.dtype == torch.float32 and target.is_contiguous():
            self._resize(self._part(frame), target)
        else:
            shaped = torch.empty(target.shape, dtype=torch.float32, device="cpu")
            self._resize(self._part(frame), shaped)
            target.copy_(shaped.round_().clamp_(0, 255) if target.dtype == torch.uint8 else shaped)

    def _resize(self, part: Tensor, target: Tensor) -> None:
        factor, bias = self._affine
        resize_normalised(part, target.shape[1], target.shape[2], self._view.flip, factor, bias, target)

    def repeat(self, source: int, slot: int) -> None:
        """Copy slot ``source`` to ``slot``."""
        self._frames[slot].copy_(self._frames[source])

    def _part(self, frame: RawFrame) -> Tensor:
        """The region as RGB bytes (3, height, width)."""
        top, left, height, width = self._region
        cut = _cut(frame, self._region)
        if cut is None:
            whole = torch.empty((1, 3, *self._display_size), dtype=torch.uint8, device="cpu")
            FrameSlots(whole).write(0, frame)
            return whole[0, :, top : top + height, left : left + width]
        cut_frame, down, across = cut
        rgb = np.empty((3, cut_frame.height, cut_frame.width), np.uint8)
        write_rgb(cut_frame, rgb.ctypes.data, cut_frame.height * cut_frame.width, cut_frame.width)
        return torch.from_numpy(rgb)[:, down : down + height, across : across + width]


def _converts_rows(frame: RawFrame) -> bool:
    """Whether the native path converts the rows of the frame while it resizes them."""
    turned = frame.rotation or frame.mirrored
    return kernels is not None and not turned and frame.format.family in ("yuv", "nv")


def _shape_yuv(
    frame: RawFrame, region: tuple[int, int, int, int], flip: bool, affine: tuple[Four, Four], target: Tensor
) -> None:
    """Convert, resize and normalise in one pass over the rows of the region."""
    assert kernels is not None
    layout = frame.format
    planes, strides, step = chroma_planes(frame)
    fixed = uses_ffmpeg_arithmetic(frame)
    if fixed:
        colour = (*ffmpeg_coefficients(frame.matrix, frame.full_range).as_tuple(), 0)
    else:
        colour = exact_coefficients(frame.matrix, frame.full_range, layout.bits).as_tuple()
    _, height, width = target.shape
    done = kernels.shape_yuv(
        planes, strides, (step, *layout.chroma_shift, layout.bytes_per_sample, layout.shift),
        (frame.height, frame.width), fixed, colour, region, (height, width), flip, *affine,
        target.dtype == torch.uint8, target.data_ptr(), target.stride(0), target.stride(1),
    )  # fmt: skip
    if not done:
        raise MemoryError(f"no memory to resize a frame of {frame.width}x{frame.height} pixels")


def _cut(frame: RawFrame, region: tuple[int, int, int, int]) -> tuple[RawFrame, int, int] | None:
    """The frame without most of what lies outside of the region, and where the region begins in it; None: all of it.

    Samples are cut at even places, so that each chroma sample stays with its pixels and the arithmetic is that of the
    whole frame.
    """
    layout = frame.format
    turned = frame.rotation or frame.mirrored
    if kernels is None or turned or layout.family not in ("yuv", "nv") or max(layout.chroma_shift) > 1:
        return None
    if frame.height % 2 or (region[2], region[3]) == (frame.height, frame.width):
        return None
    top, left, height, width = region
    above, before = top & ~1, left & ~1
    below = min((top + height + 1) & ~1, frame.height)
    behind = min((left + width + 1) & ~1, frame.width)
    size = layout.bytes_per_sample
    addresses = []
    for plane, (address, stride) in enumerate(zip(frame.addresses, frame.strides, strict=True)):
        right, down = layout.chroma_shift if plane in (1, 2) else (0, 0)
        pair = 2 if plane == 1 and layout.family == "nv" else 1
        addresses.append(address + (above >> down) * stride + (before >> right) * size * pair)
    cut = RawFrame(
        layout, behind - before, below - above, tuple(addresses), frame.strides, frame.buffers,
        frame.matrix, frame.full_range, 0, frame.owner,
    )  # fmt: skip
    return cut, top - above, left - before
