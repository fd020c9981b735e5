"""Frames to video files."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

import numpy as np
from torch import Tensor

from vision_io._errors import EncodeError
from vision_io._video.audio_frames import AudioTrack
from vision_io._video.pyav_open import import_av

__all__ = ["VideoEncoder", "as_array", "frame_rate"]

_NTSC = (24, 30, 48, 60, 120)
# Containers that FFmpeg cannot guess from a file object without a name.
_DEFAULT_FORMAT = "mp4"


def as_array(values: Tensor | np.ndarray) -> np.ndarray:
    """A tensor of any device, or an array, as an array."""
    return values.detach().cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)


def frame_rate(fps: float | Fraction) -> Fraction:
    """A frame rate as an exact fraction; 29.97, 23.976 and their kin become the broadcast rates n * 1000 / 1001.

    Examples:
        >>> frame_rate(29.97), frame_rate(25), frame_rate(12.5)
        (Fraction(30000, 1001), Fraction(25, 1), Fraction(25, 2))
    """
    if not (isinstance(fps, (int, float, Fraction)) and fps > 0 and math.isfinite(fps)):
        raise EncodeError(f"fps: got {fps!r}, expected a positive number")
    if isinstance(fps, float):
        for rate in _NTSC:
            if abs(fps - rate * 1000 / 1001) < 1e-3 * 1.5:
                return Fraction(rate * 1000, 1001)
        return Fraction(fps).limit_denominator(1001)
    return Fraction(fps)


class VideoEncoder:
    """Writes frames to a video file as they come.

    Args:
        path: File to write (the container follows its suffix), or a writable seekable binary file object (MP4).
        fps: Frame rate; floats near 29.97 and the like become exact broadcast rates.
        codec: FFmpeg's name of the encoder. ``"libx264"`` (H.264), ``"libx265"``, ``"libsvtav1"``, ``"libvpx-vp9"``,
            ``"mpeg4"``, ... as the installed PyAV has them.
        crf: Constant quality (0 best; 23 is x264's default), for encoders that know it.
        preset: Speed against size, ``"ultrafast"`` to ``"veryslow"``, for encoders that know it.
        bit_rate: Target bits per second, instead of ``crf``.
        pixel_format: What the encoder receives; ``"yuv420p"`` plays everywhere.
        options: Further options of the encoder, name to value.
        num_threads: Encoder threads; 0 lets FFmpeg choose.
        audio_rate: Samples per second of a sound track, which :meth:`write_audio` fills; ``None`` for none.
        audio_channels: 1 or 2.
        audio_codec: FFmpeg's name of the audio encoder.
        audio_options: Options of the audio encoder, name to value.

    Raises:
        EncodeError: The codec is unknown, or a setting is refused.
        MissingDependencyError: PyAV is not installed.

    Examples:
        >>> with VideoEncoder("ramp.mp4", fps=30, crf=18) as encoder:  # doctest: +SKIP
        ...     for level in range(60):
        ...         encoder.write(torch.full((3, 128, 160), level * 4, dtype=torch.uint8))
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | IO[bytes],
        *,
        fps: float | Fraction,
        codec: str = "libx264",
        crf: float | None = None,
        preset: str | None = None,
        bit_rate: int | None = None,
        pixel_format: str = "yuv420p",
        options: Mapping[str, object] | None = None,
        num_threads: int = 0,
        audio_rate: int | None = None,
        audio_channels: int = 2,
        audio_codec: str = "aac",
        audio_options: Mapping[str, object] | None = None,
    ) -> None:
        self._av = import_av()
        self._rate = frame_rate(fps)
        self._name = os.fspath(path) if isinstance(path, (str, os.PathLike)) else getattr(path, "name", "<file object>")
        self._codec, self._pixel_format, self._threads = codec, pixel_format, num_threads
        self._options = {name: str(value) for name, value in (options or {}).items()}
        if crf is not None:
            self._options["crf"] = str(crf)
        if preset is not None:
            self._options["preset"] = preset
        self._bit_rate = bit_rate
        self._size: tuple[int, int] | None = None
        self._count = 0
        self._audio: AudioTrack | None = None
        self._audio_settings = None
        if audio_rate is not None:
            texts = {name: str(value) for name, value in (audio_options or {}).items()}
            self._audio_settings = (audio_rate, audio_codec, audio_channels, texts)
        self._check_codec()
        self._closed = False
        self._container = self._open(path)

    def _check_codec(self) -> None:
        try:
            codec = self._av.Codec(self._codec, "w")
        except (ValueError, LookupError) as error:
            raise EncodeError(
                f"codec: this FFmpeg has no encoder {self._codec!r}; try 'libx264', or 'mpeg4' where that is missing"
            ) from error
        known = [format.name for format in codec.video_formats or ()]
        if known and self._pixel_format not in known:
            raise EncodeError(
                f"pixel_format: {self._codec} does not take {self._pixel_format!r}; it takes {', '.join(known)}"
            )

    def _open(self, path: str | os.PathLike[str] | IO[bytes]) -> Any:
        try:
            if isinstance(path, (str, os.PathLike)):
                parent = Path(path).parent
                if not parent.is_dir():
                    raise EncodeError(f"{self._name}: the folder {parent} does not exist")
                format = None if Path(path).suffix else _DEFAULT_FORMAT
                return self._av.open(os.fspath(path), mode="w", format=format)
            return self._av.open(path, mode="w", format=_DEFAULT_FORMAT)
        except (self._av.error.FFmpegError, OSError) as error:
            raise EncodeError(f"{self._name}: cannot be written: {error.strerror or error}") from error
        except ValueError as error:
            if isinstance(error, EncodeError):
                raise
            raise EncodeError(
                f"{self._name}: no container format belongs to this name; use .mp4, .mkv, .mov, ..."
            ) from error

    # -- stream --------------------------------------------------------------------------------------------------

    def _check_frame_size(self, height: int, width: int) -> None:
        format = self._av.VideoFormat(self._pixel_format, 16, 16)
        across, down = 16 // format.chroma_width(), 16 // format.chroma_height()
        if height < 1 or width < 1 or width % across or height % down:
            raise EncodeError(
                f"frames of {width}x{height} (width x height) cannot be stored as {self._pixel_format}: "
                f"the width must be a multiple of {across}, the height of {down}; crop or pad them, "
                "or use pixel_format='yuv444p'"
            )

    def _start(self, height: int, width: int) -> None:
        self._check_frame_size(height, width)
        stream = self._container.add_stream(self._codec, rate=self._rate)
        stream.width, stream.height, stream.pix_fmt = width, height, self._pixel_format
        stream.codec_context.thread_count = self._threads
        if self._bit_rate is not None:
            stream.bit_rate = self._bit_rate
        stream.options = dict(self._options)
        stream.time_base = 1 / self._rate
        stream.codec_context.time_base = 1 / self._rate
        if self._audio_settings is not None:
            self._audio = AudioTrack(self._container, *self._audio_settings)
        self._stream = stream
        self._size = (height, width)
        self._reformatter = _reformatter()
        self._picture = None

    def _mux(self, frame: Any) -> None:
        try:
            for packet in self._stream.encode(frame):
                self._container.mux(packet)
        except (self._av.error.FFmpegError, OSError) as error:
            raise EncodeError(
                f"{self._name}: {self._codec} fails at frame {self._count}: {error.strerror or error}"
            ) from error

    def write(self, frames: Tensor | np.ndarray) -> None:
        """Append frames.

        Args:
            frames: RGB uint8, (3, H, W) or (T, 3, H, W); a single channel (1, H, W) is taken as gray. All frames of a
                file have one size.

        Raises:
            EncodeError: Wrong shape, dtype or size, or the encoder fails.
        """
        if self._closed:
            raise EncodeError(f"{self._name}: the encoder is closed")
        array = as_array(frames)
        if array.dtype != np.uint8:
            raise EncodeError(
                f"frames: got {array.dtype}, expected uint8 in 0..255; scale and convert float frames first"
            )
        if array.ndim == 3:
            array = array[None]
        if array.ndim != 4 or array.shape[1] not in (1, 3):
            raise EncodeError(
                f"frames: got shape {tuple(array.shape)}, expected (3, H, W) or (T, 3, H, W)"
                + (
                    "; frames (T, H, W, C) need .permute(0, 3, 1, 2)"
                    if array.ndim == 4 and array.shape[-1] == 3
                    else ""
                )
            )
        for picture in array:
            self._write_one(picture)

    def _write_one(self, picture: np.ndarray) -> None:
        height, width = picture.shape[1:]
        if self._size is None:
            self._start(height, width)
        elif self._size != (height, width):
            raise EncodeError(
                f"frame {self._count}: got {width}x{height}, the file holds {self._size[1]}x{self._size[0]} "
                "(width x height)"
            )
        if self._picture is None or self._pixel_format == "gbrp":  # an encoder may hold on to what it is given
            self._picture = self._av.VideoFrame(width, height, "gbrp")
            self._views = [_plane_view(plane, height, width) for plane in self._picture.planes]
        for view, channel in zip(self._views, (1, 2, 0), strict=True):
            view[:] = picture[channel % picture.shape[0]]
        frame = self._reformatter.reformat(self._picture, format=self._pixel_format)
        frame.pts, frame.time_base = self._count, 1 / self._rate
        self._mux(frame)
        self._count += 1

    def write_audio(self, samples: Tensor | np.ndarray) -> None:
        """Append sound; needs ``audio_rate`` and at least one frame written before.

        Args:
            samples: (channels, n): floats in -1..1, or int16.
        """
        if self._audio is None:
            raise EncodeError(f"{self._name}: sound needs audio_rate=... and a frame written before it")
        self._audio.write(as_array(samples))

    # -- life ----------------------------------------------------------------------------------------------------

    @property
    def frames_written(self) -> int:
        """How many frames were taken so far."""
        return self._count

    def close(self) -> None:
        """Finish the file. Closing twice is allowed."""
        if self._closed:
            return
        self._closed = True
        try:
            if self._size is not None:
                self._mux(None)
            if self._audio is not None:
                self._audio.close()
        finally:
            self._container.close()

    def __enter__(self) -> VideoEncoder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _plane_view(plane: Any, height: int, width: int) -> np.ndarray:
    """A writable view of a plane without its padding, (H, W) uint8."""
    flat = np.frombuffer(plane, dtype=np.uint8)
    return np.ndarray((height, width), np.uint8, flat, 0, (plane.line_size, 1))


def _reformatter() -> Any:
    from av.video.reformatter import VideoReformatter

    return VideoReformatter()
