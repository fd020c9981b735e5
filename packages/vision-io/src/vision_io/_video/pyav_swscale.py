"""Frames from PyAV in the very colours of FFmpeg's own converter."""

from __future__ import annotations

from typing import Any

from vision_io._pixels.raw_frame import RawFrame
from vision_io._video.pyav_source import PyAVSource

__all__ = ["SwscaleSource"]


class SwscaleSource(PyAVSource):
    """As :class:`PyAVSource`, but every picture goes through swscale to ``rgb24``, as ``frame.to_ndarray`` does it.

    The kernels give the same numbers for 8-bit 4:2:0 of even height. In other formats swscale interpolates chroma and
    truncates: this source serves those who compare with pixels that were made so.
    """

    def _raw(self, frame: Any, turn: int | None = None) -> RawFrame:
        rotation = self._rotation(frame) if turn is None else turn
        if frame.format.name != "rgb24":
            self._limits.check_picture(frame.width, frame.height, self.name)
            frame = self._convert(frame, "rgb24")
        return super()._raw(frame, rotation)
