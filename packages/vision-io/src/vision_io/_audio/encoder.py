"""Samples to audio files."""

from __future__ import annotations

import io
import os

import numpy as np
import torch
from torch import Tensor

from vision_io._audio.track import SoundSettings, SoundTrack, check_samples
from vision_io._errors import EncodeError
from vision_io._video.output_file import Target, open_output, output_name
from vision_io._video.picture_track import as_array

__all__ = ["AudioEncoder"]


class AudioEncoder:
    """Encodes samples that are all at hand. For sound that comes piece by piece, or beside pictures, see
    :class:`vision_io.Encoder`.

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
        array = as_array(samples)
        if array.ndim not in (1, 2) or array.dtype.kind != "f" or 0 in array.shape:
            raise EncodeError(
                f"samples: got {array.dtype} of shape {tuple(array.shape)}, expected float (channels, samples) in -1..1"
            )
        self._samples = check_samples(array)
        self._settings = SoundSettings(sample_rate, len(self._samples))

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
        self._write(dest, None, bit_rate, num_channels, sample_rate)

    def to_file_like(
        self,
        file_like: Target,
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
        self._write(file_like, format, bit_rate, num_channels, sample_rate)

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
        self._write(buffer, format, bit_rate, num_channels, sample_rate)
        return torch.frombuffer(buffer.getbuffer(), dtype=torch.uint8)

    def _write(
        self, target: Target, format: str | None, bit_rate: int | None, channels: int | None, rate: int | None
    ) -> None:
        settings = SoundSettings(
            self._settings.sample_rate,
            self._settings.num_channels,
            bit_rate=bit_rate,
            out_sample_rate=rate,
            out_num_channels=channels,
        )
        container = open_output(target, format)
        try:
            track = SoundTrack(container, settings, output_name(target))
            track.write_checked(self._samples)
            track.close()
        finally:
            container.close()
