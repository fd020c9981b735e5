"""Which frames of a clip are decoded.

A selection is asked before anything is decoded, so a model that needs 4 frames of a 2-second clip costs 4 frames, not
60. It answers in seconds, never in indices: videos of varying and of different frame rates are sampled alike.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

__all__ = ["ClipWindow", "FrameSelection", "FramesPerSecond", "UniformFrames"]

_ROUNDING = Fraction(1, 1000)  # of a frame: a boundary that is this close to a frame's start is that start


@dataclass(frozen=True)
class ClipWindow:
    """The span of a clip, cut to the video that it is taken from.

    Attributes:
        start_seconds: Start, in seconds after the video's first frame.
        stop_seconds: End (exclusive), at most the video's duration.
        fps: Average frames per second of the video.
    """

    start_seconds: Fraction
    stop_seconds: Fraction
    fps: Fraction

    def frame_slots(self) -> range:
        """Return the numbers of the frames that start in the window, were all frames equally long; at least one.

        Examples:
            >>> ClipWindow(Fraction(1), Fraction(2), Fraction(25)).frame_slots()
            range(25, 50)
        """
        first = math.ceil(self.start_seconds * self.fps - _ROUNDING)
        stop = math.ceil(self.stop_seconds * self.fps - _ROUNDING)
        if stop > first:
            return range(first, stop)
        shown = max(0, math.floor(self.start_seconds * self.fps))  # no frame starts in the window: the one on show
        return range(shown, shown + 1)


FrameSelection = Callable[[ClipWindow], Sequence[float]]
"""Maps the window of a clip to the times, in seconds after the video's first frame, at which a frame is wanted."""


@dataclass(frozen=True)
class UniformFrames:
    """``num_frames`` frames at equal distances, the first and the last frame of the clip among them.

    It selects what decoding the whole clip and :func:`~video.transforms.functional.uniform_temporal_subsample` would.

    Examples:
        >>> window = ClipWindow(Fraction(0), Fraction(1), Fraction(10))
        >>> [round(t, 2) for t in UniformFrames(4)(window)]
        [0.05, 0.35, 0.65, 0.95]
    """

    num_frames: int

    def __post_init__(self) -> None:
        if self.num_frames < 1:
            raise ValueError(f"num_frames must be at least 1, got {self.num_frames}")

    def __call__(self, window: ClipWindow) -> list[float]:
        """Return the middle of each selected frame, in seconds."""
        slots, steps = window.frame_slots(), max(self.num_frames - 1, 1)
        picked = (slots[i * (len(slots) - 1) // steps] for i in range(self.num_frames))
        return [float((slot + Fraction(1, 2)) / window.fps) for slot in picked]


@dataclass(frozen=True)
class FramesPerSecond:
    """Frames at a fixed rate from the start of the clip, whatever the rate of the video.

    The number of frames follows from the clip's length; a rate above the video's repeats frames.

    Examples:
        >>> window = ClipWindow(Fraction(0), Fraction(2), Fraction(30))
        >>> len(FramesPerSecond(4)(window))
        8
    """

    fps: float | Fraction

    def __post_init__(self) -> None:
        if not self.fps > 0:
            raise ValueError(f"fps must be positive, got {self.fps}")

    def __call__(self, window: ClipWindow) -> list[float]:
        """Return the times of the frames, a little inside the frames that start there."""
        fps = Fraction(self.fps).limit_denominator(1_000_000)
        count = max(1, math.ceil((window.stop_seconds - window.start_seconds) * fps - _ROUNDING))
        inside = min(Fraction(1, 4) / window.fps, Fraction(1, 1000))
        return [float(window.start_seconds + i / fps + inside) for i in range(count)]
