"""What both forms of the labelled video data set share: reading a sample, handling damaged files, seeding."""

import random
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, Protocol

import torch

from video.data.clip_sampling import ClipInfo, ClipInfoList
from video.data.encoded_video import EncodedVideo
from video.data.frame_selection import FrameSelection, FramesPerSecond, UniformFrames
from video.data.video import Video

__all__ = [
    "DECODING_ERRORS",
    "LabeledPaths",
    "OnError",
    "Sample",
    "Transform",
    "UnreadableVideoWarning",
    "check_options",
    "choose_selection",
    "clip_rng",
    "nonempty",
    "open_video",
    "read_clips",
    "seeded_torch",
    "to_sample",
    "warn_unreadable",
]

Sample = dict[str, Any]
Transform = Callable[[Sample], Any]
OnError = Literal["raise", "skip"]
DECODING_ERRORS = (OSError, ValueError, RuntimeError)


class UnreadableVideoWarning(UserWarning):
    """A video was skipped because it could not be read."""


class LabeledPaths(Protocol):
    """A sequence of ``(path, annotation)``, such as :class:`~video.data.LabeledVideoPaths` or a list."""

    def __getitem__(self, index: int, /) -> tuple[Any, dict[str, Any] | None]: ...

    def __len__(self) -> int: ...


def choose_selection(
    num_frames: int | None, fps: float | None, frame_selection: FrameSelection | None
) -> FrameSelection | None:
    """Return the one selection that was asked for, or ``None``."""
    if sum(option is not None for option in (num_frames, fps, frame_selection)) > 1:
        raise ValueError("give at most one of num_frames, fps and frame_selection")
    if num_frames is not None:
        return UniformFrames(num_frames)
    return FramesPerSecond(fps) if fps is not None else frame_selection


def check_options(on_error: str, decode_audio: bool) -> None:
    """Refuse what the data sets cannot do."""
    if on_error not in ("raise", "skip"):
        raise ValueError(f"on_error must be 'raise' or 'skip', got {on_error!r}")
    if decode_audio:
        raise ValueError("clips come without sound: use decode_audio=False and read the sound in a transform")


def open_video(path: Any, decoder: Callable[..., Any] | None) -> Video:
    """Open a video; a ``Video`` passes through."""
    return path if isinstance(path, Video) else EncodedVideo(path, decoder=decoder)


def read_clips(video: Video, clip: ClipInfo | ClipInfoList, selection: FrameSelection | None) -> Sample:
    """Decode a clip (a tensor under each key) or several (a list of tensors under each key)."""
    if isinstance(clip, ClipInfo):
        return dict(video.get_clip(clip.clip_start_sec, clip.clip_end_sec, selection))
    parts = [
        video.get_clip(start, end, selection) for start, end in zip(clip.clip_start_sec, clip.clip_end_sec, strict=True)
    ]
    return {key: [part[key] for part in parts] for key in parts[0]}


def to_sample(
    clips: Sample, video: Video, video_index: int, clip: ClipInfo | ClipInfoList, annotation: dict[str, Any] | None
) -> Sample:
    """Put the decoded clips and what is known of them into one dictionary."""
    return {
        **clips,
        "video_name": video.name,
        "video_index": video_index,
        "clip_index": clip.clip_index,
        "aug_index": clip.aug_index,
        **(annotation or {}),
    }


def clip_rng(seed: int, epoch: int, index: int) -> random.Random:
    """Return a generator that depends on its arguments alone, in every process and on every platform."""
    return random.Random(f"{seed}/{epoch}/{index}")


@contextmanager
def seeded_torch(rng: random.Random | None) -> Iterator[None]:
    """Run a transform with torch's CPU generator seeded from ``rng``, and put its state back after."""
    if rng is None:
        yield
        return
    state = torch.get_rng_state()
    torch.default_generator.manual_seed(rng.getrandbits(63))
    try:
        yield
    finally:
        torch.set_rng_state(state)


def warn_unreadable(path: Any, error: BaseException) -> None:
    """Say once which file was skipped, and why."""
    warnings.warn(f"{path}: skipped: {error}", UnreadableVideoWarning, stacklevel=3)


def nonempty(paths: LabeledPaths | Sequence[Any]) -> LabeledPaths:
    """Return ``paths``, refusing an empty one."""
    if len(paths) == 0:
        raise ValueError("expected at least one video, got an empty list")
    return paths
