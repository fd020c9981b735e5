"""Labelled clips as an indexed collection."""

import random
from bisect import bisect_right
from collections.abc import Callable, Iterable
from itertools import accumulate
from typing import Any

import torch
from torch.utils.data import Dataset

from video.data._clip_reading import (
    DECODING_ERRORS,
    LabeledPaths,
    OnError,
    Sample,
    Transform,
    check_options,
    choose_selection,
    clip_rng,
    nonempty,
    open_video,
    read_clips,
    seeded_torch,
    to_sample,
    warn_unreadable,
)
from video.data.clip_sampling import ClipInfo, ClipInfoList, ClipSampler, Seconds
from video.data.frame_selection import FrameSelection

__all__ = ["LabeledVideoClips"]


class LabeledVideoClips(Dataset):
    """Labelled clips with a length and an index, so that every ``Sampler`` and ``DistributedSampler`` of torch works.

    Samples are those of :class:`~video.data.LabeledVideoDataset`; sample ``i`` depends on ``(seed, epoch, i)`` alone,
    in whatever process it is read, and torch's random generator is seeded for the transform.

    Where the number of clips depends on a video's duration (uniform clip samplers), every video is opened once here,
    unless ``durations`` are given; they are then available as :attr:`durations`, to be stored.

    Args:
        labeled_video_paths: Sequence of ``(path, annotation)``.
        clip_sampler: Chooses the clips of a video.
        transform: Applied to each sample.
        decoder: Opens a video; ``None`` for the installed decoder.
        num_frames: Frames per clip, at equal distances.
        fps: Frames per second of the clips.
        frame_selection: Chooses the times of the frames of a clip.
        on_error: What to do with a video that cannot be read: ``"raise"``, or ``"skip"``: warn, and give the next
            readable video's sample in its place.
        seed: Seed of random clips and of transforms.
        durations: Seconds of each video.

    Raises:
        ValueError: On an empty list or contradictory options.

    Examples:
        >>> data = LabeledVideoClips([("a.mp4", {"label": 0})], UniformClipSampler(2), num_frames=8)  # doctest: +SKIP
        >>> len(data), data[0]["video"].shape  # doctest: +SKIP
        (5, torch.Size([3, 8, 240, 320]))
    """

    def __init__(
        self,
        labeled_video_paths: LabeledPaths,
        clip_sampler: ClipSampler,
        transform: Transform | None = None,
        *,
        decoder: Callable[..., Any] | None = None,
        num_frames: int | None = None,
        fps: float | None = None,
        frame_selection: FrameSelection | None = None,
        on_error: OnError = "raise",
        seed: int = 0,
        durations: Iterable[Seconds] | None = None,
    ) -> None:
        check_options(on_error, decode_audio=False)
        self._paths = nonempty(labeled_video_paths)
        self._clip_sampler = clip_sampler
        self._transform = transform
        self._decoder = decoder
        self._selection = choose_selection(num_frames, fps, frame_selection)
        self._on_error = on_error
        self._seed = seed
        self._epoch = torch.zeros((), dtype=torch.int64).share_memory_()  # workers that stay alive see set_epoch
        self._unreadable: set[int] = set()
        self.durations: list[Seconds] | None = None if durations is None else list(durations)
        self._ends = list(accumulate(self._count_clips()))
        if self._ends[-1] == 0:
            raise RuntimeError(f"none of the {len(self._paths)} videos could be read: see the warnings before")

    def __len__(self) -> int:
        return self._ends[-1]

    @property
    def num_videos(self) -> int:
        """Number of videos."""
        return len(self._paths)

    def set_epoch(self, epoch: int) -> None:
        """Choose other random clips and transforms; workers that are kept from epoch to epoch see it too."""
        self._epoch.fill_(epoch)

    def __getitem__(self, index: int) -> Any:
        size = len(self)
        if not -size <= index < size:
            raise IndexError(f"sample {index} of {size}")
        index %= size
        rng = clip_rng(self._seed, int(self._epoch), index)
        sample = self._read_or_replace(index, rng)
        if self._transform is None:
            return sample
        with seeded_torch(rng):
            return self._transform(sample)

    def _read_or_replace(self, index: int, rng: random.Random) -> Sample:
        video_index, clip_number = self._locate(index)
        for step in range(len(self._paths)):
            candidate = (video_index + step) % len(self._paths)
            if candidate in self._unreadable or self._clips_of(candidate) == 0:
                continue
            try:
                return self._read(candidate, clip_number, rng)
            except DECODING_ERRORS as error:
                self._refuse(candidate, error)
        raise RuntimeError(f"none of the {len(self._paths)} videos could be read: see the warnings before")

    def _read(self, video_index: int, clip_number: int, rng: random.Random) -> Sample:
        path, annotation = self._paths[video_index]
        with open_video(path, self._decoder) as video:
            clips = self._clip_sampler.clips(video.duration, annotation, rng)
            clip: ClipInfo | ClipInfoList = clips[min(clip_number, len(clips) - 1)]
            decoded = read_clips(video, clip, self._selection)
            return to_sample(decoded, video, video_index, clip, annotation)

    def _refuse(self, video_index: int, error: Exception) -> None:
        path = self._paths[video_index][0]
        if self._on_error == "raise":
            error.add_note(f"while reading {path}; on_error='skip' passes over such videos")
            raise error
        self._unreadable.add(video_index)
        warn_unreadable(path, error)

    def _locate(self, index: int) -> tuple[int, int]:
        """Return the video of a sample and the number of the sample in that video."""
        video_index = bisect_right(self._ends, index)
        return video_index, index - (self._ends[video_index - 1] if video_index else 0)

    def _clips_of(self, video_index: int) -> int:
        return self._ends[video_index] - (self._ends[video_index - 1] if video_index else 0)

    def _count_clips(self) -> list[int]:
        per_video = self._clip_sampler.clips_per_video
        if per_video is not None:
            return [per_video] * len(self._paths)
        if self.durations is None:
            self.durations = [self._duration(i) for i in range(len(self._paths))]
        if len(self.durations) != len(self._paths):
            raise ValueError(f"expected a duration for each of {len(self._paths)} videos, got {len(self.durations)}")
        return [
            len(self._clip_sampler.clips(duration, self._paths[i][1])) if duration > 0 else 0
            for i, duration in enumerate(self.durations)
        ]

    def _duration(self, video_index: int) -> Seconds:
        try:
            with open_video(self._paths[video_index][0], self._decoder) as video:
                return video.duration
        except DECODING_ERRORS as error:
            self._refuse(video_index, error)
            return 0
