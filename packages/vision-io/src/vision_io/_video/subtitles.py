"""Subtitles: text and pictures, with their times."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from torch import Tensor

from vision_io._deadline import Deadline
from vision_io._errors import DecodeError
from vision_io._limits import DEFAULT_LIMITS, Limits
from vision_io._video.pyav_open import Source, open_container, source_name
from vision_io._video.subtitle_events import Event, events_of

__all__ = ["Subtitle", "SubtitleDecoder", "SubtitleImage", "SubtitleMetadata"]


@dataclass(frozen=True, eq=False)
class SubtitleImage:
    """A picture that is laid over the video.

    Attributes:
        data: RGBA, uint8 (4, H, W), colour not multiplied by alpha.
        left: Column of the video (or of the canvas that the subtitles were drawn for) where it begins.
        top: Row where it begins.
    """

    data: Tensor
    left: int
    top: int

    def __repr__(self) -> str:
        return f"SubtitleImage(data={tuple(self.data.shape)} {self.data.dtype}, left={self.left}, top={self.top})"


@dataclass(frozen=True, eq=False)
class Subtitle:
    r"""What is shown from one time to another: text, or pictures.

    Attributes:
        start_seconds: When it appears.
        end_seconds: When it goes; ``inf`` where nothing says so and no other follows.
        text: Plain text, lines separated by newlines; empty for pictures.
        markup: The text as Advanced SubStation has it, with its overrides such as ``{\i1}``; empty for pictures.
        style: Name of the style; empty where the format has none.
        speaker: Who speaks, where the file says so.
        images: Pictures of formats that hold no text (DVD, DVB, Blu-ray).
    """

    start_seconds: float
    end_seconds: float
    text: str = ""
    markup: str = ""
    style: str = ""
    speaker: str = ""
    images: tuple[SubtitleImage, ...] = ()

    @property
    def duration_seconds(self) -> float:
        """For how long it is shown."""
        return self.end_seconds - self.start_seconds

    def __repr__(self) -> str:
        what = f"text={self.text!r}" if not self.images else f"images={list(self.images)}"
        return f"Subtitle({self.start_seconds:.3f}..{self.end_seconds:.3f} s, {what})"


@dataclass(frozen=True)
class SubtitleMetadata:
    """Facts of a subtitle stream.

    Attributes:
        stream_index: Index among all streams of the file.
        codec: FFmpeg's name of the format, for example ``"mov_text"``, ``"subrip"``, ``"hdmv_pgs_subtitle"``.
        language: ISO 639-2 code by the file, for example ``"eng"``; ``None`` where it does not say.
        title: Title by the file, or ``None``.
        container: Name of the container format.
    """

    stream_index: int
    codec: str
    language: str | None
    title: str | None
    container: str

    def __str__(self) -> str:
        return "\n".join(f"{field.name}: {getattr(self, field.name)}" for field in fields(self))


class SubtitleDecoder:
    """The subtitles of a video, or of a file of subtitles (SubRip, WebVTT, ASS, PGS, ...), in the order of their times.

    Iterating reads the file once more each time, and keeps nothing; the methods that search by time read it once and
    keep what they found. No file stays open: a decoder may be pickled and used after a fork when its source can be
    opened again (a path or bytes).

    Args:
        source: Path, address, bytes, or a seekable binary file object.
        stream_index: Index among all streams of the file; ``None`` takes the first subtitle stream.
        language: Take the first stream of this language (``"eng"``, ``"deu"``, ...) instead.
        limits: Bounds: ``max_batch_bytes`` for all pictures and texts that are kept together, ``max_frames`` for their
            number, ``max_pixels`` for each picture.

    Raises:
        DecodeError: The source is missing, damaged, or holds no such subtitles.
        MissingDependencyError: PyAV is not installed (``pip install 'vision-io[video]'``).

    Examples:
        >>> decoder = SubtitleDecoder("film.mkv", language="eng")  # doctest: +SKIP
        >>> next(iter(decoder))  # doctest: +SKIP
        Subtitle(1.000..2.500 s, text='Hello')
        >>> [subtitle.text for subtitle in decoder.get_subtitles_played_at(1.5)]  # doctest: +SKIP
        ['Hello']
    """

    def __init__(
        self,
        source: Source,
        *,
        stream_index: int | None = None,
        language: str | None = None,
        limits: Limits | None = None,
    ) -> None:
        if stream_index is not None and language is not None:
            raise ValueError("stream_index, language: give one of them, not both")
        self._source = bytes(source) if isinstance(source, (bytearray, memoryview)) else source
        self._limits = limits or DEFAULT_LIMITS
        self._name = source_name(source)
        self._kept: tuple[Subtitle, ...] | None = None
        with self._open(self._deadline()) as container:
            self._available = tuple(_facts(stream, container) for stream in container.streams.subtitles)
        self._metadata = self._pick(stream_index, language)

    def _deadline(self) -> Deadline:
        return Deadline(self._limits.deadline, self._name)

    def _open(self, deadline: Deadline) -> Any:
        return open_container(self._source, self._limits, deadline, subtitles=True)

    def _pick(self, stream_index: int | None, language: str | None) -> SubtitleMetadata:
        chosen = [
            facts
            for facts in self._available
            if stream_index in (None, facts.stream_index) and language in (None, facts.language)
        ]
        if chosen:
            return chosen[0]
        held = ", ".join(f"{facts.stream_index}: {facts.codec} ({facts.language})" for facts in self._available)
        if not held:
            raise DecodeError(f"{self._name}: no subtitle stream")
        wanted = f"in language {language!r}" if stream_index is None else f"with stream_index={stream_index}"
        raise DecodeError(f"{self._name}: no subtitles {wanted}; the file has {held}")

    @property
    def metadata(self) -> SubtitleMetadata:
        """Facts of the stream that is read."""
        return self._metadata

    @property
    def available(self) -> tuple[SubtitleMetadata, ...]:
        """Facts of all subtitle streams of the file."""
        return self._available

    def __iter__(self) -> Iterator[Subtitle]:
        """The subtitles, one after the other; nothing is kept.

        Raises:
            DecodeError: The file is damaged.
            LimitError: A picture, or their number, exceeds the limits.
        """
        deadline = self._deadline()
        with self._open(deadline) as container:
            stream = container.streams[self._metadata.stream_index]
            waiting: Event | None = None  # pictures stay until the next event at most
            for event in events_of(container, stream, deadline, self._limits):
                if waiting is not None:
                    yield _subtitle(waiting, event.start)
                waiting = event if event.holds and (event.images or event.end is None) else None
                if event.holds and waiting is None:
                    yield _subtitle(event, math.inf)
            if waiting is not None:
                yield _subtitle(waiting, math.inf)

    def _all(self) -> tuple[Subtitle, ...]:
        if self._kept is None:
            kept, size = [], 0
            for subtitle in self:
                kept.append(subtitle)
                size += 256 + 4 * len(subtitle.markup) + sum(image.data.numel() for image in subtitle.images)
                self._limits.check_batch(size, self._name)
            self._kept = tuple(sorted(kept, key=lambda subtitle: subtitle.start_seconds))
        return self._kept

    def __len__(self) -> int:
        return len(self._all())

    def __getitem__(self, index: int) -> Subtitle:
        return self._all()[index]

    def get_all_subtitles(self) -> list[Subtitle]:
        """All subtitles, by the time when they appear.

        Raises:
            DecodeError: The file is damaged.
            LimitError: They take more than ``limits.max_batch_bytes``.
        """
        return list(self._all())

    def get_subtitles_played_at(self, seconds: float) -> list[Subtitle]:
        """What is shown at a time; often nothing.

        Args:
            seconds: The time.

        Raises:
            DecodeError: The file is damaged.
        """
        return [s for s in self._all() if s.start_seconds <= seconds < s.end_seconds]

    def get_subtitles_played_in_range(self, start_seconds: float, stop_seconds: float) -> list[Subtitle]:
        """What is shown at any time of ``[start_seconds, stop_seconds)``.

        Args:
            start_seconds: First time.
            stop_seconds: Time to stop before.

        Raises:
            ValueError: ``stop_seconds`` lies before ``start_seconds``.
            DecodeError: The file is damaged.
        """
        if not stop_seconds >= start_seconds:
            raise ValueError(
                f"range: got {start_seconds} s to {stop_seconds} s, expected start_seconds <= stop_seconds"
            )
        return [s for s in self._all() if s.start_seconds < stop_seconds and s.end_seconds > start_seconds]

    def __getstate__(self) -> dict[str, Any]:
        if not isinstance(self._source, (str, os.PathLike, bytes)):
            raise DecodeError(
                f"{self._name}: subtitles of an open file object cannot be pickled; give it a path or bytes"
            )
        return self.__dict__

    def __repr__(self) -> str:
        facts = self._metadata
        told = "" if facts.language is None else f", {facts.language}"
        return f"SubtitleDecoder({self._name!r}, stream {facts.stream_index}: {facts.codec}{told})"


def _subtitle(event: Event, following: float) -> Subtitle:
    end = following if event.end is None else min(event.end, following)
    images = tuple(SubtitleImage(data, left, top) for data, left, top in event.images)
    return Subtitle(event.start, max(end, event.start), event.text, event.markup, event.style, event.speaker, images)


def _facts(stream: Any, container: Any) -> SubtitleMetadata:
    tags = {key.lower(): value for key, value in stream.metadata.items()}
    context = stream.codec_context
    codec = "unknown"
    if context is not None:
        codec = getattr(context.codec, "canonical_name", None) or context.name
    language = tags.get("language")
    return SubtitleMetadata(
        stream_index=stream.index,
        codec=codec,
        language=None if language in (None, "", "und") else language,
        title=tags.get("title"),
        container=container.format.name,
    )
