"""Frames of PyAV in the very colours of FFmpeg's own converter."""

from __future__ import annotations

from typing import Any

from vision_io._pixels.raw_frame import RawFrame
from vision_io._video.pyav_planes import PlaneReader

__all__ = ["SwscaleReader"]


class SwscaleReader(PlaneReader):
    """As :class:`PlaneReader`, but every picture goes through swscale to ``rgb24``, as ``frame.to_ndarray`` does it.

    The kernels give the same numbers for 8-bit 4:2:0 of even height. In other formats swscale interpolates chroma and
    truncates: this reader serves those who compare with pixels that were made so.
    """

    def raw(self, frame: Any, orientation: tuple[int, bool] | None = None) -> RawFrame:
        """The frame as packed RGB."""
        orientation = self.orientation(frame) if orientation is None else orientation
        if frame.format.name != "rgb24":
            self._limits.check_picture(frame.width, frame.height, self._name)
            frame = self._convert(frame, "rgb24")
        return super().raw(frame, orientation)
