"""The sound of a file that is being written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from vision_io._audio.stream import channel_layout
from vision_io._errors import EncodeError
from vision_io._video.output_file import Track, reason
from vision_io._video.pyav_open import import_av

__all__ = ["SoundSettings", "SoundTrack", "check_samples"]

_CHUNK = 1 << 16  # samples given to the resampler at once


@dataclass(frozen=True)
class SoundSettings:
    """How sound is encoded.

    Attributes:
        sample_rate: Samples per second of what is written.
        num_channels: Channels of what is written, 1 to 8.
        codec: FFmpeg's name of the encoder; ``None``: the container's.
        bit_rate: Bits per second, for codecs that lose something.
        out_sample_rate: Samples per second of the file; ``None``: as written, or the next one that the codec knows.
        out_num_channels: Channels of the file; ``None``: as written.
        options: Further options of the encoder.
    """

    sample_rate: int
    num_channels: int
    codec: str | None = None
    bit_rate: int | None = None
    out_sample_rate: int | None = None
    out_num_channels: int | None = None
    options: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("sample_rate", "out_sample_rate"):
            rate = getattr(self, name)
            if rate is not None and (isinstance(rate, bool) or not isinstance(rate, int) or rate < 1):
                raise EncodeError(f"{name}: got {rate!r}, expected a positive number of samples per second")
        for channels in (self.num_channels, self.out_num_channels):
            if channels is not None:
                layout_of(channels)


def layout_of(channels: int) -> str:
    """FFmpeg's name of the arrangement of so many channels, or :class:`EncodeError`."""
    try:
        return channel_layout(channels)
    except ValueError as error:
        raise EncodeError(str(error)) from None


def check_samples(samples: np.ndarray) -> np.ndarray:
    """Samples as float32 (channels, n).

    Raises:
        EncodeError: Another shape or dtype, or values that are not finite.
    """
    if samples.ndim == 1:
        samples = samples[None]
    if samples.ndim != 2 or (samples.dtype.kind != "f" and samples.dtype != np.int16):
        raise EncodeError(
            f"samples: got {samples.dtype} of shape {tuple(samples.shape)}, expected (channels, samples), float in "
            "-1..1 or int16"
        )
    if samples.dtype == np.int16:
        return samples.astype(np.float32) / 32768
    if not np.isfinite(samples.sum(dtype=np.float64)):  # one pass, no mask
        raise EncodeError("samples: some are NaN or infinite; replace them, for example with torch.nan_to_num")
    return np.ascontiguousarray(samples, dtype=np.float32)


class SoundTrack(Track):
    """An audio stream of a file that is being written.

    Args:
        container: PyAV's output container, before its header is written.
        settings: How to encode.
        name: How messages call the file.

    Raises:
        EncodeError: The container holds no sound, or a setting is refused.
    """

    def __init__(self, container: Any, settings: SoundSettings, name: str) -> None:
        super().__init__()
        self._av = import_av()
        self._container, self._settings, self._name = container, settings, name
        codec = settings.codec or container.default_audio_codec
        if not codec or codec == "none":
            raise EncodeError(f"{name}: the format {container.format.name} holds no sound")
        try:
            encoder = self._av.Codec(codec, "w")
        except (ValueError, LookupError) as error:
            raise EncodeError(f"{name}: this FFmpeg has no encoder {codec!r} for sound; try 'aac'") from error
        if encoder.type != "audio":
            raise EncodeError(f"{name}: codec {codec!r} encodes {encoder.type}, not sound")
        rate = settings.out_sample_rate or _usual_rate(encoder, settings.sample_rate)
        self._layout = layout_of(settings.num_channels)
        layout = layout_of(settings.out_num_channels or settings.num_channels)
        self._told = f"sample_rate={rate}, {layout}, bit_rate={settings.bit_rate}"
        try:
            self._stream = container.add_stream(encoder.name, rate=rate, layout=layout)
            if settings.bit_rate is not None:
                self._stream.bit_rate = settings.bit_rate
            self._stream.options = {key: str(value) for key, value in settings.options.items()}
            context = self._stream.codec_context
            formats = context.codec.audio_formats
            format = formats[0].name if formats else "fltp"
            context.format = format
            context.open()
        except (self._av.error.FFmpegError, ValueError, LookupError) as error:
            raise EncodeError(f"{name}: the encoder {encoder.name} refuses {self._told}: {reason(error)}") from error
        self._resampler = self._av.AudioResampler(
            format=format, layout=self._stream.layout, rate=rate, frame_size=context.frame_size or None
        )
        self._written = 0

    def write(self, samples: np.ndarray) -> None:
        """Append samples, (channels, n) or (n): floats in -1..1, or int16.

        Raises:
            EncodeError: Another shape or dtype, or the encoder fails.
        """
        self.write_checked(check_samples(samples))

    def write_checked(self, array: np.ndarray) -> None:
        """Append what :func:`check_samples` returned."""
        if len(array) != self._settings.num_channels:
            raise EncodeError(
                f"{self._name}: got {len(array)} channels of sound, expected {self._settings.num_channels}"
            )
        for start in range(0, array.shape[1], _CHUNK):
            piece = np.ascontiguousarray(array[:, start : start + _CHUNK])
            frame = self._av.AudioFrame.from_ndarray(piece, format="fltp", layout=self._layout)
            frame.sample_rate, frame.pts = self._settings.sample_rate, self._written
            frame.time_base = Fraction(1, self._settings.sample_rate)
            self._written += piece.shape[1]
            self._mux(frame)

    def close(self) -> None:
        """Write what the resampler and the encoder still hold."""
        if self._written:
            self._mux(None)

    def _mux(self, frame: Any) -> None:
        try:
            for piece in self._resampler.resample(frame):
                self._encode(piece)
            if frame is None:
                self._encode(None)
        except (self._av.error.FFmpegError, OSError, ValueError) as error:
            raise EncodeError(f"{self._name}: the encoder refuses {self._told}: {reason(error)}") from error

    def _encode(self, piece: Any) -> None:
        for packet in self._stream.encode(piece):
            self._container.mux(packet)


def _usual_rate(codec: Any, wanted: int) -> int:
    """The rate of the samples, or where the codec does not know it the next higher one, or the highest."""
    rates = sorted(codec.audio_rates or ())
    higher = [rate for rate in rates if rate >= wanted]
    return higher[0] if higher else (rates[-1] if rates else wanted)
