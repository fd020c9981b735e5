"""The pictures of a file that is being written."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from torch import Tensor

from vision_io._errors import EncodeError
from vision_io._video.output_file import Track, reason
from vision_io._video.pyav_open import import_av

__all__ = ["PictureSettings", "PictureTrack", "as_array", "check_frames", "encoder_of", "rate_of"]

_NTSC = (24, 30, 48, 60, 120)
_USUAL = "yuv420p"


def as_array(values: Tensor | np.ndarray) -> np.ndarray:
    """A tensor of any device, or an array, as an array."""
    return values.detach().cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)


def rate_of(fps: float | Fraction) -> Fraction:
    """A frame rate as an exact fraction; 29.97, 23.976 and their kin become the broadcast rates n * 1000 / 1001.

    Examples:
        >>> rate_of(29.97), rate_of(25), rate_of(12.5)
        (Fraction(30000, 1001), Fraction(25, 1), Fraction(25, 2))
    """
    if not (isinstance(fps, (int, float, Fraction)) and fps > 0 and math.isfinite(fps)):
        raise EncodeError(f"frame rate (fps): got {fps!r}, expected a positive number")
    if isinstance(fps, float):
        for rate in _NTSC:
            if abs(fps - rate * 1000 / 1001) < 1e-3 * 1.5:
                return Fraction(rate * 1000, 1001)
        return Fraction(fps).limit_denominator(1001)
    return Fraction(fps)


@dataclass(frozen=True)
class PictureSettings:
    """How pictures are encoded; see :class:`vision_io.VideoEncoder` for the fields.

    ``codec`` and ``pixel_format`` are ``None`` where the container and the codec choose.
    """

    rate: Fraction
    codec: str | None = None
    pixel_format: str | None = None
    crf: float | None = None
    preset: str | int | None = None
    bit_rate: int | None = None
    options: Mapping[str, object] = field(default_factory=dict)
    num_threads: int = 0

    def codec_options(self) -> dict[str, str]:
        """All options of the encoder, as FFmpeg wants them."""
        texts = {name: str(value) for name, value in self.options.items()}
        if self.crf is not None:
            texts["crf"] = str(self.crf)
        if self.preset is not None:
            texts["preset"] = str(self.preset)
        return texts


def encoder_of(codec: str | None, pixel_format: str | None, container: Any) -> tuple[str, str]:
    """The names of the encoder and of the pixel format that it is given.

    Raises:
        EncodeError: There is no such encoder, it does not take the format, or the container holds no pictures.
    """
    wanted = codec or container.default_video_codec
    if not wanted or wanted == "none":
        raise EncodeError(f"the format {container.format.name} holds no pictures")
    av = import_av()
    try:
        encoder = av.Codec(wanted, "w")
    except (ValueError, LookupError) as error:
        raise EncodeError(
            f"codec: this FFmpeg has no encoder {wanted!r}; try 'libx264', or 'mpeg4' where that is missing"
        ) from error
    if encoder.type != "video":
        raise EncodeError(f"codec: {wanted!r} encodes {encoder.type}, not pictures")
    known = [format.name for format in encoder.video_formats or ()]
    if pixel_format is None:
        pixel_format = _USUAL if _USUAL in known or not known else known[0]
    elif known and pixel_format not in known:
        raise EncodeError(f"pixel_format: {wanted} does not take {pixel_format!r}; it takes {', '.join(known)}")
    return str(encoder.name), str(pixel_format)


def check_frames(frames: Tensor | np.ndarray) -> np.ndarray:
    """Frames as an array (T, C, H, W) of bytes, C 1 or 3.

    Raises:
        EncodeError: They have another dtype or shape.
    """
    array = as_array(frames)
    if array.dtype != np.uint8:
        raise EncodeError(f"frames: got {array.dtype}, expected uint8 in 0..255; scale and convert float frames first")
    if array.ndim == 3:
        array = array[None]
    if array.ndim != 4 or array.shape[1] not in (1, 3):
        hint = "; frames (T, H, W, C) need .permute(0, 3, 1, 2)" if array.ndim == 4 and array.shape[-1] == 3 else ""
        raise EncodeError(f"frames: got shape {tuple(array.shape)}, expected (3, H, W) or (T, 3, H, W){hint}")
    return array


class PictureTrack(Track):
    """A video stream of a file that is being written.

    Args:
        container: PyAV's output container, before its header is written.
        settings: How to encode.
        height: Rows of every frame.
        width: Columns of every frame.
        name: How messages call the file.

    Raises:
        EncodeError: The size does not go with the pixel format, or a setting is refused.
    """

    def __init__(self, container: Any, settings: PictureSettings, height: int, width: int, name: str) -> None:
        super().__init__()
        self._av = import_av()
        self._container = container
        self._name = name
        self.size = (height, width)
        self.count = 0
        self._codec, self._format = encoder_of(settings.codec, settings.pixel_format, container)
        self._check_size()
        try:
            stream = container.add_stream(self._codec, rate=settings.rate)
        except (self._av.error.FFmpegError, ValueError) as error:
            raise EncodeError(
                f"{name}: {container.format.name} does not hold {self._codec}: {reason(error)}"
            ) from error
        stream.width, stream.height, stream.pix_fmt = width, height, self._format
        stream.codec_context.thread_count = settings.num_threads
        if settings.bit_rate is not None:
            stream.bit_rate = settings.bit_rate
        stream.options = settings.codec_options()
        self._tick = 1 / settings.rate
        stream.time_base = stream.codec_context.time_base = self._tick
        self._stream = stream
        self._picture: Any = None
        self._reformatter = _reformatter()

    def _check_size(self) -> None:
        height, width = self.size
        format = self._av.VideoFormat(self._format, 16, 16)
        across, down = 16 // format.chroma_width(), 16 // format.chroma_height()
        if height < 1 or width < 1 or width % across or height % down:
            raise EncodeError(
                f"frames of {width}x{height} (width x height) cannot be stored as {self._format}: "
                f"the width must be a multiple of {across}, the height of {down}; crop or pad them, "
                "or use pixel_format='yuv444p'"
            )

    def write(self, frames: Tensor | np.ndarray) -> None:
        """Append frames, RGB uint8 (3, H, W) or (T, 3, H, W); one channel is gray.

        Raises:
            EncodeError: Wrong shape, dtype or size, or the encoder fails.
        """
        for picture in check_frames(frames):
            self._write_one(picture)

    def _write_one(self, picture: np.ndarray) -> None:
        height, width = picture.shape[1:]
        if self.size != (height, width):
            raise EncodeError(
                f"frame {self.count}: got {width}x{height}, the file holds {self.size[1]}x{self.size[0]} "
                "(width x height)"
            )
        if self._picture is None or self._format == "gbrp":  # an encoder may hold on to what it is given
            self._picture = self._av.VideoFrame(width, height, "gbrp")
            self._views = [_plane_view(plane, height, width) for plane in self._picture.planes]
        for view, channel in zip(self._views, (1, 2, 0), strict=True):
            view[:] = picture[channel % picture.shape[0]]
        frame = self._reformatter.reformat(self._picture, format=self._format)
        frame.pts, frame.time_base = self.count, self._tick
        self._mux(frame)
        self.count += 1

    def close(self) -> None:
        """Write what the encoder still holds."""
        self._mux(None)

    def _mux(self, frame: Any) -> None:
        try:
            for packet in self._stream.encode(frame):
                self._container.mux(packet)
        except (self._av.error.FFmpegError, OSError) as error:
            raise EncodeError(f"{self._name}: {self._codec} fails at frame {self.count}: {reason(error)}") from error


def _plane_view(plane: Any, height: int, width: int) -> np.ndarray:
    """A writable view of a plane without its padding, (H, W) uint8."""
    flat = np.frombuffer(plane, dtype=np.uint8)
    return np.ndarray((height, width), np.uint8, flat, 0, (plane.line_size, 1))


def _reformatter() -> Any:
    from av.video.reformatter import VideoReformatter

    return VideoReformatter()
