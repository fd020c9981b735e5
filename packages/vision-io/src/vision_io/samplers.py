"""Clips of a video: at random or at regular places, counted in frames or in seconds.

Names, arguments and results are TorchCodec's; `generator` makes random places repeatable.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor

from vision_io._errors import DecodeError
from vision_io._video.decoder import VideoDecoder
from vision_io._video.results import FrameBatch

__all__ = [
    "Policy",
    "clips_at_random_indices",
    "clips_at_random_timestamps",
    "clips_at_regular_indices",
    "clips_at_regular_timestamps",
]

Policy = Literal["repeat_last", "wrap", "error"]


def clips_at_random_indices(
    decoder: VideoDecoder,
    *,
    num_clips: int = 1,
    num_frames_per_clip: int = 1,
    num_indices_between_frames: int = 1,
    sampling_range_start: int = 0,
    sampling_range_end: int | None = None,
    policy: Policy = "repeat_last",
    generator: torch.Generator | None = None,
) -> FrameBatch:
    """Clips that start at random frames.

    Args:
        decoder: The video.
        num_clips: How many.
        num_frames_per_clip: Frames of each.
        num_indices_between_frames: Distance of the frames of a clip; 1 takes every frame.
        sampling_range_start: First frame at which a clip may start; negative counts from the end.
        sampling_range_end: Frame before which clips start; negative counts from the end; ``None`` lets no clip reach
            beyond the end of the video, where that is long enough.
        policy: What stands for frames beyond the end: ``"repeat_last"``: the clip's last frame within; ``"wrap"``:
            the clip from its beginning; ``"error"``: a ValueError.
        generator: Source of random numbers; torch's global one when ``None``.

    Returns:
        Data (num_clips, num_frames_per_clip, 3, H, W) for layout ``"TCHW"``, (num_clips, 3, num_frames_per_clip, H, W)
        for ``"CTHW"``, (num_clips, num_frames_per_clip, H, W, 3) for ``"THWC"``; times (num_clips,
        num_frames_per_clip).

    Raises:
        ValueError: An argument is out of its range, or `policy="error"` and a clip reaches beyond the end.
        DecodeError: A frame is damaged, also with ``errors="skip"``, which would make clips of different lengths.

    Examples:
        >>> decoder = VideoDecoder("holiday.mp4")  # doctest: +SKIP
        >>> clips_at_random_indices(decoder, num_clips=2, num_frames_per_clip=8).data.shape  # doctest: +SKIP
        torch.Size([2, 8, 3, 256, 340])
    """
    _positive("num_clips", num_clips)
    first, end = _index_range(
        decoder, num_frames_per_clip, num_indices_between_frames, sampling_range_start, sampling_range_end, policy
    )
    starts = torch.randint(first, end, (num_clips,), generator=generator)
    return _clips_at(decoder, starts, num_frames_per_clip, num_indices_between_frames, policy)


def clips_at_regular_indices(
    decoder: VideoDecoder,
    *,
    num_clips: int = 1,
    num_frames_per_clip: int = 1,
    num_indices_between_frames: int = 1,
    sampling_range_start: int = 0,
    sampling_range_end: int | None = None,
    policy: Policy = "repeat_last",
) -> FrameBatch:
    """Clips that start at frames of equal distance, from the first to the last that a clip may start at.

    Args:
        decoder: The video.
        num_clips: How many.
        num_frames_per_clip: Frames of each.
        num_indices_between_frames: See :func:`clips_at_random_indices`; likewise the following.
        sampling_range_start: See there.
        sampling_range_end: See there.
        policy: See there.

    Returns:
        As :func:`clips_at_random_indices`.

    Raises:
        ValueError: An argument is out of its range, or `policy="error"` and a clip reaches beyond the end.
        DecodeError: A frame is damaged, also with ``errors="skip"``, which would make clips of different lengths.

    Examples:
        >>> clips_at_regular_indices(VideoDecoder("holiday.mp4"), num_clips=4)  # doctest: +SKIP
    """
    _positive("num_clips", num_clips)
    first, end = _index_range(
        decoder, num_frames_per_clip, num_indices_between_frames, sampling_range_start, sampling_range_end, policy
    )
    starts = torch.linspace(first, end - 1, num_clips).to(torch.int64)
    return _clips_at(decoder, starts, num_frames_per_clip, num_indices_between_frames, policy)


def clips_at_random_timestamps(
    decoder: VideoDecoder,
    *,
    num_clips: int = 1,
    num_frames_per_clip: int = 1,
    seconds_between_frames: float | None = None,
    sampling_range_start: float | None = None,
    sampling_range_end: float | None = None,
    policy: Policy = "repeat_last",
    generator: torch.Generator | None = None,
) -> FrameBatch:
    """Clips that start at random times.

    Args:
        decoder: The video.
        num_clips: How many.
        num_frames_per_clip: Frames of each.
        seconds_between_frames: Distance of the times of a clip's frames; ``None``: the average duration of a frame.
        sampling_range_start: Earliest time at which a clip may start; ``None``: the begin of the video.
        sampling_range_end: Time before which clips start; ``None`` lets no clip reach beyond the end of the video.
        policy: What stands for times beyond the end; see :func:`clips_at_random_indices`.
        generator: Source of random numbers; torch's global one when ``None``.

    Returns:
        As :func:`clips_at_random_indices`.

    Raises:
        ValueError: An argument is out of its range, or `policy="error"` and a clip reaches beyond the end.
        DecodeError: A frame is damaged, also with ``errors="skip"``, which would make clips of different lengths.

    Examples:
        >>> clips_at_random_timestamps(VideoDecoder("holiday.mp4"), num_frames_per_clip=16)  # doctest: +SKIP
    """
    _positive("num_clips", num_clips)
    first, end, step = _time_range(
        decoder, num_frames_per_clip, seconds_between_frames, sampling_range_start, sampling_range_end, policy
    )
    starts = first + (end - first) * torch.rand(num_clips, generator=generator, dtype=torch.float64)
    return _clips_played_at(decoder, starts, num_frames_per_clip, step, policy)


def clips_at_regular_timestamps(
    decoder: VideoDecoder,
    *,
    seconds_between_clip_starts: float,
    num_frames_per_clip: int = 1,
    seconds_between_frames: float | None = None,
    sampling_range_start: float | None = None,
    sampling_range_end: float | None = None,
    policy: Policy = "repeat_last",
) -> FrameBatch:
    """Clips that start every `seconds_between_clip_starts`.

    Args:
        decoder: The video.
        seconds_between_clip_starts: Distance of the starts.
        num_frames_per_clip: Frames of each.
        seconds_between_frames: See :func:`clips_at_random_timestamps`; likewise the following.
        sampling_range_start: See there.
        sampling_range_end: See there.
        policy: See there.

    Returns:
        As :func:`clips_at_random_indices`.

    Raises:
        ValueError: An argument is out of its range, or `policy="error"` and a clip reaches beyond the end.
        DecodeError: A frame is damaged, also with ``errors="skip"``, which would make clips of different lengths.

    Examples:
        >>> clips_at_regular_timestamps(VideoDecoder("holiday.mp4"), seconds_between_clip_starts=2.0)  # doctest: +SKIP
    """
    _positive("seconds_between_clip_starts", seconds_between_clip_starts)
    first, end, step = _time_range(
        decoder, num_frames_per_clip, seconds_between_frames, sampling_range_start, sampling_range_end, policy
    )
    count = max(math.ceil((end - first) / seconds_between_clip_starts - 1e-9), 1)
    starts = first + seconds_between_clip_starts * torch.arange(count, dtype=torch.float64)
    return _clips_played_at(decoder, starts, num_frames_per_clip, step, policy)


# -- the range of the starts -----------------------------------------------------------------------------------------


def _positive(name: str, value: float) -> None:
    if not value > 0:
        raise ValueError(f"{name}: got {value}, expected more than 0")


def _check(frames: int, policy: str) -> None:
    _positive("num_frames_per_clip", frames)
    if policy not in ("repeat_last", "wrap", "error"):
        raise ValueError(f"policy: got {policy!r}, expected 'repeat_last', 'wrap' or 'error'")


def _index_range(
    decoder: VideoDecoder, frames: int, step: int, start: int, end: int | None, policy: str
) -> tuple[int, int]:
    """The first index at which a clip may start, and the one before which it starts."""
    _check(frames, policy)
    _positive("num_indices_between_frames", step)
    total = len(decoder)
    first = start + total if start < 0 else start
    if not 0 <= first < total:
        raise ValueError(f"sampling_range_start: got {start}, the video has {total} frames")
    if end is None:
        last = max(total - (frames - 1) * step, 1)
        told = f"{frames} frames at a distance of {step} from frame {first} on do not fit into {total} frames"
    else:
        last = min(end + total if end < 0 else end, total)
        told = f"got {end}"
    if last <= first:
        raise ValueError(f"sampling_range_end: {told}; expected more than sampling_range_start ({first})")
    return first, last


def _time_range(
    decoder: VideoDecoder, frames: int, step: float | None, start: float | None, end: float | None, policy: str
) -> tuple[float, float, float]:
    """The earliest time of a start, the time that starts lie before, and the distance of the frames of a clip."""
    _check(frames, policy)
    facts = decoder.metadata
    step = 1 / facts.average_fps if step is None else step
    _positive("seconds_between_frames", step)
    begin, close = facts.begin_stream_seconds, facts.end_stream_seconds
    first = begin if start is None else start
    if not begin <= first < close:
        raise ValueError(f"sampling_range_start: got {start} s, the video runs from {begin} s to {close} s")
    last = close - (frames - 1) * step if end is None else min(end, close)
    if last <= first:
        told = f"got {end} s" if end is not None else f"{frames} frames at a distance of {step} s do not fit"
        raise ValueError(f"sampling_range_end: {told}; expected a time after sampling_range_start ({first} s)")
    return first, last, step


# -- the frames ------------------------------------------------------------------------------------------------------


def _clips_at(decoder: VideoDecoder, starts: Tensor, frames: int, step: int, policy: str) -> FrameBatch:
    total = len(decoder)
    clips = [_fill([s + k * step for k in range(frames)], lambda i: i < total, policy) for s in starts.tolist()]
    wanted = [index for clip in clips for index in clip]
    return _shaped(decoder, decoder.get_frames_at(wanted), wanted, len(clips))


def _clips_played_at(decoder: VideoDecoder, starts: Tensor, frames: int, step: float, policy: str) -> FrameBatch:
    end = decoder.metadata.end_stream_seconds
    clips = [_fill([s + k * step for k in range(frames)], lambda t: t < end, policy) for s in starts.tolist()]
    wanted = [time for clip in clips for time in clip]
    return _shaped(decoder, decoder.get_frames_played_at(wanted), wanted, len(clips))


def _fill(places: Sequence[float], exists: Callable[[float], bool], policy: str) -> list:
    """The places of a clip's frames, with others for those beyond the end; the first one exists."""
    within = [place for place in places if exists(place)]
    missing = len(places) - len(within)
    if missing and policy == "error":
        raise ValueError(
            f"a clip that starts at {places[0]} reaches beyond the end of the video (to {places[-1]}); leave "
            "sampling_range_end to its default, or choose the policy 'repeat_last' or 'wrap'"
        )
    if policy == "wrap":
        return [within[k % len(within)] for k in range(len(places))]
    return within + within[-1:] * missing


def _shaped(decoder: VideoDecoder, batch: FrameBatch, wanted: Sequence[float], clips: int) -> FrameBatch:
    if len(batch) < len(wanted):
        raise DecodeError(
            f"frames {', '.join(map(str, batch.damaged[:8]))} are damaged and left out, so that clips would differ in "
            "length; open the decoder with errors='salvage', or sample elsewhere"
        )
    if decoder.layout == "CTHW":
        data = batch.data.unflatten(1, (clips, -1)).transpose(0, 1).contiguous()  # (clips, C, T, H, W)
    else:
        data = batch.data.unflatten(0, (clips, -1))
    pts, durations = batch.pts_seconds.view(clips, -1), batch.duration_seconds.view(clips, -1)
    return FrameBatch(data, pts, durations, batch.damaged, batch.layout)
