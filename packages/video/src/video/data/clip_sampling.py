"""Clip samplers: which spans of time of a video become clips.

Times are exact: floats are read as the nearest fraction with a denominator of at most a million, so 0.1 s is 1/10 s and
clip 300 of a uniform sampler starts at 30 s, not a frame off.
"""

import copy
import random
from abc import ABC, abstractmethod
from fractions import Fraction
from typing import Any, NamedTuple, TypeVar

__all__ = [
    "ClipInfo",
    "ClipInfoList",
    "ClipSampler",
    "ConstantClipsPerVideoSampler",
    "RandomClipSampler",
    "RandomMultiClipSampler",
    "RandomMultiClipSamplerTruncateFromStart",
    "UniformClipSampler",
    "UniformClipSamplerTruncateFromStart",
    "exact_seconds",
    "make_clip_sampler",
]

Seconds = float | Fraction
_Sampler = TypeVar("_Sampler", bound="ClipSampler")


class ClipInfo(NamedTuple):
    """One clip: the frames with presentation times in ``[clip_start_sec, clip_end_sec)``.

    Attributes:
        clip_start_sec: Start, in seconds after the first frame.
        clip_end_sec: End (exclusive); may lie behind the end of a video that is shorter than a clip.
        clip_index: Number of the clip in its video.
        aug_index: Number of the view of that clip.
        is_last_clip: Whether the video has no more clips.
    """

    clip_start_sec: Seconds
    clip_end_sec: Seconds
    clip_index: int
    aug_index: int
    is_last_clip: bool


class ClipInfoList(NamedTuple):
    """Several clips that make one sample; the fields are those of :class:`ClipInfo`, as lists of one length."""

    clip_start_sec: list[Seconds]
    clip_end_sec: list[Seconds]
    clip_index: list[int]
    aug_index: list[int]
    is_last_clip: list[bool]


def exact_seconds(seconds: Seconds) -> Fraction:
    """Return ``seconds`` as an exact fraction; a float becomes the nearest one with a denominator up to a million.

    Examples:
        >>> exact_seconds(0.1), exact_seconds(2 / 30)
        (Fraction(1, 10), Fraction(1, 15))
    """
    return seconds if isinstance(seconds, Fraction) else Fraction(seconds).limit_denominator(1_000_000)


class ClipSampler(ABC):
    """Says which clip of a video comes after the one that ended at ``last_clip_end_time``.

    Args:
        clip_duration: Length of a clip in seconds.

    Attributes:
        rng: Source of random starts: the module ``random``, or a ``random.Random`` that a data set sets.

    Raises:
        ValueError: When ``clip_duration`` is not positive.
    """

    clips_per_video: int | None = None
    """Samples of every video, where that number does not depend on the video's duration."""

    def __init__(self, clip_duration: Seconds) -> None:
        if not clip_duration > 0:
            raise ValueError(f"clip_duration must be positive seconds, got {clip_duration}")
        self._clip_duration = exact_seconds(clip_duration)
        self._current_clip_index = 0
        self._current_aug_index = 0
        self.rng: Any = random

    @abstractmethod
    def __call__(
        self, last_clip_end_time: Seconds | None, video_duration: Seconds, annotation: dict[str, Any]
    ) -> ClipInfo | ClipInfoList:
        """Return the next clip.

        Args:
            last_clip_end_time: ``clip_end_sec`` of the clip before, or ``None`` for the first clip.
            video_duration: Duration of the video in seconds.
            annotation: What is known of the video, e.g. its label.
        """

    def reset(self) -> None:
        """Forget the position within a video."""
        self._current_clip_index = 0
        self._current_aug_index = 0

    def clips(
        self, video_duration: Seconds, annotation: dict[str, Any] | None = None, rng: random.Random | None = None
    ) -> list[ClipInfo | ClipInfoList]:
        """Return all clips of a video, leaving this sampler's own position as it is.

        Args:
            video_duration: Duration of the video in seconds.
            annotation: What is known of the video.
            rng: Source of random starts; ``None`` for this sampler's.

        Examples:
            >>> [str(clip.clip_start_sec) for clip in UniformClipSampler(1).clips(3.5)]
            ['0', '1', '2']
        """
        sampler = self.with_rng(self.rng if rng is None else rng)
        found: list[ClipInfo | ClipInfoList] = []
        end: Seconds | None = None
        while True:
            clip = sampler(end, video_duration, annotation or {})
            found.append(clip)
            if isinstance(clip, ClipInfoList):
                end, is_last = clip.clip_end_sec[-1], clip.is_last_clip[-1]
            else:
                end, is_last = clip.clip_end_sec, clip.is_last_clip
            if is_last:
                return found

    def with_rng(self: _Sampler, rng: Any) -> _Sampler:
        """Return a sampler of the same kind at the start of a video, which draws from ``rng``."""
        sampler = copy.copy(self)
        sampler.rng = rng
        sampler.reset()
        return sampler

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "rng": None if self.rng is random else self.rng}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.rng = random if self.rng is None else self.rng


class UniformClipSampler(ClipSampler):
    """Clips at equal distances, from the start of the video to its end.

    ::

        0        clip_duration                       video_duration
        ├─ clip 0 ─┤                                 │
        │    ├─ clip 1 ─┤                            │
        │    │    ├─ clip 2 ─┤         ...           │   a rest shorter than a clip is dropped, or,
        └────┘ stride                      ├─ clip n ─┤   with backpad_last, covered by a clip moved back

    A video that is shorter than a clip gives one clip.

    Args:
        clip_duration: Length of a clip in seconds.
        stride: Distance between starts in seconds; ``None`` means ``clip_duration``.
        backpad_last: Cover the rest at the end with one more clip, moved back to end with the video.
        eps: A clip may end this many seconds after the video.

    Raises:
        ValueError: When ``stride`` is not positive.

    Examples:
        >>> sampler = UniformClipSampler(2, stride=1)
        >>> [str(clip.clip_end_sec) for clip in sampler.clips(4.0)]
        ['2', '3', '4']
    """

    def __init__(
        self, clip_duration: Seconds, stride: Seconds | None = None, backpad_last: bool = False, eps: float = 1e-6
    ) -> None:
        super().__init__(clip_duration)
        if stride is not None and not stride > 0:
            raise ValueError(f"stride must be positive seconds, got {stride}")
        self._stride = self._clip_duration if stride is None else exact_seconds(stride)
        self._backpad_last = backpad_last
        self._eps = eps

    def _span(self, last_end: Seconds | None, video_duration: Seconds) -> tuple[Fraction, Fraction]:
        start = Fraction(0)
        if last_end is not None:
            start = exact_seconds(last_end) + self._stride - self._clip_duration
        if self._backpad_last:
            start = max(Fraction(0), min(start, exact_seconds(video_duration) - self._clip_duration))
        return start, start + self._clip_duration

    def __call__(
        self, last_clip_end_time: Seconds | None, video_duration: Seconds, annotation: dict[str, Any]
    ) -> ClipInfo:
        """Return the next clip; see :class:`ClipSampler`."""
        start, end = self._span(last_clip_end_time, video_duration)
        next_start, next_end = self._span(end, video_duration)
        moved, excess = next_start - start, next_end - video_duration
        is_last = moved < self._eps if self._backpad_last else excess > self._eps
        clip = ClipInfo(start, end, self._current_clip_index, 0, is_last)
        self._current_clip_index += 1
        if is_last:
            self.reset()
        return clip


class UniformClipSamplerTruncateFromStart(UniformClipSampler):
    """A :class:`UniformClipSampler` of the first ``truncation_duration`` seconds of each video.

    Args:
        clip_duration: Length of a clip in seconds.
        stride: Distance between starts in seconds; ``None`` means ``clip_duration``.
        backpad_last: Cover the rest at the end with one more clip.
        eps: A clip may end this many seconds late.
        truncation_duration: Seconds to use of each video; ``None`` for all.

    Examples:
        >>> len(UniformClipSamplerTruncateFromStart(1, truncation_duration=3).clips(10))
        3
    """

    def __init__(
        self,
        clip_duration: Seconds,
        stride: Seconds | None = None,
        backpad_last: bool = False,
        eps: float = 1e-6,
        truncation_duration: Seconds | None = None,
    ) -> None:
        super().__init__(clip_duration, stride, backpad_last, eps)
        self.truncation_duration = truncation_duration

    def __call__(
        self, last_clip_end_time: Seconds | None, video_duration: Seconds, annotation: dict[str, Any]
    ) -> ClipInfo:
        """Return the next clip; see :class:`ClipSampler`."""
        return super().__call__(last_clip_end_time, _truncated(video_duration, self.truncation_duration), annotation)


class RandomClipSampler(ClipSampler):
    """One clip per video, with a start drawn uniformly.

    Examples:
        >>> clip = RandomClipSampler(2)(None, 10.0, {})
        >>> 0 <= clip.clip_start_sec <= 8 and clip.is_last_clip
        True
    """

    clips_per_video = 1

    def _draw(self, video_duration: Seconds) -> tuple[Fraction, Fraction]:
        latest = max(exact_seconds(video_duration) - self._clip_duration, Fraction(0))
        start = Fraction(self.rng.uniform(0, float(latest)))
        return start, start + self._clip_duration

    def __call__(
        self, last_clip_end_time: Seconds | None, video_duration: Seconds, annotation: dict[str, Any]
    ) -> ClipInfo | ClipInfoList:
        """Return a clip; see :class:`ClipSampler`."""
        start, end = self._draw(video_duration)
        return ClipInfo(start, end, 0, 0, True)


class RandomMultiClipSampler(RandomClipSampler):
    """One sample per video, made of several clips with starts drawn uniformly.

    Args:
        clip_duration: Length of a clip in seconds.
        num_clips: Clips in a sample.

    Raises:
        ValueError: When ``num_clips`` is less than 1.

    Examples:
        >>> len(RandomMultiClipSampler(1, num_clips=3)(None, 10.0, {}).clip_start_sec)
        3
    """

    def __init__(self, clip_duration: Seconds, num_clips: int) -> None:
        super().__init__(clip_duration)
        if num_clips < 1:
            raise ValueError(f"num_clips must be at least 1, got {num_clips}")
        self._num_clips = num_clips

    def __call__(
        self, last_clip_end_time: Seconds | None, video_duration: Seconds, annotation: dict[str, Any]
    ) -> ClipInfoList:
        """Return ``num_clips`` clips; see :class:`ClipSampler`."""
        starts, ends = zip(*(self._draw(video_duration) for _ in range(self._num_clips)), strict=True)
        n = self._num_clips
        return ClipInfoList(list(starts), list(ends), [0] * n, [0] * n, [True] * n)


class RandomMultiClipSamplerTruncateFromStart(RandomMultiClipSampler):
    """A :class:`RandomMultiClipSampler` of the first ``truncation_duration`` seconds of each video.

    Args:
        clip_duration: Length of a clip in seconds.
        num_clips: Clips in a sample.
        truncation_duration: Seconds to use of each video; ``None`` for all.
    """

    def __init__(self, clip_duration: Seconds, num_clips: int, truncation_duration: Seconds | None = None) -> None:
        super().__init__(clip_duration, num_clips)
        self.truncation_duration = truncation_duration

    def __call__(
        self, last_clip_end_time: Seconds | None, video_duration: Seconds, annotation: dict[str, Any]
    ) -> ClipInfoList:
        """Return ``num_clips`` clips; see :class:`ClipSampler`."""
        return super().__call__(last_clip_end_time, _truncated(video_duration, self.truncation_duration), annotation)


class ConstantClipsPerVideoSampler(ClipSampler):
    """A fixed number of clips per video, spread evenly from its start to its end, each with several views.

    Args:
        clip_duration: Length of a clip in seconds.
        clips_per_video: Clips of each video.
        augs_per_clip: Views of each clip, e.g. 3 for left, centre and right crop.

    Raises:
        ValueError: When a number is less than 1.

    Examples:
        >>> [str(clip.clip_start_sec) for clip in ConstantClipsPerVideoSampler(2, 3).clips(10)]
        ['0', '4', '8']
    """

    def __init__(self, clip_duration: Seconds, clips_per_video: int, augs_per_clip: int = 1) -> None:
        super().__init__(clip_duration)
        if clips_per_video < 1 or augs_per_clip < 1:
            raise ValueError(
                f"clips_per_video and augs_per_clip must be at least 1, got {clips_per_video} and {augs_per_clip}"
            )
        self._clips_per_video = clips_per_video
        self._augs_per_clip = augs_per_clip
        self.clips_per_video = clips_per_video * augs_per_clip

    def __call__(
        self, last_clip_end_time: Seconds | None, video_duration: Seconds, annotation: dict[str, Any]
    ) -> ClipInfo:
        """Return the next view; see :class:`ClipSampler`."""
        latest = max(exact_seconds(video_duration) - self._clip_duration, Fraction(0))
        start = latest / max(self._clips_per_video - 1, 1) * self._current_clip_index
        clip_index, aug_index = self._current_clip_index, self._current_aug_index
        self._current_aug_index += 1
        if self._current_aug_index == self._augs_per_clip:
            self._current_clip_index, self._current_aug_index = clip_index + 1, 0
        is_last = self._current_clip_index == self._clips_per_video
        if is_last:
            self.reset()
        return ClipInfo(start, start + self._clip_duration, clip_index, aug_index, is_last)


_SAMPLERS: dict[str, type[ClipSampler]] = {
    "uniform": UniformClipSampler,
    "uniform_truncated_from_start": UniformClipSamplerTruncateFromStart,
    "random": RandomClipSampler,
    "random_multi": RandomMultiClipSampler,
    "random_multi_truncated_from_start": RandomMultiClipSamplerTruncateFromStart,
    "constant_clips_per_video": ConstantClipsPerVideoSampler,
}


def make_clip_sampler(sampling_type: str, *args: Any, **kwargs: Any) -> ClipSampler:
    """Build a sampler by name.

    Args:
        sampling_type: ``"uniform"``, ``"uniform_truncated_from_start"``, ``"random"``, ``"random_multi"``,
            ``"random_multi_truncated_from_start"`` or ``"constant_clips_per_video"``.
        *args: Arguments of the sampler; the first is the clip's duration in seconds.
        **kwargs: Arguments of the sampler by name.

    Raises:
        ValueError: On an unknown name.

    Examples:
        >>> type(make_clip_sampler("random", 2)).__name__
        'RandomClipSampler'
    """
    if sampling_type not in _SAMPLERS:
        raise ValueError(f"unknown clip sampler {sampling_type!r}: expected one of {', '.join(_SAMPLERS)}")
    return _SAMPLERS[sampling_type](*args, **kwargs)


def _truncated(duration: Seconds, limit: Seconds | None) -> Seconds:
    return duration if limit is None else min(duration, limit)
