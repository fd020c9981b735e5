"""A decoded picture as it lies in the decoder's memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from vision_io._pixels.formats import PixelFormat

__all__ = ["RawFrame"]


class RawFrame:
    """Planes of one decoded picture, without a copy.

    The planes stay valid while ``owner`` lives. Addresses serve the native kernels, buffers the NumPy reference.

    Attributes:
        format: Layout of the planes.
        width: Pixels of a row, before rotation.
        height: Rows, before rotation.
        addresses: Address of the top-left sample of each plane.
        strides: Bytes from one row to the next of each plane.
        buffers: The planes as objects with the buffer protocol.
        matrix: ISO/IEC 23091-2 MatrixCoefficients code.
        full_range: Whether samples use their whole range.
        rotation: Degrees (0, 90, 180, 270) by which the picture has to be turned counter-clockwise for display.
        owner: Keeps the memory alive.
        mirrored: Whether it has to be mirrored left to right afterwards.
        time: When it is shown and for how long, in ticks of the stream, where the source does not know beforehand.
    """

    __slots__ = (
        "addresses",
        "buffers",
        "format",
        "full_range",
        "height",
        "matrix",
        "mirrored",
        "owner",
        "rotation",
        "strides",
        "time",
        "width",
    )

    def __init__(
        self,
        format: PixelFormat,
        width: int,
        height: int,
        addresses: tuple[int, ...],
        strides: tuple[int, ...],
        buffers: tuple[Any, ...],
        matrix: int = 2,
        full_range: bool = False,
        rotation: int = 0,
        owner: object = None,
        mirrored: bool = False,
    ) -> None:
        self.format = format
        self.width = width
        self.height = height
        self.addresses = addresses
        self.strides = strides
        self.buffers = buffers
        self.matrix = matrix
        self.full_range = full_range
        self.rotation = rotation
        self.owner = owner
        self.mirrored = mirrored
        self.time: tuple[int, int] | None = None

    @property
    def display_size(self) -> tuple[int, int]:
        """Height and width after rotation."""
        return (self.width, self.height) if self.rotation % 180 else (self.height, self.width)

    def plane(self, index: int, width: int, height: int) -> np.ndarray:
        """Plane ``index`` as a view (height, width) of uint8 or uint16 samples, without padding."""
        size = self.format.bytes_per_sample
        flat = np.frombuffer(self.buffers[index], dtype=np.uint8)
        stride = self.strides[index]
        dtype = np.dtype(np.uint8 if size == 1 else "<u2")
        return np.ndarray((height, width), dtype, flat, 0, (stride, size))
