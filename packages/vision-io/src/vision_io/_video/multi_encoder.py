"""Files of several streams, written piece by piece."""

from __future__ import annotations

import os
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vision_io._audio.track import SoundSettings, SoundTrack
from vision_io._errors import EncodeError
from vision_io._video.output_file import Target, open_output, output_name, reason
from vision_io._video.picture_track import PictureSettings, PictureTrack, as_array, rate_of
from vision_io._video.pyav_open import import_av

__all__ = ["AudioStream", "Encoder", "VideoStream"]

_NOT_OPEN = "the encoder is not open: streams are fed between open_file (or open_file_like) and close"


class VideoStream:
    """Pictures of an :class:`Encoder`, which makes it."""

    def __init__(self, settings: PictureSettings, height: int, width: int) -> None:
        self._settings, self._size = settings, (height, width)
        self._track: PictureTrack | None = None
        self._count = 0

    def _open(self, container: Any, name: str) -> None:
        self._track = PictureTrack(container, self._settings, *self._size, name)

    def _close(self) -> None:
        if self._track is not None:
            self._track.close()

    def _end(self) -> None:
        self._count, self._track = self.frames_written, None

    @property
    def frames_written(self) -> int:
        """How many frames were taken so far."""
        return self._count if self._track is None else self._track.count

    def add_frames(self, frames: Tensor | np.ndarray) -> None:
        """Append frames.

        Args:
            frames: RGB uint8, (N, 3, H, W) or (3, H, W); a single channel is taken as gray.

        Raises:
            EncodeError: The encoder is not open, the frames have another size, shape or dtype, or encoding fails.
        """
        if self._track is None:
            raise EncodeError(_NOT_OPEN)
        self._track.write(frames)

    def __repr__(self) -> str:
        height, width = self._size
        return f"VideoStream({width}x{height}, {float(self._settings.rate):.3f} fps, {self.frames_written} frames)"


class AudioStream:
    """Sound of an :class:`Encoder`, which makes it."""

    def __init__(self, settings: SoundSettings) -> None:
        self._settings = settings
        self._track: SoundTrack | None = None

    def _open(self, container: Any, name: str) -> None:
        self._track = SoundTrack(container, self._settings, name)

    def _close(self) -> None:
        if self._track is not None:
            self._track.close()

    def _end(self) -> None:
        self._track = None

    def add_samples(self, samples: Tensor | np.ndarray) -> None:
        """Append samples.

        Args:
            samples: (channels, n): floats in -1..1, or int16.

        Raises:
            EncodeError: The encoder is not open, the samples have another shape or dtype, or encoding fails.
        """
        if self._track is None:
            raise EncodeError(_NOT_OPEN)
        self._track.write(as_array(samples))

    def __repr__(self) -> str:
        return f"AudioStream({self._settings.num_channels} x {self._settings.sample_rate} Hz)"


class Encoder:
    """Writes a file of any number of video and audio streams, piece by piece.

    Add the streams, open a file, feed the streams in any order, and close. What is fed runs through the encoders at
    once; only what the container needs to interleave is held back.

    Raises:
        MissingDependencyError: PyAV is not installed.

    Examples:
        >>> encoder = Encoder()
        >>> pictures = encoder.add_video(height=128, width=160, frame_rate=30, crf=18)
        >>> sound = encoder.add_audio(sample_rate=48000, num_channels=2)
        >>> with encoder.open_file("scene.mp4"):  # doctest: +SKIP
        ...     for second in range(10):
        ...         pictures.add_frames(torch.zeros(30, 3, 128, 160, dtype=torch.uint8))
        ...         sound.add_samples(torch.zeros(2, 48000))
    """

    def __init__(self) -> None:
        import_av()
        self._streams: list[VideoStream | AudioStream] = []
        self._container: Any = None
        self._name = ""
        self._state = "new"

    def add_video(
        self,
        *,
        height: int,
        width: int,
        frame_rate: float | Fraction,
        device: str | torch.device | None = None,
        codec: str | None = None,
        pixel_format: str | None = None,
        crf: float | None = None,
        preset: str | int | None = None,
        bit_rate: int | None = None,
        num_threads: int = 0,
        extra_options: Mapping[str, object] | None = None,
    ) -> VideoStream:
        """Add a video stream; must come before the file is opened.

        Args:
            height: Rows of every frame.
            width: Columns of every frame.
            frame_rate: Frames per second; floats near 29.97 and the like become exact broadcast rates.
            device: Where the frames will be; encoding runs on the CPU, and other frames are copied to it.
            codec: FFmpeg's name of the encoder or codec; ``None``: the container's.
            pixel_format: What the encoder receives; ``None``: ``"yuv420p"``, or the first that the codec takes.
            crf: Constant quality, for encoders that know it (0 best; 23 is x264's default).
            preset: Speed against size, for encoders that know it.
            bit_rate: Target bits per second, instead of `crf`.
            num_threads: Encoder threads; 0 lets FFmpeg choose.
            extra_options: Further options of the encoder, name to value.

        Raises:
            EncodeError: The encoder is open already, or a number is out of its range.
        """
        self._check_new("add_video")
        if device is not None:
            torch.device(device)
        if min(height, width) < 1:
            raise EncodeError(f"height, width: got {height} and {width}, expected 1 or more")
        settings = PictureSettings(
            rate_of(frame_rate), codec, pixel_format, crf, preset, bit_rate, extra_options or {}, num_threads
        )
        stream = VideoStream(settings, height, width)
        self._streams.append(stream)
        return stream

    def add_audio(
        self,
        *,
        sample_rate: int,
        num_channels: int,
        bit_rate: int | None = None,
        out_num_channels: int | None = None,
        out_sample_rate: int | None = None,
        codec: str | None = None,
        extra_options: Mapping[str, object] | None = None,
    ) -> AudioStream:
        """Add an audio stream; must come before the file is opened.

        Args:
            sample_rate: Samples per second of what will be added.
            num_channels: Channels of what will be added, 1 to 8.
            bit_rate: Bits per second, for codecs that lose something.
            out_num_channels: Channels of the file; ``None`` for `num_channels`.
            out_sample_rate: Samples per second of the file; ``None`` for `sample_rate`, or for codecs that do not know
                that rate the next one that they know.
            codec: FFmpeg's name of the encoder; ``None``: the container's.
            extra_options: Further options of the encoder, name to value.

        Raises:
            EncodeError: The encoder is open already, or a number is out of its range.
        """
        self._check_new("add_audio")
        settings = SoundSettings(
            sample_rate, num_channels, codec, bit_rate, out_sample_rate, out_num_channels, extra_options or {}
        )
        stream = AudioStream(settings)
        self._streams.append(stream)
        return stream

    def open_file(
        self, dest: str | os.PathLike[str], *, container_options: Mapping[str, object] | None = None
    ) -> Encoder:
        """Open a file, whose suffix chooses the container; everything is checked here.

        Args:
            dest: Path or address.
            container_options: Options of the container, name to value, for example ``{"movflags": "faststart"}``.

        Returns:
            The encoder itself, for ``with encoder.open_file(...)``.

        Raises:
            EncodeError: No stream was added, or the file or a setting is refused.
        """
        return self._open(dest, None, container_options)

    def open_file_like(
        self, dest: Target, *, format: str, container_options: Mapping[str, object] | None = None
    ) -> Encoder:
        """Open a binary file object that can be written and, for most formats, sought.

        Args:
            dest: The file object.
            format: The container: ``"mp4"``, ``"mkv"``, ``"webm"``, ...
            container_options: See :meth:`open_file`.

        Returns:
            The encoder itself.

        Raises:
            EncodeError: As :meth:`open_file`.
        """
        return self._open(dest, format, container_options)

    def _check_new(self, call: str) -> None:
        if self._state != "new":
            raise EncodeError(f"{call}: the encoder is {self._state}; make a new one for another file")

    def _open(self, dest: Target, format: str | None, options: Mapping[str, object] | None) -> Encoder:
        self._check_new("open")
        if not self._streams:
            raise EncodeError("no stream: call add_video or add_audio before the file is opened")
        self._name = output_name(dest)
        container = open_output(dest, format, options)
        kind = container.format.name  # closed containers of PyAV 19 say nothing
        av = import_av()
        try:
            for stream in self._streams:
                stream._open(container, self._name)
            container.start_encoding()
        except (av.error.FFmpegError, OSError, ValueError) as error:
            container.close()
            for stream in self._streams:
                stream._end()
            if isinstance(error, EncodeError):
                raise
            raise EncodeError(f"{self._name}: an encoder or {kind} refuses these settings: {reason(error)}") from error
        self._container = container
        self._state = "open"
        return self

    def close(self) -> None:
        """Finish the file. Closing twice is allowed.

        Raises:
            EncodeError: What the encoders still hold cannot be written.
        """
        if self._state != "open":
            return
        self._state = "closed"
        try:
            for stream in self._streams:
                stream._close()
        finally:
            self._container.close()
            self._container = None
            for stream in self._streams:
                stream._end()

    def __enter__(self) -> Encoder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Encoder({self._state}, {', '.join(map(repr, self._streams)) or 'no streams'})"
