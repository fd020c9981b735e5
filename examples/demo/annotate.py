"""Writes a copy of a video with a caption on every frame: what the network sees, and how sure it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from examples.demo.classify import Window
from vision_contract import find
from vision_core.utils import annotate_label
from vision_io import VideoDecoder, VideoEncoder

__all__ = ["write_annotated"]

SHORT_SIDE = (240, 720)  # pixels: captions stay readable, and the copy of a large video small
_CHUNK = 16  # frames in memory at a time


def write_annotated(
    decoder: VideoDecoder,
    windows: list[Window],
    target: Path,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Write the annotated copy, without sound.

    Args:
        decoder: The open video.
        windows: What :func:`~examples.demo.classify.classify_video` saw.
        target: The MP4 file to write.
        progress: Told how many frames are done.

    Raises:
        vision_io.DecodeError: The source is damaged.
        vision_io.EncodeError: The target cannot be written.
    """
    facts = decoder.metadata
    size = _output_size(facts.height, facts.width)
    resize = find("resize")
    fps = facts.num_frames / facts.duration_seconds if facts.duration_seconds > 0 else 1.0
    with VideoEncoder(target, fps=min(max(fps, 1.0), 120.0), crf=20, preset="veryfast") as encoder:
        for window in windows:
            for start in range(window.start, window.stop, _CHUNK):
                stop = min(start + _CHUNK, window.stop)
                frames = decoder.get_frames_in_range(start, stop).data
                for frame in resize(frames, size, "bilinear", True):
                    encoder.write(_caption(frame, window))
                progress(stop, facts.num_frames)


def _caption(frame: Tensor, window: Window) -> Tensor:
    return annotate_label(frame, window.title, score=window.score).to(torch.uint8)


def _output_size(height: int, width: int) -> list[int]:
    """Height and width of the copy: even numbers, as H.264 in 4:2:0 needs them."""
    short = min(height, width)
    factor = min(max(short, SHORT_SIDE[0]), SHORT_SIDE[1]) / short
    return [max(2, round(side * factor / 2) * 2) for side in (height, width)]
