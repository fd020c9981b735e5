"""Samples to audio files."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from torch import Tensor

from vision_io._audio.stream import channel_layout
from vision_io._errors import EncodeError
from vision_io._video.pyav_open import import_av

__all__ = ["AudioEncoder"]

_CHUNK = 1 << 16  # samples given to the resampler at once


class AudioEncoder:
    """Encodes samples that are all at hand. For sound beside pictures see :class:`vision_io.VideoEncoder`.

    Args:
        samples: float (channels, samples) in -1..1, or (samples) for one channel.
        sample_rate: Samples per second of `samples`.

    Raises:
        EncodeError: Another shape or dtype, values that are not finite, or a rate that is none.

    Examples:
        >>> encoder = AudioEncoder(torch.zeros(2, 48000), sample_rate=48000)
        >>> encoder.to_file("silence.flac")  # doctest: +SKIP
        >>> encoder.to_tensor("wav").shape  # doctest: +SKIP
        torch.Size([192078])
    """

    def __init__(self, samples: Tensor | np.ndarray, *, sample_rate: int) -> None:
        array = samples.detach().cpu().numpy() if isinstance(samples, Tensor) else np.asarray(samples)
        if array.ndim == 1:
            array = array[None]
        if array.ndim != 2 or array.dtype.kind != "f" or 0 in array.shape:
            raise EncodeError(
                f"samples: got {array.dtype} of shape {tuple(array.shape)}, expected float (channels, samples) in -1..1"
            )
        if not np.isfinite(array).all():
            raise EncodeError("samples: some are NaN or infinite; replace them, for example with torch.nan_to_num")
        if isinstance(sample_rate, bool) or not isinstance(sample_rate, int) or sample_rate < 1:
            raise EncodeError(f"sample_rate: got {sample_rate!r}, expected a positive number of samples per second")
        self._samples = np.ascontiguousarray(array, dtype=np.float32)
        self._layout = _layout(array.shape[0])
        self._rate = sample_rate

    def to_file(
        self,
        dest: str | os.PathLike[str],
        *,
        bit_rate: int | None = None,
        num_channels: int | None = None,
        sample_rate: int | None = None,
    ) -> None:
        """Write a file, whose suffix chooses the format: ``.wav``, ``.flac``, ``.mp3``, ``.m4a``, ``.ogg``, ``.opus``.

        Args:
            dest: The file.
            bit_rate: Bits per second, for codecs that lose something.
            num_channels: Channels of the file; ``None`` for those of the samples.
            sample_rate: Samples per second of the file; ``None`` for those of the samples, or for codecs that do not
                know that rate the next one that they know.

        Raises:
            EncodeError: The format is unknown or does not take a setting, or the file cannot be written.
        """
        path = Path(dest)
        if not path.parent.is_dir():
            raise EncodeError(f"{path}: the folder {path.parent} does not exist")
        self._write(os.fspath(dest), None, os.fspath(dest), bit_rate, num_channels, sample_rate)

    def to_file_like(
        self,
        file_like: IO[bytes],
        format: str,
        *,
        bit_rate: int | None = None,
        num_channels: int | None = None,
        sample_rate: int | None = None,
    ) -> None:
        """Write to a binary file object that can be written and, for most formats, sought.

        Args:
            file_like: The file object.
            format: Name of the container: ``"wav"``, ``"flac"``, ``"mp3"``, ``"mp4"``, ``"ogg"``, ...
            bit_rate: See :meth:`to_file`; likewise the following.
            num_channels: See there.
            sample_rate: See there.

        Raises:
            EncodeError: As :meth:`to_file`.
        """
        self._write(file_like, format, f"<{format}>", bit_rate, num_channels, sample_rate)

    def to_tensor(
        self,
        format: str,
        *,
        bit_rate: int | None = None,
        num_channels: int | None = None,
        sample_rate: int | None = None,
    ) -> Tensor:
        """Return the bytes of the file as a uint8 tensor; arguments as :meth:`to_file_like`.

        Raises:
            EncodeError: As :meth:`to_file`.
        """
        buffer = io.BytesIO()
        self.to_file_like(buffer, format, bit_rate=bit_rate, num_channels=num_channels, sample_rate=sample_rate)
        return torch.frombuffer(bytearray(buffer.getvalue()), dtype=torch.uint8)

    # -- how -----------------------------------------------------------------------------------------------------

    def _write(
        self, target: Any, format: str | None, name: str, bit_rate: int | None, channels: int | None, rate: int | None
    ) -> None:
        av = import_av()
        layout = self._layout if channels is None else _layout(channels)
        try:
            container = av.open(target, mode="w", format=format)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            words = getattr(error, "strerror", None) or error
            raise EncodeError(f"{name}: cannot be written: {words}; is the format one that FFmpeg knows?") from error
        try:
            codec = container.default_audio_codec
            if not codec or codec == "none":
                raise EncodeError(f"{name}: the format {container.format.name} holds no sound")
            stream = container.add_stream(codec, rate=rate or self._usual_rate(av.Codec(codec, "w")), layout=layout)
            if bit_rate is not None:
                stream.bit_rate = bit_rate
            self._encode(av, container, stream)
        except (av.error.FFmpegError, ValueError, LookupError) as error:
            if isinstance(error, EncodeError):
                raise
            words = getattr(error, "strerror", None) or error
            raise EncodeError(
                f"{name}: the encoder refuses sample_rate={rate or self._rate}, {layout}, bit_rate={bit_rate}: {words}"
            ) from error
        finally:
            container.close()

    def _usual_rate(self, codec: Any) -> int:
        """The rate of the samples, or where the codec does not know it the next higher one, or the highest."""
        rates = sorted(codec.audio_rates or ())
        higher = [rate for rate in rates if rate >= self._rate]
        return higher[0] if higher else (rates[-1] if rates else self._rate)

    def _encode(self, av: Any, container: Any, stream: Any) -> None:
        context = stream.codec_context
        formats = context.codec.audio_formats
        format = formats[0].name if formats else "fltp"
        context.format = format
        context.open()
        resampler = av.AudioResampler(
            format=format, layout=stream.layout, rate=stream.sample_rate, frame_size=context.frame_size or None
        )
        for start in range(0, self._samples.shape[1], _CHUNK):
            piece = np.ascontiguousarray(self._samples[:, start : start + _CHUNK])
            frame = av.AudioFrame.from_ndarray(piece, format="fltp", layout=self._layout)
            frame.sample_rate, frame.pts = self._rate, start
            self._mux(container, stream, resampler.resample(frame))
        self._mux(container, stream, resampler.resample(None))
        self._mux(container, stream, [None])

    def _mux(self, container: Any, stream: Any, frames: list[Any]) -> None:
        for frame in frames:
            for packet in stream.encode(frame):
                container.mux(packet)


def _layout(channels: int) -> str:
    try:
        return channel_layout(channels)
    except ValueError as error:
        raise EncodeError(str(error)) from None
