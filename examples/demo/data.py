"""Reads the data set through `video`: frames are chosen before decoding, resized through the contract."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from examples.demo.config import DemoConfig
from video.data import LabeledVideoClips, LabeledVideoPaths, RandomClipSampler, make_clip_sampler
from video.transforms import ApplyTransformToKey, CenterCrop, Compose, RemoveKey, ShortSideScale

__all__ = ["Clips", "clip_transform", "network_input", "read_train", "read_validation"]

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Clips:
    """Decoded clips of a whole split, so that no file is decoded twice.

    Attributes:
        video: uint8 ``[N, 3, T, S, S]``.
        label: int64 ``[N]``.
    """

    video: Tensor
    label: Tensor

    def __len__(self) -> int:
        return len(self.label)


def clip_transform(config: DemoConfig) -> Compose:
    """What happens to each clip after decoding; ``ShortSideScale`` finds its resize through the contract."""
    return Compose([ShortSideScale(config.crop_size, antialias=True), CenterCrop(config.crop_size)])


def network_input(clips: Tensor) -> Tensor:
    """Bring clips to the scale that the networks see: every clip with mean 0 per colour and standard deviation 1.

    Args:
        clips: uint8 ``[N, 3, T, H, W]``.

    Returns:
        float32 of the same shape, channels last in memory.

    Example:
        >>> network_input(torch.randint(0, 256, (2, 3, 4, 8, 8), dtype=torch.uint8)).mean().abs().item() < 1e-5
        True
    """
    values = clips.to(torch.float32) / 255
    values = values - values.mean(dim=(2, 3, 4), keepdim=True)
    # A clip without contrast stays near zero in place of showing its noise.
    values = values / (values.std(dim=(1, 2, 3, 4), keepdim=True) + 0.02)
    return values.contiguous(memory_format=torch.channels_last_3d)


def read_train(config: DemoConfig, listing: Path, progress: Progress = lambda done, total: None) -> Clips:
    """Draw ``clips_per_video`` random clips from every training video.

    Args:
        config: Settings.
        listing: The list of training videos.
        progress: Told how many clips are done.
    """
    data = LabeledVideoClips(
        LabeledVideoPaths.from_path(listing),
        RandomClipSampler(config.clip_duration),
        _sample_transform(config),
        num_frames=config.num_frames,
        seed=config.seed,
    )
    total = len(data) * config.clips_per_video
    parts = []
    for epoch in range(config.clips_per_video):
        data.set_epoch(epoch)
        first = epoch * len(data)
        parts.append(_read(data, config, lambda done, first=first: progress(first + done, total)))
    return Clips(torch.cat([part.video for part in parts]), torch.cat([part.label for part in parts]))


def read_validation(config: DemoConfig, listing: Path, progress: Progress = lambda done, total: None) -> Clips:
    """Read one clip, always the same, from every validation video.

    Args:
        config: Settings.
        listing: The list of validation videos.
        progress: Told how many clips are done.
    """
    data = LabeledVideoClips(
        LabeledVideoPaths.from_path(listing),
        make_clip_sampler("constant_clips_per_video", config.clip_duration, 1),
        _sample_transform(config),
        num_frames=config.num_frames,
    )
    return _read(data, config, lambda done: progress(done, len(data)))


def _sample_transform(config: DemoConfig) -> Compose:
    return Compose([ApplyTransformToKey("video", clip_transform(config)), RemoveKey("audio")])


def _read(data: LabeledVideoClips, config: DemoConfig, progress: Callable[[int], None]) -> Clips:
    loader = DataLoader(data, batch_size=config.batch_size, num_workers=config.threads)
    videos, labels, done = [], [], 0
    for batch in loader:
        videos.append(batch["video"])
        labels.append(batch["label"])
        done += len(batch["label"])
        progress(done)
    return Clips(torch.cat(videos), torch.cat(labels))
