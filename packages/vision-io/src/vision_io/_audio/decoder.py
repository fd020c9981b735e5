"""The sound of a file, by time."""

from __future__ import annotations

import math
import os
import threading
from typing import Any

import numpy as np
import torch

from vision_io._audio.samples import AudioMetadata, AudioSamples
from vision_io._audio.stream import SampleStream, channel_layout
from vision_io._errors import DecodeError
from vision_io._limits import Limits
from vision_io._video.pyav_open import Source, source_name

__all__ = ["AudioDecoder"]


class AudioDecoder:
    """Exact access to the samples of an audio file, or of a video's sound, resampled and mixed if wanted.

    Any range gives the very samples that :meth:`get_all_samples` has there: at another rate too, and whatever was asked
    for before. Ranges that follow each other are decoded once. A decoder may be pickled and survives ``fork`` when its
    source can be opened again (a path or bytes); it may be used from several threads, one call at a time.

    Args:
        source: Path, address, bytes, or a seekable binary file object.
        stream_index: Index among all streams of the file; ``None`` takes the best audio stream.
        sample_rate: Samples per second that are wanted; ``None`` for those of the stream.
        num_channels: Channels that are wanted, 1 to 8; ``None`` for those of the stream. They are mixed as FFmpeg does,
            keeping the power: stereo becomes mono as (left + right) / sqrt(2), which may go beyond -1..1.
        limits: Bounds that are checked while memory is taken.

    Raises:
        DecodeError: The source is missing, damaged, or holds no sound.
        MissingDependencyError: PyAV is not installed (``pip install 'vision-io[video]'``).

    Examples:
        >>> decoder = AudioDecoder("speech.flac", sample_rate=16000, num_channels=1)  # doctest: +SKIP
        >>> decoder.get_samples_played_in_range(1.0, 2.0).data.shape  # doctest: +SKIP
        torch.Size([1, 16000])
    """

    def __init__(
        self,
        source: Source,
        *,
        stream_index: int | None = None,
        sample_rate: int | None = None,
        num_channels: int | None = None,
        limits: Limits | None = None,
    ) -> None:
        if sample_rate is not None and not 1 <= sample_rate <= 1 << 20:
            raise ValueError(f"sample_rate: got {sample_rate}, expected 1 to {1 << 20} samples per second")
        if num_channels is not None:
            channel_layout(num_channels)
        self._source = source
        self._settings = (stream_index, sample_rate, num_channels)
        self._limits = limits or Limits()
        self._open()

    def _open(self) -> None:
        self._lock = threading.RLock()
        self._pid = os.getpid()
        self._closed = False
        self._stream = SampleStream(self._source, *self._settings)

    @property
    def metadata(self) -> AudioMetadata:
        """Facts of the stream, before resampling and mixing."""
        return self._stream.metadata

    @property
    def stream_index(self) -> int:
        """Index of the stream among all streams of the file."""
        return self.metadata.stream_index

    @property
    def sample_rate(self) -> int:
        """Samples per second of what is returned."""
        return self._stream.rate

    @property
    def num_channels(self) -> int:
        """Channels of what is returned."""
        return self._stream.channels

    def __repr__(self) -> str:
        facts = self.metadata
        return (
            f"AudioDecoder({self._stream.name!r}, {facts.codec} {facts.num_channels} x {facts.sample_rate} Hz -> "
            f"{self.num_channels} x {self.sample_rate} Hz)"
        )

    def get_all_samples(self) -> AudioSamples:
        """All samples of the stream.

        Raises:
            DecodeError: The stream is damaged.
            LimitError: They would take more than ``limits.max_batch_bytes``.
        """
        with self._lock:
            stream = self._ready()
            return self._samples(stream, 0, None)

    def get_samples_played_in_range(
        self, start_seconds: float = 0.0, stop_seconds: float | None = None
    ) -> AudioSamples:
        """The samples that are played in ``[start_seconds, stop_seconds)``.

        Args:
            start_seconds: At most the end of the stream; a start before its beginning begins there.
            stop_seconds: ``None``, or a time after the end, for all that is left.

        Raises:
            ValueError: ``stop_seconds`` lies before ``start_seconds``, or a time is not finite.
            IndexError: Nothing is played in the range.
            DecodeError: The stream is damaged.
            LimitError: The result would take more than ``limits.max_batch_bytes``.
        """
        if not math.isfinite(start_seconds) or (stop_seconds is not None and not stop_seconds >= start_seconds):
            raise ValueError(
                f"range: got {start_seconds} s to {stop_seconds} s, expected start_seconds <= stop_seconds"
            )
        with self._lock:
            stream = self._ready()
            start = max(round((start_seconds - stream.begin) * stream.rate), 0)
            stop = None
            if stop_seconds is not None and math.isfinite(stop_seconds):
                stop = max(round((stop_seconds - stream.begin) * stream.rate), start)
            samples = self._samples(stream, start, stop)
        if samples.data.shape[1] == 0 and stop != start:
            raise IndexError(
                f"{stream.name}: nothing is played from {start_seconds} s on: the stream begins at {stream.begin} s "
                f"and has ended by then"
            )
        return samples

    def close(self) -> None:
        """Free the file and the decoder; it cannot be used afterwards."""
        if not self._closed:
            self._closed = True
            if self._pid == os.getpid():
                with self._lock:
                    self._stream.close()

    def __enter__(self) -> AudioDecoder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- how -----------------------------------------------------------------------------------------------------

    def _ready(self) -> SampleStream:
        """The stream, opened anew in a process that was forked after it had been opened."""
        if self._closed:
            raise DecodeError(f"{self._stream.name}: the decoder is closed")
        if self._pid != os.getpid():
            self._require_reopenable("used after a fork")
            self._open()
        return self._stream

    def _require_reopenable(self, purpose: str) -> None:
        source = self._source
        if not isinstance(source, (str, os.PathLike, bytes, bytearray, memoryview)):
            raise DecodeError(
                f"{source_name(source)}: a decoder of an open file object cannot be {purpose}, the file's position is "
                "shared; give it a path or bytes, or open it in the worker"
            )

    def _samples(self, stream: SampleStream, start: int, stop: int | None) -> AudioSamples:
        pieces, count = [], 0
        for piece in stream.read(start, stop):
            pieces.append(piece)
            count += piece.shape[1]
            self._limits.check_batch(count * stream.channels * 4, stream.name)
        data = np.concatenate(pieces, axis=1) if pieces else np.empty((stream.channels, 0), np.float32)
        return AudioSamples(
            torch.from_numpy(data), stream.begin + start / stream.rate, count / stream.rate, stream.rate
        )

    def __getstate__(self) -> dict[str, Any]:
        self._require_reopenable("pickled")
        source = bytes(self._source) if isinstance(self._source, (bytearray, memoryview)) else self._source
        return {"source": source, "settings": self._settings, "limits": self._limits}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._source, self._settings, self._limits = state["source"], state["settings"], state["limits"]
        self._open()
