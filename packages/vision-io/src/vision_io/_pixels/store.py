"""Writing decoded frames into tensors, each straight into its slot."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from vision_io._native import kernels
from vision_io._pixels.colour import exact_coefficients, ffmpeg_coefficients
from vision_io._pixels.raw_frame import RawFrame
from vision_io._pixels.reference import rgb_planes, uses_ffmpeg_arithmetic

__all__ = ["FrameSlots", "FreshPages", "chroma_planes", "empty_frames", "empty_uint8", "write_rgb"]


# NumPy asks the system for huge pages for large arrays and torch does not; that makes first writes three times as fast.
# For very large ones the gain is lost on virtual machines that hand free memory back to their host: whole huge pages
# are what they hand back, and the host has to find them again one small page at a time. FreshPages serves those.
_HUGE_PAGES_UP_TO = 256 << 20

# Clips larger than any cache are not in it when they are read, so that they need not go through it when written.
_CACHED_UP_TO = 32 << 20
_LINE = 64
# Tensors of so many bytes, the usual clips, take memory that an earlier one has left; the native module keeps 64 MiB.
_RECYCLED = (4 << 20, 64 << 20)


def empty_uint8(*shape: int) -> Tensor:
    """An uninitialised uint8 tensor."""
    if math.prod(shape) > _HUGE_PAGES_UP_TO:
        return torch.empty(shape, dtype=torch.uint8, device="cpu")
    size = math.prod(shape)
    if kernels is not None and _RECYCLED[0] <= size <= _RECYCLED[1]:
        recycled = kernels.recycled(size)
        if recycled is not None:
            return torch.from_numpy(recycled).view(*shape)
    if size <= _CACHED_UP_TO:
        return torch.from_numpy(np.empty(shape, dtype=np.uint8))
    memory = np.empty(size + _LINE, dtype=np.uint8)
    begin = -memory.ctypes.data % _LINE  # stores past the cache take whole lines
    return torch.from_numpy(memory[begin : begin + size].reshape(shape))


def empty_frames(shape: Sequence[int], dtype: torch.dtype) -> Tensor:
    """An uninitialised tensor."""
    if dtype == torch.uint8:
        return empty_uint8(*shape)
    return empty_uint8(math.prod(shape) * dtype.itemsize).view(dtype).view(*shape)


class FreshPages:
    """Backs slots of a large new tensor with pages, each slot at once.

    Args:
        frames: (N, 3, H, W), of any strides.
    """

    def __init__(self, frames: Tensor) -> None:
        size = frames.element_size()
        slot, channel, row, column = (stride * size for stride in frames.stride())
        _, channels, height, width = frames.shape
        plane = height * width * size
        self._slot, self._base = slot, frames.data_ptr()
        self._parts: list[tuple[int, int]] = []
        if kernels is None or frames.numel() * size <= _HUGE_PAGES_UP_TO:
            return
        interleaved = (channel, column, row) == (size, channels * size, channels * width * size)
        if not interleaved and (row, column) != (width * size, size):
            return
        if channel == plane or interleaved:
            self._parts = [(0, channels * plane)]
        else:
            self._parts = [(i * channel, plane) for i in range(channels)]

    def prepare(self, slot: int) -> None:
        """Slot ``slot`` is about to be written for the first time."""
        for offset, size in self._parts:
            kernels.populate(self._base + slot * self._slot + offset, size)  # pyright: ignore[reportOptionalMemberAccess]


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
        self._passing = frames.numel() > _CACHED_UP_TO
        self._planes: tuple[Tensor, FrameSlots] | None = None

    def write(self, slot: int, frame: RawFrame) -> None:
        """Convert ``frame`` to RGB, turned for display, into slot ``slot``; sizes must agree."""
        if frame.display_size != self._size:
            raise ValueError(f"frame of {frame.display_size} does not fit into slots of {self._size} (height, width)")
        if kernels is None:
            shown = _turned(rgb_planes(frame), frame.rotation)
            self._frames[slot].copy_(torch.from_numpy(shown[..., ::-1].copy() if frame.mirrored else shown))
            return
        if frame.mirrored:
            self._write_mirrored(slot, frame)
            return
        if self._strides[3] != 1:
            self._write_strided(slot, frame)
            return
        slot_stride, channel_stride, row_stride, _ = self._strides
        address = self._base + slot * slot_stride
        if frame.rotation:
            height, width = frame.height, frame.width
            upright = np.empty((3, height, width), dtype=np.uint8)
            write_rgb(frame, upright.ctypes.data, height * width, width)
            quarters = frame.rotation // 90
            kernels.turn(upright.ctypes.data, width, height, 3, quarters, address, channel_stride, row_stride)
        else:
            write_rgb(frame, address, channel_stride, row_stride, self._passing)

    def _write_strided(self, slot: int, frame: RawFrame) -> None:
        """By way of planes, which stay in the cache."""
        assert kernels is not None
        if self._planes is None:
            planes = torch.empty((1, 3, *self._size), dtype=torch.uint8, device="cpu")
            self._planes = planes, FrameSlots(planes)
        planes, writer = self._planes
        writer.write(0, frame)
        slot_stride, channel, row, column = self._strides
        if (channel, column) != (1, 3):
            self._frames[slot].copy_(planes[0])
            return
        height, width = self._size
        address = self._base + slot * slot_stride
        kernels.join(planes.data_ptr(), height * width, width, height, width, address, row)

    def _write_mirrored(self, slot: int, frame: RawFrame) -> None:
        whole = torch.empty((1, 3, *self._size), dtype=torch.uint8, device="cpu")
        frame.mirrored = False
        try:
            FrameSlots(whole).write(0, frame)
        finally:
            frame.mirrored = True
        self._frames[slot].copy_(whole[0].flip(-1))

    def repeat(self, source: int, slot: int) -> None:
        """Copy slot ``source`` to ``slot``."""
        self._frames[slot].copy_(self._frames[source])


def _turned(rgb: np.ndarray, rotation: int) -> np.ndarray:
    return np.ascontiguousarray(np.rot90(rgb, rotation // 90, (1, 2)))


def write_rgb(frame: RawFrame, address: int, channel_stride: int, row_stride: int, passing: bool = False) -> None:
    """Convert a frame with the native kernels to three planes of bytes.

    Args:
        frame: What to convert, before rotation.
        address: Where the first sample of R goes. The caller owns that memory and guarantees its size.
        channel_stride: Bytes from R to G and from G to B.
        row_stride: Bytes from one row to the next.
        passing: Keep the result out of the cache where that is faster: nobody reads it soon.
    """
    assert kernels is not None
    layout, width, height = frame.format, frame.width, frame.height
    if layout.family in ("yuv", "nv"):
        planes, strides, step = chroma_planes(frame)
        if uses_ffmpeg_arithmetic(frame):
            fixed = ffmpeg_coefficients(frame.matrix, frame.full_range).as_tuple()
            kernels.fixed_420(planes, strides, step, width, height, fixed, address, channel_stride, row_stride, passing)
            return
        exact = exact_coefficients(frame.matrix, frame.full_range, layout.bits).as_tuple()
        kernels.exact(
            planes, strides, step, layout.chroma_shift, layout.bytes_per_sample, layout.shift, width, height, exact,
            address, channel_stride, row_stride,
        )  # fmt: skip
        return
    if layout.family == "packed":
        kernels.split(
            frame.addresses[0], frame.strides[0], width, height, layout.step, (*layout.order, 0), 3,
            address, channel_stride, row_stride,
        )  # fmt: skip
        return
    for channel, plane in enumerate(layout.order or (0, 0, 0)):
        to = address + channel * channel_stride
        if layout.bits == 8:
            kernels.split(
                frame.addresses[plane], frame.strides[plane], width, height, 1, (0, 0, 0, 0), 1, to, 0, row_stride
            )
        else:
            factor = 255.0 / ((1 << layout.bits) - 1)
            kernels.words_to_bytes(frame.addresses[plane], frame.strides[plane], width, height, factor, to, row_stride)


def chroma_planes(frame: RawFrame) -> tuple[tuple[int, int, int], tuple[int, int, int], int]:
    """Addresses and strides of Y, U and V, and the distance of two chroma samples."""
    if frame.format.family == "yuv":
        return frame.addresses[:3], frame.strides[:3], 1  # pyright: ignore[reportReturnType]
    luma, pairs = frame.addresses[:2]
    size = frame.format.bytes_per_sample
    u, v = (pairs + place * size for place in frame.format.order)
    return (luma, u, v), (frame.strides[0], frame.strides[1], frame.strides[1]), 2
