"""Frames from TorchCodec."""

from __future__ import annotations

from contextlib import closing
from fractions import Fraction
from typing import Any

import numpy as np

from vision_io._errors import DecodeError, LimitError, MissingDependencyError
from vision_io._limits import Limits
from vision_io._video.frame_index import FrameIndex
from vision_io._video.frame_source import StreamFacts
from vision_io._video.pyav_open import Source, source_name
from vision_io._video.rgb_frames import (
    PicturesByNumber,
    as_path,
    check_saved,
    index_by_times,
    records_of,
    refuse_what_is_no_video,
)
from vision_io._video.saved_index import VideoIndex, size_of

__all__ = ["TorchCodecSource", "import_torchcodec", "torchcodec_input"]

# ISO/IEC 23091-2 codes of FFmpeg's names.
_MATRICES = {"rgb": 0, "gbr": 0, "bt709": 1, "fcc": 4, "bt470bg": 5, "smpte170m": 6, "smpte240m": 7, "bt2020nc": 9}
_SCAN_FRAMES = 64
_SAME_TIME = 1e-4  # seconds


def import_torchcodec() -> Any:
    """TorchCodec's decoders, imported at the first use.

    Raises:
        MissingDependencyError: It is not installed, or finds no FFmpeg of the system.
    """
    try:
        from torchcodec import decoders  # pyright: ignore[reportMissingImports]
    except (ImportError, OSError, RuntimeError) as error:
        first = str(error).strip().splitlines() or [type(error).__name__]
        raise MissingDependencyError(
            "backend='torchcodec' needs TorchCodec and an FFmpeg of the system, one of which is missing or cannot be "
            f"loaded; install it with: pip install 'vision-io[torchcodec]' ({first[0]})"
        ) from error
    return decoders


def torchcodec_input(source: Source) -> Any:
    """The source in a form that TorchCodec takes."""
    path = as_path(source)
    if path is not None:
        return path
    if isinstance(source, (bytes, bytearray, memoryview)):
        return bytes(source)
    source.seek(0)  # type: ignore[union-attr]
    return source


class TorchCodecSource(PicturesByNumber):
    """A :class:`~vision_io._video.frame_source.FrameSource` over TorchCodec. Not safe for use by two threads at once.

    TorchCodec tells the times of frames only with their pictures. They come from the packets where PyAV is installed
    too, or from an index of the file by whichever backend; else opening decodes the stream once.

    Args:
        source: Path, address, bytes, or a seekable object with ``read``.
        stream_index: Index among all streams of the file, or ``None`` for the best video stream.
        num_threads: Decoder threads; 0 lets FFmpeg choose.
        limits: Bounds, checked by what the file says of itself.
        saved: What opening the same source found out before.
    """

    def __init__(
        self,
        source: Source,
        stream_index: int | None,
        num_threads: int,
        limits: Limits,
        saved: VideoIndex | None = None,
    ) -> None:
        decoders = import_torchcodec()
        self.name = source_name(source)
        refuse_what_is_no_video(source)
        self._file_size = size_of(source)
        packets = _packet_index(source, stream_index, limits) if saved is None else None
        try:
            self._decoder: Any = decoders.VideoDecoder(
                torchcodec_input(source),
                stream_index=stream_index,
                dimension_order="NHWC",
                num_ffmpeg_threads=num_threads,
                device="cpu",
            )
            facts = self._decoder.metadata
            self._stream_index = int(self._decoder.stream_index)
            count = len(self._decoder)
        except (RuntimeError, ValueError, OSError, TypeError) as error:
            raise DecodeError(f"{self.name}: TorchCodec cannot open it as a video: {_words(error)}") from error
        if not count or not facts.width or not facts.height:
            raise DecodeError(f"{self.name}: TorchCodec finds no frame in it")
        limits.check_frames(count, self.name)
        limits.check_picture(facts.width, facts.height, self.name)
        check_saved(saved, count, self.name)
        if saved is None and packets is not None and self._agrees(packets, count):
            saved = packets
        self.index = self._scanned(count) if saved is None else saved.frames
        limits.check_seconds(self.index.pts_seconds[-1] - self.index.pts_seconds[0], self.name)
        self._records = records_of(self.index) if saved is None else saved.records
        self.facts = self._told(facts)

    @property
    def saved(self) -> VideoIndex:
        """What opening found out; without PyAV it serves this backend alone."""
        return VideoIndex(self._stream_index, self._file_size, self.index, self._records)

    def _told(self, facts: Any) -> StreamFacts:
        rotation = round(getattr(facts, "rotation", None) or 0) % 360
        height, width = self._picture(0).shape[:2]  # turned already
        if rotation % 180:
            height, width = width, height
        pixel_format = getattr(facts, "pixel_format", None) or "unknown"
        rate = facts.average_fps_from_header
        return StreamFacts(
            stream_index=self._stream_index,
            codec=facts.codec or "unknown",
            pixel_format=pixel_format,
            width=width,
            height=height,
            rotation=rotation,
            average_rate=Fraction(rate).limit_denominator(1001) if rate else None,
            bit_rate=int(facts.bit_rate) if facts.bit_rate else None,
            pixel_aspect_ratio=facts.pixel_aspect_ratio,
            matrix=_MATRICES.get(getattr(facts, "color_space", None) or "", 2),
            full_range=pixel_format.startswith("yuvj"),
            container="unknown",
        )

    def _agrees(self, packets: VideoIndex, count: int) -> bool:
        """Whether an index made by PyAV lists what TorchCodec finds: the number of frames, the first and the last."""
        times = packets.frames.pts_seconds
        if packets.stream_index != self._stream_index or len(packets) != count:
            return False
        ends = (self._checked(self._decoder.get_frame_at, number).pts_seconds for number in (0, count - 1))
        return all(abs(told - listed) < _SAME_TIME for told, listed in zip(ends, times[[0, -1]], strict=True))

    def _scanned(self, count: int) -> FrameIndex:
        """Decode everything once for the times of the frames."""
        times, durations = [], []
        for start in range(0, count, _SCAN_FRAMES):
            batch = self._checked(self._decoder.get_frames_in_range, start, min(start + _SCAN_FRAMES, count))
            times.append(batch.pts_seconds.numpy())
            durations.append(batch.duration_seconds.numpy())
        try:
            keys = [int(key) for key in self._decoder._get_key_frame_indices()]
        except (AttributeError, RuntimeError):
            keys = []
        try:
            return index_by_times(np.concatenate(times), np.concatenate(durations), keys)
        except ValueError as error:
            raise DecodeError(f"{self.name}: TorchCodec tells times of its frames that do not rise") from error

    def _checked(self, call: Any, *arguments: int) -> Any:
        try:
            return call(*arguments)
        except (RuntimeError, ValueError, IndexError) as error:
            raise DecodeError(
                f"{self.name}: frame {arguments[0]} cannot be decoded by TorchCodec: {_words(error)}"
            ) from error

    def _picture(self, number: int) -> np.ndarray:
        frame = self._checked(self._decoder.get_frame_at, number)
        listed = float(self.index.pts_seconds[number])
        if abs(frame.pts_seconds - listed) >= _SAME_TIME:
            raise DecodeError(
                f"{self.name}: TorchCodec shows frame {number} at {frame.pts_seconds} s, the index at {listed} s; "
                "open it without this index"
            )
        return frame.data.numpy()

    def close(self) -> None:
        """Free the file and the decoder."""
        self._decoder = None


def _packet_index(source: Source, stream_index: int | None, limits: Limits) -> VideoIndex | None:
    """The index that PyAV makes of the packets, or ``None`` where it is not installed or cannot read the file."""
    from vision_io._video.pyav_source import PyAVSource

    try:
        with closing(PyAVSource(source, stream_index, 1, limits)) as opened:
            return opened.saved
    except LimitError:
        raise
    except (MissingDependencyError, DecodeError):
        return None


def _words(error: Exception) -> str:
    """The first line of TorchCodec's message; what follows it is a stack trace."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
