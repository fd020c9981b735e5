"""Frames of a video."""

from __future__ import annotations

import functools

import torch
from torch import Tensor

from vision_core._direct import nothing_watches
from vision_core.transforms.functional._dispatch import functional

__all__ = ["uniform_temporal_subsample", "uniform_temporal_subsample_video"]


def uniform_temporal_subsample_video(video: Tensor, num_samples: int) -> Tensor:
    """Pick frames at equal distances, the first and the last among them.

    Args:
        video: `[..., T, C, H, W]`, any dtype.
        num_samples: frames of the result; more than T repeats frames.

    Returns:
        `[..., num_samples, C, H, W]`.

    Examples:
        >>> import torch
        >>> uniform_temporal_subsample_video(torch.arange(9).view(9, 1, 1, 1), 3).flatten().tolist()
        [0, 4, 8]
    """
    frames = video.shape[-4]
    if video.is_cpu and nothing_watches():
        return torch.index_select(video, -4, _known(frames, num_samples))
    return torch.index_select(video, -4, _positions(frames, num_samples, video.device))


def _positions(frames: int, count: int, device: torch.device | str) -> Tensor:
    return torch.linspace(0, frames - 1, count, device=device).long()


@functools.lru_cache(maxsize=64)
def _known(frames: int, count: int) -> Tensor:
    with torch.inference_mode(False):
        return _positions(frames, count, "cpu")


uniform_temporal_subsample = functional(uniform_temporal_subsample_video, image=None, pil=None, array=None)
