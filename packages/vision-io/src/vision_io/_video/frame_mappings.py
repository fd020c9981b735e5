"""Frames of a stream as FFmpeg's ``ffprobe`` lists them."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

import numpy as np

from vision_io._video.frame_index import FrameIndex

__all__ = ["index_by_mappings", "read_mappings"]

_EXAMPLE = "expected {'frames': [{'pts': 0, 'duration': 1001, 'key_frame': 1}, ...]}, as ffprobe -show_frames writes it"


def read_mappings(mappings: str | bytes | Path | IO[Any] | None) -> bytes | None:
    """The text of ``custom_frame_mappings``: JSON, or a file of it."""
    if mappings is None or isinstance(mappings, bytes):
        return mappings
    if isinstance(mappings, str):
        return mappings.encode()
    content = mappings.read_bytes() if isinstance(mappings, Path) else mappings.read()
    return content.encode() if isinstance(content, str) else content


def index_by_mappings(text: bytes, time_base: Fraction) -> tuple[FrameIndex, np.ndarray]:
    """Index a stream by a list of its frames.

    Args:
        text: JSON; each frame has ``pts`` (or ``pkt_pts``), ``duration`` (or ``pkt_duration``) and ``key_frame``.
        time_base: Seconds of one tick of the stream.

    Returns:
        The index, without packets, and the frame from which the decoding of each frame can start, int64 (N).

    Raises:
        ValueError: No such list.
    """
    try:
        frames = json.loads(text)["frames"]
        rows = [
            (int(_of(frame, "pts")), int(_of(frame, "duration")), bool(int(frame["key_frame"])))
            for frame in frames
            if frame.get("media_type", "video") == "video"
        ]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"custom_frame_mappings: {type(error).__name__}: {error}; {_EXAMPLE}") from error
    if not rows:
        raise ValueError(f"custom_frame_mappings: no frames; {_EXAMPLE}")
    rows.sort()
    pts = np.array([row[0] for row in rows], dtype=np.int64)
    if np.any(np.diff(pts) <= 0):
        raise ValueError("custom_frame_mappings: two frames have the same pts; list the frames of one stream only")
    durations = np.append(np.diff(pts), max(rows[-1][1], 1))
    keys = np.array([row[2] for row in rows])
    start = np.maximum.accumulate(np.where(keys, np.arange(len(rows)), 0))
    none = np.zeros(0, dtype=np.int64)
    return FrameIndex(pts, durations, none, start, np.arange(len(rows)), time_base, counted=False), start


def _of(frame: dict[str, Any], name: str) -> Any:
    return frame[name] if name in frame else frame[f"pkt_{name}"]
