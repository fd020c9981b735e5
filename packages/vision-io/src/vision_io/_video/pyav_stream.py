"""A video stream that PyAV has opened, with its decoder set up."""

from __future__ import annotations

from typing import Any

from vision_io._deadline import Deadline
from vision_io._errors import DecodeError
from vision_io._limits import Limits
from vision_io._video.damage import ErrorPolicy
from vision_io._video.pyav_compat import code_of
from vision_io._video.pyav_open import Source, open_container, pick_stream
from vision_io._video.pyav_planes import PlaneReader

__all__ = ["OpenStream"]


class OpenStream:
    """Container, stream and decoder, and the planes of its frames.

    Args:
        source: Path, address, bytes, or a seekable object with ``read``.
        stream_index: Index among all streams of the file, or ``None`` for the best video stream.
        num_threads: Decoder threads; 0 lets FFmpeg choose.
        limits: Bounds checked before anything large is allocated.
        deadline: When to give up.
        errors: With another policy than ``"raise"`` errors come at the packet that causes them, and pictures that the
            decoder itself would hold back come out.
        planes: What takes the planes out of frames.
    """

    def __init__(
        self,
        source: Source,
        stream_index: int | None,
        num_threads: int,
        limits: Limits,
        deadline: Deadline,
        errors: ErrorPolicy = "raise",
        planes: type[PlaneReader] = PlaneReader,
    ) -> None:
        name = deadline.name
        self.container: Any = open_container(source, limits, deadline)
        try:
            self.stream: Any = pick_stream(self.container, stream_index, name)
            self.context: Any = self.stream.codec_context
            if self.context is None:
                raise DecodeError(f"{name}: stream {self.stream.index} uses a codec that this FFmpeg cannot decode")
            limits.check_picture(self.context.width, self.context.height, name)
            self.context.options = {"max_pixels": str(limits.max_pixels), **planes.decoder_options}
            if errors == "raise":
                self.context.thread_type = "FRAME" if num_threads > 1 else "AUTO"
            else:
                self.context.thread_type = "SLICE"
                self.context.flags = code_of(self.context.flags) | 8  # AV_CODEC_FLAG_OUTPUT_CORRUPT
            self.context.thread_count = num_threads
            self.planes = planes(self.context.name, limits, name)
        except BaseException:
            self.container.close()
            raise
