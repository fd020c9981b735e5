"""Frames to video files: all at once, or as they come."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, Self, overload

import numpy as np
import torch
from torch import Tensor

from vision_io._audio.track import SoundSettings
from vision_io._errors import EncodeError
from vision_io._video.multi_encoder import AudioStream, Encoder, VideoStream
from vision_io._video.output_file import Target, open_output, output_name
from vision_io._video.picture_track import as_array, check_frames, encoder_of, rate_of

__all__ = ["VideoEncoder"]


class VideoEncoder:
    """Writes one video. There are two ways to use it, told apart by the first argument:

    - **All frames at hand**: ``VideoEncoder(frames, frame_rate=30).to_file("a.mp4", crf=18)``, or :meth:`to_tensor`,
      :meth:`to_file_like`.
    - **Frames as they come**: ``VideoEncoder("a.mp4", fps=30, crf=18)`` with :meth:`write`, :meth:`write_audio` and
      :meth:`close` (or a ``with`` statement). The size is that of the first frame.

    For several streams, or sound that changes its rate or channels on the way into the file, see
    :class:`vision_io.Encoder`.

    Args:
        path: Frames, RGB uint8 (N, 3, H, W) of any device; or a file to write (the container follows its suffix) or a
            writable seekable binary file object.
        frames: The frames, by this name instead.
        frame_rate: Frames per second; floats near 29.97 and the like become exact broadcast rates.
        fps: The same, by its shorter name.
        codec: FFmpeg's name of the encoder or codec: ``"libx264"`` (H.264), ``"libx265"``, ``"libsvtav1"``,
            ``"libvpx-vp9"``, ``"mpeg4"``, ... as the installed PyAV has them; ``None``: the container's.
        crf: Constant quality (0 best; 23 is x264's default), for encoders that know it.
        preset: Speed against size, ``"ultrafast"`` to ``"veryslow"``, for encoders that know it.
        bit_rate: Target bits per second, instead of ``crf``.
        pixel_format: What the encoder receives; ``None``: ``"yuv420p"``, which plays everywhere, or the first that the
            codec takes.
        options: Further options of the encoder, name to value.
        num_threads: Encoder threads; 0 lets FFmpeg choose.
        format: Container for a file object; ``"mp4"`` by default.
        container_options: Options of the container, name to value, for example ``{"movflags": "faststart"}``.
        audio_rate: Samples per second of a sound track, which :meth:`write_audio` fills; ``None`` for none.
        audio_channels: 1 to 8.
        audio_codec: FFmpeg's name of the audio encoder; ``None``: the container's.
        audio_options: Options of the audio encoder, name to value.

    Raises:
        EncodeError: The codec is unknown, or a setting is refused.
        MissingDependencyError: PyAV is not installed.

    Examples:
        >>> with VideoEncoder("ramp.mp4", fps=30, crf=18) as encoder:  # doctest: +SKIP
        ...     for level in range(60):
        ...         encoder.write(torch.full((3, 128, 160), level * 4, dtype=torch.uint8))
        >>> frames = torch.zeros(10, 3, 64, 64, dtype=torch.uint8)
        >>> VideoEncoder(frames, frame_rate=25).to_tensor("mp4").dtype  # doctest: +SKIP
        torch.uint8
    """

    @overload
    def __init__(self, path: Tensor | np.ndarray, *, frame_rate: float | Fraction) -> None: ...

    @overload
    def __init__(self, *, frames: Tensor | np.ndarray, frame_rate: float | Fraction) -> None: ...

    @overload
    def __init__(
        self,
        path: Target,
        *,
        fps: float | Fraction,
        codec: str | None = None,
        crf: float | None = None,
        preset: str | int | None = None,
        bit_rate: int | None = None,
        pixel_format: str | None = None,
        options: Mapping[str, object] | None = None,
        num_threads: int = 0,
        format: str | None = None,
        container_options: Mapping[str, object] | None = None,
        audio_rate: int | None = None,
        audio_channels: int = 2,
        audio_codec: str | None = None,
        audio_options: Mapping[str, object] | None = None,
    ) -> None: ...

    def __init__(
        self,
        path: Target | Tensor | np.ndarray | None = None,
        *,
        frames: Tensor | np.ndarray | None = None,
        fps: float | Fraction | None = None,
        frame_rate: float | Fraction | None = None,
        format: str | None = None,
        container_options: Mapping[str, object] | None = None,
        audio_rate: int | None = None,
        audio_channels: int = 2,
        audio_codec: str | None = None,
        audio_options: Mapping[str, object] | None = None,
        **settings: Any,
    ) -> None:
        if (path is None) == (frames is None):
            raise EncodeError("path: expected frames, or a file to write them to, once")
        if (fps is None) == (frame_rate is None):
            raise EncodeError("fps: expected the frame rate, once, as frame_rate=... or fps=...")
        self._pictures: VideoStream | None = None
        self._rate = rate_of(fps if fps is not None else frame_rate)  # type: ignore[arg-type]
        self._frames: np.ndarray | None = None
        path = frames if path is None else path
        if isinstance(path, (Tensor, np.ndarray)):
            self._take(path, settings)
            return
        assert path is not None
        known = ("codec", "crf", "preset", "bit_rate", "pixel_format", "options", "num_threads")
        unknown = set(settings) - set(known)
        if unknown:
            raise TypeError(f"VideoEncoder() got unexpected arguments: {', '.join(sorted(unknown))}")
        settings["extra_options"] = settings.pop("options", None)
        self._settings = settings
        self._target: Target = path
        self._name = output_name(path)
        self._format = format
        if format is None and not (isinstance(path, (str, os.PathLike)) and Path(path).suffix):
            self._format = "mp4"
        self._container_options = container_options
        self._sound: SoundSettings | None = None
        if audio_rate is not None:
            self._sound = SoundSettings(audio_rate, audio_channels, audio_codec, options=audio_options or {})
        self._encoder: Encoder | None = None
        self._samples: AudioStream | None = None
        self._closed = False
        self._check()

    def _take(self, frames: Tensor | np.ndarray, settings: Mapping[str, Any]) -> None:
        if settings:
            raise EncodeError(
                f"{', '.join(sorted(settings))}: with frames as the first argument these are arguments of to_file, "
                "to_file_like and to_tensor"
            )
        array = check_frames(frames)
        if as_array(frames).ndim != 4 or len(array) == 0:
            raise EncodeError(f"frames: got shape {tuple(frames.shape)}, expected (N, 3, H, W) with one frame at least")
        self._frames = array
        self._name, self._closed = "<frames>", True

    def _check(self) -> None:
        """Refuse what can be refused before the first frame is there; nothing is written."""
        container = open_output(self._target, self._format, self._container_options)
        try:
            encoder_of(self._settings.get("codec"), self._settings.get("pixel_format"), container)
        finally:
            container.close()

    # -- all at once ---------------------------------------------------------------------------------------------

    def to_file(
        self,
        dest: str | os.PathLike[str],
        *,
        codec: str | None = None,
        pixel_format: str | None = None,
        crf: float | None = None,
        preset: str | int | None = None,
        extra_options: Mapping[str, object] | None = None,
    ) -> None:
        """Write the frames to a file, whose suffix chooses the container.

        Args:
            dest: The file.
            codec: See the class; likewise the following.
            pixel_format: See there.
            crf: See there.
            preset: See there.
            extra_options: Further options of the encoder, name to value.

        Raises:
            EncodeError: The encoder was made without frames, or the file or a setting is refused.
        """
        encoder, pictures = self._whole(codec, pixel_format, crf, preset, extra_options)
        with encoder.open_file(dest):
            pictures.add_frames(self._frames)  # type: ignore[arg-type]

    def to_file_like(
        self,
        file_like: Target,
        format: str,
        *,
        codec: str | None = None,
        pixel_format: str | None = None,
        crf: float | None = None,
        preset: str | int | None = None,
        extra_options: Mapping[str, object] | None = None,
    ) -> None:
        """Write the frames to a binary file object that can be written and, for most formats, sought.

        Args:
            file_like: The file object.
            format: The container: ``"mp4"``, ``"mov"``, ``"mkv"``, ``"avi"``, ``"webm"``, ``"flv"``, ...
            codec: See the class; likewise the following.
            pixel_format: See there.
            crf: See there.
            preset: See there.
            extra_options: See :meth:`to_file`.

        Raises:
            EncodeError: As :meth:`to_file`.
        """
        encoder, pictures = self._whole(codec, pixel_format, crf, preset, extra_options)
        with encoder.open_file_like(file_like, format=format):
            pictures.add_frames(self._frames)  # type: ignore[arg-type]

    def to_tensor(
        self,
        format: str,
        *,
        codec: str | None = None,
        pixel_format: str | None = None,
        crf: float | None = None,
        preset: str | int | None = None,
        extra_options: Mapping[str, object] | None = None,
    ) -> Tensor:
        """Return the bytes of the file as a uint8 tensor; arguments as :meth:`to_file_like`.

        Raises:
            EncodeError: As :meth:`to_file`.
        """
        buffer = io.BytesIO()
        self.to_file_like(
            buffer, format, codec=codec, pixel_format=pixel_format, crf=crf, preset=preset, extra_options=extra_options
        )
        return torch.frombuffer(buffer.getbuffer(), dtype=torch.uint8)

    def _whole(self, *settings: Any) -> tuple[Encoder, VideoStream]:
        if self._frames is None:
            raise EncodeError(
                f"{self._name}: this encoder writes frames as they come, with write(); for to_file and its kin give it "
                "the frames: VideoEncoder(frames, frame_rate=...)"
            )
        encoder = Encoder()
        height, width = self._frames.shape[2:]
        names = ("codec", "pixel_format", "crf", "preset", "extra_options")
        stream = encoder.add_video(
            height=height, width=width, frame_rate=self._rate, **dict(zip(names, settings, strict=True))
        )
        return encoder, stream

    # -- as they come --------------------------------------------------------------------------------------------

    def write(self, frames: Tensor | np.ndarray) -> None:
        """Append frames.

        Args:
            frames: RGB uint8, (3, H, W) or (T, 3, H, W); a single channel (1, H, W) is taken as gray. All frames of a
                file have one size.

        Raises:
            EncodeError: Wrong shape, dtype or size, or the encoder fails.
        """
        self._require_open()
        array = check_frames(frames)
        if self._pictures is None:
            self._start(*array.shape[2:])
        self._pictures.add_frames(array)  # type: ignore[union-attr]

    def write_audio(self, samples: Tensor | np.ndarray) -> None:
        """Append sound; needs ``audio_rate`` and at least one frame written before.

        Args:
            samples: (channels, n): floats in -1..1, or int16.

        Raises:
            EncodeError: There is no sound track, the samples have another shape or dtype, or the encoder fails.
        """
        self._require_open()
        if self._samples is None:
            raise EncodeError(f"{self._name}: sound needs audio_rate=... and a frame written before it")
        self._samples.add_samples(samples)

    def _require_open(self) -> None:
        if self._frames is not None:
            raise EncodeError(
                "this encoder holds its frames; for frames as they come give it a file: VideoEncoder(path)"
            )
        if self._closed:
            raise EncodeError(f"{self._name}: the encoder is closed")

    def _start(self, height: int, width: int) -> None:
        encoder = Encoder()
        pictures = encoder.add_video(height=height, width=width, frame_rate=self._rate, **self._settings)
        samples = None
        if self._sound is not None:
            sound = self._sound
            samples = encoder.add_audio(
                sample_rate=sound.sample_rate,
                num_channels=sound.num_channels,
                codec=sound.codec,
                extra_options=sound.options,
            )
        if self._format is None:
            encoder.open_file(os.fspath(self._target), container_options=self._container_options)  # type: ignore[arg-type]
        else:
            encoder.open_file_like(self._target, format=self._format, container_options=self._container_options)
        self._encoder, self._pictures, self._samples = encoder, pictures, samples

    # -- life ----------------------------------------------------------------------------------------------------

    @property
    def frames_written(self) -> int:
        """How many frames were taken so far."""
        return 0 if self._pictures is None else self._pictures.frames_written

    def close(self) -> None:
        """Finish the file. Closing twice is allowed."""
        if self._closed:
            return
        self._closed = True
        if self._encoder is not None:
            self._encoder.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
