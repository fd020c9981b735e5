"""What every kind of video here can do."""

from abc import ABC, abstractmethod
from fractions import Fraction
from typing import Any

from torch import Tensor

from video.data.frame_selection import FrameSelection

__all__ = ["Video"]


class Video(ABC):
    """A video that gives clips by time. It is a context manager, which closes it."""

    @property
    @abstractmethod
    def name(self) -> str | None:
        """Name of the video, e.g. its file's."""

    @property
    @abstractmethod
    def duration(self) -> Fraction:
        """Duration in seconds, from the start of the first frame to the end of the last one."""

    @abstractmethod
    def get_clip(
        self, start_sec: float | Fraction, end_sec: float | Fraction, frame_selection: FrameSelection | None = None
    ) -> dict[str, Tensor]:
        """Return the clip ``[start_sec, end_sec)``.

        Args:
            start_sec: Start, in seconds after the first frame.
            end_sec: End (exclusive). Behind the end of the video, the clip ends with the video.
            frame_selection: Which frames of it to decode; ``None`` for all.

        Returns:
            ``{"video": uint8 tensor [3, T, H, W], 0..255, RGB}``.

        Raises:
            ValueError: When the span is empty or outside of the video.
        """

    def close(self) -> None:  # noqa: B027 -- not every video holds something
        """Free what the video holds; it cannot be used after that."""

    def __enter__(self) -> "Video":
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()
