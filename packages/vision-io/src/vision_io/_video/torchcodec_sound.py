"""The sound of a video file from TorchCodec."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from vision_io._errors import DecodeError
from vision_io._video.pyav_open import Source, source_name
from vision_io._video.rgb_frames import refuse_what_is_no_video
from vision_io._video.torchcodec_source import import_torchcodec, torchcodec_input

__all__ = ["torchcodec_sound", "torchcodec_sound_facts"]

_PIECE_SECONDS = 10.0


def _open(source: Source) -> Any | None:
    decoders = import_torchcodec()
    refuse_what_is_no_video(source)
    try:
        return decoders.AudioDecoder(torchcodec_input(source))
    except ValueError:  # no audio stream
        return None
    except (RuntimeError, OSError) as error:
        raise DecodeError(f"{source_name(source)}: TorchCodec cannot open it: {str(error).splitlines()[0]}") from error


def torchcodec_sound_facts(source: Source) -> tuple[int, int, float] | None:
    """Sample rate, channels and seconds of the best audio stream, or ``None`` where there is none."""
    decoder = _open(source)
    if decoder is None:
        return None
    facts = decoder.metadata
    return int(facts.sample_rate), int(facts.num_channels), float(facts.duration_seconds or 0)


def torchcodec_sound(source: Source, start_seconds: float = 0.0) -> Iterator[tuple[float, np.ndarray]]:
    """Decode the best audio stream: ``(pts_seconds, samples)`` with samples float32 (channels, n) in -1..1.

    Raises:
        DecodeError: The stream is damaged.
    """
    decoder = _open(source)
    if decoder is None:
        return
    start = max(start_seconds, float(decoder.metadata.begin_stream_seconds or 0))
    while True:
        try:
            piece = decoder.get_samples_played_in_range(start, start + _PIECE_SECONDS)
        except (RuntimeError, ValueError) as error:
            if "No audio frames" in str(error) or "No samples" in str(error):
                return
            raise DecodeError(f"{source_name(source)}: the audio stream is damaged: {error}") from error
        if not piece.data.shape[1]:
            return
        yield float(piece.pts_seconds), piece.data.numpy()
        start = piece.pts_seconds + piece.data.shape[1] / piece.sample_rate
