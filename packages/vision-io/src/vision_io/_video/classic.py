"""The functions that code written for torchvision's video reading and writing calls.

New code is better served by :class:`vision_io.VideoDecoder` and :class:`vision_io.VideoEncoder`.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vision_io._errors import DecodeError, EncodeError, MissingDependencyError
from vision_io._limits import DEFAULT_LIMITS, Limits
from vision_io._video.audio_frames import AudioFacts, audio_facts, audio_frames
from vision_io._video.backend import get_video_backend
from vision_io._video.decoder import VideoDecoder
from vision_io._video.encoder import VideoEncoder
from vision_io._video.picture_track import as_array

__all__ = ["read_video", "read_video_timestamps", "write_video"]


def write_video(
    filename: str | os.PathLike[str],
    video_array: Tensor | np.ndarray,
    fps: float | Fraction,
    video_codec: str = "libx264",
    options: Mapping[str, Any] | None = None,
    audio_array: Tensor | np.ndarray | None = None,
    audio_fps: float | None = None,
    audio_codec: str | None = None,
    audio_options: Mapping[str, Any] | None = None,
) -> None:
    """Write frames (and sound) to a video file.

    Args:
        filename: File to write; the container follows its suffix.
        video_array: RGB, uint8 (T, H, W, 3); width and height are even.
        fps: Frames per second.
        video_codec: FFmpeg's name of the encoder.
        options: Options of the encoder, for example ``{"crf": 18}``.
        audio_array: Samples (channels, n): floats in -1..1 or int16; one or two channels.
        audio_fps: Samples per second.
        audio_codec: FFmpeg's name of the audio encoder; ``"aac"`` by default.
        audio_options: Options of the audio encoder.

    Raises:
        EncodeError: Wrong shape, dtype or size, or an encoder that fails.

    Examples:
        >>> frames = torch.randint(0, 256, (30, 64, 64, 3), dtype=torch.uint8)
        >>> write_video("noise.mp4", frames, fps=30)  # doctest: +SKIP
    """
    array = as_array(video_array)
    if array.ndim != 4 or array.shape[-1] != 3:
        hint = "; frames (T, C, H, W) need .permute(0, 2, 3, 1)" if array.ndim == 4 and array.shape[1] == 3 else ""
        raise EncodeError(f"video_array: got shape {tuple(array.shape)}, expected (T, H, W, 3){hint}")
    if len(array) == 0:
        raise EncodeError("video_array: got no frames, expected at least one")
    audio = None
    if audio_array is not None:
        if audio_fps is None:
            raise EncodeError("audio_fps: expected the sample rate of audio_array, got None")
        audio = as_array(audio_array)
        if audio.ndim != 2:
            raise EncodeError(f"audio_array: got shape {tuple(audio.shape)}, expected (channels, samples)")
    with VideoEncoder(
        filename,
        fps=fps,
        codec=video_codec,
        options=options,
        audio_rate=None if audio is None else round(audio_fps or 0),
        audio_channels=1 if audio is None else len(audio),
        audio_codec=audio_codec or "aac",
        audio_options=audio_options,
    ) as encoder:
        encoder.write(array.transpose(0, 3, 1, 2))
        if audio is not None:
            encoder.write_audio(audio)


def _check_unit(pts_unit: str) -> None:
    if pts_unit == "pts":
        warnings.warn(
            "pts_unit='pts' counts in ticks that differ from file to file; use pts_unit='sec'",
            UserWarning,
            stacklevel=3,
        )
    elif pts_unit != "sec":
        raise ValueError(f"pts_unit: got {pts_unit!r}, expected 'pts' or 'sec'")


def _chosen(pts: np.ndarray, start: float, end: float) -> list[int]:
    """Frames with ``start <= pts <= end``, and the one on screen at ``start`` when none begins exactly then."""
    first = int(np.searchsorted(pts, start, side="left"))
    if start > 0 and first > 0 and (first == len(pts) or pts[first] != start):
        first -= 1
    return list(range(first, int(np.searchsorted(pts, end, side="right"))))


def _sound_facts(filename: str | os.PathLike[str], limits: Limits, backend: str) -> AudioFacts | None:
    """Facts of the sound; with a backend that cannot read it a warning, and the pictures come alone."""
    try:
        return audio_facts(filename, limits, backend)
    except DecodeError as error:
        if backend != "decord" or not isinstance(error.__cause__, MissingDependencyError):
            raise
        warnings.warn(f"the video is read without its sound: {error}", UserWarning, stacklevel=3)
        return None


def _read_audio(
    filename: str | os.PathLike[str], start: float, end: float, rate: int, limits: Limits, backend: str
) -> Tensor:
    """Samples of ``[start, end]`` seconds, float32 (channels, n)."""
    pieces, size = [], 0
    for time, samples in audio_frames(filename, start, limits, backend):
        skip = max(round((start - time) * rate), 0)
        keep = samples.shape[1] if end == float("inf") else max(min(round((end - time) * rate), samples.shape[1]), 0)
        if skip < keep:
            pieces.append(samples[:, skip:keep])
            size += pieces[-1].nbytes
            limits.check_batch(size, os.fspath(filename))
        if time > end:
            break
    return torch.from_numpy(np.concatenate(pieces, axis=1)) if pieces else torch.empty(1, 0)


def _holds_no_pictures(error: DecodeError, backend: str) -> bool:
    told = (
        ("no video stream",)
        if backend in ("pyav", "video_reader")
        else ("no video stream", "cannot open it as a video")
    )
    return any(words in str(error) for words in told)


def read_video(
    filename: str | os.PathLike[str],
    start_pts: float | Fraction = 0,
    end_pts: float | Fraction | None = None,
    pts_unit: str = "pts",
    output_format: str = "THWC",
    *,
    limits: Limits | None = None,
) -> tuple[Tensor, Tensor, dict[str, Any]]:
    """Read the frames and the sound between two times, with the backend of :func:`vision_io.get_video_backend`.

    Args:
        filename: File to read.
        start_pts: First time; the frame on screen then is the first one returned.
        end_pts: Last time, inclusive; ``None`` reads to the end.
        pts_unit: ``"sec"``, or ``"pts"`` for ticks of the video stream.
        output_format: ``"THWC"`` or ``"TCHW"``.
        limits: Bounds that are checked before memory is allocated.

    Returns:
        Frames, uint8 (T, H, W, 3) or (T, 3, H, W); samples, float32 (channels, n); and a dictionary with
        ``"video_fps"`` and ``"audio_fps"`` as far as the file has them.

    Raises:
        DecodeError: The file is missing, damaged, or has neither pictures nor sound.
        LimitError: It exceeds ``limits``.

    Examples:
        >>> frames, samples, info = read_video("clip.mp4", 1.0, 2.0, pts_unit="sec")  # doctest: +SKIP
    """
    if output_format.upper() not in ("THWC", "TCHW"):
        raise ValueError(f"output_format: got {output_format!r}, expected 'THWC' or 'TCHW'")
    if end_pts is not None and end_pts < start_pts:
        raise ValueError(f"end_pts: got {end_pts}, expected at least start_pts={start_pts}")
    _check_unit(pts_unit)
    info: dict[str, Any] = {}
    frames = torch.empty(0, 3, 1, 1, dtype=torch.uint8)
    start, end = float(start_pts), float("inf") if end_pts is None else float(end_pts)
    limits = limits or DEFAULT_LIMITS
    backend = get_video_backend()
    sound = _sound_facts(filename, limits, backend)
    try:
        with VideoDecoder(filename, limits=limits, backend=backend) as decoder:
            metadata = decoder.metadata
            info["video_fps"] = float(metadata.average_fps_from_header or metadata.average_fps)
            if pts_unit == "pts":
                start, end = start * float(metadata.time_base), end * float(metadata.time_base)
            frames = decoder.get_frames_at(_chosen(decoder.pts_seconds.numpy(), start, end)).data
    except DecodeError as error:
        if sound is None or not _holds_no_pictures(error, backend):
            raise
    samples = torch.empty(1, 0)
    if sound is not None:
        info["audio_fps"] = sound.sample_rate
        samples = _read_audio(filename, start, end, sound.sample_rate, limits, backend)
    return (frames.permute(0, 2, 3, 1) if output_format.upper() == "THWC" else frames), samples, info


def read_video_timestamps(
    filename: str | os.PathLike[str], pts_unit: str = "pts", *, limits: Limits | None = None
) -> tuple[list[int] | list[Fraction], float | None]:
    """Presentation times of all frames, and the frame rate. Nothing is decoded.

    Args:
        filename: File to read.
        pts_unit: ``"sec"`` returns exact fractions of a second, ``"pts"`` integers in ticks of the stream.
        limits: Bounds that are checked before memory is allocated.

    Raises:
        DecodeError: The file is missing or damaged.
        LimitError: It exceeds ``limits``.
    """
    _check_unit(pts_unit)
    with VideoDecoder(filename, limits=limits) as decoder:
        metadata = decoder.metadata
        ticks = decoder.pts.tolist()
    fps = float(metadata.average_fps_from_header or metadata.average_fps)
    return (ticks if pts_unit == "pts" else [tick * metadata.time_base for tick in ticks]), fps
