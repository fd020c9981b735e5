"""Labelled clips as a stream: videos in a sampled order, all clips of a video one after the other."""

import os
import random
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import torch
from torch import distributed
from torch.utils.data import DistributedSampler, IterableDataset, RandomSampler, Sampler, get_worker_info

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
from video.data.clip_sampling import ClipInfo, ClipInfoList, ClipSampler
from video.data.frame_selection import FrameSelection
from video.data.labeled_video_paths import LabeledVideoPaths

__all__ = ["LabeledVideoDataset", "labeled_video_dataset"]


class LabeledVideoDataset(IterableDataset):
    """Labelled clips as a stream, for a ``DataLoader`` with any number of workers and any number of processes.

    ::

        video_sampler ── this process's videos ── this worker's videos ── clip_sampler ── decoder ── transform ── sample

    A sample is a dictionary: ``video`` (uint8 ``[3, T, H, W]``; a list of them where the clip sampler gives several
    clips), ``video_name``, ``video_index``, ``clip_index``, ``aug_index``, and the annotation, e.g. ``label``.

    Frames are chosen before decoding (``num_frames``, ``fps`` or ``frame_selection``); without a choice all
    frames of the clip are decoded. With ``seed`` a sample depends on seed, epoch and video alone: not on the number of
    workers, and torch's random generator is seeded for the transform. Without it the order follows torch's seed.

    Where ``torch.distributed`` runs, every process takes its share of the videos, all shares of one size (a few videos
    come twice). Where the number of clips depends on the video, as with a uniform clip sampler, processes still differ
    in their number of samples: for training use a random clip sampler, or :class:`~video.data.LabeledVideoClips`, which
    knows its length.

    Args:
        labeled_video_paths: Sequence of ``(path, annotation)``, e.g. :class:`~video.data.LabeledVideoPaths`. An element
            may also be a :class:`~video.data.Video` in place of a path.
        clip_sampler: Chooses the clips of a video.
        video_sampler: Class (or callable) that makes the sampler of videos from the list.
        transform: Applied to each sample.
        decode_audio: Must be ``False``: clips come without sound.
        decoder: Opens a video; ``None`` for the installed decoder, see :class:`~video.data.EncodedVideo`.
        num_frames: Frames per clip, at equal distances.
        fps: Frames per second of the clips.
        frame_selection: Chooses the times of the frames of a clip.
        on_error: What to do with a video that cannot be read: ``"raise"``, or ``"skip"`` it with a warning.
        seed: Makes samples reproducible.

    Raises:
        ValueError: On an empty list or contradictory options.
        vision_contract.OperatorNotFoundError: On iteration, when no decoder is installed.

    Examples:
        >>> data = LabeledVideoDataset([("a.mp4", {"label": 0})], RandomClipSampler(2), num_frames=8)  # doctest: +SKIP
        >>> next(iter(data))["video"].shape  # doctest: +SKIP
        torch.Size([3, 8, 240, 320])
    """

    def __init__(
        self,
        labeled_video_paths: LabeledPaths,
        clip_sampler: ClipSampler,
        video_sampler: Callable[..., Sampler] = RandomSampler,
        transform: Transform | None = None,
        decode_audio: bool = False,
        *,
        decoder: Callable[..., Any] | None = None,
        num_frames: int | None = None,
        fps: float | None = None,
        frame_selection: FrameSelection | None = None,
        on_error: OnError = "raise",
        seed: int | None = None,
    ) -> None:
        super().__init__()
        check_options(on_error, decode_audio)
        self._paths = nonempty(labeled_video_paths)
        self._clip_sampler = clip_sampler
        self._transform = transform
        self._decoder = decoder
        self._selection = choose_selection(num_frames, fps, frame_selection)
        self._on_error = on_error
        self._seed = seed
        self._epoch = torch.zeros((), dtype=torch.int64).share_memory_()  # workers that stay alive see set_epoch
        self._video_sampler = video_sampler(self._paths)
        self._running: Iterator[Any] | None = None

    @property
    def video_sampler(self) -> Sampler:
        """The sampler of videos."""
        return self._video_sampler

    @property
    def num_videos(self) -> int:
        """How many videos the sampler gives to this process, before workers share them."""
        return len(self._video_sampler)  # type: ignore[arg-type]

    def set_epoch(self, epoch: int) -> None:
        """Choose another order and other random clips; call it before each epoch when ``seed`` is set.

        Workers that are kept from epoch to epoch see it too.
        """
        self._epoch.fill_(epoch)

    def __iter__(self) -> Iterator[Any]:
        return self._samples()

    def __next__(self) -> Any:
        if self._running is None:
            self._running = iter(self)
        try:
            return next(self._running)
        except StopIteration:
            self._running = None
            raise

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_running": None}

    def _samples(self) -> Iterator[Any]:
        base = self._base_seed()
        unreadable: set[int] = set()
        readable = 0
        for position, index in self._video_indices(base):
            rng = clip_rng(base, int(self._epoch), position)
            samples = self._samples_of_video(index, rng)
            while True:
                try:
                    sample, torch_rng = next(samples)
                except StopIteration:
                    readable += 1
                    break
                except DECODING_ERRORS as error:
                    self._refuse(index, error, unreadable)
                    break
                if self._transform is not None:
                    with seeded_torch(torch_rng):
                        sample = self._transform(sample)
                yield sample
        if unreadable and not readable:
            raise RuntimeError(f"none of the {len(unreadable)} videos could be read: see the warnings before")

    def _samples_of_video(self, index: int, rng: random.Random) -> Iterator[tuple[Sample, random.Random | None]]:
        path, annotation = self._paths[index]
        sampler = self._clip_sampler.with_rng(rng)
        torch_rng = rng if self._seed is not None else None
        with open_video(path, self._decoder) as video:
            decoded: Sample = {}
            span: Any = None
            end: float | Fraction | None = None
            while True:
                clip = sampler(end, video.duration, annotation or {})
                if span != (clip.clip_start_sec, clip.clip_end_sec):  # several views of a clip are decoded once
                    span = (clip.clip_start_sec, clip.clip_end_sec)
                    decoded = read_clips(video, clip, self._selection)
                yield to_sample(decoded, video, index, clip, annotation), torch_rng
                end, is_last = _end_of(clip)
                if is_last:
                    return

    def _refuse(self, index: int, error: Exception, unreadable: set[int]) -> None:
        path = self._paths[index][0]
        if self._on_error == "raise":
            error.add_note(f"while reading {path}; on_error='skip' passes over such videos")
            raise error
        if index not in unreadable:
            unreadable.add(index)
            warn_unreadable(path, error)

    def _base_seed(self) -> int:
        """Return the seed of this epoch, the same in all workers."""
        if self._seed is not None:
            return self._seed
        worker = get_worker_info()
        if worker is not None:
            return worker.seed - worker.id
        return int(torch.randint(2**62, ()).item())

    def _video_indices(self, base: int) -> Iterator[tuple[int, int]]:
        """Yield (position in the epoch, index of the video) of the videos of this process and worker."""
        epoch = int(self._epoch)
        sampler = self._video_sampler
        if (
            type(sampler) is RandomSampler
        ):  # its generator is made here: a torch.Generator does not reach spawned workers
            generator = torch.Generator().manual_seed(clip_rng(base, epoch, -1).getrandbits(63))
            sampler = RandomSampler(self._paths, generator=generator)
        if epoch and hasattr(sampler, "set_epoch"):
            sampler.set_epoch(epoch)  # type: ignore[attr-defined]
        order = [int(index) for index in sampler]
        rank, world = _rank_and_world(sampler)
        if world > 1:
            if self._seed is None:
                raise ValueError("seed is needed where torch.distributed runs: without it processes draw other orders")
            order = (order * -(-world // len(order)) + order)[: -(-len(order) // world) * world]
        worker = get_worker_info()
        workers, own = (1, 0) if worker is None else (worker.num_workers, worker.id)
        for k, position in enumerate(range(rank, len(order), world)):
            if k % workers == own:
                yield position, order[position]


def labeled_video_dataset(
    data_path: str | os.PathLike[str],
    clip_sampler: ClipSampler,
    video_sampler: Callable[..., Sampler] = RandomSampler,
    transform: Transform | None = None,
    video_path_prefix: str = "",
    decode_audio: bool = False,
    **options: Any,
) -> LabeledVideoDataset:
    """Make a :class:`LabeledVideoDataset` from a text file of paths and labels, or from a folder per class.

    Args:
        data_path: Text file or folder, see :meth:`LabeledVideoPaths.from_path`.
        clip_sampler: Chooses the clips of a video.
        video_sampler: Makes the sampler of videos.
        transform: Applied to each sample.
        video_path_prefix: Folder put before every path.
        decode_audio: Must be ``False``.
        **options: The other arguments of :class:`LabeledVideoDataset`.

    Examples:
        >>> data = labeled_video_dataset("train.csv", make_clip_sampler("random", 2), num_frames=8)  # doctest: +SKIP
    """
    paths = LabeledVideoPaths.from_path(data_path)
    paths.path_prefix = video_path_prefix
    return LabeledVideoDataset(paths, clip_sampler, video_sampler, transform, decode_audio, **options)


def _end_of(clip: ClipInfo | ClipInfoList) -> tuple[float | Fraction, bool]:
    if isinstance(clip, ClipInfoList):
        return clip.clip_end_sec[-1], clip.is_last_clip[-1]
    return clip.clip_end_sec, clip.is_last_clip


def _rank_and_world(sampler: Sampler) -> tuple[int, int]:
    """Return this process's share of what ``sampler`` gives; a distributed sampler has shared already."""
    if isinstance(sampler, DistributedSampler) or not (distributed.is_available() and distributed.is_initialized()):
        return 0, 1
    return distributed.get_rank(), distributed.get_world_size()
