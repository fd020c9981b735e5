"""The fluent reader of older torchvision code, as an adapter of :class:`vision_io.VideoDecoder`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from vision_io._limits import DEFAULT_LIMITS, Limits
from vision_io._video.audio_frames import audio_facts, audio_frames
from vision_io._video.backend import get_video_backend
from vision_io._video.decoder import VideoDecoder
from vision_io._video.pyav_open import Source

__all__ = ["VideoReader"]


class VideoReader:
    """Iterates over the frames of one stream, forwards from any time.

    It reads with the backend that :func:`vision_io.get_video_backend` names when it is made.

    Args:
        src: Path, address, bytes, or a seekable binary file object.
        stream: ``"video"`` or ``"audio"``; ``"video:0"`` names the first video stream.
        num_threads: Decoder threads; 0 lets FFmpeg choose.
        limits: Bounds that are checked before memory is allocated.

    Raises:
        DecodeError: The source is missing, damaged, or has no such stream.

    Examples:
        >>> reader = VideoReader("clip.mp4")  # doctest: +SKIP
        >>> for frame in reader.seek(2.0):  # doctest: +SKIP
        ...     print(frame["pts"], frame["data"].shape)
    """

    def __init__(
        self, src: Source, stream: str = "video", num_threads: int = 0, *, limits: Limits | None = None
    ) -> None:
        self._source = src
        self._threads = num_threads
        self._limits = limits or DEFAULT_LIMITS
        self._backend = get_video_backend()
        self._decoder: VideoDecoder | None = None
        self._audio: Iterator[tuple[float, np.ndarray]] | None = None
        self._position = 0
        self.set_current_stream(stream)

    def set_current_stream(self, stream: str) -> bool:
        """Choose the stream to iterate: ``"video"``, ``"audio"``, or ``"video:<number>"`` for one of several.

        Returns:
            True. What cannot be chosen raises.
        """
        kind, _, number = stream.partition(":")
        if (
            kind not in ("video", "audio")
            or (number and not number.isdigit())
            or (kind == "audio" and int(number or 0))
        ):
            raise ValueError(f"stream: got {stream!r}, expected 'video', 'video:<number>' or 'audio'")
        self._kind = kind
        if kind == "video":
            index = None if not number else self._video_index(int(number))
            self._decoder = VideoDecoder(
                self._source,
                num_threads=self._threads,
                stream_index=index,
                limits=self._limits,
                backend=self._backend,
            )
        self.seek(0.0)
        return True

    def _video_index(self, number: int) -> int:
        from vision_io._video.pyav_open import open_container

        with open_container(self._source, self._limits) as container:
            videos = [stream.index for stream in container.streams.video]
        if number >= len(videos):
            raise ValueError(f"stream: got 'video:{number}', the file has {len(videos)} video streams")
        return videos[number]

    def seek(self, time_s: float, keyframes_only: bool = False) -> VideoReader:
        """Continue with the first frame whose time is at least ``time_s``.

        Args:
            time_s: Seconds.
            keyframes_only: Continue with the last key frame at or before ``time_s`` instead.

        Returns:
            The reader, so that ``for frame in reader.seek(2.0)`` reads well.
        """
        if self._kind == "audio":
            self._audio = audio_frames(self._source, time_s, self._limits, self._backend)
            return self
        assert self._decoder is not None
        times = self._decoder.pts_seconds.numpy()
        self._position = int(np.searchsorted(times, time_s - 1e-9, side="left"))
        if keyframes_only:
            keys = self._decoder.key_frames
            self._position = keys[max(int(np.searchsorted(times[keys], time_s + 1e-9, side="right")) - 1, 0)]
        return self

    def get_metadata(self) -> dict[str, dict[str, list[float]]]:
        """Durations and rates: ``{"video": {"duration": [...], "fps": [...]}, "audio": {"duration", "framerate"}}``."""
        facts: dict[str, dict[str, list[float]]] = {}
        if self._decoder is not None:
            metadata = self._decoder.metadata
            fps = float(metadata.average_fps_from_header or metadata.average_fps)
            facts["video"] = {"duration": [metadata.duration_seconds], "fps": [fps]}
        sound = audio_facts(self._source, self._limits, self._backend)
        if sound is not None:
            facts["audio"] = {"duration": [sound.duration_seconds], "framerate": [float(sound.sample_rate)]}
        return facts

    def __iter__(self) -> VideoReader:
        return self

    def __next__(self) -> dict[str, Any]:
        """The next frame.

        Returns:
            ``"data"``: uint8 (3, H, W), or float32 (samples, channels) for audio; ``"pts"``: seconds.
        """
        if self._kind == "audio":
            assert self._audio is not None
            time, samples = next(self._audio)
            return {"data": torch.from_numpy(samples.T.copy()), "pts": time}
        assert self._decoder is not None
        if self._position >= len(self._decoder):
            raise StopIteration
        frame = self._decoder.get_frame_at(self._position)
        self._position += 1
        return {"data": frame.data, "pts": frame.pts_seconds}

    def close(self) -> None:
        """Free the file and the decoder."""
        if self._decoder is not None:
            self._decoder.close()
