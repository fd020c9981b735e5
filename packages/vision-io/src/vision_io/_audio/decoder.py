"""The sound of a file, by time."""

from __future__ import annotations

import math

import numpy as np
import torch

from vision_io._audio.samples import AudioMetadata, AudioSamples
from vision_io._audio.stream import SampleStream, channel_layout
from vision_io._limits import Limits
from vision_io._video.pyav_open import Source, as_source
from vision_io._video.reopening import Reopening, keep_for_ever

__all__ = ["AudioDecoder"]


class AudioDecoder(Reopening):
    """Exact access to the samples of an audio file, or of a video's sound, resampled and mixed if wanted.

    Any range gives the very samples that :meth:`get_all_samples` has there: at another rate too, and whatever was asked
    for before. Ranges that follow each other are decoded once. A decoder may be pickled and survives ``fork`` when its
    source can be opened again (a path or bytes); it may be used from several threads, one call at a time.

    Args:
        source: Path, address, bytes, a uint8 tensor of them, or a binary file object with ``read`` and ``seek``.
        stream_index: Index among all streams of the file; ``None`` takes the best audio stream.
        sample_rate: Samples per second that are wanted; ``None`` for those of the stream.
        num_channels: Channels that are wanted, 1 to 8; ``None`` for those of the stream. They are mixed as FFmpeg does,
            keeping the power: stereo becomes mono as (left + right) / sqrt(2), which may go beyond -1..1.
        limits: Bounds that are checked while memory is taken, and the time that a call may take.

    Raises:
        DecodeError: The source is missing, damaged, or holds no sound.
        LimitError: Its header says that it lasts longer, or has more streams, than ``limits`` admit.
        MissingDependencyError: PyAV is not installed (``pip install 'vision-io[video]'``).

    Examples:
        >>> decoder = AudioDecoder("speech.flac", sample_rate=16000, num_channels=1)  # doctest: +SKIP
        >>> decoder.get_samples_played_in_range(1.0, 2.0).data.shape  # doctest: +SKIP
        torch.Size([1, 16000])
    """

    _settings = ("_wanted", "_limits")

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
        self._source = as_source(source)
        self._wanted = (stream_index, sample_rate, num_channels)
        self._limits = limits or Limits()
        self._start()

    def _open(self) -> None:
        self._stream = SampleStream(self._source, *self._wanted, self._limits)

    def _free(self) -> None:
        self._stream.close()

    def _abandon(self) -> None:
        keep_for_ever(self._stream)

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
        self._ready()
        with self._lock:
            self._require_open()
            self._stream.deadline.restart()
            return self._samples(self._stream, 0, None)

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
        self._ready()
        with self._lock:
            self._require_open()
            self._stream.deadline.restart()
            stream = self._stream
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
