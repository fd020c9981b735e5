"""A video in a file, decoded by whichever decoder is installed."""

import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from video.data.clip_sampling import exact_seconds
from video.data.frame_selection import ClipWindow, FrameSelection
from video.data.video import Video
from vision_contract import find

__all__ = ["EncodedVideo"]


class EncodedVideo(Video):
    """Clips of an encoded video; only the frames that are asked for are decoded, as uint8.

    Args:
        source: Path, bytes of a file, or a file opened for reading bytes.
        video_name: Name of the video; ``None`` for the file's name.
        decoder: Opens the video: ``decoder(source, layout="CTHW")`` as ``vision_contract.VideoDecoderFactory`` says.
            ``None`` for the installed one, e.g. that of ``vision-io[video]``.

    Raises:
        vision_contract.OperatorNotFoundError: When no decoder is installed; the text names the wheel to install.
        ValueError: When the video is missing, damaged, or has no frames.

    Examples:
        >>> with EncodedVideo("archery.mp4") as video:  # doctest: +SKIP
        ...     clip = video.get_clip(1, 3, UniformFrames(8))["video"]  # uint8 [3, 8, H, W]
    """

    def __init__(
        self, source: Any, video_name: str | None = None, *, decoder: Callable[..., Any] | None = None
    ) -> None:
        open_video = find("video_decoder") if decoder is None else decoder
        if video_name is None and isinstance(source, str | os.PathLike):
            video_name = Path(source).name
        self._name = video_name
        self._decoder = open_video(source, layout="CTHW")
        try:
            facts = self._decoder.metadata
            self._begin = float(facts.begin_stream_seconds or 0.0)
            self._duration = exact_seconds(_duration(facts))
            self._fps = exact_seconds(facts.average_fps or facts.num_frames / _duration(facts))
        except BaseException:
            self._decoder.close()
            raise

    @classmethod
    def from_path(
        cls, file_path: str | os.PathLike[str], *, decoder: Callable[..., Any] | None = None
    ) -> "EncodedVideo":
        """Open the file at ``file_path``; see :class:`EncodedVideo`."""
        return cls(file_path, decoder=decoder)

    @property
    def name(self) -> str | None:
        """Name of the video."""
        return self._name

    @property
    def duration(self) -> Fraction:
        """Duration in seconds, from the start of the first frame to the end of the last one."""
        return self._duration

    @property
    def fps(self) -> Fraction:
        """Average frames per second."""
        return self._fps

    def get_clip(
        self, start_sec: float | Fraction, end_sec: float | Fraction, frame_selection: FrameSelection | None = None
    ) -> dict[str, Tensor]:
        """Return the clip ``[start_sec, end_sec)``; see :meth:`Video.get_clip`.

        Without a selection the clip has the frames whose presentation time lies in the span, so 1 s at 25 frames per
        second has 25 frames wherever it starts; where none does, it has the frame that is on show.
        """
        window = self._window(start_sec, end_sec)
        if frame_selection is None:
            return {"video": self._all_frames(window)}
        latest = float(self._duration) - 1e-6
        times = [self._begin + min(max(float(t), 0.0), latest) for t in frame_selection(window)]
        return {"video": self._decoder.get_frames_played_at(times).data}

    def close(self) -> None:
        """Close the decoder."""
        self._decoder.close()

    def _window(self, start_sec: float | Fraction, end_sec: float | Fraction) -> ClipWindow:
        start = max(Fraction(start_sec), Fraction(0))
        stop = min(Fraction(end_sec), self._duration)
        if not start < stop:
            raise ValueError(
                f"{self._name}: the clip [{float(start_sec):g}, {float(end_sec):g}) s is empty or outside of the video "
                f"(0 to {float(self._duration):g} s)"
            )
        return ClipWindow(start, stop, self._fps)

    def _all_frames(self, window: ClipWindow) -> Tensor:
        """Decode the frames that start in the window.

        Containers round presentation times, e.g. to milliseconds, and seconds are floats, so both ends are moved
        by a margin that is smaller than a frame. The decoder also returns the frame on show at the start: it is dropped
        unless it starts there.
        """
        margin = min(1e-3, 0.25 / float(window.fps))
        start = self._begin + float(window.start_seconds)
        stop = self._begin + float(window.stop_seconds)
        shown_from = min(start + margin, self._begin + float(self._duration) - 1e-6)
        batch = self._decoder.get_frames_played_in_range(shown_from, max(stop - margin, shown_from + 1e-6))
        frames, times = batch.data, torch.as_tensor(batch.pts_seconds)
        late = int(times.numel() > 1 and bool(times[0] < start - margin))
        return frames[:, late:]


def _duration(facts: Any) -> float:
    if facts.end_stream_seconds is not None and facts.begin_stream_seconds is not None:
        duration = facts.end_stream_seconds - facts.begin_stream_seconds
    else:
        duration = facts.duration_seconds
    if not duration or not duration > 0:
        raise ValueError(f"expected a video that lasts longer than 0 s, got {duration} s")
    return float(duration)
