"""One audio stream, decoded in order, at the rate and with the channels that are wanted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from vision_io._audio.samples import AudioMetadata
from vision_io._deadline import Deadline
from vision_io._errors import DecodeError
from vision_io._limits import DEFAULT_LIMITS, Limits
from vision_io._video.pyav_open import Source, import_av, open_container, source_name

__all__ = ["SampleStream", "channel_layout"]

# Codecs whose packets do not depend on each other: decoding may begin anywhere, with the same samples.
_INDEPENDENT = ("pcm_", "flac", "alac", "wavpack", "tta")
# How many samples may become one: the resampler's filter grows with them, to gigabytes for the rates of hostile files.
_FARTHEST = 1024
_LAYOUTS = {1: "mono", 2: "stereo", 3: "2.1", 4: "4.0", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}


def channel_layout(channels: int) -> str:
    """FFmpeg's name of the usual arrangement of so many loudspeakers.

    Raises:
        ValueError: There is none for this number.
    """
    if channels not in _LAYOUTS:
        raise ValueError(f"num_channels: got {channels}, expected 1 to {max(_LAYOUTS)}")
    return _LAYOUTS[channels]


class SampleStream:
    """Sequential access to the samples of one stream.

    Sample `k` of the stream, at the rate that is wanted, is played at ``begin + k / rate``, whichever samples were
    asked for before. A resampler has a memory, and so have most codecs: with them everything is decoded in order from
    the beginning.

    Args:
        source: Path, address, bytes, or a seekable object with ``read``.
        stream_index: Index among all streams, or ``None`` for the best audio stream.
        sample_rate: Samples per second that are wanted, or ``None`` for the stream's.
        num_channels: Channels that are wanted, or ``None`` for the stream's.
        limits: Bounds on the streams of the file, on its duration, and on what one frame may become; the caller starts
            the clock of :attr:`deadline` anew for each of its calls.

    Raises:
        DecodeError: The source cannot be opened, or holds no sound.
        LimitError: It exceeds ``limits``.
    """

    def __init__(
        self,
        source: Source,
        stream_index: int | None,
        sample_rate: int | None,
        num_channels: int | None,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self._av = import_av()
        self._source = source
        self._limits = limits
        self._wanted_stream = stream_index
        self.name = source_name(source)
        self.deadline = Deadline(limits.deadline, self.name)
        self._open()
        facts = self.metadata
        self.rate = sample_rate or facts.sample_rate
        self.channels = num_channels or facts.num_channels
        if facts.sample_rate > _FARTHEST * self.rate:
            self._container.close()
            raise DecodeError(f"{self.name}: {facts.sample_rate} samples per second cannot be brought to {self.rate}")
        self._changes = (self.rate, self.channels) != (facts.sample_rate, facts.num_channels)
        self._layout = self._stream.layout if self.channels == facts.num_channels else channel_layout(self.channels)
        self._blocks: Iterator[tuple[float | None, np.ndarray]] | None = None
        self._block = np.empty((self.channels, 0), np.float32)
        self._next = 0  # number of the first sample of the block
        self._begin: float | None = None
        self._after_seek = False
        self._fresh = True  # nothing has been read since the file was opened

    def _open(self) -> None:
        self._container = open_container(self._source, self._limits, self.deadline)
        try:
            self._stream = _pick(self._container, self._wanted_stream, self.name)
            self.metadata = _metadata(self._container, self._stream, self.name)
            self._stream.codec_context.thread_count = 1
            self._limits.check_seconds(self.metadata.duration_seconds or 0, self.name)
        except BaseException:
            self._container.close()
            raise
        self._fresh = True

    @property
    def begin(self) -> float:
        """When the first sample is played, in seconds: known exactly once something has been decoded."""
        if self._begin is None:
            self._restart(0)
            self._advance()
        return self.metadata.begin_stream_seconds if self._begin is None else self._begin

    def read(self, start: int, stop: int | None) -> Iterator[np.ndarray]:
        """The samples ``start`` to ``stop`` (``None``: the end), float32 (channels, n), piece by piece.

        Raises:
            DecodeError: The stream is damaged.
        """
        if self._blocks is None or start < self._next or self._seek_pays(start):
            self._restart(start)
        while stop is None or self._next < stop:
            block = self._block
            first = max(start - self._next, 0)
            last = block.shape[1] if stop is None else min(stop - self._next, block.shape[1])
            if first < last:
                yield block[:, first:last]
            if stop is not None and self._next + block.shape[1] >= stop:
                return  # what is left of the block serves the next range
            if not self._advance():
                return

    def close(self) -> None:
        """Free the file and the decoder."""
        self._blocks = None
        self._container.close()

    # -- how -----------------------------------------------------------------------------------------------------

    def _seek_pays(self, start: int) -> bool:
        return self._seekable() and start > self._next + self._block.shape[1] + 10 * self.rate

    def _seekable(self) -> bool:
        return not self._changes and self.metadata.codec.startswith(_INDEPENDENT)

    def _restart(self, start: int) -> None:
        """Decode anew: from the beginning, or where the codec allows from just before sample ``start``."""
        self._blocks = None
        seeks = self._begin is not None and start > 0 and self._seekable() and self._seek(start)
        if not seeks and not self._fresh:
            # A seek to the beginning is not the same: MP3 and AAC decoders then keep samples that a player drops.
            self._container.close()
            self._open()
        self._fresh = False
        self._block, self._next = self._block[:, :0], 0
        self._after_seek = seeks
        self._blocks = self._decoded()

    def _seek(self, start: int) -> bool:
        assert self._begin is not None
        ticks = int((self._begin + start / self.rate) / float(self._stream.time_base))
        try:
            self._container.seek(ticks, stream=self._stream, backward=True)
        except self._av.error.FFmpegError:
            return False
        self._stream.codec_context.flush_buffers()
        return True

    def _advance(self) -> bool:
        """Put the next block in the place of the present one; false at the end of the stream."""
        assert self._blocks is not None
        self._next += self._block.shape[1]
        try:
            time, self._block = next(self._blocks, (None, self._block[:, :0]))
        except DecodeError:
            self._blocks = None
            raise
        except self._av.error.FFmpegError as error:
            self._blocks = None
            if self.deadline.passed():
                raise self.deadline.error() from error
            raise DecodeError(f"{self.name}: the audio stream is damaged: {error.strerror}") from error
        if time is not None and self._after_seek and self._begin is not None:
            self._next = round((time - self._begin) * self.rate)
        elif time is not None and self._begin is None:
            self._begin = time
        return self._block.shape[1] > 0

    def _decoded(self) -> Iterator[tuple[float | None, np.ndarray]]:
        resampler = self._av.AudioResampler(format="fltp", layout=self._layout, rate=self.rate)
        return _resampled(self._container.decode(self._stream), resampler, self._limits, self.deadline)


# No method: a generator that knows its stream would make a cycle, and what is in cycles is freed at any time, in forked
# children too, where the resampler's threads that are waited for do not exist.
def _resampled(
    frames: Iterator[Any], resampler: Any, limits: Limits, deadline: Deadline
) -> Iterator[tuple[float | None, np.ndarray]]:
    """Yield samples, and with the first of them the time of the first frame, if it is known."""
    time: float | None = None
    first = True
    for frame in frames:
        if first and frame.time is not None:
            time = float(frame.time)
        first = False
        # A frame of one sample per second becomes hours at a usual rate.
        size = frame.samples * resampler.rate // max(frame.sample_rate, 1) * resampler.layout.nb_channels * 4
        limits.check_batch(size, deadline.name)
        deadline.check()
        frame.pts = None  # the resampler would bridge what it takes for gaps in rounded times
        for piece in resampler.resample(frame):
            yield time, piece.to_ndarray()
            time = None
    for piece in resampler.resample(None):
        yield time, piece.to_ndarray()
        time = None


def _pick(container: Any, stream_index: int | None, name: str) -> Any:
    kinds = [stream.type for stream in container.streams]
    if stream_index is None:
        best = container.streams.best("audio")
        if best is None:
            held = ", ".join(sorted(set(kinds))) or "nothing"
            raise DecodeError(f"{name}: no audio stream; the file holds {held} only")
        return best
    if not 0 <= stream_index < len(kinds) or kinds[stream_index] != "audio":
        listed = ", ".join(f"{i}: {kind}" for i, kind in enumerate(kinds))
        raise DecodeError(f"{name}: stream {stream_index} is no audio stream; the file has {listed or 'no streams'}")
    return container.streams[stream_index]


def _metadata(container: Any, stream: Any, name: str) -> AudioMetadata:
    context = stream.codec_context
    if context is None:
        raise DecodeError(f"{name}: the audio stream uses a codec that this FFmpeg cannot decode")
    if not context.sample_rate or not context.channels:
        raise DecodeError(f"{name}: the audio stream ({context.name}) does not say its sample rate and channels")
    tick = float(stream.time_base or 0)
    duration = None
    if stream.duration:
        duration = stream.duration * tick
    elif container.duration:
        duration = container.duration / 1e6
    return AudioMetadata(
        sample_rate=context.sample_rate,
        num_channels=context.channels,
        sample_format=context.format.name if context.format else "unknown",
        codec=context.codec.canonical_name if hasattr(context.codec, "canonical_name") else context.name,
        begin_stream_seconds=(stream.start_time or 0) * tick,
        duration_seconds=duration,
        bit_rate=context.bit_rate or None,
        stream_index=stream.index,
        container=container.format.name,
        begin_stream_seconds_from_header=None if stream.start_time is None else stream.start_time * tick,
        duration_seconds_from_header=stream.duration * tick if stream.duration else None,
    )
