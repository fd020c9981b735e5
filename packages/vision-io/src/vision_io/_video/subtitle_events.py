"""What the packets of a subtitle stream say: texts and pictures, and when they appear."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vision_io._deadline import Deadline
from vision_io._errors import DecodeError
from vision_io._limits import Limits
from vision_io._video.output_file import reason
from vision_io._video.pyav_open import import_av
from vision_io._video.subtitle_palettes import Palettes, palettes_for

__all__ = ["Event", "events_of", "plain_text"]

_NO_END = 0xFFFFFFFF  # FFmpeg's end_display_time of what stays until the next event
_ASS_FIELDS = 9  # ReadOrder, Layer, Style, Name, MarginL, MarginR, MarginV, Effect, Text
_OVERRIDES = re.compile(r"\{([^}]*)\}")
_DRAWING = re.compile(r"\\p(\d+)")
_DISCARD_ALL = 48


@dataclass(frozen=True, eq=False)
class Event:
    """Something appears, or (where it holds nothing) what was there goes.

    Attributes:
        start: Seconds.
        end: Seconds, or ``None``: until the next event.
        text: Plain text.
        markup: The text with its overrides.
        style: Name of the style.
        speaker: Who speaks.
        images: Pictures (RGBA, left, top).
    """

    start: float
    end: float | None
    text: str = ""
    markup: str = ""
    style: str = ""
    speaker: str = ""
    images: tuple[tuple[Tensor, int, int], ...] = ()

    @property
    def holds(self) -> bool:
        """Whether there is something to show."""
        return bool(self.markup or self.images)


def plain_text(markup: str) -> str:
    r"""The text of an Advanced SubStation line without its overrides and drawings.

    Examples:
        >>> plain_text(r"{\i1}One{\i0} line\NThe next{\p1}m 0 0 l 9 9{\p0}!")
        'One line\nThe next!'
    """
    parts, drawing, last = [], False, 0
    for match in _OVERRIDES.finditer(markup):
        if not drawing:
            parts.append(markup[last : match.start()])
        modes = _DRAWING.findall(match[1])
        drawing = modes[-1] != "0" if modes else drawing
        last = match.end()
    if not drawing:
        parts.append(markup[last:])
    return "".join(parts).replace("\\N", "\n").replace("\\n", "\n").replace("\\h", "\N{NO-BREAK SPACE}").strip()


def events_of(container: Any, stream: Any, deadline: Deadline, limits: Limits) -> Iterator[Event]:
    """The events of a stream in the order of the file.

    Args:
        container: PyAV's input container.
        stream: The subtitle stream.
        deadline: When to give up waiting for the next event; it also knows how messages call the source.
        limits: Bounds on the number of events and on pictures.

    Raises:
        DecodeError: The stream is damaged, or FFmpeg has no decoder for it.
    """
    av = import_av()
    name = deadline.name
    context = stream.codec_context
    if context is None:
        raise DecodeError(f"{name}: stream {stream.index} holds subtitles in a format that this FFmpeg cannot decode")
    for other in container.streams:
        if other.index != stream.index and hasattr(other, "discard"):
            other.discard = _DISCARD_ALL
    codec = getattr(context.codec, "canonical_name", None) or context.name
    palettes = palettes_for(codec, context)
    count = 0
    try:
        for packet in container.demux(stream):
            deadline.check()
            if not packet.size:
                continue
            found = context.decode2(packet)
            if palettes is not None:
                palettes.feed(bytes(packet))
            if found is None:
                continue
            for event in _events(packet, found, palettes, codec, name, limits):
                count += 1
                limits.check_frames(count, name)
                yield event
                deadline.restart()  # what happens outside does not count
    except (av.error.FFmpegError, OSError) as error:
        raise DecodeError(f"{name}: the subtitles are damaged after event {count - 1}: {reason(error)}") from error


def _events(
    packet: Any, found: Any, palettes: Palettes | None, codec: str, name: str, limits: Limits
) -> Iterator[Event]:
    tick = float(packet.time_base or 0)
    time = packet.pts if packet.pts is not None else packet.dts
    if time is None:
        raise DecodeError(f"{name}: a packet of subtitles has no time")
    start = time * tick + found.start_display_time / 1000
    end = None
    if found.start_display_time < found.end_display_time < _NO_END:
        end = time * tick + found.end_display_time / 1000
    elif packet.duration:
        end = start + packet.duration * tick
    lines = [rect for rect in found.rects if rect.type != b"bitmap"]
    for rect in lines:
        yield _text_event(rect, start, end)
    pictures = [rect for rect in found.rects if rect.type == b"bitmap"]
    if pictures and palettes is None:
        raise DecodeError(f"{name}: {codec} subtitles are pictures whose colours PyAV does not hand out")
    images = tuple(_image(rect, palettes, name, limits) for rect in pictures if palettes is not None)
    if images or not lines:
        yield Event(start, end if images else None, images=images)


def _text_event(rect: Any, start: float, end: float | None) -> Event:
    line = bytes(rect.ass or b"").decode("utf-8", "replace")
    parts = line.split(",", _ASS_FIELDS - 1)
    if len(parts) < _ASS_FIELDS:  # plain text
        return Event(start, end, line.strip(), line)
    _, _, style, speaker, _, _, _, _, markup = parts
    return Event(start, end, plain_text(markup), markup.strip("\r\n"), style.strip(), speaker.strip())


def _image(rect: Any, palettes: Palettes, name: str, limits: Limits) -> tuple[Tensor, int, int]:
    """A picture of indices in its colours, RGBA uint8 (4, H, W), with its place."""
    width, height = rect.width, rect.height
    limits.check_picture(width, height, name)
    limits.check_batch(4 * width * height, name)
    flat = np.frombuffer(rect.planes[0], np.uint8) if rect.planes else np.empty(0, np.uint8)
    if width < 1 or height < 1 or flat.size < width * height:
        raise DecodeError(f"{name}: a picture of {width}x{height} subtitle pixels lacks its data")
    colours = palettes.colours(rect.x, rect.y, width, height)
    pixels = colours[flat[: width * height].reshape(height, width)]
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1))), int(rect.x), int(rect.y)
