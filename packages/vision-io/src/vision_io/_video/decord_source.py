"""Frames from decord."""

from __future__ import annotations

import io
from fractions import Fraction
from typing import Any

import numpy as np

from vision_io._errors import DecodeError, MissingDependencyError
from vision_io._limits import Limits
from vision_io._video.frame_index import FrameIndex
from vision_io._video.frame_source import StreamFacts
from vision_io._video.pyav_open import Source, source_name
from vision_io._video.rgb_frames import PicturesByNumber, as_path, index_by_times, refuse_what_is_no_video
from vision_io._video.saved_index import VideoIndex

__all__ = ["DecordSource", "import_decord"]

_UNKNOWN = "unknown"


def import_decord() -> Any:
    """decord, imported at the first use.

    Raises:
        MissingDependencyError: It is not installed.
    """
    try:
        import decord  # pyright: ignore[reportMissingImports]
    except (ImportError, OSError) as error:
        raise MissingDependencyError(
            "backend='decord' needs decord, which is not installed or cannot be loaded; install it with: "
            f"pip install 'vision-io[decord]' ({error})"
        ) from error
    return decord


class DecordSource(PicturesByNumber):
    """A :class:`~vision_io._video.frame_source.FrameSource` over decord. Not safe for use by two threads at once.

    Times begin at 0 whatever the file says, and what an edit list leaves out is shown. decord tells neither codec nor
    pixel format, has no choice of stream, and scans the packets itself at each opening.

    Args:
        source: Path, address, bytes, or an object with ``read``, which is read whole.
        stream_index: Must be ``None``.
        num_threads: Decoder threads; 0 lets decord choose.
        limits: Bounds, checked when the first picture is there.
        saved: Must be ``None``.
    """

    def __init__(
        self,
        source: Source,
        stream_index: int | None,
        num_threads: int,
        limits: Limits,
        saved: VideoIndex | None = None,
    ) -> None:
        decord = import_decord()
        self.name = source_name(source)
        if saved is not None:
            raise DecodeError(
                f"{self.name}: decord scans the packets itself and takes no index=...; leave it out, or choose "
                "backend='video_reader'"
            )
        if stream_index is not None:
            raise DecodeError(
                f"{self.name}: decord always reads the best video stream; for stream_index={stream_index} choose "
                "backend='video_reader'"
            )
        refuse_what_is_no_video(source)
        self._failures = (decord.DECORDError, RuntimeError, OSError, IndexError, TypeError)
        try:
            self._reader: Any = decord.VideoReader(_decord_input(source), ctx=decord.cpu(0), num_threads=num_threads)
            count = len(self._reader)
        except self._failures as error:
            raise DecodeError(f"{self.name}: decord cannot open it as a video: {_words(error)}") from error
        if count == 0:
            raise DecodeError(f"{self.name}: decord finds no frame in it")
        limits.check_frames(count, self.name)
        self.index = self._indexed(count)
        limits.check_seconds(self.index.pts_seconds[-1] - self.index.pts_seconds[0], self.name)
        height, width = self._picture(0).shape[:2]
        limits.check_picture(width, height, self.name)
        rate = self._reader.get_avg_fps()
        self.facts = StreamFacts(
            stream_index=-1,
            codec=_UNKNOWN,
            pixel_format=_UNKNOWN,
            width=width,
            height=height,
            rotation=0,
            average_rate=Fraction(rate).limit_denominator(1001) if rate > 0 else None,
            bit_rate=None,
            pixel_aspect_ratio=None,
            matrix=2,
            full_range=False,
            container=_UNKNOWN,
        )

    @property
    def saved(self) -> VideoIndex:
        """Decord cannot be given an index, so that there is nothing to keep."""
        raise DecodeError(
            f"{self.name}: decord knows the frames but not the packets of a video, so that no index can be kept; "
            "choose backend='video_reader'"
        )

    def _indexed(self, count: int) -> FrameIndex:
        times = np.asarray(self._reader.get_frame_timestamp(np.arange(count)), dtype=np.float64)
        keys = [int(key) for key in self._reader.get_key_indices()]
        try:
            return index_by_times(times[:, 0], times[:, 1] - times[:, 0], keys)
        except ValueError:  # single precision cannot tell the times apart, or the file has none
            rate = self._reader.get_avg_fps()
            step = 1 / rate if rate > 0 else 0.04
            return index_by_times(np.arange(count) * step, np.full(count, step), keys)

    def _picture(self, number: int) -> np.ndarray:
        try:
            picture = self._reader[number]  # a tensor of whatever library decord's bridge was set to
        except self._failures as error:
            raise DecodeError(f"{self.name}: frame {number} cannot be decoded by decord: {_words(error)}") from error
        return picture.asnumpy() if hasattr(picture, "asnumpy") else np.asarray(picture)

    def close(self) -> None:
        """Free the file and the decoder."""
        self._reader = None


def _decord_input(source: Source) -> Any:
    path = as_path(source)
    if path is not None:
        return path
    if isinstance(source, (bytes, bytearray, memoryview)):
        return io.BytesIO(source)
    source.seek(0)  # type: ignore[union-attr]
    return source


def _words(error: Exception) -> str:
    """The last line of decord's message; what stands before it is a stack trace."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = [line for line in lines if "]" in line and "Stack trace" not in line]
    return (told or lines or [type(error).__name__])[0].rpartition("] ")[2]
