"""Writing decoded frames into tensors, each straight into its slot."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from vision_io._native import kernels
from vision_io.pixels.colour import exact_coefficients, ffmpeg_coefficients
from vision_io.pixels.raw_frame import RawFrame
from vision_io.pixels.reference import rgb_planes, uses_ffmpeg_arithmetic

__all__ = ["FrameSlots", "empty_uint8"]


def empty_uint8(*shape: int) -> Tensor:
    """An uninitialised uint8 tensor.

    NumPy asks the system for huge pages for large arrays and torch does not; first touches of a fresh clip cost a third.
    """
    return torch.from_numpy(np.empty(shape, dtype=np.uint8))


class FrameSlots:
    """The slots of a clip tensor.

    Args:
        frames: uint8 CPU tensor (N, 3, H, W) of any strides; a permuted view of a (3, N, H, W) clip serves as well.
    """

    def __init__(self, frames: Tensor) -> None:
        self._frames = frames
        self._base = frames.data_ptr()
        self._strides = frames.stride()
        self._size = (frames.shape[2], frames.shape[3])

    def write(self, slot: int, frame: RawFrame) -> None:
        """Convert ``frame`` to RGB, turned for display, into slot ``slot``; sizes must agree."""
        if frame.display_size != self._size:
            raise ValueError(f"frame of {frame.display_size} does not fit into slots of {self._size} (height, width)")
        direct = kernels is not None and self._strides[3] == 1 and not frame.rotation
        if direct:
            stride = self._strides
            write_rgb(frame, self._base + slot * stride[0], stride[1], stride[2])
            return
        if kernels is None:
            rgb = torch.from_numpy(rgb_planes(frame))
        else:
            rgb = torch.empty((3, frame.height, frame.width), dtype=torch.uint8)
            write_rgb(frame, rgb.data_ptr(), frame.height * frame.width, frame.width)
        if frame.rotation:
            rgb = torch.rot90(rgb, frame.rotation // 90, (1, 2))
        self._frames[slot].copy_(rgb)

    def repeat(self, source: int, slot: int) -> None:
        """Copy slot ``source`` to ``slot``."""
        self._frames[slot].copy_(self._frames[source])
